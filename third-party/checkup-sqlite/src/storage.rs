use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use checkup_core::archive::Expiry;
use checkup_core::check_file::{self, FileName};
use checkup_core::{
    CheckResult, Maintenance, Report, Storage, StorageError, StorageErrorKind, StorageMaintainer, StorageReader,
    Timestamp, async_trait,
};
use rusqlite::{Connection, OptionalExtension, ffi, params};

use crate::Sqlite;

/// How long to wait while another process writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many names to try for one report.
const NAMES: u32 = 1_000;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS checks (
    name TEXT NOT NULL PRIMARY KEY, timestamp INT8 NOT NULL UNIQUE, results TEXT)";

/// Stores runs in an SQLite database, which is opened on first use.
#[derive(Clone, Debug)]
pub struct SqliteStorage {
    settings: Arc<Sqlite>,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl SqliteStorage {
    /// Makes a storage with these settings.
    pub fn new(settings: Sqlite) -> Self {
        Self { settings: Arc::new(settings), connection: Arc::default() }
    }

    /// Runs `work` on a blocking thread. It finishes even if the call is cancelled.
    async fn with<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let this = self.clone();
        let work = move || {
            let mut connection = this.connection.lock().unwrap_or_else(PoisonError::into_inner);
            if connection.is_none() {
                *connection = Some(this.open().map_err(failed(what))?);
            }
            connection.as_ref().map_or_else(|| Err(StorageError::new("the database is not open")), work)
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(StorageError::new(what).with_source(error)))
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.settings.dsn)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        if self.settings.create {
            connection.execute(CREATE, [])?;
        }
        Ok(connection)
    }
}

#[async_trait]
impl Storage for SqliteStorage {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        let content = check_file::encode(&report.results)?;
        self.with("cannot store in the database", move |connection| {
            let mut moment = Timestamp::now();
            let mut tried = 1;
            loop {
                let name = FileName::at(moment);
                let row = params![name.as_str(), moment.unix_nanos(), content];
                match connection.execute("INSERT INTO checks (name, timestamp, results) VALUES (?, ?, ?)", row) {
                    Ok(_) => return Ok(()),
                    // Another process stored in the same nanosecond. Never replace its row; take the next nanosecond. The number
                    // of attempts is limited, because an older table may have further constraints.
                    Err(error) if is_taken(&error) && tried < NAMES => {
                        moment = Timestamp::from_unix_nanos(moment.unix_nanos() + 1);
                        tried += 1;
                    }
                    Err(error) => return Err(failed("cannot store in the database")(error)),
                }
            }
        })
        .await
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        Some(self)
    }

    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        Some(self)
    }
}

#[async_trait]
impl StorageReader for SqliteStorage {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        self.with("cannot list the runs in the database", move |connection| {
            let mut query = connection
                .prepare_cached("SELECT name FROM checks WHERE timestamp >= ? ORDER BY timestamp")
                .map_err(failed("cannot list the runs in the database"))?;
            let names = query.query_map([since.unix_nanos()], |row| row.get::<_, String>(0));
            let names = names.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>);
            let names = names.map_err(failed("cannot list the runs in the database"))?;
            Ok(names.iter().filter_map(|name| FileName::parse(name)).collect())
        })
        .await
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        let name = name.clone();
        self.with("cannot read the database", move |connection| {
            // Upstream stores text; this storage stores bytes.
            let row = connection.query_row(
                "SELECT CAST(results AS BLOB) FROM checks WHERE name = ?",
                [name.as_str()],
                |row| row.get::<_, Vec<u8>>(0),
            );
            let missing = || StorageError::new(format!("there is no {name}")).with_kind(StorageErrorKind::NotFound);
            let content = row.optional().map_err(failed("cannot read the database"))?.ok_or_else(missing)?;
            check_file::decode(&content)
        })
        .await
    }
}

#[async_trait]
impl StorageMaintainer for SqliteStorage {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        let expiry = self.settings.check_expiry;
        if expiry.is_zero() {
            return Ok(Maintenance::default());
        }
        self.with("cannot remove what has expired", move |connection| {
            remove_expired(connection, expiry).map_err(failed("cannot remove what has expired"))
        })
        .await
    }
}

/// Removes the check files that have expired. A clock that is ahead removes none.
fn remove_expired(connection: &Connection, check_expiry: Duration) -> rusqlite::Result<Maintenance> {
    let mut query = connection.prepare_cached("SELECT name FROM checks ORDER BY timestamp")?;
    let names = query.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let names = names.iter().filter_map(|name| FileName::parse(name));
    let expiry = Expiry::of(names, check_expiry, Timestamp::now());
    let transaction = connection.unchecked_transaction()?;
    let mut removed = 0;
    for name in &expiry.expired {
        removed += transaction.execute("DELETE FROM checks WHERE name = ?", [name.as_str()])?;
    }
    transaction.commit()?;
    let mut done = Maintenance::expired(removed);
    done.failures.extend(expiry.doubt);
    Ok(done)
}

/// Whether there is a row with this name or this time.
fn is_taken(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE))
}

fn failed(what: &'static str) -> impl Fn(rusqlite::Error) -> StorageError {
    move |error| StorageError::new(what).with_source(error)
}
