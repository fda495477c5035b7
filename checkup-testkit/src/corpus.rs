//! [`for_each_input`]: the inputs that fuzzing found, as tests.

use std::fs;
use std::path::Path;

/// Calls a function with the content of each file in a folder.
///
/// # Panics
///
/// If the folder has no files or cannot be read, or if the function panics; the file is then in the output of the test.
#[allow(clippy::print_stderr, reason = "the output of a test is shown if it fails")]
pub fn for_each_input(folder: &Path, take: impl Fn(&[u8])) {
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("a folder that can be read").path()).collect();
    assert!(!paths.is_empty(), "{} has no files", folder.display());
    paths.sort();
    for path in paths {
        eprintln!("{}", path.display());
        take(&fs::read(&path).expect("a file that can be read"));
    }
}
