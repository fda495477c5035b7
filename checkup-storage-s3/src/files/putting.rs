//! Putting, with and without the condition that the name is free.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use checkup_core::StorageError;
use checkup_core::archive::Put;
use checkup_core::check_file::FileName;
use object_store::aws::AmazonS3;
use object_store::{
    Attribute, AttributeValue, Attributes, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
};
use tokio::time::sleep;

use super::Files;
use super::asking::Outcome;
use crate::refusal::Refusal;
use crate::wire::Answer;

/// How often a conditional put that met another one is repeated.
const MAX_CONFLICTS: u32 = 5;

/// Who reads a check file may keep it: nobody ever changes one.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Whatever else there is must be asked for again, and the answer is that it has not changed.
const CHANGEABLE: &str = "no-cache";

/// What came of a put on a condition.
enum Conditional {
    Done(Put),
    /// The server refuses the condition, or everything.
    Refused(Refusal),
}

impl Files {
    pub(super) async fn put_if_free(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        let refuses = &self.shared.refuses_conditions;
        let mut is_unsupported = false;
        if !refuses.load(Ordering::Relaxed) {
            let content = Bytes::copy_from_slice(content);
            match self.put_conditionally(name, &content).await? {
                Conditional::Done(put) => return Ok(put),
                Conditional::Refused(refusal) => is_unsupported = refusal.is_unsupported(),
            }
        }
        let put = self.put_if_not_seen(name, content).await?;
        // It did not refuse everything, but the condition.
        if is_unsupported && !refuses.swap(true, Ordering::Relaxed) {
            tracing::info!(storage = %self.target().describe(), "puts without a condition: the server refuses `If-None-Match`");
        }
        Ok(put)
    }

    /// Makes or replaces an object with these attributes.
    pub(crate) async fn put_with(
        &self,
        name: &str,
        content: Bytes,
        attributes: Attributes,
    ) -> Result<(), StorageError> {
        let (key, action) = (self.deep_key(name)?, format!("put {name} into"));
        let put = |client: AmazonS3| async move {
            client.put_opts(&key, content.into(), PutOptions { attributes, ..PutOptions::default() }).await
        };
        self.call(&action, put).await.map(drop)
    }

    pub(super) fn attributes(&self, name: &str) -> Attributes {
        let is_check_file = FileName::parse(name).is_some();
        let mut attributes = Attributes::new();
        if name.ends_with(".json") {
            attributes.insert(Attribute::ContentType, "application/json".into());
        }
        attributes.insert(Attribute::CacheControl, if is_check_file { IMMUTABLE } else { CHANGEABLE }.into());
        if let Some(class) = self.target().storage_class.clone().filter(|_| is_check_file) {
            attributes.insert(Attribute::StorageClass, AttributeValue::from(class));
        }
        attributes
    }

    /// A put on the condition that the name is free.
    async fn put_conditionally(&self, name: &str, content: &Bytes) -> Result<Conditional, StorageError> {
        let (key, action) = (self.key(name)?, format!("put {name} into"));
        let mut conflicts = 0;
        loop {
            let (key, payload, attributes) = (key.clone(), PutPayload::from(content.clone()), self.attributes(name));
            let put = |client: AmazonS3| async move {
                let options = PutOptions { mode: PutMode::Create, attributes, ..PutOptions::default() };
                client.put_opts(&key, payload, options).await
            };
            match self.ask(&action, put).await? {
                Outcome::Done(_) => return Ok(Conditional::Done(Put::Created)),
                Outcome::Answered(Answer::Refused(refusal)) if refusal.status == 412 => {
                    return Ok(Conditional::Done(Put::Exists));
                }
                // Another put or a deletion of the same name is under way; the server asks to try again.
                Outcome::Answered(Answer::Refused(refusal)) if refusal.status == 409 && conflicts < MAX_CONFLICTS => {
                    sleep(Duration::from_millis(20 << conflicts)).await;
                    conflicts += 1;
                }
                Outcome::Answered(Answer::Refused(refusal)) if refusal.may_be_unsupported() => {
                    return Ok(Conditional::Refused(refusal));
                }
                failed => drop(self.end(&action, failed)?),
            }
        }
    }

    /// A put after a look whether the name is free, for servers that cannot do both in one. If two do it at once, the one
    /// replaces the file of the other: which is the same, since check files of one name are equal.
    async fn put_if_not_seen(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        let (key, action) = (self.key(name)?, format!("look for {name} in"));
        match self.ask(&action, |client: AmazonS3| async move { client.head(&key).await }).await? {
            Outcome::Done(_) => Ok(Put::Exists),
            // Whoever may not list a bucket is not told that something is not there. If all is refused, the answer to the put says why.
            Outcome::Answered(Answer::Refused(refusal)) if (400..500).contains(&refusal.status) => {
                self.put_with(name, Bytes::copy_from_slice(content), self.attributes(name)).await?;
                Ok(Put::Created)
            }
            failed => self.end(&action, failed).map(|_| Put::Exists),
        }
    }
}
