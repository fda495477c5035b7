//! What the contract of a storage's maintainer asks for.

use std::sync::Arc;
use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::{CheckResult, Maintenance, Storage, StorageError, Timestamp};
use tokio::task::JoinSet;

use super::StorageFixture;
use super::drive::{MAX_POLLS, block_on, block_on_threads, cancelled_after};
use super::storage::{assert_same_results, one, report};
use super::storage_reader::{OTHER_FILES, content, list};

const EPOCH: Timestamp = Timestamp::from_unix_nanos(0);
const HOUR: Duration = Duration::from_secs(3600);

/// An age that everything has.
const AT_ONCE: Duration = Duration::from_nanos(1);

/// How many instances maintain at once.
const INSTANCES: usize = 4;

/// "It removes only what has expired": what is younger stays, and nothing is said to be removed.
pub fn nothing_is_removed_before_it_expires(fixture: &StorageFixture) {
    let (for_ever, for_an_hour) = (fixture.open(), fixture.open_expiring(HOUR));
    block_on(async {
        let expected = [store(&*for_ever, "a").await, store(&*for_an_hour, "b").await].concat();
        for storage in [&for_ever, &for_an_hour] {
            let done = maintain(&**storage).await.expect("the storage can be maintained");
            assert_eq!(done.expired, 0, "nothing has expired");
            assert_same_results("after maintenance", &fixture.results().await, &expected);
        }
    });
}

/// What has expired is removed, and counted.
pub fn what_has_expired_is_removed(fixture: &StorageFixture) {
    let (for_ever, expiring) = (fixture.open(), fixture.open_expiring(AT_ONCE));
    block_on(async {
        for number in 0..3 {
            store(&*for_ever, &format!("report {number}")).await;
        }
        let done = maintain(&*expiring).await.expect("the storage can be maintained");
        assert_same_results("after maintenance", &fixture.results().await, &[]);
        assert_eq!(done.expired, 3, "three check files were removed");
    });
}

/// Maintenance that has nothing to do does nothing.
pub fn maintaining_again_removes_nothing(fixture: &StorageFixture) {
    let expiring = fixture.open_expiring(AT_ONCE);
    block_on(async {
        store(&*expiring, "expired").await;
        maintain(&*expiring).await.expect("the storage can be maintained");
        for storage in [expiring, fixture.open_expiring(AT_ONCE)] {
            let again = maintain(&*storage).await.expect("the storage can be maintained again");
            assert_eq!(again.expired, 0, "what was removed is removed again");
        }
    });
}

/// "It removes only what has expired by the storage's settings, and only check files."
pub fn only_expired_check_files_are_removed(fixture: &StorageFixture) {
    let for_an_hour = fixture.open_expiring(HOUR);
    let now = Timestamp::now();
    let before = |age: Duration| FileName::at(now.saturating_sub(age));
    block_on(async {
        let expired = [before(HOUR * 50), before(HOUR * 2)];
        let kept = [before(HOUR / 2), before(HOUR / 4)];
        for name in expired.iter().chain(&kept) {
            fixture.put(name.as_str(), &content());
        }
        for name in OTHER_FILES.iter().filter(|name| !DERIVED.contains(name)) {
            fixture.put(name, b"not for you");
        }
        let done = maintain(&*for_an_hour).await.expect("the storage can be maintained");
        assert_eq!(list(&*for_an_hour, EPOCH).await, kept, "what is listed after maintenance");
        assert_eq!(done.expired, expired.len());
        for name in OTHER_FILES.iter().filter(|name| !DERIVED.contains(name)) {
            assert!(fixture.has(name), "{name} is no check file, and was removed");
        }
    });
}

/// What a storage derives from the check files is its own to replace and to remove.
const DERIVED: [&str; 1] = ["index.json"];

/// "It may run in many processes at once": with stores and with itself.
pub fn maintenance_at_once_loses_nothing(fixture: &StorageFixture) {
    let instances: Vec<_> = (0..INSTANCES).map(|_| fixture.open_expiring(HOUR)).collect();
    block_on_threads(async {
        let mut work = JoinSet::new();
        for (instance, storage) in instances.iter().enumerate() {
            let storage = Arc::clone(storage);
            work.spawn(async move {
                let mut stored = Vec::new();
                for number in 0..5 {
                    stored.extend(store(&*storage, &format!("report {number} of {instance}")).await);
                    let done = maintain(&*storage).await.expect("the storage can be maintained by many at once");
                    assert_eq!(done.expired, 0, "nothing has expired");
                }
                stored
            });
        }
        let expected = work.join_all().await.concat();
        assert_same_results("after maintenance by many", &fixture.results().await, &expected);
        // Many find the same expired files: each is removed, and nobody fails for coming second.
        let mut work = JoinSet::new();
        for _ in 0..INSTANCES {
            let storage = fixture.open_expiring(AT_ONCE);
            work.spawn(async move { maintain(&*storage).await });
        }
        for done in work.join_all().await {
            done.expect("the storage can be maintained by many at once");
        }
        assert_same_results("after all has expired", &fixture.results().await, &[]);
    });
}

/// "It may be cancelled at any `.await`; nothing that is not expired is lost", and the next one does what is left.
pub fn a_cancelled_maintenance_loses_nothing(fixture: &StorageFixture) {
    let (for_an_hour, expiring) = (fixture.open_expiring(HOUR), fixture.open_expiring(AT_ONCE));
    block_on(async {
        let kept = store(&*for_an_hour, "kept").await;
        for polls in 0..MAX_POLLS {
            let ended = match for_an_hour.maintainer() {
                Some(maintainer) => cancelled_after(polls, maintainer.maintain()).await.is_some(),
                None => panic!("the storage declares a maintainer; if it has none, declare `without: [maintainer]`"),
            };
            let results = fixture.results().await;
            let what = format!("after maintenance that was dropped after {polls} polls");
            assert_same_results(&what, one("kept", &results), &kept);
            if ended {
                break;
            }
        }
        for polls in 0..MAX_POLLS {
            store(&*expiring, &format!("expired {polls}")).await;
            let Some(maintainer) = expiring.maintainer() else { return };
            let ended = cancelled_after(polls, maintainer.maintain()).await.is_some();
            maintain(&*expiring).await.expect("the storage can be maintained after a maintenance that was dropped");
            assert_same_results("after the next maintenance", &fixture.results().await, &[]);
            if ended {
                return;
            }
        }
    });
}

async fn store(storage: &dyn Storage, label: &str) -> Vec<CheckResult> {
    let report = report(label, Timestamp::now());
    storage.store(&report).await.expect("a report can be stored");
    // Clocks may be coarse: what was stored is older than now only when they have moved on.
    let stored = Timestamp::now();
    while Timestamp::now().since(stored) < Duration::from_micros(10) {
        tokio::task::yield_now().await;
    }
    report.results
}

async fn maintain(storage: &dyn Storage) -> Result<Maintenance, StorageError> {
    let maintainer = storage.maintainer();
    let maintainer =
        maintainer.expect("the storage declares a maintainer; if it has none, declare `without: [maintainer]`");
    maintainer.maintain().await
}
