//! Publishing a static page into a directory, or next to the check files.

use std::io::{self, Write as _};
use std::path::Path;

use checkup_core::check_file::FileName;
use checkup_core::history;
use checkup_core::summary::Summary;
use checkup_core::{
    Checkup, ConfigError, ErrorChain, PageFile, PageSource, Published, Storage, StorageError, StorageReader, Timestamp,
};

use futures::{StreamExt, TryStreamExt, stream};

use crate::config::StatusPage;
use crate::formats::data::is_large;
use crate::page::static_page::StaticPage;
use crate::view::hiding::Hiding;

/// How many files are published concurrently.
const CONCURRENT: usize = 8;

/// A published file of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedFile {
    /// The name, relative to the page.
    pub name: String,
    /// Whether the file was written or was up to date already.
    pub published: Published,
}

/// Why a page was not published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The settings are invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The storage cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file of the directory cannot be read or written.
    #[error("cannot write {path}")]
    File {
        /// The file.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// Writes a page into a directory for any web server. Files with the same content are left as they are.
///
/// If the directory is that of an fs storage, the page reads the check files next to it and is always up to
/// date. Otherwise, unless `storage` of the settings names their location, the current history is written into a `summary.json`,
/// which the page shows until the next export. With many checks, so many that a page could not read their check files, it is written
/// into `overview.json` and `detail/` in any case.
///
/// # Errors
///
/// If the settings are invalid, the checkup has no storage that can be read, or something cannot be written.
///
/// ```
/// use checkup_core::archive::{Archive, MemoryFiles};
/// use checkup_core::{Checkup, check_fn};
/// use checkup_statuspage::{StatusPage, export};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let dir = temporary.path();
/// let checkup = Checkup::builder()
///     .check(check_fn("queue", || async { Ok::<_, std::io::Error>(()) }))
///     .storage(Archive::new(MemoryFiles::new()))
///     .build()?;
/// checkup.check_and_store().await?;
/// export(dir, &StatusPage::new().title("Shop"), &checkup).await?;
/// assert!(std::fs::read_to_string(dir.join("index.html"))?.contains("Shop"));
/// # Ok(())
/// # }
/// ```
pub async fn export(
    dir: impl AsRef<Path>,
    settings: &StatusPage,
    checkup: &Checkup,
) -> Result<Vec<PublishedFile>, PublishError> {
    let dir = dir.as_ref().to_owned();
    let (mut summary, now) = history(reader(checkup)?, settings).await?;
    let hiding = Hiding::new(&settings.hide, Some(checkup));
    if hiding.is_any() && (settings.storage.is_some() || has_check_files(&dir)) {
        return Err(reads_check_files("export into another directory, and remove `status_page.storage`").into());
    }
    let is_large = is_large(&summary);
    let page = StaticPage::new(settings)?.checkup(checkup);
    let page = if is_large { page.published() } else { page };
    let files = page.files(&summary, now)?;
    hiding.summary(&mut summary, &checkup.rules(), now);
    let mut contents: Vec<_> = files.iter().map(|file| (file.name().to_owned(), file.content().to_vec())).collect();
    let has_source = settings.storage.is_some();
    let write = move || {
        if !is_large && !has_source && !has_check_files(&dir) {
            // It does not contain the current time, so another export of the same history writes nothing.
            contents.push(("summary.json".to_owned(), snapshot(summary)));
            contents.push(("index.json".to_owned(), b"{}".to_vec()));
        }
        contents.into_iter().map(|(name, content)| write_file(&dir, name, &content)).collect()
    };
    // The task does not panic and is not cancelled.
    tokio::task::spawn_blocking(write)
        .await
        .map_err(|error| StorageError::new("the export broke off").with_source(error))?
}

/// Publishes a page next to the check files, in the bucket or directory of the checkup's storage, with content types and cache headers,
/// and makes the storage update its summary. Files with the same content are left as they are.
///
/// If the storage keeps its check files private (`page_prefix` of an S3 storage), or has too many checks for a page that reads check files, the
/// page shows the history that was published with it: publish again every few minutes. What is hidden is not in what is published.
///
/// # Errors
///
/// If the settings are invalid, the storage cannot hold a page, or something cannot be written.
pub async fn deploy(settings: &StatusPage, checkup: &Checkup) -> Result<Vec<PublishedFile>, PublishError> {
    let storage = storage(checkup)?;
    let publisher = storage.publisher().ok_or_else(|| {
        StorageError::new("this storage cannot hold a page; export the page into a directory, or serve it")
    })?;
    let is_private = publisher.page_source() == PageSource::Private && settings.storage.is_none();
    if !is_private && Hiding::new(&settings.hide, Some(checkup)).is_any() {
        let remedy = "export the page into a directory without check files, serve it, or keep the check files private with `page_prefix` of an S3 storage";
        return Err(reads_check_files(remedy).into());
    }
    if let Some(maintainer) = storage.maintainer()
        && let Err(error) = maintainer.maintain().await
    {
        // A key without the permission to delete can still publish a page.
        tracing::warn!(error = %ErrorChain(&error), "maintenance failed; the page is published nevertheless");
    }
    let (summary, now) = history(reader(checkup)?, settings).await?;
    let page = StaticPage::new(settings)?.checkup(checkup).source(publisher.page_source());
    let page = if is_large(&summary) { page.published() } else { page };
    // The page is last, so that everything it needs exists.
    let (index, rest): (Vec<_>, Vec<_>) =
        page.files(&summary, now)?.into_iter().partition(|file: &PageFile| file.name() == "index.html");
    let publish = |file: PageFile| async move {
        let published = publisher.publish(&file).await?;
        Ok::<_, StorageError>(PublishedFile { name: file.name().to_owned(), published })
    };
    let mut published: Vec<_> = stream::iter(rest).map(publish).buffered(CONCURRENT).try_collect().await?;
    for file in index {
        published.push(publish(file).await?);
    }
    if let Some(warning) = publisher.warning().await? {
        tracing::warn!("the page is published, but is not live: {warning}");
    }
    Ok(published)
}

/// A page that reads check files cannot hide what they have.
fn reads_check_files(remedy: &str) -> ConfigError {
    ConfigError::invalid(
        "status_page.hide",
        format!("expected a page without check files next to it, since they have everything that is hidden; {remedy}"),
    )
}

fn storage(checkup: &Checkup) -> Result<&std::sync::Arc<dyn Storage>, ConfigError> {
    let missing = || ConfigError::invalid("storage", "expected a storage: the page shows what is stored there");
    checkup.storage().ok_or_else(missing)
}

fn reader(checkup: &Checkup) -> Result<&dyn StorageReader, ConfigError> {
    let write_only = || ConfigError::invalid("storage", "expected a storage that can be read; this one can only store");
    storage(checkup)?.reader().ok_or_else(write_only)
}

async fn history(reader: &dyn StorageReader, settings: &StatusPage) -> Result<(Summary, Timestamp), StorageError> {
    let now = Timestamp::now();
    Ok((history::read_summary(reader, now.saturating_sub(settings.history_span())).await?, now))
}

/// The history without the time of reading.
fn snapshot(mut summary: Summary) -> Vec<u8> {
    let latest = summary.series.iter().filter_map(|series| series.recent.last()).map(|point| point.timestamp);
    summary.made = latest.max().unwrap_or_default();
    // It can always be written as JSON: it has only strings, numbers and lists.
    serde_json::to_vec(&summary).unwrap_or_default()
}

fn has_check_files(dir: &Path) -> bool {
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten();
    names.filter_map(|entry| entry.file_name().into_string().ok()).any(|name| FileName::parse(&name).is_some())
}

/// Writes a file completely or not at all, unless it has this content already. Links inside the directory are not followed, since their
/// targets are not part of the page.
fn write_file(dir: &Path, name: String, content: &[u8]) -> Result<PublishedFile, PublishError> {
    let path = dir.join(&name);
    let is_plain = std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
    let write = || {
        let parent = path.parent().unwrap_or(dir);
        std::fs::create_dir_all(parent)?;
        let inside = parent.ancestors().take_while(|folder| *folder != dir);
        for folder in inside {
            if std::fs::symlink_metadata(folder)?.is_symlink() {
                let reason =
                    format!("{} is a symbolic link; remove it, or export into where it leads", folder.display());
                return Err(io::Error::other(reason));
            }
        }
        if is_plain && std::fs::read(&path).is_ok_and(|there| there == content) {
            return Ok(Published::Unchanged);
        }
        // An interrupted export leaves this file behind, and the next one replaces it.
        let temporary = parent.join(format!(".{}.new", path.file_name().unwrap_or_default().to_string_lossy()));
        match std::fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(content)?;
        drop(file);
        std::fs::rename(&temporary, &path)?;
        Ok(Published::Written)
    };
    let published = write().map_err(|source| PublishError::File { path: path.display().to_string(), source })?;
    Ok(PublishedFile { name, published })
}
