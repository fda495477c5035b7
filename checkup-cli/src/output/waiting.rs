//! What `wait` waits for, on standard error: a line whenever that changes or, on a terminal, one line that is updated in place.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io::{self, IsTerminal};
use std::time::Duration;

use checkup_core::duration::GoDuration;
use checkup_core::{CheckResult, Report};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{interval, sleep};

use super::escape;
use super::progress::{NAMED, PATIENCE, REDRAW};
use super::stderr::complain;
use crate::args::Global;

/// What is not healthy yet, and how it is shown.
#[derive(Debug)]
pub(crate) struct Waiting {
    quiet: bool,
    live: bool,
    limit: Duration,
    /// The places of the checks that were not healthy in the last run.
    unhealthy: Vec<usize>,
    message: String,
    waited: bool,
}

impl Waiting {
    /// The state before the first run. The wait takes at most `limit`.
    pub(crate) fn new(global: &Global, limit: Duration) -> Self {
        // Diagnostics would tear a live line apart.
        let live = !global.quiet && global.verbose == 0 && io::stderr().is_terminal();
        let message = "the first results".to_owned();
        Self { quiet: global.quiet, live, limit, unhealthy: Vec::new(), message, waited: false }
    }

    /// Updates the state after a run.
    pub(crate) fn update(&mut self, report: &Report) {
        let unhealthy: Vec<_> =
            (0..report.results.len()).filter(|place| !report.results[*place].is_healthy()).collect();
        if unhealthy.is_empty() {
            return;
        }
        self.message = message(report);
        if self.unhealthy != unhealthy && !self.live && !self.quiet {
            complain(&format!("waiting for {}", self.message));
        }
        self.unhealthy = unhealthy;
        self.waited = true;
    }

    /// Whether there was something to wait for.
    pub(crate) fn has_waited(&self) -> bool {
        self.waited
    }

    /// Shows the live line, if there is one, until it is dropped. It appears after a second: in a shorter wait, it would only
    /// flicker.
    pub(crate) async fn show(waiting: &RefCell<Self>) -> Infallible {
        if !waiting.borrow().live {
            std::future::pending::<()>().await;
        }
        sleep(PATIENCE).await;
        // Cleared when it is dropped.
        let bar = bar(waiting.borrow().limit);
        let mut redraw = interval(REDRAW);
        loop {
            redraw.tick().await;
            bar.set_message(waiting.borrow().message.clone());
            bar.tick();
        }
    }
}

fn bar(limit: Duration) -> ProgressBar {
    let template = format!("{{spinner}} {{elapsed}} of {}, waiting for {{wide_msg}}", GoDuration(limit));
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style).with_elapsed(PATIENCE)
}

/// `Database (connection to db:5432 refused), Search (degraded: …) and 2 more`. Checks that are down because of others come last.
fn message(report: &Report) -> String {
    let mut unhealthy: Vec<_> = report.unhealthy().collect();
    unhealthy.sort_by_key(|result| result.because_of.is_some());
    let named: Vec<_> = unhealthy.iter().take(NAMED).map(|result| describe(result)).collect();
    match unhealthy.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn describe(result: &CheckResult) -> String {
    let reason = result.reason().unwrap_or_else(|| result.status.as_str().into());
    format!("{} ({})", escape::line(&result.name), escape::line(&reason))
}

#[cfg(test)]
mod tests {
    use checkup_core::{Attempt, Cause, Status};

    use super::*;

    fn down(name: &str, error: &str) -> CheckResult {
        let mut result = CheckResult::new(name, "");
        result.status = Status::Down;
        result.attempts = vec![Attempt::failure(Duration::ZERO, Cause::Refused, error)];
        result
    }

    #[test]
    fn causes_are_named_before_what_is_down_because_of_them() {
        let mut shop = down("Shop", "503");
        shop.because_of = Some("Database".into());
        let mut results = vec![shop, down("Database", "refused\u{1b}[2J"), CheckResult::new("API", "")];
        assert_eq!(
            message(&Report::new(results.clone())),
            "Database (refused\\u{1b}[2J), Shop (down because of Database: 503)"
        );
        results.extend([down("a", "1"), down("b", "2")]);
        assert_eq!(message(&Report::new(results)), "Database (refused\\u{1b}[2J), a (1), b (2) and 1 more");
    }
}
