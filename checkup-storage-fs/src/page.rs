//! [`PagePublisher`]: writes the files of a status page next to the check files.

use std::fs;
use std::io;
use std::path::Path;

use checkup_core::{PageFile, PagePublisher, PageSource, Published, StorageError, async_trait, plain_file};

use crate::directory::{Directory, sync_directory};
use crate::error::failed;
use crate::files::Files;

#[async_trait]
impl PagePublisher for Files {
    async fn publish(&self, file: &PageFile) -> Result<Published, StorageError> {
        let file = file.clone();
        self.in_directory(move |directory| publish(directory, &file)).await
    }

    fn page_source(&self) -> PageSource {
        PageSource::Index { url: "./".to_owned() }
    }
}

/// Creates or replaces a file of the page, unless it already has this content.
fn publish(directory: &Directory, file: &PageFile) -> Result<Published, StorageError> {
    let path = file.name().split('/').fold(directory.path().to_owned(), |path, part| path.join(part));
    if has(&path, file.content()) {
        return Ok(Published::Unchanged);
    }
    write(directory, &path, file.content()).map_err(|error| failed("publish", &path, error))?;
    Ok(Published::Written)
}

/// Whether this file has this content. An unreadable file does not.
fn has(path: &Path, content: &[u8]) -> bool {
    let is_as_long = |metadata: fs::Metadata| metadata.is_file() && metadata.len() == content.len() as u64;
    fs::symlink_metadata(path).is_ok_and(is_as_long)
        && plain_file::read(path, content.len() as u64).is_ok_and(|found| found.as_deref() == Some(content))
}

fn write(directory: &Directory, path: &Path, content: &[u8]) -> io::Result<()> {
    let file = directory.write_temporary(&[content])?;
    if directory.is_durable() {
        file.as_file().sync_all()?;
    }
    let parent = path.parent().unwrap_or(directory.path());
    let is_made = !parent.exists();
    make_folders(directory.path(), parent)?;
    file.persist(path)?;
    if directory.is_durable() {
        sync_directory(parent)?;
        if is_made {
            directory.sync()?;
        }
    }
    Ok(())
}

/// Creates the folders between these two. Links are not followed, since they may lead out of the directory.
fn make_folders(from: &Path, to: &Path) -> io::Result<()> {
    let mut folder = from.to_owned();
    for part in to.strip_prefix(from).unwrap_or(Path::new("")) {
        folder.push(part);
        match fs::symlink_metadata(&folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut builder = fs::DirBuilder::new();
                // Another process may be creating it too.
                builder.recursive(true);
                #[cfg(unix)]
                std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
                builder.create(&folder)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content: &str) -> PageFile {
        PageFile::new(name, content, "text/html").unwrap()
    }

    #[test]
    fn a_page_is_written_into_the_directory_and_its_folders_once() {
        let temporary = tempfile::tempdir().unwrap();
        for durable in [true, false] {
            let dir = temporary.path().join(durable.to_string());
            let directory = Directory::new(dir.clone(), durable);
            let publish = |name, content| publish(&directory, &file(name, content)).unwrap();
            for (name, content) in [("index.html", "one"), ("badge/a/b.svg", "two")] {
                assert_eq!(publish(name, content), Published::Written, "{name}");
                assert_eq!(fs::read_to_string(dir.join(name)).unwrap(), content);
                assert_eq!(publish(name, content), Published::Unchanged, "{name}");
                assert_eq!(publish(name, "six"), Published::Written, "{name}, with other content of the same length");
                assert_eq!(fs::read_to_string(dir.join(name)).unwrap(), "six");
            }
        }
    }

    #[test]
    fn an_entry_that_cannot_be_replaced_is_an_error_and_remains() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::new(temporary.path().to_owned(), true);
        fs::create_dir(temporary.path().join("index.html")).unwrap();
        fs::write(temporary.path().join("badge"), "a file").unwrap();
        #[cfg(unix)]
        {
            let outside = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink(outside.path(), temporary.path().join("link")).unwrap();
            publish(&directory, &file("link/a.svg", "x")).unwrap_err();
            assert!(!outside.path().join("a.svg").exists());
        }
        for name in ["index.html", "badge/a.svg"] {
            let error = publish(&directory, &file(name, "x")).unwrap_err().to_string();
            assert!(error.contains("cannot publish") && error.contains(name), "{error}");
        }
        assert!(temporary.path().join("index.html").is_dir());
        assert_eq!(fs::read_to_string(temporary.path().join("badge")).unwrap(), "a file");
    }
}
