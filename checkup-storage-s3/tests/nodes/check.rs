//! Checks that exactly the reported results are read.

use std::collections::HashMap;

use checkup_core::history::{self, History};
use checkup_core::{CheckResult, IntoStorage, StorageError, Timestamp};

use crate::place::{Entry, Place, identity};

/// Reads everything in the bucket, as a new reader.
pub(crate) async fn read(place: &Place) -> Result<History, StorageError> {
    let storage = place.storage().into_storage().unwrap();
    history::read(storage.reader().unwrap(), Timestamp::from_unix_nanos(0)).await
}

/// Asserts that every result of these entries is read unchanged, and that nothing is read twice. Returns how many
/// further results there are.
#[track_caller]
pub(crate) fn assert_read_once<'a>(history: &History, entries: impl IntoIterator<Item = &'a Entry>) -> usize {
    assert!(history.unread.is_empty(), "{:?}", history.unread);
    let mut read: HashMap<_, &CheckResult> = HashMap::new();
    for result in &history.results {
        assert!(read.insert(identity(result), result).is_none(), "read twice: {result:?}");
    }
    for entry in entries {
        for result in &entry.report.results {
            assert_eq!(read.remove(&identity(result)), Some(result), "reported in {entry:?}");
        }
    }
    read.len()
}
