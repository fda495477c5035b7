//! Reports to store, and how stored ones are read and compared.

use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::{Attempt, Cause, CheckResult, Report, Status, Storage, StorageReader, Timestamp};

/// How many results a report has: enough that a part of it can be missing.
const RESULTS: usize = 5;

/// Text that a careless encoding, query or path does not survive.
const AWKWARD: &str = "quote ' double \" back \\ tag <b>&amp; ü 漢 🩺 %s {} $1 \n tab\t; DROP TABLE checks; -- ../../x";

/// A report whose results are named after `label`. All reports of one `moment` have the same timestamps.
pub(crate) fn report(label: &str, moment: Timestamp) -> Report {
    let results = (0..RESULTS).map(|number| {
        let mut result = CheckResult::new(format!("{label}/{number}"), format!("endpoint {number} {AWKWARD}"));
        result.timestamp = moment;
        result.location = Some("eu-west".into());
        result.threshold_rtt = Duration::from_millis(500);
        result.attempts = vec![Attempt::success(Duration::from_nanos(1_234_567)), Attempt::success(Duration::ZERO)];
        if number % 2 == 1 {
            result.attempts.push(Attempt::failure(Duration::from_secs(1), Cause::Assertion, AWKWARD));
            result.status = Status::Down;
            result.message = Some(AWKWARD.into());
        } else if number > 0 {
            result.status = Status::Degraded;
            result.notice = Some(AWKWARD.into());
        }
        result
    });
    Report::new(results.collect())
}

/// The results of a report that [`report`] made with this label.
pub(crate) fn one<'a>(label: &'a str, results: &'a [CheckResult]) -> impl Iterator<Item = &'a CheckResult> {
    results.iter().filter(move |result| result.name.split('/').next() == Some(label))
}

/// All check files that a storage lists, with their results.
pub(crate) async fn files(storage: &dyn Storage) -> Vec<(FileName, Vec<CheckResult>)> {
    let reader = reader(storage);
    let mut files = Vec::new();
    for name in reader.list(Timestamp::from_unix_nanos(0)).await.expect("the storage can be listed") {
        let results = reader.fetch(&name).await.unwrap_or_else(|error| panic!("{name} cannot be fetched: {error:?}"));
        files.push((name, results));
    }
    files
}

#[track_caller]
fn reader(storage: &dyn Storage) -> &dyn StorageReader {
    storage.reader().expect("the storage declares a reader, or the fixture has `stored`")
}

/// Asserts that these are the same results, in any order.
#[track_caller]
pub(crate) fn assert_same_results<'a>(
    what: &str,
    found: impl IntoIterator<Item = &'a CheckResult>,
    expected: impl IntoIterator<Item = &'a CheckResult>,
) {
    let (found, expected) = (sorted(found), sorted(expected));
    let names = |results: &[&CheckResult]| results.iter().map(|result| result.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected), "{what}: not the same results");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "{what}: a result is not as it was stored");
    }
}

fn sorted<'a>(results: impl IntoIterator<Item = &'a CheckResult>) -> Vec<&'a CheckResult> {
    let mut results: Vec<_> = results.into_iter().collect();
    results.sort_by(|a, b| a.name.cmp(&b.name));
    results
}
