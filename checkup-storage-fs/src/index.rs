//! [`Index`]: `index.json`, the names of the check files for readers that cannot list a directory.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::ops::Range;

use checkup_core::check_file::FileName;
use checkup_core::{StorageError, Timestamp, plain_file};

use crate::directory::{Directory, modified};
use crate::error::failed;

/// `index.json`: `{"<name>": <nanoseconds>, …}`, one entry per line, oldest first (which sorts the keys of all check
/// files from 2001 to 2286, as in upstream's index). It is edited as text, at its ends: a store adds the last entry and
/// drops the first ones. With 100,000 entries, parsing all of them would cost more than the rest of the store.
#[derive(Debug)]
pub(crate) struct Index {
    /// The lines, each with its comma and newline, including the last.
    lines: Vec<u8>,
    /// Where the first remaining line begins.
    start: usize,
}

const HEAD: &[u8] = b"{\n";
const TAIL: &[u8] = b"\n}\n";
const SEPARATOR: &[u8] = b",\n";

/// Identifies the content of an index file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) length: u64,
    pub(crate) modified: Timestamp,
}

impl Index {
    /// The index of these check files, oldest first.
    pub(crate) fn of(names: &[FileName]) -> Self {
        let mut index = Self { lines: Vec::with_capacity(names.len() * 60), start: 0 };
        index.push(names);
        index
    }

    /// The index with this content; `None` if it does not have the form that this program writes. Only the ends are
    /// checked.
    fn parse(mut text: Vec<u8>) -> Option<Self> {
        if text == [HEAD, b"}\n"].concat() {
            return Some(Self { lines: Vec::new(), start: 0 });
        }
        if !text.starts_with(HEAD) || !text.ends_with(TAIL) || text.len() < HEAD.len() + TAIL.len() {
            return None;
        }
        text.truncate(text.len() - TAIL.len());
        text.extend_from_slice(SEPARATOR);
        Some(Self { lines: text, start: HEAD.len() })
    }

    /// The parts of the content, to be written one after the other.
    fn content(&self) -> [&[u8]; 3] {
        match self.lines.get(self.start..self.lines.len().saturating_sub(SEPARATOR.len())) {
            Some(lines) if !lines.is_empty() => [HEAD, lines, TAIL],
            _ => [HEAD, b"", b"}\n"],
        }
    }

    /// Adds check files, each once. Returns whether that changed anything; `None` if it meets a line that is not an
    /// entry.
    ///
    /// The cost grows with the number of entries that are later than the earliest of `names`.
    pub(crate) fn insert(&mut self, mut names: Vec<FileName>) -> Option<bool> {
        names.sort_unstable();
        let Some(earliest) = names.first().cloned() else { return Some(false) };
        let mut later = Vec::new();
        let mut end = self.lines.len();
        while end > self.start {
            let line = self.line_before(end);
            let name = parse_line(&self.lines[line.clone()])?;
            if name < earliest {
                break;
            }
            end = line.start;
            later.push(name);
        }
        let before = later.len();
        later.append(&mut names);
        later.sort_unstable();
        later.dedup();
        let changed = later.len() > before;
        if changed {
            self.lines.truncate(end);
            self.push(&later);
        }
        Some(changed)
    }

    /// Drops these check files from the front. Returns whether there were any; `None` if not all of them are there, or
    /// a line is not an entry.
    pub(crate) fn drop_front(&mut self, names: &HashSet<&FileName>) -> Option<bool> {
        let (mut start, mut left) = (self.start, names.len());
        while left > 0 {
            let rest = self.lines.get(start..).filter(|rest| !rest.is_empty())?;
            let length = rest.iter().position(|&byte| byte == b'\n')? + 1;
            let name = parse_line(&rest[..length])?;
            if !names.contains(&name) {
                return None;
            }
            start += length;
            left -= 1;
        }
        self.start = start;
        Some(!names.is_empty())
    }

    /// The names of the first entries, at most `limit`. `None` if a line is not an entry.
    pub(crate) fn first(&self, limit: usize) -> Option<Vec<FileName>> {
        let lines = self.lines[self.start..].split_inclusive(|&byte| byte == b'\n');
        lines.take(limit).map(parse_line).collect()
    }

    fn push(&mut self, names: &[FileName]) {
        let mut line = String::new();
        for name in names {
            line.clear();
            // Foreign names may contain quotes. Formatting into a string cannot fail.
            let _ = writeln!(line, "{}:{},", serde_json::json!(name.as_str()), name.timestamp().unix_nanos());
            self.lines.extend_from_slice(line.as_bytes());
        }
    }

    /// The line that ends at `end`.
    fn line_before(&self, end: usize) -> Range<usize> {
        let newline = self.lines[self.start..end - 1].iter().rposition(|&byte| byte == b'\n');
        newline.map_or(self.start, |newline| self.start + newline + 1)..end
    }

    /// Reads the published index, if its content is the expected one.
    pub(crate) fn read(directory: &Directory, expected: Identity) -> Option<Self> {
        if published(directory)? != expected {
            return None;
        }
        let text = plain_file::read(&directory.index(), expected.length).ok()??;
        // Another process may have replaced it between the two calls; then its length differs, or it is newer and
        // complete.
        if text.len() as u64 != expected.length { None } else { Self::parse(text) }
    }

    /// Replaces the published index, in one step. It is not synced: after a power cut it may be outdated or broken, and
    /// the next store then makes it again.
    pub(crate) fn publish(&self, directory: &Directory) -> Result<Identity, StorageError> {
        let path = directory.index();
        let write = || -> io::Result<Identity> {
            let temporary = directory.write_temporary(&self.content())?;
            let metadata = temporary.as_file().metadata()?;
            let identity = Identity { length: metadata.len(), modified: modified(&metadata).unwrap_or_default() };
            temporary.persist(&path)?;
            Ok(identity)
        };
        write().map_err(|error| failed("replace", &path, error))
    }

    /// Whether the published index has exactly this content.
    pub(crate) fn is_published(&self, directory: &Directory) -> bool {
        let content = self.content().concat();
        let published = plain_file::read(&directory.index(), content.len() as u64);
        published.is_ok_and(|text| text.as_ref() == Some(&content))
    }
}

/// Identifies the index that is published now.
pub(crate) fn published(directory: &Directory) -> Option<Identity> {
    let metadata = fs::symlink_metadata(directory.index()).ok().filter(fs::Metadata::is_file)?;
    Some(Identity { length: metadata.len(), modified: modified(&metadata)? })
}

/// The name in a line such as `"42-check.json":42,`.
fn parse_line(line: &[u8]) -> Option<FileName> {
    let colon = line.iter().rposition(|&byte| byte == b':')?;
    let name: String = serde_json::from_slice(&line[..colon]).ok()?;
    FileName::parse(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<FileName> {
        texts.iter().map(|text| FileName::parse(text).unwrap()).collect()
    }

    fn text(index: &Index) -> String {
        String::from_utf8(index.content().concat()).unwrap()
    }

    fn read_back(index: &Index) -> Index {
        Index::parse(index.content().concat()).unwrap()
    }

    #[test]
    fn the_index_is_a_json_object_of_names_and_times() {
        let index = Index::of(&names(&["7-check.json", "42-eu-check.json"]));
        assert_eq!(text(&index), "{\n\"7-check.json\":7,\n\"42-eu-check.json\":42\n}\n");
        assert_eq!(text(&Index::of(&[])), "{\n}\n");
        assert_eq!(text(&read_back(&Index::of(&[]))), "{\n}\n");
    }

    #[test]
    fn names_are_added_once_and_in_order() {
        let mut index = read_back(&Index::of(&names(&["1-check.json", "3-check.json", "5-check.json"])));
        assert_eq!(index.insert(names(&["6-check.json"])), Some(true));
        assert_eq!(index.insert(names(&["6-check.json", "5-check.json"])), Some(false));
        assert_eq!(index.insert(names(&["4-check.json", "7-check.json", "4-check.json"])), Some(true));
        assert_eq!(index.insert(names(&["0-check.json"])), Some(true));
        let all = ["0", "1", "3", "4", "5", "6", "7"].map(|stamp| format!("{stamp}-check.json"));
        assert_eq!(text(&index), text(&Index::of(&names(&all.each_ref().map(String::as_str)))));
    }

    #[test]
    fn the_oldest_names_are_dropped_from_the_front() {
        let mut index = read_back(&Index::of(&names(&["1-check.json", "3-check.json", "5-check.json"])));
        let drop = |index: &mut Index, texts: &[&str]| index.drop_front(&names(texts).iter().collect());
        assert_eq!(index.first(2), Some(names(&["1-check.json", "3-check.json"])));
        assert_eq!(drop(&mut index, &[]), Some(false));
        // Names that are not at the front, or not all in the index, require a listing.
        assert_eq!(drop(&mut index, &["3-check.json"]), None);
        assert_eq!(drop(&mut index, &["1-check.json", "5-check.json"]), None);
        assert_eq!(drop(&mut index, &["1-check.json", "3-check.json"]), Some(true));
        assert_eq!(text(&index), "{\n\"5-check.json\":5\n}\n");
        // Dropped names do not come back.
        assert_eq!(index.insert(names(&["2-check.json"])), Some(true));
        assert_eq!(text(&index), "{\n\"2-check.json\":2,\n\"5-check.json\":5\n}\n");
        assert_eq!(drop(&mut index, &["2-check.json", "5-check.json"]), Some(true));
        assert_eq!(text(&index), "{\n}\n");
        assert_eq!(drop(&mut index, &["2-check.json"]), None);
        assert_eq!(index.first(5), Some(vec![]));
        assert_eq!(index.insert(names(&["9-check.json"])), Some(true));
        assert_eq!(text(&index), "{\n\"9-check.json\":9\n}\n");
    }

    #[test]
    fn names_with_quotes_stay_json() {
        let mut index = Index::of(&names(&["1-\":x-check.json"]));
        assert_eq!(index.insert(names(&["0-check.json"])), Some(true));
        let json: serde_json::Value = serde_json::from_str(&text(&index)).unwrap();
        assert_eq!(json["1-\":x-check.json"], 1);
        assert_eq!(index.first(5).map(|names| names.len()), Some(2));
    }

    #[test]
    fn an_index_in_another_form_is_not_edited_as_text() {
        for text in ["", "{}", "{\n", "\n}\n", "{\n}", "[]\n", "{\"1-check.json\":1}"] {
            assert!(Index::parse(text.into()).is_none(), "{text:?}");
        }
        let mut broken = Index::parse(b"{\nnonsense\n}\n".to_vec()).unwrap();
        assert_eq!(broken.insert(names(&["1-check.json"])), None);
        assert_eq!(broken.drop_front(&names(&["1-check.json"]).iter().collect()), None);
        assert_eq!(broken.first(1), None);
    }
}
