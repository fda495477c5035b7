//! The behaviours that the contract of a storage's reader requires.

use std::time::Duration;

use checkup_core::check_file::{self, FileName};
use checkup_core::{Storage, StorageErrorKind, StorageReader, Timestamp};

use super::super::drive::{block_on, never_blocks};
use super::{StorageFixture, assert_same_results, files, report};

const EPOCH: Timestamp = Timestamp::from_unix_nanos(0);
const HOUR: Duration = Duration::from_secs(3600);

/// "`fetch` returns the results of a listed file", as they were stored, however often it is called.
pub fn reading_gives_what_was_stored(fixture: &StorageFixture) {
    let storage = fixture.open();
    block_on(async {
        let expected = store_some(&*storage, 3).await;
        for _ in 0..2 {
            let files = files(&*storage).await;
            assert_same_results("fetched", files.iter().flat_map(|(_, results)| results), &expected);
        }
    });
}

/// "`list` returns every check file … oldest first", no matter which instance stored it, and older ones first even if they were stored later.
pub fn listing_is_oldest_first(fixture: &StorageFixture) {
    let (one, other) = (fixture.open(), fixture.open());
    block_on(async {
        for _ in 0..5 {
            store_some(&*one, 1).await;
            store_some(&*other, 1).await;
        }
        let names = list(&*one, EPOCH).await;
        assert!(!names.is_empty(), "nothing is listed of ten reports");
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "not oldest first, or not unique: {names:?}");
        assert_eq!(list(&*other, EPOCH).await, names, "two instances list the same place differently");
    });
}

/// "Every check file with a time of `since` or later in its name."
pub fn listing_begins_exactly_at_since(fixture: &StorageFixture) {
    let storage = fixture.open();
    block_on(async {
        store_some(&*storage, 5).await;
        let all = list(&*storage, EPOCH).await;
        assert!(!all.is_empty(), "nothing is listed of five reports");
        let nanosecond = Duration::from_nanos(1);
        for name in &all {
            let moment = name.timestamp();
            for since in [moment.saturating_sub(nanosecond), moment, moment.saturating_add(nanosecond)] {
                let expected: Vec<_> = all.iter().filter(|name| name.timestamp() >= since).cloned().collect();
                assert_eq!(list(&*storage, since).await, expected, "since {}", since.unix_nanos());
            }
        }
    });
}

/// "… and nothing that is not a check file."
pub fn listing_has_only_check_files(fixture: &StorageFixture) {
    let storage = fixture.open();
    block_on(async {
        store_some(&*storage, 2).await;
        let before = list(&*storage, EPOCH).await;
        for name in OTHER_FILES {
            fixture.put(name, b"[]");
        }
        assert_eq!(list(&*storage, EPOCH).await, before, "after {OTHER_FILES:?} were put there");
        // A real check file, put there from outside, and older than all others.
        let old = FileName::at(Timestamp::now().saturating_sub(HOUR));
        fixture.put(old.as_str(), &content());
        assert_eq!(list(&*storage, EPOCH).await, [vec![old], before].concat());
    });
}

/// "It does not block the thread", neither to list nor to fetch.
pub fn reading_does_not_block_the_thread(fixture: &StorageFixture) {
    let storage = fixture.open();
    block_on(async {
        store_some(&*storage, 1).await;
        never_blocks("a listing", || reader(&*storage).list(EPOCH)).await;
        for name in list(&*storage, EPOCH).await {
            never_blocks("fetching a file", || reader(&*storage).fetch(&name)).await;
        }
    });
}

/// A file that is not there is `NotFound`: retention may have removed it since it was listed.
pub fn an_unknown_file_is_not_found(fixture: &StorageFixture) {
    let storage = fixture.open();
    block_on(async {
        store_some(&*storage, 1).await;
        let unknown = FileName::at(Timestamp::from_unix_nanos(42));
        match reader(&*storage).fetch(&unknown).await {
            Ok(results) => panic!("a file that is not there has {} results", results.len()),
            Err(error) => assert_eq!(error.kind(), StorageErrorKind::NotFound, "{error:?}"),
        }
    });
}

/// "A broken file is an error for that file only."
pub fn a_broken_file_costs_only_itself(fixture: &StorageFixture) {
    let storage = fixture.open();
    block_on(async {
        let expected = store_some(&*storage, 2).await;
        let whole = content();
        let broken = [&b""[..], &whole[..whole.len() / 2], b"\xff\xfe", b"{\"title\": \"no array\"}", b"null"];
        let mut broken_names = Vec::new();
        for (number, content) in (0..).zip(broken) {
            let name = FileName::at(Timestamp::now().saturating_sub(HOUR + Duration::from_secs(number)));
            fixture.put(name.as_str(), content);
            broken_names.push(name);
        }
        let mut results = Vec::new();
        for name in list(&*storage, EPOCH).await {
            let fetched = reader(&*storage).fetch(&name).await;
            match fetched {
                Ok(_) if broken_names.contains(&name) => panic!("the broken {name} was read"),
                Ok(fetched) => results.extend(fetched),
                Err(error) if broken_names.contains(&name) => {
                    assert_eq!(error.kind(), StorageErrorKind::Corrupt, "{error:?}");
                }
                Err(error) => panic!("{name} cannot be read next to a broken file: {error:?}"),
            }
        }
        assert_same_results("next to broken files", &results, &expected);
    });
}

/// Files that others, or the storage itself, may keep next to check files.
pub(super) const OTHER_FILES: [&str; 6] = [
    "index.json",
    "checkup.json",
    "1700000000000000000.json",
    "-check.json",
    "notes.txt",
    "x1700000000000000000-check.json",
];

/// The content of a good check file.
fn content() -> Vec<u8> {
    check_file::encode(&report("put", Timestamp::now()).results).expect("results have a JSON form")
}

async fn store_some(storage: &dyn Storage, count: usize) -> Vec<checkup_core::CheckResult> {
    let mut results = Vec::new();
    for number in 0..count {
        let report = report(&format!("report {number}"), Timestamp::now());
        storage.store(&report).await.expect("a report can be stored");
        results.extend(report.results);
    }
    results
}

#[track_caller]
fn reader(storage: &dyn Storage) -> &dyn StorageReader {
    storage.reader().expect("the storage declares a reader; if it has none, declare `without: [reader]`")
}

async fn list(storage: &dyn Storage, since: Timestamp) -> Vec<FileName> {
    reader(storage).list(since).await.expect("the storage can be listed")
}
