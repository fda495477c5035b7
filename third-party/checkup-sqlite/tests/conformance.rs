//! Tests the contracts of `Storage`, `StorageReader` and `StorageMaintainer`.

use std::sync::atomic::{AtomicI64, Ordering};

use checkup_core::check_file::FileName;
use checkup_sqlite::Sqlite;
use checkup_testkit::conformance::StorageFixture;
use rusqlite::{Connection, params};

fn factory() -> StorageFixture {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("checks.db");
    let (expiring, in_a_file) = (file.clone(), file.join("below-a-file.db"));
    let (putting, looking) = (file.clone(), file.clone());
    StorageFixture::new(move || Sqlite::new(&file))
        .expiring(move |age| Sqlite::new(&expiring).check_expiry(age))
        .failing(move || Sqlite::new(&in_a_file))
        .files(move |name, content| put(&open(&putting), name, content), move |name| has(&open(&looking), name))
        .keep(dir)
}

/// The database, with the table of the original Checkup.
fn open(file: &std::path::Path) -> Connection {
    let database = Connection::open(file).unwrap();
    let table = "CREATE TABLE IF NOT EXISTS checks (name TEXT NOT NULL PRIMARY KEY, timestamp INT8 NOT NULL UNIQUE, results TEXT)";
    database.execute(table, []).unwrap();
    database
}

/// Adds a row with this name: a check file, or what another program keeps in the table.
fn put(database: &Connection, name: &str, content: &[u8]) {
    static OTHERS: AtomicI64 = AtomicI64::new(-1);
    let other = || OTHERS.fetch_sub(1, Ordering::Relaxed);
    let time = FileName::parse(name).map_or_else(other, |name| name.timestamp().unix_nanos());
    let row = params![name, time, content];
    database.execute("INSERT OR REPLACE INTO checks (name, timestamp, results) VALUES (?, ?, ?)", row).unwrap();
}

fn has(database: &Connection, name: &str) -> bool {
    database.query_row("SELECT count(*) FROM checks WHERE name = ?", [name], |row| row.get::<_, i64>(0)).unwrap() == 1
}

checkup_testkit::storage_conformance!(factory, without: [hanging, secret]);
