//! The behaviours that the contract of a storage's maintainer requires.

use std::sync::Arc;
use std::time::Duration;

use checkup_core::check_file::{self, FileName};
use checkup_core::{CheckResult, Maintenance, Storage, StorageError, Timestamp};
use tokio::task::JoinSet;

use super::super::drive::{MAX_POLLS, block_on, block_on_threads, cancelled_after, never_blocks};
use super::reader::OTHER_FILES;
use super::{StorageFixture, assert_same_results, one, report};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An age that every file has reached.
const AT_ONCE: Duration = Duration::from_nanos(1);

/// After how many pieces of work a few files are maintained.
const MAX_ROUNDS: usize = 100;

/// How many instances maintain concurrently.
const INSTANCES: usize = 4;

/// "It removes only … those that have expired": younger files stay, and none is reported as removed.
pub fn nothing_is_removed_before_it_expires(fixture: &StorageFixture) {
    let (for_ever, for_an_hour) = (fixture.open(), fixture.open_expiring(HOUR));
    block_on(async {
        let expected = [store(&*for_ever, "a").await, store(&*for_an_hour, "b").await].concat();
        for storage in [&for_ever, &for_an_hour] {
            let expired = maintain(&**storage).await.expect("the storage can be maintained");
            assert_eq!(expired, 0, "nothing has expired");
            assert_same_results("after maintenance", &fixture.results().await, &expected);
        }
    });
}

/// Expired check files are removed and counted.
pub fn what_has_expired_is_removed(fixture: &StorageFixture) {
    let (for_ever, expiring) = (fixture.open(), fixture.open_expiring(AT_ONCE));
    block_on(async {
        for number in 0..3 {
            store(&*for_ever, &format!("report {number}")).await;
        }
        let expired = maintain(&*expiring).await.expect("the storage can be maintained");
        assert_same_results("after maintenance", &fixture.results().await, &[]);
        assert_eq!(expired, 3, "three check files were removed");
    });
}

/// Maintenance comes to an end, and does nothing when nothing is left.
pub fn maintaining_again_removes_nothing(fixture: &StorageFixture) {
    let expiring = fixture.open_expiring(AT_ONCE);
    block_on(async {
        store(&*expiring, "expired").await;
        maintain(&*expiring).await.expect("the storage can be maintained");
        for storage in [expiring, fixture.open_expiring(AT_ONCE)] {
            let again = maintain(&*storage).await.expect("the storage can be maintained again");
            assert_eq!(again, 0, "what was removed is removed again");
        }
    });
}

/// "It removes only check files: those that have expired according to the storage's settings."
pub fn only_expired_check_files_are_removed(fixture: &StorageFixture) {
    let for_an_hour = fixture.open_expiring(HOUR);
    let now = Timestamp::now();
    block_on(async {
        let mut kept = Vec::new();
        for (age, is_expired) in [(HOUR * 50, true), (HOUR * 2, true), (HOUR / 2, false), (HOUR / 4, false)] {
            let moment = now.saturating_sub(age);
            let report = report(&format!("{} minutes ago", age.as_secs() / 60), moment);
            let content = check_file::encode(&report.results).expect("results have a JSON form");
            fixture.put(FileName::at(moment).as_str(), &content);
            if !is_expired {
                kept.extend(report.results);
            }
        }
        let others = || OTHER_FILES.iter().filter(|name| !DERIVED.contains(name));
        for name in others() {
            fixture.put(name, b"not for you");
        }
        let expired = maintain(&*for_an_hour).await.expect("the storage can be maintained");
        assert_same_results("after maintenance", &fixture.results().await, &kept);
        assert_eq!(expired, 2, "two check files have expired");
        for name in others() {
            assert!(fixture.has(name), "{name} is no check file, and was removed");
        }
    });
}

/// "A clock that is ahead removes nothing": the history that is stored counts as well as the local clock.
pub fn a_clock_that_is_ahead_removes_nothing(fixture: &StorageFixture) {
    let storage = fixture.open_expiring(DAY * 90);
    let now = Timestamp::now();
    block_on(async {
        let mut kept = Vec::new();
        // To this history, the clock seems to be ahead by more than a year.
        for days in (400..410).rev() {
            let moment = now.saturating_sub(DAY * days);
            let report = report(&format!("{days} days ago"), moment);
            let content = check_file::encode(&report.results).expect("results have a JSON form");
            fixture.put(FileName::at(moment).as_str(), &content);
            kept.extend(report.results);
        }
        let maintainer = storage
            .maintainer()
            .expect("the storage declares a maintainer; if it has none, declare `without: [maintainer]`");
        for round in 0..2 {
            // Saying what is wrong with the clock may be an error, if there was nothing else to do.
            let expired = maintainer.maintain().await.map_or(0, |done| done.expired);
            assert_eq!(expired, 0, "the clock alone is no reason to remove check files");
            assert_same_results("after maintenance by a clock that is ahead", &fixture.results().await, &kept);
            // What is stored by that clock does not confirm it yet.
            kept.extend(store(&*storage, &format!("ahead {round}")).await);
        }
    });
}

/// A storage may replace and remove what it derives from the check files.
const DERIVED: [&str; 1] = ["index.json"];

/// "It may run in many processes at the same time": concurrently with stores and with itself.
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
                    let expired = maintain(&*storage).await.expect("the storage can be maintained by many at once");
                    assert_eq!(expired, 0, "nothing has expired");
                }
                stored
            });
        }
        let expected = work.join_all().await.concat();
        assert_same_results("after maintenance by many", &fixture.results().await, &expected);
        // Many instances find the same expired files: each file is removed once, and an instance that comes second does
        // not fail.
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

/// "It does not block the thread."
pub fn maintenance_does_not_block_the_thread(fixture: &StorageFixture) {
    let expiring = fixture.open_expiring(AT_ONCE);
    block_on(async {
        store(&*expiring, "expired").await;
        never_blocks("maintenance", || async {
            if let Some(maintainer) = expiring.maintainer() {
                let _ = maintainer.maintain().await;
            }
        })
        .await;
    });
}

/// "It … may be cancelled at any `.await`. Neither loses anything that has not expired", and the next one does the rest.
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
    // Clocks may be coarse: a stored file is older than now only once the clock has advanced.
    let stored = Timestamp::now();
    while Timestamp::now().since(stored) < Duration::from_micros(10) {
        tokio::task::yield_now().await;
    }
    report.results
}

/// Maintains a storage until there is nothing left to do. Returns how many expired check files were removed.
async fn maintain(storage: &dyn Storage) -> Result<usize, StorageError> {
    let maintainer = storage
        .maintainer()
        .expect("the storage declares a maintainer; if it has none, declare `without: [maintainer]`");
    let mut expired = 0;
    for _ in 0..MAX_ROUNDS {
        let done = maintainer.maintain().await?;
        if done == Maintenance::default() {
            return Ok(expired);
        }
        expired += done.expired;
    }
    panic!("maintenance finds something to do again and again ({MAX_ROUNDS} times)");
}
