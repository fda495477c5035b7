//! Reports in one line: the summary below a table, and the line for each run of `every`.

use std::collections::HashMap;

use checkup_core::{CheckResult, Report, Status};

use super::{BOLD, DIM, paint, rough, style};
use crate::output::{escape, times};

/// `5 healthy, 1 degraded, 1 down in 1.2s`
pub(crate) fn summary(report: &Report) -> String {
    let counts: Vec<_> = [Status::Healthy, Status::Degraded, Status::Unknown, Status::Down]
        .into_iter()
        .map(|status| (status, report.count(status)))
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| paint(style(status), &format!("{count} {status}")))
        .collect();
    let counts = if counts.is_empty() { "no checks".to_owned() } else { counts.join(", ") };
    format!("{counts} in {}", rough(report.elapsed))
}

/// A run in one line, with what changed since the last: `TIME  6 healthy, 1 down in 12ms: Database down (connection refused)`.
///
/// `known` has the last status of each check, and is updated.
pub(crate) fn run_line(report: &Report, known: &mut HashMap<(String, String), Status>) -> String {
    let mut changes = Vec::new();
    for result in &report.results {
        let before = known.insert((result.name.clone(), result.endpoint.clone()), result.status);
        if before.unwrap_or(Status::Healthy) != result.status {
            changes.push(change(result));
        }
    }
    let colon = if changes.is_empty() { "" } else { ": " };
    format!(
        "{}  {}{colon}{}\n",
        paint(DIM, &(times::second(report.started) + "Z")),
        summary(report),
        changes.join(", ")
    )
}

fn change(result: &CheckResult) -> String {
    let name = paint(BOLD, &escape::line(&result.name));
    let again = if result.is_healthy() { " again" } else { "" };
    let reason = result.reason().map_or(String::new(), |reason| format!(" ({})", escape::line(&reason)));
    format!("{name} {}{again}{reason}", paint(style(result.status), result.status.as_str()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use checkup_core::{Attempt, Cause, Timestamp};

    use super::*;

    fn report(status: Status) -> Report {
        let mut db = CheckResult::new("db", "127.0.0.1:1");
        db.status = status;
        if status == Status::Down {
            db.attempts = vec![Attempt::failure(Duration::from_millis(1), Cause::Refused, "refused\u{1b}[2J")];
        }
        let mut report = Report::new(vec![CheckResult::new("api", "x"), db]);
        report.started = Timestamp::from_unix_nanos(1_473_318_000_123_456_789);
        report.elapsed = Duration::from_millis(12);
        report
    }

    fn line(report: &Report, known: &mut HashMap<(String, String), Status>) -> String {
        anstream::adapter::strip_str(&run_line(report, known)).to_string()
    }

    #[test]
    fn a_line_says_what_changed_and_nothing_else() {
        let known = &mut HashMap::new();
        assert_eq!(line(&report(Status::Healthy), known), "2016-09-08T07:00:00Z  2 healthy in 12.0ms\n");
        let down = "2016-09-08T07:00:00Z  1 healthy, 1 down in 12.0ms";
        assert_eq!(line(&report(Status::Down), known), format!("{down}: db down (refused\\u{{1b}}[2J)\n"));
        assert_eq!(line(&report(Status::Down), known), format!("{down}\n"));
        assert_eq!(
            line(&report(Status::Healthy), known),
            "2016-09-08T07:00:00Z  2 healthy in 12.0ms: db healthy again\n"
        );
    }

    #[test]
    fn what_is_down_in_the_first_run_is_a_change() {
        assert!(line(&report(Status::Down), &mut HashMap::new()).contains(": db down (refused"));
    }
}
