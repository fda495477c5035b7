use super::listing::Listing;
use super::{NamedFiles, naming};
use crate::check_file::FileName;
use crate::{StorageError, Timestamp};

/// How many names are listed, and deleted, at once. S3 deletes up to 1,000 in a request.
const BATCH: usize = 1000;

/// What retention did.
#[derive(Debug, Default)]
pub(super) struct Expired {
    /// How many check files it removed.
    pub(super) count: usize,
    /// The time of the oldest that is left.
    pub(super) oldest: Option<Timestamp>,
}

/// Removes the check files from before `cutoff`, by the time in their names. None is from after `latest`.
///
/// Old files are at the front. Those from before 2001 (a clock that was not set) have fewer digits in upstream's names, and
/// may be after all others too; the rare ones that sort between files that are kept are kept with them.
pub(super) async fn expire<F: NamedFiles>(
    files: &F,
    cutoff: Timestamp,
    latest: Timestamp,
) -> Result<Expired, StorageError> {
    let mut done = Expired::default();
    let front = (naming::FIRST.to_owned(), naming::from(cutoff));
    let back = (naming::from(latest), naming::END.to_owned());
    for (from, until) in [front, back] {
        let mut listing = Listing::new(files, from, BATCH);
        let mut batch: Vec<FileName> = Vec::new();
        while let Some(name) = listing.next().await? {
            if name.timestamp() < cutoff {
                batch.push(name);
                if batch.len() == BATCH {
                    delete(files, &batch).await?;
                    done.count += batch.len();
                    batch.clear();
                }
            } else {
                done.oldest = done.oldest.into_iter().chain([name.timestamp()]).min();
                if *name.as_str() >= *until {
                    break;
                }
            }
        }
        if !batch.is_empty() {
            delete(files, &batch).await?;
            done.count += batch.len();
        }
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
