//! A progress bar for long runs.

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::pin::pin;
use std::time::Duration;

use checkup_core::{Checkup, Progress, Report};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::escape;
use crate::args::Global;

/// How long a run may take before a bar appears: in a shorter run, the bar would only flicker.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The time between two redraws of the bar.
pub(super) const REDRAW: Duration = Duration::from_millis(100);

/// How many checks are named; the others are counted.
pub(super) const NAMED: usize = 3;

/// Runs the checks. If that takes longer than a second, and standard error is a terminal, a bar shows the progress and
/// what it waits for.
pub(crate) async fn check(checkup: &Checkup, quiet: bool) -> Report {
    if quiet || !io::stderr().is_terminal() {
        return checkup.check().await;
    }
    let pending = RefCell::new(Pending::new(checkup.checks().len()));
    let mut run = pin!(checkup.check_each(|progress| pending.borrow_mut().finish(progress)));
    if let Ok(report) = timeout(PATIENCE, run.as_mut()).await {
        return report;
    }

    let bar = bar(checkup.checks().len());
    let mut redraw = interval(REDRAW);
    redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            report = run.as_mut() => {
                bar.finish_and_clear();
                return report;
            }
            _ = redraw.tick() => {
                let pending = pending.borrow();
                bar.set_position(pending.finished as u64);
                bar.set_message(pending.waiting_for(checkup));
                bar.tick();
            }
        }
    }
}

/// Waits for a future. If that takes longer than a second, and standard error is a terminal, a spinner shows it.
pub(crate) async fn spin<T>(what: &'static str, future: impl Future<Output = T>, global: &Global) -> T {
    // Diagnostics would tear a live line apart.
    if global.quiet || global.verbose > 0 || !io::stderr().is_terminal() {
        return future.await;
    }
    let mut future = pin!(future);
    if let Ok(output) = timeout(PATIENCE, future.as_mut()).await {
        return output;
    }
    let style =
        ProgressStyle::with_template("{spinner} {msg} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        .with_style(style)
        .with_message(what)
        .with_elapsed(PATIENCE);
    let mut redraw = interval(REDRAW);
    loop {
        tokio::select! {
            output = future.as_mut() => {
                bar.finish_and_clear();
                return output;
            }
            _ = redraw.tick() => bar.tick(),
        }
    }
}

fn bar(total: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} [{bar:24}] {elapsed}  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr())
        .with_style(style)
        .with_elapsed(PATIENCE)
}

/// Which checks of a run have not finished.
#[derive(Debug)]
struct Pending {
    done: Vec<bool>,
    finished: usize,
}

impl Pending {
    fn new(total: usize) -> Self {
        Self { done: vec![false; total], finished: 0 }
    }

    fn finish(&mut self, progress: Progress<'_>) {
        self.finished = progress.finished;
        self.done[progress.index] = true;
    }

    /// The first names of the running checks, and how many more there are. Checks start in their order, so the first that
    /// are not done are the running ones.
    fn waiting_for(&self, checkup: &Checkup) -> String {
        let mut running =
            checkup.checks().zip(&self.done).filter(|(_, done)| !**done).take(checkup.concurrent_checks());
        let names: Vec<_> =
            running.by_ref().take(NAMED).map(|(check, _)| escape::line(&check.name()).into_owned()).collect();
        match running.count() {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::check_fn;

    use super::*;

    #[tokio::test]
    async fn the_bar_names_what_runs_and_counts_the_rest() {
        let checks = ["a", "b\u{7}", "c", "d", "e", "f"].map(|name| check_fn(name, async || Ok::<_, String>(())));
        let checkup = Checkup::builder().checks(checks).concurrent_checks(5).build().unwrap();
        let mut pending = Pending::new(6);
        assert_eq!(pending.waiting_for(&checkup), "a, b\\u{7}, c and 2 more");
        pending.done[0] = true;
        assert_eq!(pending.waiting_for(&checkup), "b\\u{7}, c, d and 2 more");
        for place in 1..5 {
            pending.done[place] = true;
        }
        assert_eq!(pending.waiting_for(&checkup), "f");
        checkup.check_each(|progress| pending.finish(progress)).await;
        assert_eq!((pending.finished, pending.waiting_for(&checkup)), (6, String::new()));
    }
}
