//! The behaviours that the contract of a storage requires.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{CheckResult, Report, Timestamp};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::super::drive::{
    MAX_POLLS, all_of, assert_without, block_on, block_on_apart, block_on_paused, block_on_threads, cancelled_after,
    leaves_the_thread, never_blocks, soon,
};
use super::{StorageFixture, assert_same_results, offered, one, report};

/// How many instances store concurrently, and how many reports each.
const INSTANCES: usize = 8;
const REPORTS_EACH: usize = 10;

/// Longer than any storage waits, with all its retries; the engine gives up after a minute.
const NETWORK_LIMIT: Duration = Duration::from_secs(600);

/// "When `store` returns `Ok`, the report is durable: it survives the death of the process."
///
/// The runtime in which it was stored ends, with all of its tasks; the instance is not dropped, so that it cannot catch up.
pub fn a_stored_report_outlives_its_process(fixture: &StorageFixture) {
    let (storage, report) = (fixture.open(), report("durable", Timestamp::now()));
    block_on(async { storage.store(&report).await.expect("a report can be stored") });
    let results = block_on(fixture.results());
    assert_same_results("after the death of the process", &results, &report.results);
    drop(storage);
}

/// "A stored report is never changed or replaced, by this process or another", even if all have the same timestamp.
pub fn what_was_stored_never_changes(fixture: &StorageFixture) {
    let (one, other, moment) = (fixture.open(), fixture.open(), Timestamp::now());
    block_on(async {
        let mut expected = Vec::new();
        for number in 0..6 {
            let report = report(&format!("report {number}"), moment);
            let storage = if number % 2 == 0 { &one } else { &other };
            storage.store(&report).await.expect("a report can be stored");
            expected.extend(report.results);
            assert_same_results(&format!("after {} stores", number + 1), &fixture.results().await, &expected);
        }
    });
}

/// "Any number of tasks, processes and machines may store at the same time; all of their reports are kept."
pub fn stores_at_once_are_all_kept(fixture: &StorageFixture) {
    let instances: Vec<_> = (0..INSTANCES).map(|_| fixture.open()).collect();
    let moment = Timestamp::now();
    block_on_threads(async {
        let mut stores = JoinSet::new();
        let mut expected = Vec::new();
        for (instance, storage) in instances.iter().enumerate() {
            for number in 0..REPORTS_EACH {
                let report = report(&format!("report {number} of {instance}"), moment);
                expected.extend(report.results.clone());
                let storage = Arc::clone(storage);
                stores.spawn(async move { storage.store(&report).await });
            }
        }
        for stored in stores.join_all().await {
            stored.expect("every store succeeds");
        }
        assert_same_results("after all stores", &fixture.results().await, &expected);
    });
}

/// "`store` may be cancelled (dropped) at any `.await`. The report is then stored completely or not at all", and all reports that were
/// stored before still exist.
pub fn a_cancelled_store_is_there_whole_or_not_at_all(fixture: &StorageFixture) {
    let storage = fixture.open();
    block_on(async {
        let before = report("before", Timestamp::now());
        storage.store(&before).await.expect("a report can be stored");
        for polls in 0..MAX_POLLS {
            let label = format!("dropped after {polls} polls");
            let dropped = report(&label, Timestamp::now());
            let outcome = cancelled_after(polls, storage.store(&dropped)).await;
            let results = fixture.results().await;
            if one(&label, &results).next().is_some() || outcome.is_some() {
                assert_same_results(&label, one(&label, &results), &dropped.results);
            }
            assert_same_results("before the cancelled stores", one("before", &results), &before.results);
            if outcome.is_some() {
                return;
            }
        }
    });
}

/// After a cancelled store the next one succeeds: no lock and no unfinished file is in its way.
pub fn a_cancelled_store_does_not_spoil_the_next(fixture: &StorageFixture) {
    let (storage, other) = (fixture.open(), fixture.open());
    block_on(async {
        for polls in 0..MAX_POLLS {
            let dropped = report("dropped", Timestamp::now());
            let ended = cancelled_after(polls, storage.store(&dropped)).await.is_some();
            for (who, storage) in [("the same", &storage), ("another", &other)] {
                let label = format!("{who} instance after {polls} polls");
                let next = report(&label, Timestamp::now());
                let stored = soon("the store after a cancelled one", storage.store(&next)).await;
                stored.unwrap_or_else(|error| panic!("{label}: {error:?}"));
                assert_same_results(&label, one(&label, &fixture.results().await), &next.results);
            }
            if ended {
                return;
            }
        }
    });
}

/// "Storing the same report again may keep it twice: readers de-duplicate", and is no error.
pub fn storing_again_is_safe(fixture: &StorageFixture) {
    let (storage, report) = (fixture.open(), report("again", Timestamp::now()));
    block_on(async {
        for _ in 0..2 {
            storage.store(&report).await.expect("the same report can be stored again");
        }
        let results = fixture.results().await;
        let unique: BTreeMap<_, _> = results.iter().map(|result| (identity(result), result)).collect();
        assert_same_results("without duplicates", unique.into_values(), &report.results);
    });
}

/// The fields by which readers de-duplicate.
fn identity(result: &CheckResult) -> (&str, &str, Timestamp, Option<&str>) {
    (&result.name, &result.endpoint, result.timestamp, result.location.as_deref())
}

/// "The storage bounds every wait on a network with a timeout."
///
/// On a paused clock, so that it takes no time. (Waits in blocking threads take theirs.)
pub fn a_silent_network_is_an_error_in_time(fixture: &StorageFixture) {
    let open = offered(fixture.hanging.as_ref(), "hanging");
    block_on_paused(async {
        let storage = open();
        let report = report("hanging", Timestamp::now());
        let outcome = timeout(NETWORK_LIMIT, storage.store(&report)).await;
        let outcome = outcome.unwrap_or_else(|_| panic!("the store waits for a silent network without end"));
        assert!(outcome.is_err(), "nobody has answered, and yet the report is said to be stored");
    });
}

/// "It does not block the thread."
pub fn a_store_does_not_block_the_thread(fixture: &StorageFixture) {
    let (storage, report) = (fixture.open(), report("short", Timestamp::now()));
    block_on(never_blocks("a store", || storage.store(&report)));
}

/// "It does not block the thread": while a store hangs, another task on its thread goes on.
pub fn a_hanging_store_does_not_block_the_thread(fixture: &StorageFixture) {
    let storage = offered(fixture.hanging.as_ref(), "hanging")();
    block_on_apart(async move { leaves_the_thread(storage.store(&report("hanging", Timestamp::now()))).await });
}

/// What cannot be done is an error, and neither a success nor a panic.
pub fn what_fails_is_an_error(fixture: &StorageFixture) {
    let storage = offered(fixture.failing.as_ref(), "failing")();
    block_on(async {
        let outcome = storage.store(&report("failing", Timestamp::now())).await;
        assert!(outcome.is_err(), "the storage cannot be used, and yet the report is said to be stored");
        if let Some(reader) = storage.reader() {
            let listed = reader.list(Timestamp::from_unix_nanos(0)).await;
            assert!(listed.is_err(), "the storage cannot be used, and yet it lists {listed:?}");
        }
    });
}

/// "Errors contain no credentials."
pub fn errors_hold_no_secret(fixture: &StorageFixture) {
    let secret = fixture.secret.expose();
    let storage = offered(fixture.failing.as_ref(), "failing")();
    block_on(async {
        let error = storage.store(&Report::default()).await.expect_err("the failing storage fails");
        assert_without(secret, "the error of a store", &all_of(&error));
        if let Some(reader) = storage.reader()
            && let Err(error) = reader.list(Timestamp::from_unix_nanos(0)).await
        {
            assert_without(secret, "the error of a listing", &all_of(&error));
        }
        if let Some(maintainer) = storage.maintainer()
            && let Err(error) = maintainer.maintain().await
        {
            assert_without(secret, "the error of maintenance", &all_of(&error));
        }
    });
}

/// `Debug` goes to logs, and holds no credentials either.
pub fn debug_holds_no_secret(fixture: &StorageFixture) {
    let storage = fixture.open();
    // Lazily created parts could show it too.
    let _ = block_on(storage.store(&report("debug", Timestamp::now())));
    assert_without(fixture.secret.expose(), "`Debug`", &format!("{storage:?} {storage:#?}"));
}
