//! `checkup maintain`.

use std::fs;
use std::time::Duration;

use checkup_core::check_file::{self, FileName};
use checkup_core::{CheckResult, Timestamp};
use serde_json::{Value, json};

use crate::support::Folder;

const DAY: Duration = Duration::from_secs(86_400);

fn config(storage: &Value) -> Value {
    json!({ "checkers": [{ "type": "tcp", "endpoint_name": "API", "endpoint_url": "127.0.0.1:1" }], "storage": storage })
}

/// Puts a check file with one result into `results` for each of these moments.
fn store(folder: &Folder, moments: impl Iterator<Item = Timestamp>) {
    fs::create_dir_all(folder.path("results")).unwrap();
    for moment in moments {
        let mut result = CheckResult::new("API", "127.0.0.1:1");
        result.timestamp = moment;
        let name = FileName::at(moment);
        fs::write(folder.path("results").join(name.as_str()), check_file::encode(&[result]).unwrap()).unwrap();
    }
}

/// A moment of each minute from noon on, this many days ago.
fn minutes(days_ago: u32, count: i64) -> impl Iterator<Item = Timestamp> {
    let day = 86_400_000_000_000;
    let midnight = Timestamp::now().saturating_sub(DAY * days_ago).unix_nanos() / day * day;
    (0..count).map(move |minute| Timestamp::from_unix_nanos(midnight + day / 2 + minute * 60_000_000_000))
}

#[test]
fn it_compacts_and_expires_everything_and_says_so() {
    let folder = Folder::new(&config(&json!({ "type": "fs", "dir": "results", "check_expiry": "10d" })));
    store(&folder, minutes(20, 12));
    // More than one step of work.
    store(&folder, minutes(3, 700));
    store(&folder, minutes(2, 700));
    let ran = folder.run(&["maintain"]);
    // Expiring files are compacted and summarised first.
    assert_eq!(ran.parts(), (0, "1,412 check files became 2; 1 expired\n", ""));
    let stored = folder.stored();
    assert_eq!(stored.iter().map(Vec::len).collect::<Vec<_>>(), [700, 700]);
    assert_eq!(folder.run(&["maintain"]).parts(), (0, "nothing to do: 2 check files\n", ""));
    assert_eq!(folder.run(&["maintain", "--quiet"]).parts(), (0, "", ""));
}

#[test]
fn expiry_alone_is_told_in_files() {
    let storage = json!({ "type": "fs", "dir": "results", "check_expiry": "10d", "compact": false });
    let folder = Folder::new(&config(&storage));
    store(&folder, minutes(20, 3).chain(minutes(2, 5)));
    assert_eq!(folder.run(&["maintain"]).parts(), (0, "3 of 8 check files expired\n", ""));
}

#[test]
fn it_needs_a_storage() {
    let folder = Folder::new(&json!({ "checkers": [{ "type": "tcp", "endpoint_url": "127.0.0.1:1" }] }));
    let expected = "checkup: maintenance needs a `storage` in the config file, and there is none\n";
    assert_eq!(folder.run(&["maintain"]).parts(), (2, "", expected));
}

#[test]
fn a_storage_that_cannot_be_read_exits_with_3() {
    let folder = Folder::new(&config(&json!({ "type": "fs", "dir": "a-file/results" }))).file("a-file", "");
    let ran = folder.run(&["maintain"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("checkup: cannot read the storage: "), "{}", ran.stderr);
}
