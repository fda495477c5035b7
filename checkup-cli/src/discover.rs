//! Finds the config file if none is named.

use std::env;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Error;
use crate::output::stderr::program;

/// The names under which a config file is found.
const NAMES: [&str; 4] = ["checkup.json", "checkup.yaml", "checkup.yml", "checkup.toml"];

/// Finds the config file in `start`, or in its nearest parent that has one: up to the root of the repository (the folder that holds
/// `.git`) or the home folder, whichever comes first. Outside of both, only `start` is searched.
///
/// A file of another user is rejected: a config file reads environment variables and chooses where requests and results go.
pub(crate) fn config_file(start: &Path) -> Result<PathBuf, Error> {
    // The current folder has no links in its path.
    let home = env::home_dir().and_then(|home| home.canonicalize().ok());
    let path = search(start, home.as_deref())?;
    let owners = || Ok::<_, io::Error>([path.symlink_metadata()?, path.metadata()?]);
    let owners = owners().map_err(|error| Error::usage(format!("{} cannot be read: {error}", path.display())))?;
    owners.iter().try_for_each(|metadata| refuse_foreign(&path, metadata))?;
    Ok(path)
}

/// Rejects a file that belongs neither to the user who runs this process nor to root.
pub(crate) fn refuse_foreign(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    owner(metadata).map_or(Ok(()), |(owner, user)| refuse_owner(path, owner, user))
}

fn refuse_owner(path: &Path, owner: u32, user: u32) -> Result<(), Error> {
    if owner == user || owner == 0 {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{path} belongs to another user (uid {owner}), and a config file can send your environment variables elsewhere; \
         if you trust it, name it with `--config {path}`",
        path = path.display()
    )))
}

/// Which names of config files exist in a folder.
pub(crate) fn names_in(folder: &Path) -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(move |name| folder.join(name).is_file())
}

/// Whether a file of this name would be found.
pub(crate) fn is_name(name: &OsStr) -> bool {
    NAMES.iter().any(|known| name == *known)
}

fn search(start: &Path, home: Option<&Path>) -> Result<PathBuf, Error> {
    let last = last_folder(start, home);
    for folder in start.ancestors().take_while(|folder| folder.starts_with(last)) {
        let mut found = names_in(folder);
        match (found.next(), found.next()) {
            (Some(name), None) => return Ok(folder.join(name)),
            (Some(first), Some(second)) => {
                return Err(Error::usage(format!(
                    "both {first} and {second} exist in {}; choose one with --config",
                    folder.display()
                )));
            }
            (None, _) => {}
        }
    }
    let parents = if last == start { String::new() } else { format!(" or its parents up to {}", last.display()) };
    Err(Error::usage(format!(
        "there is no {} in {}{parents}; `{} init` writes a sample, --config names another file",
        NAMES.join(", "),
        start.display(),
        program()
    )))
}

/// The last folder to search.
fn last_folder<'a>(start: &'a Path, home: Option<&Path>) -> &'a Path {
    // A home folder that is the root of the file system (a service's, in many containers) limits nothing.
    let home = home.filter(|home| home.parent().is_some());
    // In a worktree or a submodule `.git` is a file.
    let is_last = |folder: &&Path| Some(*folder) == home || folder.join(".git").exists();
    start.ancestors().find(is_last).unwrap_or(start)
}

/// The user that a file belongs to, and the one who runs this process.
#[cfg(unix)]
fn owner(metadata: &Metadata) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;

    Some((metadata.uid(), rustix::process::geteuid().as_raw()))
}

/// On this platform, the standard library does not know the owner of a file.
#[cfg(not(unix))]
fn owner(_metadata: &Metadata) -> Option<(u32, u32)> {
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    #[test]
    fn the_nearest_file_of_the_repository_wins() {
        let root = tree(&[".git", "checkup.json", "a/checkup.toml", "a/b/other", "c/d/other"]);
        assert_eq!(search(&root.path().join("a/b"), None).unwrap(), root.path().join("a/checkup.toml"));
        assert_eq!(search(&root.path().join("c/d"), None).unwrap(), root.path().join("checkup.json"));
    }

    #[test]
    fn the_search_ends_at_the_root_of_the_repository() {
        let root = tree(&["checkup.json", "repository/.git", "repository/src/other"]);
        let start = root.path().join("repository/src");
        let error = search(&start, Some(root.path())).unwrap_err().to_string();
        assert!(error.contains(&format!("up to {};", root.path().join("repository").display())), "{error}");
        // The root itself is searched.
        fs::write(root.path().join("repository/checkup.yml"), "").unwrap();
        assert_eq!(search(&start, None).unwrap(), root.path().join("repository/checkup.yml"));
    }

    #[test]
    fn the_search_ends_at_the_home_folder() {
        let root = tree(&[".git", "checkup.json", "home/user/a/b/other"]);
        let (start, home) = (root.path().join("home/user/a/b"), root.path().join("home/user"));
        let error = search(&start, Some(&home)).unwrap_err().to_string();
        assert!(error.contains(&format!("up to {};", home.display())), "{error}");
        fs::write(home.join("checkup.yml"), "").unwrap();
        assert_eq!(search(&start, Some(&home)).unwrap(), home.join("checkup.yml"));
    }

    #[test]
    fn outside_of_both_only_the_current_folder_is_searched() {
        let root = tree(&["checkup.json", "a/b/other"]);
        let start = root.path().join("a");
        for home in [None, Some(Path::new("/")), Some(Path::new("/nowhere/else"))] {
            let error = search(&start, home).unwrap_err().to_string();
            assert!(error.contains(&format!(" in {};", start.display())), "{error}");
            assert_eq!(search(root.path(), home).unwrap(), root.path().join("checkup.json"));
        }
    }

    #[test]
    fn two_files_in_one_folder_are_an_error_that_names_both() {
        let root = tree(&["checkup.json", "checkup.yaml"]);
        let error = search(root.path(), None).unwrap_err().to_string();
        assert!(error.starts_with("both checkup.json and checkup.yaml exist in "), "{error}");
    }

    #[test]
    fn only_files_of_the_user_and_of_root_are_accepted() {
        let path = Path::new("/tmp/checkup.json");
        for (owner, user) in [(65_534, 0), (1_001, 1_000)] {
            let error = refuse_owner(path, owner, user).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("/tmp/checkup.json belongs to another user (uid {owner}), and ")),
                "{error}"
            );
            assert!(error.ends_with("name it with `--config /tmp/checkup.json`"), "{error}");
        }
        for (owner, user) in [(1_000, 1_000), (0, 1_000), (0, 0)] {
            refuse_owner(path, owner, user).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_ones_own_is_accepted() {
        let root = tree(&["checkup.json"]);
        let path = root.path().join("checkup.json");
        refuse_foreign(&path, &path.metadata().unwrap()).unwrap();
        assert_eq!(owner(&path.metadata().unwrap()).unwrap().0, owner(&root.path().metadata().unwrap()).unwrap().1);
    }
}
