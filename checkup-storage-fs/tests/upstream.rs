//! Directories of the original Checkup can be read, and a reader that knows only the original format can read ours.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use checkup_core::{
    CheckResult, Checkup, Report, Status, Storage, StorageMaintainer, StorageReader, Timestamp, check_fn,
};
use checkup_storage_fs::{Fs, FsStorage};
use serde::Deserialize;

const FIRST: &str = "1473318000000000001-check.json";
const SECOND: &str = "1473318060000000002-check.json";
const CONTENT: &str = r#"[{"title":"A \u0026 B","endpoint":"http://127.0.0.1:1/","timestamp":1473318000000000000,"times":[{"rtt":0},{"rtt":1500000,"error":"response status 301 Moved Permanently"}],"threshold":500000000,"down":true,"message":"we know"}]
"#;

/// A directory as the original Checkup leaves it: compact JSON, and times in the index that differ from those in the
/// names.
fn upstream_directory(dir: &Path) {
    fs::write(dir.join(FIRST), CONTENT).unwrap();
    fs::write(dir.join(SECOND), CONTENT).unwrap();
    let index = format!("{{\"{FIRST}\":1473318000000000009,\"{SECOND}\":1473318060000000009}}\n");
    fs::write(dir.join("index.json"), index).unwrap();
}

#[tokio::test]
async fn an_upstream_directory_is_read_unchanged_and_can_be_stored_into() {
    let temporary = tempfile::tempdir().unwrap();
    upstream_directory(temporary.path());
    // Compaction would merge the two files, which are from the same day.
    let storage = FsStorage::new(Fs::new(temporary.path()).compact(false)).unwrap();
    let names = storage.list(Timestamp::from_unix_nanos(0)).await.unwrap();
    assert_eq!(names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), [FIRST, SECOND]);
    let results = storage.fetch(&names[0]).await.unwrap();
    assert_eq!(results[0].name, "A & B");
    assert_eq!(results[0].status, Status::Down);

    storage.store(&Report::new(vec![CheckResult::new("ours", "127.0.0.1:80")])).await.unwrap();
    storage.maintain().await.unwrap();
    assert_eq!(fs::read_to_string(temporary.path().join(FIRST)).unwrap(), CONTENT);
    let read = read_as_upstream(temporary.path());
    assert_eq!(read.len(), 3);
    assert_eq!(read[FIRST].1[0].title, "A & B");
}

#[tokio::test]
async fn a_reader_that_knows_only_upstreams_form_reads_ours() {
    let temporary = tempfile::tempdir().unwrap();
    let checkup = Checkup::builder()
        .check(check_fn("works <&>", || async { Ok::<_, String>(()) }).attempts(3))
        .check(check_fn("fails", || async { Err::<(), _>("no answer") }))
        .location("eu-west")
        .storage(Fs::new(temporary.path()))
        .build()
        .unwrap();
    let before = Timestamp::now().unix_nanos();
    for _ in 0..3 {
        checkup.check_and_store().await.unwrap();
    }
    let read = read_as_upstream(temporary.path());
    assert_eq!(read.len(), 3);
    for (stamp, results) in read.values() {
        assert!((before..=Timestamp::now().unix_nanos()).contains(stamp));
        assert_eq!(results.len(), 2);
        let [works, fails] = [&results[0], &results[1]];
        assert_eq!((works.title.as_str(), works.times.len(), works.healthy), ("works <&>", 3, true));
        assert_eq!((fails.title.as_str(), fails.healthy, fails.degraded, fails.down), ("fails", false, false, true));
        assert_eq!(fails.times[0].error, "no answer");
        assert!(works.times.iter().all(|time| time.rtt >= 0 && time.error.is_empty()));
        assert_eq!(works.endpoint, "function");
        assert!(works.timestamp >= before && works.threshold == 0);
        assert!(works.notice.is_empty() && works.message.is_empty() && !works.degraded && !works.down);
    }
}

#[tokio::test]
async fn a_reader_that_knows_only_upstreams_form_reads_what_was_compacted() {
    let temporary = tempfile::tempdir().unwrap();
    upstream_directory(temporary.path());
    let other = CONTENT.replace("A \\u0026 B", "<C>").replace("000000000,", "000000001,");
    fs::write(temporary.path().join(SECOND), other).unwrap();
    let storage = FsStorage::new(Fs::new(temporary.path())).unwrap();
    assert_eq!(storage.maintain().await.unwrap().compacted, 2);
    let read = read_as_upstream(temporary.path());
    let (name, (stamp, results)) = read.iter().next().unwrap();
    assert_eq!((read.len(), *stamp), (1, 1_473_318_060_000_000_002), "{name}");
    assert_eq!(results.iter().map(|result| result.title.as_str()).collect::<Vec<_>>(), ["A & B", "<C>"]);
    assert!(results.iter().all(|result| result.down && result.message == "we know" && result.times.len() == 2));
}

/// A result in the original format: Go's decoder reads these keys, gives absent ones their zero value, and ignores all
/// others.
#[derive(Default, Deserialize)]
#[serde(default)]
struct GoResult {
    title: String,
    endpoint: String,
    timestamp: i64,
    times: Vec<GoAttempt>,
    threshold: i64,
    healthy: bool,
    degraded: bool,
    down: bool,
    notice: String,
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GoAttempt {
    rtt: i64,
    error: String,
}

/// Does what upstream's page does: takes the names that contain `-check.json` from `index.json`, and the time from the digits
/// before the first `-`. Upstream's tool reads the values as nanoseconds.
fn read_as_upstream(dir: &Path) -> BTreeMap<String, (i64, Vec<GoResult>)> {
    let index: BTreeMap<String, i64> = serde_json::from_slice(&fs::read(dir.join("index.json")).unwrap()).unwrap();
    let names = index.into_iter().filter(|(name, _)| name.contains("-check.json"));
    names
        .map(|(name, stored)| {
            let stamp: i64 = name[..name.find('-').unwrap()].parse().unwrap();
            assert!(stored >= stamp);
            let results = serde_json::from_slice(&fs::read(dir.join(&name)).unwrap()).unwrap();
            (name, (stamp, results))
        })
        .collect()
}
