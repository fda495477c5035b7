//! Listing and reading files.

use bytes::Bytes;
use checkup_core::{StorageError, StorageErrorKind};
use futures::TryStreamExt;
use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::{Attribute, Attributes, GetOptions, ObjectStore};

use super::asking::Outcome;
use super::{Files, PAGE};
use crate::action::Action;
use crate::compression;
use crate::error;
use crate::wire::Answer;

/// The largest file that is read: 64 MiB, several hundred thousand results.
const MAX_FILE_BYTES: u64 = 64 << 20;

impl Files {
    /// Lists the names from `from` up to, but not including, `end`. It stops at the first name or folder that is not before `end`, since a
    /// bucket may be shared with thousands of other folders.
    pub(super) async fn list_range(
        &self,
        from: &str,
        end: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StorageError> {
        let prefix = &self.target().prefix;
        let is_before = |name: &str| end.is_none_or(|end| name < end);
        let (mut names, mut page_token) = (Vec::new(), None);
        while names.len() < limit {
            // A page of folders has no names, so the following pages are as large as possible.
            let wanted = if page_token.is_none() { limit } else { PAGE };
            let options = PaginatedListOptions {
                offset: before(from).map(|before| format!("{prefix}{before}")),
                // A folder counts as one entry, and what is in it is not listed.
                delimiter: Some("/".into()),
                max_keys: Some(wanted.min(PAGE)),
                page_token: page_token.clone(),
                ..PaginatedListOptions::default()
            };
            let list = |client: AmazonS3| async move {
                client
                    .list_paginated(Some(prefix).filter(|prefix| !prefix.is_empty()).map(String::as_str), options)
                    .await
            };
            let page = self.call(&Action::LIST, list).await?;
            let of_page = page.result.objects.iter().filter_map(|object| object.location.as_ref().strip_prefix(prefix));
            let is_name = |name: &&str| *name >= from && is_before(name) && !name.contains('/');
            names.extend(of_page.filter(is_name).map(ToOwned::to_owned));
            let folders = page.result.common_prefixes.iter().map(AsRef::as_ref);
            let mut entries = folders.chain(page.result.objects.iter().map(|object| object.location.as_ref()));
            let is_past = |key: &str| key.strip_prefix(prefix).is_some_and(|name| !is_before(name));
            if page.page_token.is_none() || entries.any(is_past) {
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

    pub(super) async fn get_content(&self, name: &str) -> Result<Bytes, StorageError> {
        self.get_with(name).await.map(|(content, _)| content)
    }

    /// Whether an object exists with this content and these attributes.
    pub(crate) async fn has(&self, name: &str, content: &[u8], attributes: &Attributes) -> Result<bool, StorageError> {
        match self.get_with(name).await {
            Ok((found, of_it)) => {
                Ok(found == content && attributes.iter().all(|(name, value)| of_it.get(name) == Some(value)))
            }
            // An object that cannot be read is replaced.
            Err(error) if matches!(error.kind(), StorageErrorKind::NotFound | StorageErrorKind::Corrupt) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn get_with(&self, name: &str) -> Result<(Bytes, Attributes), StorageError> {
        let (key, action) = (self.deep_key(name)?, Action::get(name));
        let get = |client: AmazonS3| async move {
            let found = client.get_opts(&key, GetOptions::default()).await?;
            let attributes = found.attributes.clone();
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
            Ok(Some((Bytes::from(content), attributes)))
        };
        let corrupt = |why: &str| StorageError::new(format!("{name} {why}")).with_kind(StorageErrorKind::Corrupt);
        let too_large = || corrupt("is larger than 64 MiB, the limit for reading");
        let got = match self.ask(&action, get).await? {
            // Some servers send no code.
            Outcome::Answered(Answer::Refused(refusal)) if refusal.status == 404 && refusal.code.is_empty() => {
                return Err(error::not_there(self.target(), &action, refusal));
            }
            outcome => self.end(&action, outcome)?,
        };
        let (content, attributes) = got.ok_or_else(too_large)?;
        match attributes.get(&Attribute::ContentEncoding) {
            Some(encoding) if encoding.as_ref() == compression::ENCODING => {
                let plain = compression::decompress(content, MAX_FILE_BYTES).await;
                let plain = plain.map_err(|error| corrupt("is not valid gzip").with_source(error))?;
                Ok((plain.ok_or_else(too_large)?, attributes))
            }
            _ => Ok((content, attributes)),
        }
    }
}

/// Returns a text right before `from`, since servers list what comes after a given text; `None` if nothing is before `from`.
///
/// The few names between the two are removed from the server's listing.
fn before(from: &str) -> Option<String> {
    // The name that follows a name directly is that name plus the lowest character, which no key contains.
    if let Some(name) = from.strip_suffix('\0') {
        return Some(name.to_owned());
    }
    let mut chars = from.chars();
    let last = chars.next_back()?;
    let before_last = match last {
        '1'..='9' | 'B'..='Z' | 'b'..='z' => char::from_u32(last as u32 - 1).map(|c| format!("{c}~")),
        // This skips folders that are called `.` or have no name, which other programs create.
        '0' if chars.as_str().is_empty() => Some("/~".to_owned()),
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
            ("0", Some("/~")),
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
