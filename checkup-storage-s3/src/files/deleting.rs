//! Deleting, many files with one request or one by one.

use std::sync::atomic::Ordering;

use checkup_core::StorageError;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::asking::Outcome;
use super::{Files, PAGE};
use crate::action::Action;
use crate::refusal::Refusal;
use crate::wire::Answer;

/// How many files are deleted concurrently if each takes a request.
const CONCURRENT: usize = 8;

/// The outcome of deleting many files with one request.
enum Bulk {
    Done,
    /// The server refuses such requests. Only single requests show whether it refuses to delete the files as well.
    Refused(Refusal),
    /// Some of the files could not be deleted. Deleted one by one, each gets a separate answer.
    InPart,
}

impl Files {
    pub(super) async fn delete_all(&self, names: &[&str]) -> Result<(), StorageError> {
        let keys: Vec<_> = names.iter().map(|name| self.key(name)).collect::<Result<_, _>>()?;
        for keys in keys.chunks(PAGE) {
            let mut refused = None;
            if keys.len() > 1 && !self.shared.refuses_bulk.load(Ordering::Relaxed) {
                match self.delete_bulk(keys).await? {
                    Bulk::Done => continue,
                    Bulk::Refused(refusal) => refused = Some(refusal),
                    Bulk::InPart => {}
                }
            }
            let deleting: Vec<_> = keys.iter().map(|key| self.delete_singly(key.clone())).collect();
            stream::iter(deleting).buffer_unordered(CONCURRENT).try_collect::<()>().await?;
            if let Some(refusal) = refused.filter(|refusal| refusal.is_unsupported() || refusal.is_denied()) {
                self.stop_bulk(&refusal);
            }
        }
        Ok(())
    }

    /// Deletes up to a thousand files with one request.
    async fn delete_bulk(&self, keys: &[Path]) -> Result<Bulk, StorageError> {
        let paths = keys.to_vec();
        let delete = |client: AmazonS3| async move {
            client.delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed()).try_for_each(async |_| Ok(())).await
        };
        match self.ask(&Action::DELETE_MANY, delete).await? {
            Outcome::Done(()) => Ok(Bulk::Done),
            // If the key or the bucket is the cause, a single request is refused as well, and reports it.
            Outcome::Answered(Answer::Refused(refusal))
                if (400..500).contains(&refusal.status) || refusal.status == 501 =>
            {
                Ok(Bulk::Refused(refusal))
            }
            failed @ Outcome::Answered(_) => self.end(&Action::DELETE_MANY, failed).map(|()| Bulk::Done),
            Outcome::Unexpected(_) => Ok(Bulk::InPart),
        }
    }

    /// Remembers that files must be deleted one by one, since that worked.
    fn stop_bulk(&self, refusal: &Refusal) {
        if self.shared.refuses_bulk.swap(true, Ordering::Relaxed) {
            return;
        }
        let storage = self.target().describe();
        if refusal.is_denied() {
            // Ceph requires the permission on the bucket, not on its objects.
            tracing::info!(%storage, "deletes files one by one: the access key may not delete many with one request; Ceph wants s3:DeleteObject on the bucket too for that");
        } else {
            tracing::info!(%storage, "deletes files one by one: the server cannot delete many with one request");
        }
    }

    async fn delete_singly(&self, key: Path) -> Result<(), StorageError> {
        let client = self.shared.connection.single().await?;
        let action = Action::delete(key.filename().unwrap_or_default());
        match self.ask_of(client, &action, |client| async move { client.delete(&key).await }).await? {
            Outcome::Answered(Answer::Refused(refusal)) if refusal.status == 404 && !refusal.is_no_bucket() => Ok(()),
            failed => self.end(&action, failed),
        }
    }
}
