//! Running the checks on request, for sites that enable it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use checkup_core::{Check, CheckResult, Checkup, Timestamp};
use tokio::sync::watch;

/// The last run on request. Concurrent requests wait for the same run, so the checks run only when their results are too old, however
/// many requests there are. A run continues if the clients go away.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    last: Mutex<Option<Run>>,
}

#[derive(Clone, Debug)]
struct Run {
    began: Timestamp,
    results: watch::Receiver<Option<Arc<[CheckResult]>>>,
}

impl Probe {
    /// The results of these checks, at most `max_age` old, from the last run on request or from a new one.
    pub(crate) async fn results(
        &self,
        checkup: &Checkup,
        max_age: Duration,
        wanted: impl Fn(&Check) -> bool,
    ) -> Vec<CheckResult> {
        let mut run = self.run(checkup, max_age);
        // It fails if the run panicked. The next request starts another.
        let results = run.results.wait_for(Option::is_some).await.ok().and_then(|results| results.clone());
        let results = results.iter().flat_map(|results| results.iter());
        checkup.checks().zip(results).filter(|(check, _)| wanted(check)).map(|(_, result)| result.clone()).collect()
    }

    fn run(&self, checkup: &Checkup, max_age: Duration) -> Run {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::now();
        if let Some(run) = last.as_ref().filter(|run| run.is_going_on() || run.has_results_since(now, max_age)) {
            return run.clone();
        }
        let (sender, results) = watch::channel(None);
        let checkup = checkup.clone();
        // Not as part of the request: a client that goes away would cancel the run, and the next request would start another.
        tokio::spawn(async move { sender.send_replace(Some(checkup.check().await.results.into())) });
        last.insert(Run { began: now, results }).clone()
    }
}

impl Run {
    fn is_going_on(&self) -> bool {
        self.results.borrow().is_none() && self.results.has_changed().is_ok()
    }

    fn has_results_since(&self, now: Timestamp, max_age: Duration) -> bool {
        self.results.borrow().is_some() && now.since(self.began) <= max_age
    }
}

#[cfg(test)]
mod tests {
    use checkup_testkit::StubChecker;

    use super::*;

    #[tokio::test]
    async fn a_run_continues_when_its_clients_go_away() {
        let stub = StubChecker::hangs();
        let checkup = Checkup::builder().check(Check::new("slow", stub.clone())).build().unwrap();
        let probe = Probe::default();
        for _ in 0..20 {
            tokio::select! {
                biased;
                _ = probe.results(&checkup, Duration::ZERO, |_| true) => panic!("it hangs"),
                () = tokio::task::yield_now() => {}
            }
            while stub.attempts() == 0 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(stub.attempts(), 1);
    }
}
