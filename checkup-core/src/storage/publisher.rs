//! [`PagePublisher`]: the status page's files, put where the check files are.

use async_trait::async_trait;

use crate::check_file::FileName;
use crate::{ConfigError, StorageError};

/// The longest name of a page's file, and of a part of it, in bytes.
const MAX_NAME: usize = 500;
const MAX_PART: usize = 200;

/// What is beside the check files and is not the page's, in lower case.
const RESERVED: [&str; 2] = ["index.json", "summary.json"];

/// Puts the files of a status page beside the check files, so that the page needs no server of its own.
///
/// # Contract
///
/// For whoever implements it:
/// - A file is seen whole or not at all, and replaces the one of its name.
/// - Nothing else is changed or removed.
/// - What is there with the same content, type and caching is left as it is, as far as that can be known.
/// - Every wait on a network is bounded by a timeout of its own, and errors hold no credentials.
#[async_trait]
pub trait PagePublisher: Send + Sync {
    /// Makes or replaces a file.
    ///
    /// # Errors
    ///
    /// If the file may not be there.
    async fn publish(&self, file: &PageFile) -> Result<Published, StorageError>;

    /// What visitors of a page that is published here would miss, and the remedy; `None` if nothing is known to be wrong. It may
    /// write what such a page needs besides its own files.
    ///
    /// # Errors
    ///
    /// If that cannot be found out, or what the page needs could not be written.
    async fn warning(&self) -> Result<Option<String>, StorageError> {
        Ok(None)
    }

    /// Where the page, once it is published here, finds the check files.
    fn page_source(&self) -> PageSource;
}

/// A file of the status page, with a name that no other file of a storage has.
///
/// ```
/// use checkup_core::PageFile;
///
/// let badge = PageFile::new("badge/api.svg", "<svg/>", "image/svg+xml")?.cache_control("max-age=60");
/// assert_eq!((badge.name(), badge.content()), ("badge/api.svg", b"<svg/>".as_slice()));
/// assert!(PageFile::new("../api.svg", "", "image/svg+xml").is_err());
/// assert!(PageFile::new("1473318000000000000-check.json", "", "application/json").is_err());
/// # Ok::<(), checkup_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFile {
    name: String,
    content: Vec<u8>,
    content_type: String,
    cache_control: String,
}

impl PageFile {
    /// A file. The name is relative, with `/` between its parts, such as `badge/api.svg`; a page is asked for again whenever it is
    /// shown, unless [`cache_control`](Self::cache_control) says otherwise.
    ///
    /// # Errors
    ///
    /// If the name could be that of a check file or of what is derived from them, is hidden, or leads elsewhere.
    pub fn new(
        name: impl Into<String>,
        content: impl Into<Vec<u8>>,
        content_type: impl Into<String>,
    ) -> Result<Self, ConfigError> {
        let name = name.into();
        if !is_page_file(&name) {
            return Err(ConfigError::invalid(
                "name",
                format!("expected the name of a page's file such as \"badge/api.svg\", found {name:?}"),
            ));
        }
        let (content, content_type) = (content.into(), content_type.into());
        Ok(Self { name, content, content_type, cache_control: "no-cache".to_owned() })
    }

    /// For how long it may be kept, in the words of `Cache-Control` (RFC 9111). Default: `no-cache`.
    #[must_use]
    pub fn cache_control(mut self, cache_control: impl Into<String>) -> Self {
        self.cache_control = cache_control.into();
        self
    }

    /// The name, relative to the page.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is in it.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Its `Content-Type`.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Its `Cache-Control`.
    pub fn caching(&self) -> &str {
        &self.cache_control
    }
}

/// What came of publishing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Published {
    /// It was made or replaced.
    Written,
    /// It was there already.
    Unchanged,
}

/// Where a page finds the check files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageSource {
    /// In a folder with an `index.json`.
    Index {
        /// The folder, with a `/` at its end; relative to the page.
        url: String,
    },
    /// In a bucket that anyone may list and read.
    S3 {
        /// The bucket, with a `/` at its end.
        url: String,
        /// What the keys begin with; empty, or with a `/` at its end.
        prefix: String,
    },
}

fn is_page_file(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_plain = !part.contains(['\\', ':']) && !part.chars().any(char::is_control);
        is_plain && !part.is_empty() && part.len() <= MAX_PART && !part.starts_with('.')
    };
    // Upstream's page takes every name with this in it for a check file.
    let is_check_file = name.split('/').any(|part| part.contains("-check.json") || FileName::parse(part).is_some());
    name.len() <= MAX_NAME
        && name.split('/').all(is_part)
        && !is_check_file
        && !RESERVED.contains(&name.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_file_is_none_of_the_others_and_leads_nowhere_else() {
        for name in ["index.html", "badge/api.svg", "badge/a b.svg", "feed.xml", "page/index.json", "ü.svg"] {
            assert!(PageFile::new(name, "", "text/html").is_ok(), "{name:?}");
        }
        let long = "x".repeat(MAX_PART + 1);
        for name in [
            "",
            "/index.html",
            "a//b",
            "a/",
            ".",
            "..",
            "../a",
            "a/../b",
            ".checkup/lock",
            "a/.hidden",
            "a\\b",
            "c:a",
            "a\nb",
            "index.json",
            "INDEX.json",
            "summary.json",
            "1473318000000000000-check.json",
            "x-check.json.html",
            &long,
        ] {
            assert!(PageFile::new(name, "", "text/html").is_err(), "{name:?}");
        }
    }
}
