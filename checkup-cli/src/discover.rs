//! Finds the config file that is meant when none is named.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::exit::Error;

/// The names that a config file may have, to find it.
const NAMES: [&str; 4] = ["checkup.json", "checkup.yaml", "checkup.yml", "checkup.toml"];

/// Finds the config file in `start` or its nearest parent that has one, up to the root of the repository (the folder that holds
/// `.git`) or of the file system.
pub(crate) fn config_file(start: &Path) -> Result<PathBuf, Error> {
    let mut last = start;
    for folder in start.ancestors() {
        last = folder;
        let mut found = names_in(folder);
        match (found.next(), found.next()) {
            (Some(name), None) => return Ok(folder.join(name)),
            (Some(first), Some(second)) => {
                return Err(Error::usage(format!(
                    "both {first} and {second} are in {}; name the one that is meant with --config",
                    folder.display()
                )));
            }
            (None, _) => {}
        }
        // In a worktree or a submodule `.git` is a file.
        if folder.join(".git").exists() {
            break;
        }
    }
    let parents = if last == start { String::new() } else { format!(" or its parents up to {}", last.display()) };
    Err(Error::usage(format!(
        "there is no {} in {}{parents}; `checkup init` writes a sample, --config names another file",
        NAMES.join(", "),
        start.display()
    )))
}

/// Which names of config files there are in a folder.
pub(crate) fn names_in(folder: &Path) -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(move |name| folder.join(name).is_file())
}

/// Whether a file of this name would be found.
pub(crate) fn is_name(name: &OsStr) -> bool {
    NAMES.iter().any(|known| name == *known)
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
    fn the_nearest_file_wins() {
        let root = tree(&["checkup.json", "a/checkup.toml", "a/b/other"]);
        assert_eq!(config_file(&root.path().join("a/b")).unwrap(), root.path().join("a/checkup.toml"));
    }

    #[test]
    fn the_search_ends_at_the_root_of_the_repository() {
        let root = tree(&["checkup.json", "repository/.git", "repository/src/other"]);
        let start = root.path().join("repository/src");
        let error = config_file(&start).unwrap_err().to_string();
        assert!(error.contains(&format!("up to {};", root.path().join("repository").display())), "{error}");
        // The root itself is searched.
        fs::write(root.path().join("repository/checkup.yml"), "").unwrap();
        assert_eq!(config_file(&start).unwrap(), root.path().join("repository/checkup.yml"));
    }

    #[test]
    fn two_files_in_one_folder_are_an_error_that_names_both() {
        let root = tree(&["checkup.json", "checkup.yaml"]);
        let error = config_file(root.path()).unwrap_err().to_string();
        assert!(error.starts_with("both checkup.json and checkup.yaml are in "), "{error}");
    }
}
