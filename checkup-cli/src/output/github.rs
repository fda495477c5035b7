//! A report as annotations for GitHub Actions: workflow commands that its runner reads from the output of a step.
//!
//! GitHub annotates the first ten errors and the first ten warnings of a step, and logs all of them.

use checkup_core::{CheckResult, Report, Status};

use super::{escape, text};

/// A line for each check that is not healthy, and the summary.
pub(super) fn annotations(report: &Report) -> String {
    let mut out: String = report.unhealthy().map(annotation).collect();
    out.push_str(&text::summary(report));
    out.push('\n');
    out
}

/// `::error title=NAME is down::REASON (ENDPOINT)`
fn annotation(result: &CheckResult) -> String {
    let command = if result.status == Status::Degraded { "warning" } else { "error" };
    let title = format!("{} is {}", result.name, result.status);
    let reason = result.reason().unwrap_or_else(|| result.status.as_str().into());
    // Many reasons already name the endpoint.
    let message = match &result.endpoint {
        endpoint if endpoint.is_empty() || reason.contains(endpoint.as_str()) => reason.into_owned(),
        endpoint => format!("{reason} ({endpoint})"),
    };
    format!("::{command} title={}::{}\n", property(&title), data(&message))
}

/// Text after `::`. The runner decodes `%25`, `%0D` and `%0A` there; a line break ends the command.
fn data(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(escape::line).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which `,` or `:` would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use checkup_core::{Attempt, Cause};

    use super::*;

    fn plain(report: &Report) -> String {
        anstream::adapter::strip_str(&annotations(report)).to_string()
    }

    #[test]
    fn what_is_down_is_an_error_what_is_degraded_a_warning_and_what_is_healthy_is_counted() {
        let mut slow = CheckResult::new("Search", "http://x/search");
        slow.status = Status::Degraded;
        slow.notice = Some("median round trip time exceeded threshold (1ms)".into());
        let mut down = CheckResult::new("db", "db:5432");
        down.status = Status::Down;
        down.attempts = vec![Attempt::failure(Duration::ZERO, Cause::Refused, "connection to db:5432 refused")];
        let mut report = Report::new(vec![CheckResult::new("api", "x"), slow, down]);
        report.elapsed = Duration::from_millis(12);
        assert_eq!(
            plain(&report),
            "\
::warning title=Search is degraded::median round trip time exceeded threshold (1ms) (http://x/search)
::error title=db is down::connection to db:5432 refused
1 healthy, 1 degraded, 1 down in 12.0ms
"
        );
    }

    #[test]
    fn no_text_can_end_its_command_or_begin_another() {
        let mut down = CheckResult::new("a,b: 100%\n::set-output::x", "");
        down.status = Status::Down;
        down.attempts = vec![Attempt::failure(Duration::ZERO, Cause::Other, "50%, a::b\r\n::error::\u{1b}[2J")];
        let text = plain(&Report::new(vec![down]));
        assert_eq!(
            text.lines().next(),
            Some(
                "::error title=a%2Cb%3A 100%25%0A%3A%3Aset-output%3A%3Ax is down::50%25, a::b\\r%0A::error::\\u{1b}[2J"
            )
        );
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
