//! Reads a database of the original Checkup, and uses the type on the command line.

use std::process::Command;

use checkup_core::{Report, Storage, StorageReader, Timestamp};
use checkup_sqlite::{Sqlite, SqliteStorage};

#[tokio::test]
async fn a_row_that_upstream_wrote_as_text_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("checks.db");
    let storage = SqliteStorage::new(Sqlite::new(&file));
    storage.list(Timestamp::default()).await.unwrap();
    let sql = r#"INSERT INTO checks VALUES ('1795000000000000000-check.json', 1795000000000000000,
        '[{"title":"old","timestamp":1795000000000000001,"times":[{"rtt":1}],"healthy":true}]')"#;
    rusqlite::Connection::open(&file).unwrap().execute(sql, []).unwrap();

    let reader = storage.reader().unwrap();
    let names = reader.list(Timestamp::default()).await.unwrap();
    assert_eq!(reader.fetch(&names[0]).await.unwrap()[0].name, "old");
}

/// A storage over an existing table, with this column for the results.
fn with_results_column(dir: &tempfile::TempDir, column: &str) -> SqliteStorage {
    let file = dir.path().join("checks.db");
    let sql = format!("CREATE TABLE checks (name TEXT NOT NULL PRIMARY KEY, timestamp INT8 NOT NULL UNIQUE, {column})");
    rusqlite::Connection::open(&file).unwrap().execute(&sql, []).unwrap();
    SqliteStorage::new(Sqlite::new(&file))
}

#[tokio::test]
async fn a_constraint_that_no_other_name_satisfies_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let storage = with_results_column(&dir, "results TEXT CHECK (length(results) = 1)");
    let error = storage.store(&Report::new(Vec::new())).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot store in the database");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("CHECK constraint"), "{error:?}");
}

#[tokio::test]
async fn the_search_for_a_free_name_ends() {
    let dir = tempfile::tempdir().unwrap();
    let storage = with_results_column(&dir, "results TEXT UNIQUE");
    let report = Report::new(Vec::new());
    storage.store(&report).await.unwrap();
    let error = storage.store(&report).await.unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("checks.results"), "{error:?}");
}

#[test]
fn the_command_line_stores_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let config = r#"{"checkers": [{"type": "tcp", "endpoint_name": "nobody", "endpoint_url": "127.0.0.1:1"}],
        "storage": {"type": "sqlite3", "dsn": "checks.db"}}"#;
    std::fs::write(dir.path().join("checkup.json"), config).unwrap();
    let program = env!("CARGO_BIN_EXE_checkup-with-sqlite");
    let output = Command::new(program).arg("--store").current_dir(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let database = rusqlite::Connection::open(dir.path().join("checks.db")).unwrap();
    let rows: i64 = database.query_row("SELECT count(*) FROM checks", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}
