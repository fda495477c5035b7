//! Putting files, with and without the condition that the name is free.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use checkup_core::StorageError;
use checkup_core::archive::Put;
use checkup_core::check_file::FileName;
use object_store::aws::AmazonS3;
use object_store::{
    Attribute, AttributeValue, Attributes, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, TagSet,
};
use tokio::time::sleep;

use super::Files;
use super::asking::Outcome;
use crate::action::Action;
use crate::refusal::Refusal;
use crate::target::ObjectTag;
use crate::wire::Answer;

/// How often a conditional put that meets a concurrent one is repeated.
const MAX_CONFLICTS: u32 = 5;

/// Readers may keep a check file: it never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Readers must revalidate all other files, and learn if they have not changed.
const CHANGEABLE: &str = "no-cache";

/// The outcome of a put on a condition.
enum Conditional {
    Done(Put),
    /// The server refuses the condition, or the whole request.
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
        // The server refused the condition only.
        if is_unsupported && !refuses.swap(true, Ordering::Relaxed) {
            tracing::info!(storage = %self.target().describe(), "puts without a condition, since the server refuses `If-None-Match`");
        }
        Ok(put)
    }

    /// Creates or replaces an object with these attributes.
    pub(crate) async fn put_with(
        &self,
        name: &str,
        content: Bytes,
        attributes: Attributes,
    ) -> Result<(), StorageError> {
        let (key, action) = (self.deep_key(name)?, Action::put(name));
        let tags = self.tags(name);
        let put = |client: AmazonS3| async move {
            client.put_opts(&key, content.into(), PutOptions { attributes, tags, ..PutOptions::default() }).await
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

    /// The tag of check files, if they carry one.
    fn tags(&self, name: &str) -> TagSet {
        let mut tags = TagSet::default();
        if let Some(ObjectTag(key, value)) = self.target().tag.as_ref().filter(|_| FileName::parse(name).is_some()) {
            tags.push(key, value);
        }
        tags
    }

    /// Puts a file on the condition that its name is free.
    async fn put_conditionally(&self, name: &str, content: &Bytes) -> Result<Conditional, StorageError> {
        let (key, action) = (self.key(name)?, Action::put(name));
        let mut conflicts = 0;
        loop {
            let (key, payload, attributes) = (key.clone(), PutPayload::from(content.clone()), self.attributes(name));
            let tags = self.tags(name);
            let put = |client: AmazonS3| async move {
                let options = PutOptions { mode: PutMode::Create, attributes, tags, ..PutOptions::default() };
                client.put_opts(&key, payload, options).await
            };
            match self.ask(&action, put).await? {
                Outcome::Done(_) => return Ok(Conditional::Done(Put::Created)),
                Outcome::Answered(Answer::Refused(refusal)) if refusal.status == 412 => {
                    return Ok(Conditional::Done(Put::Exists));
                }
                // Another put or a deletion of the same name is in progress; the server asks to try again.
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

    /// Puts a file after looking whether its name is free, for servers that cannot do both in one request. Of two concurrent puts, one
    /// replaces the file of the other, which does no harm: check files with the same name are equal.
    async fn put_if_not_seen(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        let (key, action) = (self.key(name)?, Action::look(name));
        match self.ask(&action, |client: AmazonS3| async move { client.head(&key).await }).await? {
            Outcome::Done(_) => Ok(Put::Exists),
            // A key that may not list the bucket gets 403 for a missing object. If everything is refused, the answer to the put says why.
            Outcome::Answered(Answer::Refused(refusal)) if (400..500).contains(&refusal.status) => {
                self.put_with(name, Bytes::copy_from_slice(content), self.attributes(name)).await?;
                Ok(Put::Created)
            }
            failed => self.end(&action, failed).map(|_| Put::Exists),
        }
    }
}
