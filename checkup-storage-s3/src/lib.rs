#![doc = include_str!("../README.md")]
//!
//! # What is in the bucket
//!
//! Under the prefix are the check files of an [`Archive`](checkup_core::archive::Archive) and the files derived from them. Nothing else
//! is ever changed: objects with other names, and everything in deeper folders, are left alone. Each prefix is a separate storage.
//!
//! Check files are stored uncompressed. Derived files (`summary.json`, `index.json`) and the page are compressed with `Content-Encoding: gzip`,
//! since object storage does not compress what it sends. Browsers handle this; `curl` needs `--compressed`.
//!
//! # What the server must support
//!
//! `PutObject`, `GetObject`, `HeadObject`, `ListObjectsV2` with `start-after` and `delimiter`, and `DeleteObject`. Two more features are used if the
//! server has them:
//! - `If-None-Match: *`, so that a put never replaces a file. If a server rejects it, Checkup looks for the name first. If
//!   a server ignores it, nothing is lost either: the name of a check file is made from its content, so a file is only ever replaced
//!   by an identical one.
//! - `DeleteObjects`, for a thousand files at a time. If a server does not support it, or the access key lacks the permission, files are deleted one
//!   by one.
//!
//! The access key's user needs `s3:PutObject`, `s3:GetObject` and `s3:DeleteObject` on the objects under the prefix, and
//! `s3:ListBucket` on the bucket. Without `s3:DeleteObject` all files are kept: storing, reading and publishing a page work, and only maintenance
//! reports the missing permission.
//!
//! # Servers
//!
//! | Server | What it lacks, and what Checkup does |
//! |---|---|
//! | Amazon S3 | Nothing. |
//! | Ceph RGW (tested: 16.2) | `DeleteObjects` needs `s3:DeleteObject` on the bucket itself too; otherwise files are deleted one by one. Errors have codes without messages. |
//! | Garage (tested: 2.5) | `If-None-Match` is ignored. No access without a key except through its web endpoint, which lists nothing: set [`index`](S3::index). No bucket policies, no tags. The region is `garage` unless configured otherwise. |
//! | OpenStack Swift with s3api (tested: 2.30) | `If-None-Match` is refused, so each put is preceded by a `HeadObject`. No bucket policies, CORS or lifecycle rules through S3. |
//! | s3rver (tested: 3.7) | `If-None-Match` is ignored. For tests only. |
//! | `MinIO` | According to its documentation: no CORS rules per bucket, no website, no public access block. |
//! | Cloudflare R2 | According to its documentation: no bucket policies, no website, no public access block, no tags; the region is `auto`. Make the bucket public with its own tools. |
//!
//! # Redirects
//!
//! No redirect is followed, as in the AWS SDKs: credentials go to the configured server only. The error names the region or the server
//! that the redirect leads to.
//!
//! # Credentials
//!
//! The credentials in the settings are used if there are any. Otherwise they come from the environment (`AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`), a web identity (`AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`), the container, or the
//! instance. Profiles in `~/.aws` are not read: `eval "$(aws configure export-credentials --format env)"` puts one into the environment.
//!
//! # A page on a server without listings
//!
//! A status page lists the bucket to find new results. Some servers let anyone read files but not list them, such as Garage's web
//! endpoint. `checkup statuspage deploy` tries the listing without a key, and warns if the page would not be live. With
//! [`index`](S3::index), each node updates an `index.json` after it stores. It lists the check files of the last two days, at most 10,000 (older
//! ones are in `summary.json`), and the page reads it. Concurrent nodes do not lose each other's files: after writing
//! the index, a node lists the files again, and repeats this if one is missing.
//!
//! # Provisioning
//!
//! With the feature `provision`, `checkup provision` (in code: [`Storage::provisioner`](checkup_core::Storage::provisioner)) creates the
//! bucket and lets a status page read it without a key. You can run it again at any time: it changes only what differs, and keeps the settings
//! of others. Its steps, in this order:
//!
//! | Step | Result | Permissions that the access key needs |
//! |---|---|---|
//! | bucket | It exists, in the region of the settings or in `us-east-1`. | `s3:ListBucket`, `s3:CreateBucket` |
//! | CORS | Pages of the given origins, or of all, may `GET` and `HEAD`, and see `ETag` and `Date`. | `s3:GetBucketCORS`, `s3:PutBucketCORS` |
//! | lifecycle, if requested | Check files that carry the storage's tag are removed at a certain age. | `s3:GetLifecycleConfiguration`, `s3:PutLifecycleConfiguration` |
//! | website, if requested | A folder shows its `index.html`. | `s3:GetBucketWebsite`, `s3:PutBucketWebsite` |
//! | public access block | It allows a public policy. Its settings for public ACLs stay as they are. | `s3:GetBucketPublicAccessBlock`, `s3:PutBucketPublicAccessBlock` |
//! | bucket policy | Anyone may get `*-check.json`, `summary.json` with its parts, and `index.json` under the prefix, and list with exactly this prefix; with `page` or `website`, anyone may get the page's files too. | `s3:GetBucketPolicy`, `s3:PutBucketPolicy` |
//!
//! The page's files are `index.html`, `page.js`, `german.json`, `feed.atom`, `badge.svg`, `badge/*.svg`, `logo.*`, `overview.json`, `detail/*.json` and
//! `pages/*`. With [`page_prefix`](S3::page_prefix), they have another prefix than the check files, and anyone may get only them: neither
//! check files, the summary nor a listing; this is for pages that hide facts. Listings show all names under the prefix:
//! keep secret names out of it. Without a prefix, anyone may list the whole bucket. A reader that may list only with
//! a prefix gets 403 instead of 404 for an object that does not exist.
//!
//! ## Expiry by the server
//!
//! A lifecycle rule selects objects by prefix or by tag. No prefix matches check files only (`pub/1` also matches `pub/1notes.txt` and
//! the folder `pub/1st-floor/`), so the rule selects a tag, `checkup-storage`, whose value differs for each prefix. Check files
//! have it if [`tag_check_files`](S3::tag_check_files) is set; files that were stored without the tag do not expire. The rule is first written
//! disabled and read back; if the server does not keep the tag, no rule is created. Earlier versions of Checkup created rules by prefix: every
//! `provision` that may read the rules removes those. [`check_expiry`](S3::check_expiry) needs none of this, and works on every server.
//!
//! # Retries and timeouts
//!
//! If the server has a fault or cannot be reached, a request is repeated up to four times, after growing pauses. If the server does not answer, the
//! request is repeated once. All attempts together take at most [`timeout`](S3::timeout). Errors name the bucket, the cause and the remedy.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod action;
mod compression;
mod config;
mod connection;
mod document;
mod error;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod http_client;
mod index;
mod listing;
mod names;
#[cfg(feature = "provision")]
mod provision;
mod publish;
mod refusal;
mod remedy;
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
