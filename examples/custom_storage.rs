//! A custom storage: keeps the latest reports in memory and reads them back.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use checkup::check_file::FileName;
use checkup::{
    CheckResult, Checkup, Report, Storage, StorageError, StorageErrorKind, StorageReader, Timestamp, async_trait,
    check_fn,
};

/// Keeps reports in memory, by the names that their check files would have.
#[derive(Debug, Default)]
struct Memory {
    files: Mutex<BTreeMap<FileName, Vec<CheckResult>>>,
}

#[async_trait]
impl Storage for Memory {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut moment = Timestamp::now();
        // Never replaces a report: two may be stored in the same nanosecond.
        while files.contains_key(&FileName::at(moment)) {
            moment = Timestamp::from_unix_nanos(moment.unix_nanos() + 1);
        }
        files.insert(FileName::at(moment), report.results.clone());
        Ok(())
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        Some(self)
    }
}

#[async_trait]
impl StorageReader for Memory {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(files.keys().filter(|name| name.timestamp() >= since).cloned().collect())
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = || StorageError::new(format!("there is no {name}")).with_kind(StorageErrorKind::NotFound);
        files.get(name).cloned().ok_or_else(missing)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let checkup = Checkup::builder()
        .check(check_fn("cache", || async { Ok::<_, std::io::Error>(()) }))
        .check(check_fn("queue", || async { Err::<(), _>("17 messages are stuck") }))
        .storage(Memory::default())
        .build()?;
    for _ in 0..3 {
        checkup.check_and_store().await?;
    }
    let reader = checkup.storage().and_then(|storage| storage.reader()).ok_or("memory can be read")?;
    for name in reader.list(Timestamp::default()).await? {
        let report = Report::new(reader.fetch(&name).await?);
        print!("{name}\n{report}");
    }
    Ok(())
}
