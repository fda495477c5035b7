//! Runs the checks again and again until all are healthy, or the time is over.

use std::cell::RefCell;
use std::time::Duration;

use checkup_core::config::Registry;
use checkup_core::duration::Human;
use checkup_core::{Attempt, Cause, CheckResult, Checkup, Report, Status};
use tokio::time::{Instant, sleep, timeout_at};

use super::signal::Signals;
use crate::args::{Global, Wait};
use crate::config;
use crate::exit::{Error, Exit, complain};
use crate::output::{self, Stdout, Waiting};

/// The pause after the first run; each is twice the last, up to [`MAX_PAUSE`]. As in `Checkup::wait_until_healthy`.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

const MAX_PAUSE: Duration = Duration::from_secs(2);

pub(super) async fn run(registry: &Registry, global: &Global, args: &Wait, stdout: &mut Stdout) -> Result<Exit, Error> {
    let checkup = config::load(registry, global.config.as_deref())?;
    let checkup = config::select(checkup, &args.selection)?;
    if checkup.checks().len() == 0 {
        return Err(Error::usage("the config file has no checks: there is nothing to wait for"));
    }
    let mut signals = Signals::new()?;
    let begin = Instant::now();
    let waiting = RefCell::new(Waiting::new(global, args.timeout));
    let report = tokio::select! {
        report = until_healthy(&checkup, args, |report| waiting.borrow_mut().update(report)) => report,
        never = Waiting::show(&waiting) => match never {},
        () = signals.next() => signals.exit(),
    };
    let healthy = report.is_healthy();
    // What was healthy at once was not waited for.
    if !global.quiet && (!healthy || waiting.into_inner().has_waited()) {
        complain(&if healthy {
            format!("healthy after {}", Human::rounded(begin.elapsed()))
        } else {
            format!("not healthy within {}", Human(args.timeout))
        });
    }
    if !global.quiet {
        output::print(&checkup, &report, args.format, false, stdout)?;
    }
    Ok(if healthy { Exit::Healthy } else { Exit::Unhealthy })
}

/// The first report in which every check is healthy; if there is none in time, the last. Tells `on_run` of each.
async fn until_healthy(checkup: &Checkup, args: &Wait, mut on_run: impl FnMut(&Report)) -> Report {
    let begin = Instant::now();
    // `None` is later than the clock can tell.
    let deadline = begin.checked_add(args.timeout);
    let mut pause = args.interval.unwrap_or(FIRST_PAUSE);
    let mut last = None;
    loop {
        let mut finished: Vec<Option<CheckResult>> = vec![None; checkup.checks().len()];
        let run = checkup.check_each(|progress| finished[progress.index] = Some(progress.result.clone()));
        let report = match deadline {
            Some(deadline) => timeout_at(deadline, run).await.ok(),
            None => Some(run.await),
        };
        let Some(report) = report else {
            return last.unwrap_or_else(|| cut_short(checkup, finished, args.timeout));
        };
        on_run(&report);
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        if report.is_healthy() || left < FIRST_PAUSE {
            return report;
        }
        last = Some(report);
        // Half of what is left, so that the end of the time is used too.
        sleep(pause.min(left / 2)).await;
        if args.interval.is_none() {
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

/// The report of a first run that the limit ended: what is not known is down.
fn cut_short(checkup: &Checkup, finished: Vec<Option<CheckResult>>, limit: Duration) -> Report {
    let hanging = |check: &checkup_core::Check| {
        let mut result = CheckResult::new(check.name(), check.endpoint());
        result.status = Status::Down;
        let error = format!("still running when the {} of --timeout were over", Human(limit));
        result.attempts = vec![Attempt::failure(limit, Cause::Timeout, error)];
        result
    };
    let results =
        finished.into_iter().zip(checkup.checks()).map(|(result, check)| result.unwrap_or_else(|| hanging(check)));
    let mut report = Report::new(results.collect());
    report.elapsed = limit;
    report
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use checkup_core::Check;
    use checkup_testkit::{StubChecker, paused};

    use super::*;

    fn args(timeout: Duration, interval: Option<Duration>) -> Wait {
        Wait { timeout, interval, format: None, selection: crate::args::Selection { only: Vec::new() } }
    }

    /// The report, how long it took to have it, and how many runs ended.
    fn wait(checks: impl IntoIterator<Item = Check>, args: &Wait) -> (Report, Duration, u32) {
        let checkup = Checkup::builder().checks(checks).build().unwrap();
        paused(async {
            let begin = Instant::now();
            let runs = AtomicU32::new(0);
            let on_run = |_: &Report| {
                runs.fetch_add(1, Ordering::SeqCst);
            };
            let report = until_healthy(&checkup, args, on_run).await;
            (report, begin.elapsed(), runs.into_inner())
        })
    }

    fn failing() -> Check {
        Check::new("failing", StubChecker::fails("not yet"))
    }

    #[test]
    fn what_is_healthy_at_once_is_not_waited_for() {
        let (report, elapsed, runs) =
            wait([Check::new("a", StubChecker::healthy())], &args(Duration::from_secs(60), None));
        assert!(report.is_healthy());
        assert_eq!((elapsed, runs), (Duration::ZERO, 1));
    }

    #[test]
    fn the_pause_doubles_up_to_two_seconds_unless_it_is_given() {
        let minute = Duration::from_secs(60);
        let (report, elapsed, runs) = wait([failing()], &args(minute, None));
        assert!(!report.is_healthy());
        assert!(elapsed > minute - FIRST_PAUSE && elapsed <= minute, "{elapsed:?}");
        // 7 runs in 3.15 s, then one every 2 s, and a few at the end.
        assert!((34..=42).contains(&runs), "{runs}");
        let (_, _, runs) = wait([failing()], &args(minute, Some(Duration::from_secs(20))));
        assert!((3..=14).contains(&runs), "{runs}");
    }

    #[test]
    fn a_limit_later_than_the_clock_can_tell_is_none() {
        let (report, ..) = wait([Check::new("a", StubChecker::healthy())], &args(Duration::MAX, None));
        assert!(report.is_healthy());
    }

    #[test]
    fn what_still_runs_at_the_limit_is_down_and_says_so() {
        let limit = Duration::from_secs(5);
        let checks = [
            Check::new("hanging", StubChecker::hangs()).timeout(Duration::from_secs(600)),
            Check::new("a", StubChecker::healthy()),
        ];
        let (report, elapsed, runs) = wait(checks, &args(limit, None));
        assert_eq!((elapsed, runs), (limit, 0));
        let reasons: Vec<_> = report.results.iter().map(CheckResult::reason).collect();
        assert_eq!(reasons[0].as_deref(), Some("still running when the 5s of --timeout were over"));
        assert_eq!(reasons[1], None);
    }
}
