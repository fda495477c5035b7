//! Running the checks because somebody asks how they are: only for sites that say so.

use std::time::Duration;

use checkup_core::{Check, CheckResult, Checkup, Timestamp};
use tokio::sync::Mutex;

/// The last run on request. Whoever asks meanwhile waits for the same run, so that no number of requests checks more often than results
/// become too old.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    last: Mutex<Option<Run>>,
}

#[derive(Debug)]
struct Run {
    began: Timestamp,
    results: Vec<CheckResult>,
}

impl Probe {
    /// The results of these checks, not older than `max_age`: of the last run on request, or of a new one.
    pub(crate) async fn results(
        &self,
        checkup: &Checkup,
        max_age: Duration,
        wanted: impl Fn(&Check) -> bool,
    ) -> Vec<CheckResult> {
        // Before the lock: a run that began while this waited for it is young enough.
        let asked = Timestamp::now();
        let mut last = self.last.lock().await;
        if last.as_ref().is_none_or(|run| asked.since(run.began) > max_age) {
            let began = Timestamp::now();
            *last = Some(Run { began, results: checkup.check().await.results });
        }
        let results = last.iter().flat_map(|run| &run.results);
        checkup.checks().zip(results).filter(|(check, _)| wanted(check)).map(|(_, result)| result.clone()).collect()
    }
}
