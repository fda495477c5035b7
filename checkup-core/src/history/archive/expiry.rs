use super::listing::Listing;
use super::{NamedFiles, naming};
use crate::check_file::FileName;
use crate::{StorageError, Timestamp};

/// How many names are listed, and deleted, at once. S3 deletes up to 1,000 in a request.
const BATCH: usize = 1000;

/// How many names are listed at first: mostly the oldest has not expired.
const PROBE: usize = 64;

/// What retention did.
#[derive(Debug, Default)]
pub(super) struct Expired {
    /// How many check files it removed.
    pub(super) count: usize,
    /// The time of the oldest that is left.
    pub(super) oldest: Option<Timestamp>,
}

/// Removes the check files from before `cutoff`, by the time in their names.
///
/// Their names have 19 digits ([`FileName::is_removable`]), so that they are at the front. What has fewer (upstream's, of a clock
/// before 2001), or is somebody's own with a name like ours, stays.
pub(super) async fn expire<F: NamedFiles>(files: &F, cutoff: Timestamp) -> Result<Expired, StorageError> {
    let mut done = Expired::default();
    let mut listing = Listing::new(files, naming::FIRST.to_owned(), BATCH).first(PROBE);
    let mut batch: Vec<FileName> = Vec::new();
    while let Some(name) = listing.next().await? {
        if !name.is_removable() {
            continue;
        }
        if name.timestamp() >= cutoff {
            done.oldest = Some(name.timestamp());
            break;
        }
        batch.push(name);
        if batch.len() == BATCH {
            delete(files, &batch).await?;
            done.count += batch.len();
            batch.clear();
        }
    }
    if !batch.is_empty() {
        delete(files, &batch).await?;
        done.count += batch.len();
    }
    Ok(done)
}

pub(super) async fn delete<F: NamedFiles>(files: &F, names: &[FileName]) -> Result<(), StorageError> {
    for batch in names.chunks(BATCH) {
        let names: Vec<_> = batch.iter().map(FileName::as_str).collect();
        files.delete(&names).await?;
    }
    Ok(())
}
