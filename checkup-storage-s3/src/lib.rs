//! The S3 storage of Checkup, the health-check library: check files in a bucket.
//!
//! Any number of nodes, anywhere, store into one bucket, without a lock or a leader; whoever reads it has everything.
//! It works with Amazon S3, and with servers that speak its protocol, such as MinIO, Garage, Ceph and Cloudflare R2.
//!
//! ```no_run
//! use checkup_core::{Checkup, check_fn};
//! use checkup_storage_s3::S3;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let checkup = Checkup::builder()
//!     .check(check_fn("queue", || async { Ok::<_, std::io::Error>(()) }))
//!     .storage(S3::new("status").region("eu-west-1").prefix("production"))
//!     .build()?;
//! checkup.check_and_store().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is in the bucket
//!
//! Under the prefix there are the check files of an [`Archive`](checkup_core::archive::Archive) and what it derives from them,
//! and nothing else is ever changed: objects of other names, and whatever is deeper, are left alone. Two prefixes are two storages.
//!
//! Check files are as they are everywhere. What is derived from them (`summary.json`), and a page, is compressed with
//! `Content-Encoding: gzip`, which object storage does not do on its way: browsers see nothing of it, and `curl` needs `--compressed`.
//!
//! # What is asked of the server
//!
//! `PutObject`, `GetObject`, `HeadObject`, `ListObjectsV2` with `start-after`, and `DeleteObject`. Two more are used where the server has them:
//! - `If-None-Match: *`, so that a put never replaces a file. Where a server refuses it, the name is looked for first. Where
//!   a server ignores it, nothing is lost either: the name of a check file is made of what is in it, so that a file is
//!   only ever replaced by its equal.
//! - `DeleteObjects`, a thousand at a time. Where a server refuses it, files are deleted one by one.
//!
//! What the access key needs: `s3:PutObject`, `s3:GetObject` and `s3:DeleteObject` on the objects under the prefix, and
//! `s3:ListBucket` on the bucket. Without `s3:DeleteObject` everything is kept, and maintenance says so.
//!
//! # Credentials
//!
//! Those of the settings; else those of the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`), of a web
//! identity (`AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`), of the container, or of the instance. Profiles in
//! `~/.aws` are not read: `eval "$(aws configure export-credentials --format env)"` puts one into the environment.
//!
//! # Provisioning
//!
//! With the feature `provision`, `checkup provision` (in code: [`Storage::provisioner`](checkup_core::Storage::provisioner)) makes the
//! bucket and lets a status page read it without a key. It may run again at any time; it writes only what differs, and keeps what others
//! have set. In this order:
//!
//! | Step | What is so afterwards | What the access key needs for it |
//! |---|---|---|
//! | bucket | It is there, in the region of the settings, else in `us-east-1`. | `s3:ListBucket`, `s3:CreateBucket` |
//! | CORS | Pages of the given origins, else of all, may `GET` and `HEAD`, and see `ETag` and `Date`. | `s3:GetBucketCORS`, `s3:PutBucketCORS` |
//! | lifecycle, if asked for | Objects under the prefix with the names of check files are removed at an age, uploads of parts that were not finished after a day. | `s3:GetLifecycleConfiguration`, `s3:PutLifecycleConfiguration` |
//! | website, if asked for | A folder shows its `index.html`. | `s3:GetBucketWebsite`, `s3:PutBucketWebsite` |
//! | public access block | It allows a public policy. What it has against public ACLs stays. | `s3:GetBucketPublicAccessBlock`, `s3:PutBucketPublicAccessBlock` |
//! | bucket policy | Anyone may get `*-check.json` and `summary.json` under the prefix, with `page` or `website` also the page's files, and list with just this prefix. | `s3:GetBucketPolicy`, `s3:PutBucketPolicy` |
//!
//! The page's files are `index.html`, `page.js`, `feed.atom`, `badge.svg`, `badge/*.svg` and `logo.*`. Names are listed whatever they are:
//! keep what nobody shall know of out of the prefix; without a prefix anyone may list the whole bucket. Who may list with
//! a prefix only gets 403, not 404, for an object that is not there.
//!
//! # When something is wrong
//!
//! A request is repeated up to four times, ever more slowly, if the server has a fault or cannot be reached; with all that it has
//! [`timeout`](S3::timeout). Errors say which bucket, why, and what to do about it.

mod compression;
mod config;
mod connection;
mod error;
mod files;
mod listing;
#[cfg(feature = "provision")]
mod provision;
mod publish;
mod refusal;
mod storage;
mod target;
mod wire;

pub use config::S3;
pub use storage::S3Storage;

/// Adds the storage to a registry as type `s3`.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.storage::<S3>("s3");
}
