//! A report for people: one line per check, with the reason below each that is not healthy.

mod bars;
mod columns;
mod history;
mod lines;

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use checkup_core::{Check, CheckResult, Checkup, Phases, Report, Status};

use super::{Parts, Stdout};
use columns::{fit, pad, width, wrap};

pub(crate) use history::history;
pub(crate) use lines::{run_line, summary};

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const UNDERLINED: Style = Style::new().underline();

/// The maximum width of a column of names on a terminal.
const MAX_NAME: usize = 40;

/// The width of the longest status.
const STATUS_WIDTH: usize = 8;

/// A result and its check.
type Checked<'a> = (&'a CheckResult, &'a Check);

/// How a report is laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    symbols: bool,
    width: Option<usize>,
    stats: bool,
}

impl Layout {
    /// The layout for standard output.
    pub(crate) fn new(stdout: &Stdout, stats: bool) -> Self {
        Self { symbols: stdout.is_terminal(), width: stdout.width(), stats }
    }
}

/// Prints the whole report, with colours.
pub(crate) fn report(checkup: &Checkup, report: &Report, layout: Layout, mut parts: Parts<'_>) -> io::Result<()> {
    let max_name = layout.width.map_or(usize::MAX, |width| MAX_NAME.min(width / 3));
    let rows = || report.results.iter().zip(checkup.checks());
    // Built twice instead of kept, since there may be a hundred thousand.
    let row = |(result, check): Checked<'_>| Row::new(result, &check.policy().tags, max_name);
    let (mut name_width, mut rtt_width) = (0, 0);
    for row in rows().map(row) {
        name_width = name_width.max(width(&row.name));
        rtt_width = rtt_width.max(width(&row.rtt));
    }
    let write = |parts: &mut Parts<'_>, (result, check)| {
        row((result, check)).write(&mut parts.text, name_width, rtt_width, layout);
        details(&mut parts.text, result, layout);
        parts.print_if_long()
    };
    if checkup.checks().all(|check| check.policy().group.is_none()) {
        rows().try_for_each(|row| write(&mut parts, row))?;
    } else {
        for (heading, rows) in groups(rows()) {
            if let Some(heading) = heading {
                parts.text.push_str(&paint(UNDERLINED, &super::escape::line(heading)));
                parts.text.push('\n');
            }
            rows.into_iter().try_for_each(|row| write(&mut parts, row))?;
            parts.text.push('\n');
        }
    }
    parts.text.push_str(&summary(report));
    parts.text.push('\n');
    parts.finish()
}

/// Results and checks by heading, in the order of each heading's first check.
fn groups<'a>(rows: impl Iterator<Item = Checked<'a>>) -> Vec<(Option<&'a str>, Vec<Checked<'a>>)> {
    let mut groups = Vec::new();
    let mut known = HashMap::new();
    for (result, check) in rows {
        let heading = check.policy().group.as_deref();
        let group = *known.entry(heading).or_insert_with(|| {
            groups.push((heading, Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push((result, check));
    }
    groups
}

/// One check's line.
struct Row {
    status: Status,
    name: String,
    rtt: String,
    endpoint: String,
    tags: String,
}

impl Row {
    fn new(result: &CheckResult, tags: &[String], max_name: usize) -> Self {
        let stats = result.stats();
        // If the name is the endpoint, it is shown once.
        let endpoint = if result.endpoint == result.name { "" } else { &result.endpoint };
        let tags: Vec<_> = tags.iter().map(|tag| format!("#{}", super::escape::line(tag))).collect();
        Self {
            status: result.status,
            name: fit(&super::escape::line(&result.name), max_name).into_owned(),
            rtt: if stats.max.is_zero() { "-".to_owned() } else { rough(stats.median) },
            endpoint: super::escape::line(endpoint).into_owned(),
            tags: tags.join(" "),
        }
    }

    fn write(&self, out: &mut String, name_width: usize, rtt_width: usize, layout: Layout) {
        let color = style(self.status);
        let symbol = if layout.symbols { format!("{} ", symbol(self.status)) } else { String::new() };
        let mut line = paint(color, &format!("{symbol}{}", self.status));
        line.push_str(&" ".repeat(STATUS_WIDTH - self.status.as_str().len()));
        line.push_str("  ");
        line.push_str(&paint(BOLD, &self.name));
        line.push_str(&pad(&self.name, name_width));
        line.push_str("  ");
        line.push_str(&pad(&self.rtt, rtt_width));
        line.push_str(&self.rtt);

        let used = indent(layout) + name_width + 2 + rtt_width;
        let tags_width = if self.tags.is_empty() { 0 } else { width(&self.tags) + 2 };
        let room = layout.width.map_or(usize::MAX, |width| width.saturating_sub(used + 2));
        // If there is no room for both, the endpoint is more useful than the tags.
        let (endpoint, tags) = if room < tags_width + width(&self.endpoint).min(24) {
            (fit(&self.endpoint, room), "")
        } else {
            (fit(&self.endpoint, room - tags_width), self.tags.as_str())
        };
        for (style, text) in [(Style::new(), &*endpoint), (DIM, tags)] {
            if !text.is_empty() {
                line.push_str("  ");
                line.push_str(&paint(style, text));
            }
        }
        out.push_str(&line);
        out.push('\n');
    }
}

/// The lines below a check's line.
fn details(out: &mut String, result: &CheckResult, layout: Layout) {
    let indent = indent(layout);
    let mut write = |style: Style, text: &str| {
        for line in wrap(text, layout.width.map(|width| width.saturating_sub(indent))) {
            out.push_str(&" ".repeat(indent));
            out.push_str(&paint(style, line));
            out.push('\n');
        }
    };
    if let Some(reason) = result.reason() {
        write(style(result.status), &super::escape::line(&reason));
    }
    if let Some(message) = &result.message {
        write(BOLD, &format!("message: {}", super::escape::line(message)));
    }
    if layout.stats {
        write(DIM, &statistics(result));
        write(DIM, &phases(result));
    }
}

/// `3 attempts: median 12.0ms, mean 13.0ms, min 11.0ms, max 16.0ms, total 39.0ms`
fn statistics(result: &CheckResult) -> String {
    let stats = result.stats();
    let attempts = result.attempts.len();
    if attempts == 1 {
        return format!("1 attempt: {}", rough(stats.total));
    }
    let values = [
        ("median", stats.median),
        ("mean", stats.mean),
        ("min", stats.min),
        ("max", stats.max),
        ("total", stats.total),
    ];
    let values: Vec<_> = values.into_iter().map(|(name, value)| format!("{name} {}", rough(value))).collect();
    format!("{attempts} attempts: {}", values.join(", "))
}

/// `dns 1.2ms, connect 3.4ms, …`; empty if no phase is known.
fn phases(result: &CheckResult) -> String {
    let known = result.phases().into_iter().flat_map(Phases::iter);
    let known: Vec<_> =
        known.map(|(phase, time)| format!("{} {}", phase.as_str().replace('_', " "), rough(time))).collect();
    known.join(", ")
}

/// The column in which names begin: after the symbol and the status.
fn indent(layout: Layout) -> usize {
    let symbol = if layout.symbols { 2 } else { 0 };
    symbol + STATUS_WIDTH + 2
}

fn symbol(status: Status) -> char {
    match status {
        Status::Healthy => '✓',
        Status::Degraded => '!',
        Status::Unknown => '?',
        _ => '✗',
    }
}

fn style(status: Status) -> Style {
    let color = match status {
        Status::Healthy => AnsiColor::Green,
        Status::Degraded | Status::Unknown => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    Style::new().fg_color(Some(color.into()))
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A duration with three digits, for people: `12.3ms`.
pub(super) fn rough(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos}ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        1_000_000_000..60_000_000_000 => (1_000_000_000, "s"),
        _ => return checkup_core::duration::GoDuration(Duration::from_secs(duration.as_secs())).to_string(),
    };
    let (whole, hundredths) = (nanos / unit, nanos % unit * 100 / unit);
    match whole {
        0..10 => format!("{whole}.{hundredths:02}{name}"),
        10..100 => format!("{whole}.{}{name}", hundredths / 10),
        _ => format!("{whole}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::{Attempt, Cause, check_fn};

    use super::*;

    #[test]
    fn on_a_terminal_there_are_symbols_and_no_line_is_wider() {
        let check = || check_fn("", async || Ok::<_, String>(())).tag("public");
        let checkup = Checkup::builder().checks([check(), check(), check()]).build().unwrap();
        let mut slow =
            CheckResult::new("A name that is too long for its column", "https://example.com/search?q=everything");
        slow.status = Status::Degraded;
        slow.notice = Some("median round trip time exceeded threshold (100ms)".into());
        slow.attempts = vec![Attempt::success(Duration::from_millis(250))];
        let mut down = CheckResult::new("db", "db:5432");
        down.status = Status::Down;
        down.attempts =
            vec![Attempt::failure(Duration::from_millis(1), Cause::Refused, "connection to db:5432 refused")];
        let mut results = Report::new(vec![CheckResult::new("api", "api:1"), slow, down]);
        results.elapsed = Duration::from_millis(260);

        let layout = Layout { symbols: true, width: Some(60), stats: false };
        let mut text = String::new();
        let mut print = |part: &str| {
            text.push_str(part);
            Ok(())
        };
        report(&checkup, &results, layout, Parts::new(&mut print)).unwrap();
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(
            plain,
            "\
✓ healthy   api                        -  api:1  #public
! degraded  A name that is too …   250ms  https://example.c…
            median round trip time exceeded threshold
            (100ms)
✗ down      db                    1.00ms  db:5432  #public
            connection to db:5432 refused
1 healthy, 1 degraded, 1 down in 260ms
"
        );
        assert!(plain.lines().all(|line| width(line) <= 60), "{plain}");
    }

    #[test]
    fn durations_have_three_digits() {
        for (nanos, text) in [
            (0, "0ns"),
            (999, "999ns"),
            (1_000, "1.00µs"),
            (12_345, "12.3µs"),
            (1_234_567, "1.23ms"),
            (123_456_789, "123ms"),
            (1_050_000_000, "1.05s"),
            (59_999_999_999, "59.9s"),
            (90_500_000_000, "1m30s"),
        ] {
            assert_eq!(rough(Duration::from_nanos(nanos)), text);
        }
    }
}
