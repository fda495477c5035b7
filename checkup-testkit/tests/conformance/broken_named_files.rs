//! Named files that break their contract, one way each.

use std::collections::BTreeMap;
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checkup_core::archive::{NamedFiles, Put};
use checkup_core::{StorageError, StorageErrorKind, async_trait};
use checkup_testkit::conformance::NamedFilesFixture;
use checkup_testkit::conformance::named_files::BEHAVIOURS;

use crate::{Broken, each_behaviour_is_caught};

const SECRET: &str = "hunter2";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    KeepsInTheProcess,
    IsText,
    Replaces,
    SaysCreated,
    LooksThenPuts,
    RemovesThenPuts,
    NeverReplaces,
    PutsInParts,
    IgnoresCase,
    HasNoOrder,
    BeginsAfter,
    IgnoresTheLimit,
    IgnoresTheEnd,
    RefusesMissing,
    DeletesByPrefix,
    DeletesThousand,
    HasNoKinds,
    WaitsForEver,
    Swallows,
    Blocks,
    ShowsItself,
    ShowsErrors,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Works,
    Refuses,
    IsSilent,
}

type Shared = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

struct Files {
    fault: Fault,
    side: Side,
    files: Shared,
}

impl Files {
    async fn call(&self) -> Result<(), StorageError> {
        tokio::task::yield_now().await;
        if self.fault == Fault::Blocks {
            std::thread::sleep(Duration::from_millis(500));
        }
        match self.side {
            Side::Works => Ok(()),
            Side::IsSilent if self.fault == Fault::Blocks => Err(StorageError::new("no answer within 500ms")),
            Side::Refuses if self.fault == Fault::Swallows => Ok(()),
            Side::Refuses if self.fault == Fault::ShowsErrors => {
                Err(StorageError::new("refused").with_source(format!("403 for key {SECRET}")))
            }
            Side::Refuses => Err(StorageError::new("refused")),
            Side::IsSilent if self.fault == Fault::WaitsForEver => pending().await,
            Side::IsSilent => {
                tokio::time::sleep(Duration::from_secs(30)).await;
                Err(StorageError::new("no answer within 30s").with_kind(StorageErrorKind::Timeout))
            }
        }
    }

    /// Puts a file, and lets others run in between if that is the fault.
    async fn write(&self, name: &str, content: &[u8]) {
        if self.fault == Fault::PutsInParts {
            self.files.lock().unwrap().insert(name.to_owned(), content[..content.len() / 2].to_owned());
            tokio::task::yield_now().await;
        }
        if self.fault == Fault::RemovesThenPuts {
            self.files.lock().unwrap().remove(name);
            tokio::task::yield_now().await;
        }
        let content = match self.fault {
            Fault::IsText => String::from_utf8_lossy(content).into_owned().into_bytes(),
            _ => content.to_owned(),
        };
        self.files.lock().unwrap().insert(name.to_owned(), content);
    }
}

#[async_trait]
impl NamedFiles for Files {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        self.call().await?;
        let is_there = self.files.lock().unwrap().contains_key(name);
        match self.fault {
            Fault::Replaces => {}
            Fault::SaysCreated if is_there => return Ok(Put::Created),
            _ if is_there => return Ok(Put::Exists),
            Fault::LooksThenPuts => {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
            }
            Fault::PutsInParts | Fault::IsText => {}
            _ => {
                let mut files = self.files.lock().unwrap();
                if files.contains_key(name) {
                    return Ok(Put::Exists);
                }
                files.insert(name.to_owned(), content.to_owned());
                return Ok(Put::Created);
            }
        }
        self.write(name, content).await;
        Ok(if is_there { Put::Exists } else { Put::Created })
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        self.call().await?;
        if self.fault != Fault::NeverReplaces || !self.files.lock().unwrap().contains_key(name) {
            self.write(name, content).await;
        }
        Ok(())
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        self.call().await?;
        let mut names: Vec<_> =
            self.files.lock().unwrap().range(from.to_owned()..).map(|(name, _)| name.clone()).collect();
        match self.fault {
            Fault::IgnoresCase => names.sort_by_key(|name| name.to_lowercase()),
            Fault::HasNoOrder => names.reverse(),
            Fault::BeginsAfter => names.retain(|name| name != from),
            _ => {}
        }
        if self.fault != Fault::IgnoresTheLimit {
            names.truncate(limit);
        }
        Ok(names)
    }

    async fn list_before(&self, from: &str, end: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        let mut names = self.list(from, limit).await?;
        if self.fault != Fault::IgnoresTheEnd {
            names.retain(|name| name.as_str() < end);
        }
        Ok(names)
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        self.call().await?;
        let missing = StorageError::new("not there");
        let missing =
            if self.fault == Fault::HasNoKinds { missing } else { missing.with_kind(StorageErrorKind::NotFound) };
        self.files.lock().unwrap().get(name).cloned().ok_or(missing)
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        self.call().await?;
        let mut files = self.files.lock().unwrap();
        for name in names.iter().take(if self.fault == Fault::DeletesThousand { 1000 } else { usize::MAX }) {
            if self.fault == Fault::DeletesByPrefix {
                files.retain(|other, _| !other.starts_with(name));
            } else if files.remove(*name).is_none() && self.fault == Fault::RefusesMissing {
                return Err(StorageError::new("not there").with_kind(StorageErrorKind::NotFound));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.fault == Fault::ShowsItself { SECRET } else { "Files" })
    }
}

fn fixture(fault: Fault) -> NamedFilesFixture {
    let shared = Shared::default();
    let at = move |side| {
        let shared = Arc::clone(&shared);
        move || {
            let files = if fault == Fault::KeepsInTheProcess { Shared::default() } else { Arc::clone(&shared) };
            Files { fault, side, files }
        }
    };
    NamedFilesFixture::new(at(Side::Works)).failing(at(Side::Refuses)).hanging(at(Side::IsSilent)).secret(SECRET)
}

pub(crate) fn good() -> NamedFilesFixture {
    fixture(Fault::None)
}

fn broken(behaviour: &str) -> Vec<Broken<NamedFilesFixture>> {
    let faults: &[(Fault, &'static str)] = match behaviour {
        "what_is_put_outlives_its_process" => &[(Fault::KeepsInTheProcess, "can be got")],
        "any_content_is_kept_as_it_is" => &[(Fault::IsText, "256 bytes were put")],
        "putting_if_absent_never_replaces" => {
            &[(Fault::Replaces, "was replaced"), (Fault::SaysCreated, "what a taken name gives")]
        }
        "of_many_who_put_one_name_one_creates_it" => &[(Fault::LooksThenPuts, "so many created it")],
        "putting_replaces_whole" => &[
            (Fault::PutsInParts, "is torn"),
            (Fault::RemovesThenPuts, "is always there"),
            (Fault::NeverReplaces, "the last content"),
        ],
        "a_cancelled_put_is_there_whole_or_not_at_all" => &[(Fault::PutsInParts, "the file is torn")],
        "names_are_listed_in_the_order_of_their_bytes" => {
            &[(Fault::IgnoresCase, "not in the order"), (Fault::HasNoOrder, "not in the order")]
        }
        "a_listing_begins_at_a_name_and_ends_at_its_limit" => &[
            (Fault::BeginsAfter, "at or after itself"),
            (Fault::IgnoresTheLimit, "and the limit is 1"),
            (Fault::IgnoresTheEnd, "names before"),
        ],
        "deleting_removes_what_it_is_told_to_and_nothing_else" => {
            &[(Fault::RefusesMissing, "also those that are not there"), (Fault::DeletesByPrefix, "what is left")]
        }
        "more_than_a_thousand_are_deleted_at_once" => &[(Fault::DeletesThousand, "what is left of 1100 files")],
        "many_may_delete_the_same" => &[(Fault::RefusesMissing, "many may delete the same")],
        "an_unknown_file_is_not_found" => &[(Fault::HasNoKinds, "of a file that never was")],
        "no_call_blocks_the_thread" => &[(Fault::Blocks, "a call blocks the thread")],
        "a_hanging_call_does_not_block_the_thread" => &[(Fault::Blocks, "the thread was blocked")],
        "a_silent_network_is_an_error_in_time" => &[(Fault::WaitsForEver, "without end")],
        "what_fails_is_an_error" => &[(Fault::Swallows, "cannot be used")],
        "errors_hold_no_secret" => &[(Fault::ShowsErrors, "shows the secret")],
        "debug_holds_no_secret" => &[(Fault::ShowsItself, "`Debug` shows the secret")],
        _ => &[],
    };
    let broken = faults.iter().map(|&(fault, says)| {
        let factory = Box::new(move || fixture(fault));
        Broken { fault: format!("{fault:?}"), says, factory }
    });
    broken.collect()
}

#[test]
fn each_behaviour_of_named_files_is_caught() {
    each_behaviour_is_caught(BEHAVIOURS, good, broken);
}
