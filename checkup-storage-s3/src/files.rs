use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use checkup_core::archive::{NamedFiles, Put};
use checkup_core::check_file::FileName;
use checkup_core::{StorageError, StorageErrorKind, async_trait};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{
    Attribute, AttributeValue, Attributes, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
};
use tokio::time::{sleep, timeout};

use crate::connection::Connection;
use crate::error;
use crate::target::Target;
use crate::wire::{Answer, watch};

/// The largest file that is read: 64 MiB, some hundred thousand results.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The longest name, in bytes: a key may have 1,024 with its prefix.
const MAX_NAME: usize = 500;

/// How many names a server lists, and how many files it deletes, in one request.
const PAGE: usize = 1000;

/// How many files are deleted at once where each takes a request.
const CONCURRENT: usize = 8;

/// How often a conditional put that met another one is repeated.
const MAX_CONFLICTS: u32 = 5;

/// Who reads a check file may keep it: nobody ever changes one.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Whatever else there is must be asked for again, and the answer is that it has not changed.
const CHANGEABLE: &str = "no-cache";

/// The named files under a prefix of a bucket. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connection: Connection,
    /// Whether the server was found to refuse the condition that a name is free.
    refuses_conditions: AtomicBool,
    /// Whether the server was found to refuse to delete many files at once.
    refuses_bulk: AtomicBool,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    Done(T),
    /// The answer was no, or there was none.
    Answered(Answer),
    /// The answers were good, and yet it failed.
    Unexpected(object_store::Error),
}

impl Files {
    pub(crate) fn new(connection: Connection) -> Self {
        let (refuses_conditions, refuses_bulk) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { connection, refuses_conditions, refuses_bulk }) }
    }

    pub(crate) fn target(&self) -> &Target {
        self.shared.connection.target()
    }

    /// Makes or replaces an object with a content type and caching of its own.
    pub(crate) async fn put_with(&self, key: &str, content: &[u8], attributes: Attributes) -> Result<(), StorageError> {
        let (key, action) = (self.deep_key(key)?, format!("put {key} into"));
        let payload = PutPayload::from(Bytes::copy_from_slice(content));
        let put = |client: AmazonS3| async move {
            client.put_opts(&key, payload, PutOptions { attributes, ..PutOptions::default() }).await
        };
        self.call(&action, put).await.map(drop)
    }

    /// Whether an object is there, with this content and these attributes.
    pub(crate) async fn has(&self, key: &str, content: &[u8], attributes: &Attributes) -> Result<bool, StorageError> {
        let (path, action, length) = (self.deep_key(key)?, format!("get {key} from"), content.len() as u64);
        let get = |client: AmazonS3| async move {
            let found = client.get_opts(&path, GetOptions::default()).await?;
            let attributes = found.attributes.clone();
            // Nothing of another length is worth reading.
            let content = if found.meta.size == length { Some(found.bytes().await?) } else { None };
            Ok((attributes, content))
        };
        match self.call(&action, get).await {
            Ok((found, Some(bytes))) => {
                Ok(bytes == content && attributes.iter().all(|(name, value)| found.get(name) == Some(value)))
            }
            Ok((_, None)) => Ok(false),
            Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Does a request, with all its retries, in the time that it has.
    async fn call<T, F>(&self, action: &str, request: impl FnOnce(AmazonS3) -> F) -> Result<T, StorageError>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        match self.ask(action, request).await? {
            Outcome::Done(done) => Ok(done),
            Outcome::Answered(answer) => Err(error::failed(self.target(), action, answer)),
            Outcome::Unexpected(error) => Err(error::unexpected(self.target(), action, &error)),
        }
    }

    /// The same for who can do something about an answer.
    async fn ask<T, F>(&self, action: &str, request: impl FnOnce(AmazonS3) -> F) -> Result<Outcome<T>, StorageError>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let client = self.shared.connection.client().await?;
        self.ask_of(client, action, request).await
    }

    async fn ask_of<T, F>(
        &self,
        client: AmazonS3,
        action: &str,
        request: impl FnOnce(AmazonS3) -> F,
    ) -> Result<Outcome<T>, StorageError>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let (done, answer) = watch(timeout(self.target().timeout, request(client))).await;
        match (done, answer) {
            (Ok(Ok(done)), _) => Ok(Outcome::Done(done)),
            (Ok(Err(_)), Some(answer)) => Ok(Outcome::Answered(answer)),
            (Ok(Err(error)), None) => Ok(Outcome::Unexpected(error)),
            (Err(_), answer) => Err(error::timed_out(self.target(), action, answer)),
        }
    }

    /// The key of a file of the storage: nothing deeper.
    fn key(&self, name: &str) -> Result<Path, StorageError> {
        match name.contains('/') {
            true => Err(no_name(name)),
            false => self.deep_key(name),
        }
    }

    fn deep_key(&self, name: &str) -> Result<Path, StorageError> {
        if name.is_empty() || name.len() > MAX_NAME || name.contains('\\') || name.chars().any(char::is_control) {
            return Err(no_name(name));
        }
        // It refuses the parts `.` and `..`, and empty ones.
        Path::parse(format!("{}{name}", self.target().prefix)).map_err(|_| no_name(name))
    }

    fn attributes(&self, name: &str) -> Attributes {
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

    /// A put on the condition that the name is free; `None` if the server refuses the condition, or everything.
    async fn put_conditionally(&self, name: &str, content: &Bytes) -> Result<Option<Put>, StorageError> {
        let (key, action) = (self.key(name)?, format!("put {name} into"));
        let mut conflicts = 0;
        loop {
            let (key, payload, attributes) = (key.clone(), PutPayload::from(content.clone()), self.attributes(name));
            let put = |client: AmazonS3| async move {
                let options = PutOptions { mode: PutMode::Create, attributes, ..PutOptions::default() };
                client.put_opts(&key, payload, options).await
            };
            match self.ask(&action, put).await? {
                Outcome::Done(_) => return Ok(Some(Put::Created)),
                Outcome::Answered(Answer::Refused(refusal)) if refusal.status == 412 => return Ok(Some(Put::Exists)),
                // Another put or a deletion of the same name is under way; the server asks to try again.
                Outcome::Answered(Answer::Refused(refusal)) if refusal.status == 409 && conflicts < MAX_CONFLICTS => {
                    sleep(Duration::from_millis(20 << conflicts)).await;
                    conflicts += 1;
                }
                Outcome::Answered(Answer::Refused(refusal)) if matches!(refusal.status, 400 | 405 | 501) => {
                    return Ok(None);
                }
                Outcome::Answered(answer) => return Err(error::failed(self.target(), &action, answer)),
                Outcome::Unexpected(error) => return Err(error::unexpected(self.target(), &action, &error)),
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
                self.put_with(name, content, self.attributes(name)).await?;
                Ok(Put::Created)
            }
            Outcome::Answered(answer) => Err(error::failed(self.target(), &action, answer)),
            Outcome::Unexpected(error) => Err(error::unexpected(self.target(), &action, &error)),
        }
    }

    /// Deletes up to a thousand files with one request; `false` if the server does not do that.
    async fn delete_bulk(&self, keys: &[Path]) -> Result<bool, StorageError> {
        let paths = keys.to_vec();
        let delete = |client: AmazonS3| async move {
            client.delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed()).try_for_each(async |_| Ok(())).await
        };
        match self.ask("delete files of", delete).await? {
            Outcome::Done(()) => Ok(true),
            Outcome::Answered(Answer::Refused(refusal)) if matches!(refusal.status, 400 | 405 | 501) => {
                self.shared.refuses_bulk.store(true, Ordering::Relaxed);
                Ok(false)
            }
            Outcome::Answered(answer) => Err(error::failed(self.target(), "delete files of", answer)),
            // One of the files could not be deleted. One by one, each has an answer of its own.
            Outcome::Unexpected(_) => Ok(false),
        }
    }

    async fn delete_singly(&self, key: Path) -> Result<(), StorageError> {
        let client = self.shared.connection.single().await?;
        let action = format!("delete {} of", key.filename().unwrap_or_default());
        match self.ask_of(client, &action, |client| async move { client.delete(&key).await }).await? {
            Outcome::Done(()) => Ok(()),
            Outcome::Answered(Answer::Refused(refusal)) if refusal.status == 404 && refusal.code != "NoSuchBucket" => {
                Ok(())
            }
            Outcome::Answered(answer) => Err(error::failed(self.target(), &action, answer)),
            Outcome::Unexpected(error) => Err(error::unexpected(self.target(), &action, &error)),
        }
    }
}

#[async_trait]
impl NamedFiles for Files {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        let refuses = &self.shared.refuses_conditions;
        if !refuses.load(Ordering::Relaxed) {
            let content = Bytes::copy_from_slice(content);
            if let Some(put) = self.put_conditionally(name, &content).await? {
                return Ok(put);
            }
        }
        let put = self.put_if_not_seen(name, content).await?;
        // It did not refuse everything, but the condition.
        if !refuses.swap(true, Ordering::Relaxed) {
            tracing::info!(storage = %self.target().describe(), "puts without a condition: the server refuses `If-None-Match`");
        }
        Ok(put)
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        self.key(name)?;
        self.put_with(name, content, self.attributes(name)).await
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        let prefix = &self.target().prefix;
        let (mut names, mut page_token) = (Vec::new(), None);
        while names.len() < limit {
            let options = PaginatedListOptions {
                offset: before(from).map(|before| format!("{prefix}{before}")),
                // What is deeper counts as one, and is not listed.
                delimiter: Some("/".into()),
                max_keys: Some((limit - names.len()).min(PAGE)),
                page_token: page_token.clone(),
                ..PaginatedListOptions::default()
            };
            let list = |client: AmazonS3| async move {
                client
                    .list_paginated(Some(prefix).filter(|prefix| !prefix.is_empty()).map(String::as_str), options)
                    .await
            };
            let page = self.call("list", list).await?;
            let of_page = page.result.objects.iter().filter_map(|object| object.location.as_ref().strip_prefix(prefix));
            names.extend(of_page.filter(|name| *name >= from && !name.contains('/')).map(ToOwned::to_owned));
            if page.page_token.is_none() {
                break;
            }
            if page.page_token == page_token {
                return Err(StorageError::new(format!(
                    "cannot list {}: its pages do not end",
                    self.target().describe()
                )));
            }
            page_token = page.page_token;
        }
        names.sort_unstable();
        names.truncate(limit);
        Ok(names)
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        let (key, action) = (self.key(name)?, format!("get {name} from"));
        let get = |client: AmazonS3| async move {
            let found = client.get_opts(&key, GetOptions::default()).await?;
            let mut content = Vec::new();
            if found.meta.size > MAX_FILE_BYTES {
                return Ok(None);
            }
            let mut parts = found.into_stream();
            while let Some(part) = parts.try_next().await? {
                content.extend_from_slice(&part);
                if content.len() as u64 > MAX_FILE_BYTES {
                    return Ok(None);
                }
            }
            Ok(Some(content))
        };
        self.call(&action, get).await?.ok_or_else(|| {
            StorageError::new(format!("{name} is larger than a file may be that is read (64 MiB)"))
                .with_kind(StorageErrorKind::Corrupt)
        })
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
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
}

fn no_name(found: &str) -> StorageError {
    StorageError::new(format!("expected the name of a file, found {found:?}"))
}

/// A text right before `from`, for servers list what is after one; `None` if nothing is before.
///
/// What is between the two, and there is next to nothing, is left out of what the server lists.
fn before(from: &str) -> Option<String> {
    // What is after a name begins with the name and the least character there is, which no key has.
    if let Some(name) = from.strip_suffix('\0') {
        return Some(name.to_owned());
    }
    let mut chars = from.chars();
    let last = chars.next_back()?;
    let before_last = match last {
        '1'..='9' | 'B'..='Z' | 'b'..='z' => char::from_u32(last as u32 - 1).map(|c| format!("{c}~")),
        _ => None,
    };
    let text = format!("{}{}", chars.as_str(), before_last.unwrap_or_default());
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_begins_right_before_its_first_name() {
        for (from, expected) in [
            ("", None),
            ("1", Some("0~")),
            ("0", None),
            ("1473318000000000007", Some("1473318000000000006~")),
            ("1473318000000000000", Some("147331800000000000")),
            ("a-check.json\0", Some("a-check.json")),
            ("ü", None),
            ("aü", Some("a")),
            ("A", None),
            ("~", None),
        ] {
            let before = before(from);
            assert_eq!(before.as_deref(), expected, "{from:?}");
            assert!(before.as_deref().unwrap_or_default() <= from, "{from:?}");
        }
    }
}
