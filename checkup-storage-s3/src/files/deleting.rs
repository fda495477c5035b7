//! Deleting, many at once or one by one.

use std::sync::atomic::Ordering;

use checkup_core::StorageError;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::asking::Outcome;
use super::{Files, PAGE};
use crate::wire::Answer;

/// How many files are deleted at once where each takes a request.
const CONCURRENT: usize = 8;

impl Files {
    pub(super) async fn delete_all(&self, names: &[&str]) -> Result<(), StorageError> {
        let keys: Vec<_> = names.iter().map(|name| self.key(name)).collect::<Result<_, _>>()?;
        for keys in keys.chunks(PAGE) {
            let is_bulk = !self.shared.refuses_bulk.load(Ordering::Relaxed);
            if keys.len() > 1 && is_bulk && self.delete_bulk(keys).await? {
                continue;
            }
            let deleting: Vec<_> = keys.iter().map(|key| self.delete_singly(key.clone())).collect();
            stream::iter(deleting).buffer_unordered(CONCURRENT).try_collect::<()>().await?;
        }
        Ok(())
    }

    /// Deletes up to a thousand files with one request; `false` if the server does not do that, or not now.
    async fn delete_bulk(&self, keys: &[Path]) -> Result<bool, StorageError> {
        let paths = keys.to_vec();
        let delete = |client: AmazonS3| async move {
            client.delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed()).try_for_each(async |_| Ok(())).await
        };
        match self.ask("delete files of", delete).await? {
            Outcome::Done(()) => Ok(true),
            Outcome::Answered(Answer::Refused(refusal)) if refusal.may_be_unsupported() => {
                if refusal.is_unsupported() {
                    self.shared.refuses_bulk.store(true, Ordering::Relaxed);
                }
                Ok(false)
            }
            failed @ Outcome::Answered(_) => self.end("delete files of", failed).map(|()| true),
            // One of the files could not be deleted. One by one, each has an answer of its own.
            Outcome::Unexpected(_) => Ok(false),
        }
    }

    async fn delete_singly(&self, key: Path) -> Result<(), StorageError> {
        let client = self.shared.connection.single().await?;
        let action = format!("delete {} of", key.filename().unwrap_or_default());
        match self.ask_of(client, &action, |client| async move { client.delete(&key).await }).await? {
            Outcome::Answered(Answer::Refused(refusal)) if refusal.status == 404 && refusal.code != "NoSuchBucket" => {
                Ok(())
            }
            failed => self.end(&action, failed),
        }
    }
}
