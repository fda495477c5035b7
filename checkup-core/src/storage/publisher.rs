//! [`PagePublisher`]: puts the files of the status page next to the check files.

use async_trait::async_trait;

use crate::check_file::FileName;
use crate::{ConfigError, StorageError};

/// The longest name of a page's file, in bytes, and the longest part of such a name.
const MAX_NAME: usize = 500;
const MAX_PART: usize = 200;

/// Names next to the check files that do not belong to the page, in lower case.
const RESERVED: [&str; 2] = ["index.json", "summary.json"];

/// Puts the files of a status page next to the check files, so that the page needs no server.
///
/// # Contract
///
/// For implementors:
/// - A file appears completely or not at all, and replaces the file of the same name.
/// - Nothing else is changed or removed.
/// - A file that already has the same content, type and caching is not written again, if the storage can find that out.
/// - The publisher bounds every wait on a network with a timeout, and errors contain no credentials.
#[async_trait]
pub trait PagePublisher: Send + Sync {
    /// Creates or replaces a file.
    ///
    /// # Errors
    ///
    /// If it could not be confirmed that the file was written.
    async fn publish(&self, file: &PageFile) -> Result<Published, StorageError>;

    /// What visitors of a page that is published here would miss, and the remedy; `None` if no problem is known. It may
    /// write what such a page needs in addition to its own files.
    ///
    /// # Errors
    ///
    /// If that cannot be determined, or what the page needs could not be written.
    async fn warning(&self) -> Result<Option<String>, StorageError> {
        Ok(None)
    }

    /// Where a page that is published here finds the check files.
    fn page_source(&self) -> PageSource;
}

/// A file of the status page. Its name cannot be that of another file of a storage.
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
    /// A file with this name, content and type. The name is relative, with `/` between its parts, such as
    /// `badge/api.svg`. Browsers ask for the file each time that the page is shown, unless
    /// [`cache_control`](Self::cache_control) says otherwise.
    ///
    /// # Errors
    ///
    /// If the name could be that of a check file or of a file derived from check files, is hidden, or leads out of the
    /// folder.
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

    /// How long the file may be cached, as a value of `Cache-Control` (RFC 9111). Default: `no-cache`.
    #[must_use]
    pub fn cache_control(mut self, cache_control: impl Into<String>) -> Self {
        self.cache_control = cache_control.into();
        self
    }

    /// The name, relative to the page.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The content.
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

/// The outcome of publishing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Published {
    /// It was created or replaced.
    Written,
    /// It already existed, with the same content.
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
        /// The common beginning of the keys; empty, or with a `/` at its end.
        prefix: String,
    },
    /// Nowhere: visitors cannot read them. The page shows what was published with it.
    Private,
}

fn is_page_file(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_plain = !part.contains(['\\', ':']) && !part.chars().any(char::is_control);
        is_plain && !part.is_empty() && part.len() <= MAX_PART && !part.starts_with('.')
    };
    // Upstream's page considers every name that contains this a check file.
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
    fn the_name_of_a_page_file_is_not_that_of_another_file_and_stays_in_the_folder() {
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
