//! Storages that break their contract, one way each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use checkup_core::archive::Expiry;
use checkup_core::check_file::{self, FileName};
use checkup_core::{
    CheckResult, Maintenance, Report, Storage, StorageError, StorageErrorKind, StorageMaintainer, StorageReader,
    Timestamp, async_trait,
};
use checkup_testkit::conformance::StorageFixture;
use checkup_testkit::conformance::storage::BEHAVIOURS;
use tokio::task::yield_now;

use crate::{Broken, each_behaviour_is_caught};

const SECRET: &str = "hunter2";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    StoresInTheBackground,
    KeepsItToItself,
    NamesByTimestamp,
    RewritesTheLast,
    ReadsModifiesWrites,
    StoresPieceByPiece,
    ClearsBeforeItStores,
    StaysLocked,
    RefusesDuplicates,
    WaitsForEver,
    Blocks,
    Swallows,
    ShowsErrors,
    ShowsItself,
    LosesMessages,
    ListsNewestFirst,
    ListsInOrderOfArrival,
    ListsAfterSince,
    ListsAll,
    ListsNothing,
    ListsOtherFiles,
    KnowsNoNotFound,
    FailsForOneBrokenFile,
    ReadsBrokenFilesAsEmpty,
    RemovesAll,
    RemovesNothing,
    CountsAll,
    RemovesOtherFiles,
    FailsWhenSecond,
    RewritesToMaintain,
    TrustsItsClock,
}

/// What the other side does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Works,
    Fails,
    IsSilent,
}

type Files = BTreeMap<String, Vec<u8>>;

/// A place with named files, which all instances share.
#[derive(Default)]
struct Place {
    files: Mutex<Files>,
    order: Mutex<Vec<String>>,
    removed: Mutex<BTreeSet<String>>,
}

struct Store {
    fault: Fault,
    side: Side,
    place: Arc<Place>,
    /// What an instance keeps that is never written.
    own: Mutex<Files>,
    check_expiry: Option<Duration>,
    locked: AtomicBool,
}

impl Store {
    fn files(&self) -> MutexGuard<'_, Files> {
        if self.fault == Fault::KeepsItToItself { self.own.lock().unwrap() } else { self.place.files.lock().unwrap() }
    }

    async fn reach(&self) -> Result<(), StorageError> {
        if self.fault == Fault::Blocks {
            std::thread::sleep(Duration::from_millis(500));
        }
        match self.side {
            Side::Works => Ok(()),
            Side::IsSilent if self.fault == Fault::Blocks => Err(StorageError::new("no answer within 500ms")),
            Side::Fails if self.fault == Fault::ShowsErrors => {
                Err(StorageError::new("refused").with_source(format!("no access with {SECRET}")))
            }
            Side::Fails => Err(StorageError::new("refused")),
            Side::IsSilent if self.fault == Fault::WaitsForEver => pending().await,
            Side::IsSilent => {
                tokio::time::sleep(Duration::from_secs(30)).await;
                Err(StorageError::new("no answer within 30s").with_kind(StorageErrorKind::Timeout))
            }
        }
    }

    fn check_files(&self) -> Vec<FileName> {
        let mut names: Vec<_> = self.files().keys().filter_map(|name| FileName::parse(name)).collect();
        names.sort();
        names
    }
}

/// Puts a file there under a free name.
fn publish(place: &Place, content: Vec<u8>) {
    let mut files = place.files.lock().unwrap();
    let mut moment = Timestamp::now();
    while files.contains_key(FileName::at(moment).as_str()) {
        moment = moment.saturating_add(Duration::from_nanos(1));
    }
    let name = FileName::at(moment).as_str().to_owned();
    place.order.lock().unwrap().push(name.clone());
    files.insert(name, content);
}

#[async_trait]
impl Storage for Store {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        if let Err(error) = self.reach().await {
            return if self.fault == Fault::Swallows { Ok(()) } else { Err(error) };
        }
        let content = check_file::encode(&report.results)?;
        match self.fault {
            Fault::StoresInTheBackground => {
                let place = Arc::clone(&self.place);
                tokio::spawn(async move {
                    yield_now().await;
                    publish(&place, content);
                });
            }
            Fault::KeepsItToItself => {
                self.files().insert(FileName::at(Timestamp::now()).as_str().to_owned(), content);
            }
            Fault::NamesByTimestamp => {
                self.files().insert(FileName::at(report.started).as_str().to_owned(), content);
            }
            Fault::RewritesTheLast => {
                if let Some(last) = self.files().values_mut().last() {
                    let mut results = check_file::decode(last)?;
                    results.iter_mut().for_each(|result| result.message = Some("superseded".into()));
                    *last = check_file::encode(&results)?;
                }
                publish(&self.place, content);
            }
            Fault::ReadsModifiesWrites => {
                let mut files = self.files().clone();
                yield_now().await;
                files.insert(
                    format!("{}-{}-check.json", Timestamp::now().unix_nanos(), report.results[0].name.len()),
                    content,
                );
                *self.files() = files;
            }
            Fault::StoresPieceByPiece => {
                for result in &report.results {
                    publish(&self.place, check_file::encode(std::slice::from_ref(result))?);
                    yield_now().await;
                }
            }
            Fault::ClearsBeforeItStores => {
                let files = std::mem::take(&mut *self.files());
                yield_now().await;
                self.files().extend(files);
                publish(&self.place, content);
            }
            Fault::StaysLocked => {
                if self.locked.swap(true, Ordering::SeqCst) {
                    return Err(StorageError::new("locked"));
                }
                yield_now().await;
                self.locked.store(false, Ordering::SeqCst);
                publish(&self.place, content);
            }
            Fault::RefusesDuplicates if self.files().values().any(|stored| *stored == content) => {
                return Err(StorageError::new("UNIQUE constraint failed"));
            }
            _ => {
                yield_now().await;
                publish(&self.place, content);
            }
        }
        Ok(())
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        Some(self)
    }

    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        Some(self)
    }
}

#[async_trait]
impl StorageReader for Store {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        if let Err(error) = self.reach().await {
            return if self.fault == Fault::Swallows { Ok(Vec::new()) } else { Err(error) };
        }
        let mut names = self.check_files();
        names.retain(|name| match self.fault {
            Fault::ListsAll => true,
            Fault::ListsAfterSince => name.timestamp() > since,
            _ => name.timestamp() >= since,
        });
        match self.fault {
            Fault::ListsNewestFirst => names.reverse(),
            Fault::ListsInOrderOfArrival => {
                let order = self.place.order.lock().unwrap();
                names.sort_by_key(|name| order.iter().position(|stored| stored == name.as_str()));
            }
            Fault::ListsNothing => names.clear(),
            Fault::ListsOtherFiles => {
                let stamp = |name: &String| name.trim_end_matches(".json").parse().ok();
                let others: Vec<_> = self.files().keys().filter_map(stamp).map(Timestamp::from_unix_nanos).collect();
                names.extend(others.into_iter().filter(|moment| *moment >= since).map(FileName::at));
                names.sort();
            }
            Fault::FailsForOneBrokenFile => {
                for name in &names {
                    check_file::decode(&self.files()[name.as_str()])?;
                }
            }
            _ => {}
        }
        Ok(names)
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        self.reach().await?;
        let Some(content) = self.files().get(name.as_str()).cloned() else {
            if self.fault == Fault::KnowsNoNotFound {
                return Ok(Vec::new());
            }
            return Err(StorageError::new("no such file").with_kind(StorageErrorKind::NotFound));
        };
        let mut results = match check_file::decode(&content) {
            Err(_) if self.fault == Fault::ReadsBrokenFilesAsEmpty => Vec::new(),
            decoded => decoded?,
        };
        if self.fault == Fault::LosesMessages {
            results.iter_mut().for_each(|result| result.message = None);
        }
        Ok(results)
    }
}

#[async_trait]
impl StorageMaintainer for Store {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        self.reach().await?;
        let Some(check_expiry) = self.check_expiry.filter(|_| self.fault != Fault::RemovesNothing) else {
            return Ok(Maintenance::default());
        };
        if self.fault == Fault::RewritesToMaintain {
            let files = std::mem::take(&mut *self.files());
            yield_now().await;
            self.files().extend(files);
        }
        if self.fault == Fault::RemovesOtherFiles {
            self.files().retain(|name, _| FileName::parse(name).is_some());
        }
        let now = Timestamp::now();
        let before = |cutoff: Timestamp| self.check_files().into_iter().filter(move |name| name.timestamp() < cutoff);
        let expired: Vec<_> = match self.fault {
            Fault::RemovesAll => before(now).collect(),
            Fault::TrustsItsClock => before(now.saturating_sub(check_expiry)).collect(),
            _ => Expiry::of(self.check_files(), check_expiry, now).expired,
        };
        yield_now().await;
        if self.fault == Fault::FailsWhenSecond {
            // Long enough for others to find the same.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut removed = 0;
        for name in &expired {
            let was_there = self.files().remove(name.as_str()).is_some();
            if !was_there && self.fault == Fault::FailsWhenSecond {
                return Err(StorageError::new("no such file"));
            }
            removed += usize::from(was_there);
            self.place.removed.lock().unwrap().insert(name.to_string());
            // As with a network, others run in between.
            yield_now().await;
        }
        Ok(Maintenance::expired(match self.fault {
            Fault::CountsAll => self.place.removed.lock().unwrap().len(),
            _ => removed,
        }))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.fault == Fault::ShowsItself { SECRET } else { "Store" })
    }
}

fn fixture(fault: Fault) -> StorageFixture {
    let place = Arc::new(Place::default());
    let (putting, looking) = (Arc::clone(&place), Arc::clone(&place));
    let at = move |side, check_expiry| Store {
        fault,
        side,
        place: Arc::clone(&place),
        own: Mutex::default(),
        check_expiry,
        locked: AtomicBool::new(false),
    };
    let at = Arc::new(at);
    let (expiring, failing, silent) = (Arc::clone(&at), Arc::clone(&at), Arc::clone(&at));
    StorageFixture::new(move || at(Side::Works, None))
        .expiring(move |age| expiring(Side::Works, Some(age)))
        .failing(move || failing(Side::Fails, None))
        .hanging(move || silent(Side::IsSilent, None))
        .files(
            move |name, content| {
                putting.order.lock().unwrap().push(name.to_owned());
                putting.files.lock().unwrap().insert(name.to_owned(), content.to_vec());
            },
            move |name| looking.files.lock().unwrap().contains_key(name),
        )
        .secret(SECRET)
}

pub(crate) fn good() -> StorageFixture {
    fixture(Fault::None)
}

fn broken(behaviour: &str) -> Vec<Broken<StorageFixture>> {
    let faults: &[(Fault, &'static str)] = match behaviour {
        "a_stored_report_outlives_its_process" => &[
            (Fault::StoresInTheBackground, "after the death of the process"),
            (Fault::KeepsItToItself, "after the death of the process"),
        ],
        "what_was_stored_never_changes" => &[
            (Fault::NamesByTimestamp, "after 2 stores: not the same results"),
            (Fault::RewritesTheLast, "after 2 stores: a result is not as it was stored"),
        ],
        "stores_at_once_are_all_kept" => {
            &[(Fault::ReadsModifiesWrites, "not the same results"), (Fault::NamesByTimestamp, "not the same results")]
        }
        "a_cancelled_store_is_there_whole_or_not_at_all" => &[
            (Fault::StoresPieceByPiece, "dropped after 1 polls: not the same results"),
            (Fault::ClearsBeforeItStores, "before the cancelled stores"),
        ],
        "a_cancelled_store_does_not_spoil_the_next" => &[(Fault::StaysLocked, "the same instance after 1 polls")],
        "storing_again_is_safe" => &[(Fault::RefusesDuplicates, "the same report can be stored again")],
        "a_store_does_not_block_the_thread" => &[(Fault::Blocks, "a store blocks the thread")],
        "a_hanging_store_does_not_block_the_thread" => &[(Fault::Blocks, "the thread was blocked")],
        "reading_does_not_block_the_thread" => &[(Fault::Blocks, "a listing blocks the thread")],
        "maintenance_does_not_block_the_thread" => &[(Fault::Blocks, "maintenance blocks the thread")],
        "a_silent_network_is_an_error_in_time" => {
            &[(Fault::WaitsForEver, "without end"), (Fault::Swallows, "nobody has answered")]
        }
        "what_fails_is_an_error" => &[(Fault::Swallows, "the storage cannot be used")],
        "errors_hold_no_secret" => &[(Fault::ShowsErrors, "the error of a store shows the secret")],
        "debug_holds_no_secret" => &[(Fault::ShowsItself, "`Debug` shows the secret")],
        "reading_gives_what_was_stored" => {
            &[(Fault::LosesMessages, "a result is not as it was stored"), (Fault::ListsNothing, "not the same results")]
        }
        "listing_is_oldest_first" => {
            &[(Fault::ListsNewestFirst, "not oldest first"), (Fault::ListsNothing, "nothing is listed")]
        }
        "listing_begins_exactly_at_since" => &[(Fault::ListsAfterSince, "since "), (Fault::ListsAll, "since ")],
        "listing_has_only_check_files" => {
            &[(Fault::ListsOtherFiles, "were put there"), (Fault::ListsInOrderOfArrival, "left == right")]
        }
        "an_unknown_file_is_not_found" => &[(Fault::KnowsNoNotFound, "a file that is not there has 0 results")],
        "a_broken_file_costs_only_itself" => {
            &[(Fault::FailsForOneBrokenFile, "the storage can be listed"), (Fault::ReadsBrokenFilesAsEmpty, "was read")]
        }
        "nothing_is_removed_before_it_expires" => &[(Fault::RemovesAll, "nothing has expired")],
        "what_has_expired_is_removed" => &[(Fault::RemovesNothing, "after maintenance: not the same results")],
        "maintaining_again_removes_nothing" => &[(Fault::CountsAll, "again and again")],
        "only_expired_check_files_are_removed" => &[
            (Fault::RemovesOtherFiles, "checkup.json is no check file"),
            (Fault::RemovesAll, "after maintenance: not the same results"),
        ],
        "a_clock_that_is_ahead_removes_nothing" => {
            &[(Fault::TrustsItsClock, "the clock alone is no reason to remove check files")]
        }
        "maintenance_at_once_loses_nothing" => &[
            (Fault::FailsWhenSecond, "the storage can be maintained by many at once"),
            (Fault::RemovesAll, "nothing has expired"),
        ],
        "a_cancelled_maintenance_loses_nothing" => &[
            (Fault::RewritesToMaintain, "after maintenance that was dropped"),
            (Fault::RemovesAll, "after maintenance that was dropped"),
        ],
        _ => &[],
    };
    let broken = faults.iter().map(|&(fault, says)| {
        let factory = Box::new(move || fixture(fault));
        Broken { fault: format!("{fault:?}"), says, factory }
    });
    broken.collect()
}

#[test]
fn each_behaviour_of_a_storage_is_caught() {
    each_behaviour_is_caught(BEHAVIOURS, good, broken);
}
