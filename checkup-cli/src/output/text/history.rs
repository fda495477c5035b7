//! The history of checks for people.

use std::time::Duration;

use anstyle::Style;
use checkup_core::summary::{Incident, Posted, Series, Window};
use checkup_core::{Status, Timestamp};

use super::bars::{self, Bars, Cell};
use super::columns::{fit, pad, width, wrap};
use super::{BOLD, DIM, Layout, UNDERLINED, paint, rough, style, symbol};
use crate::history::{CheckHistory, DAY, History};
use crate::output::escape;
use crate::output::times::{age, date, minute, span};

/// The width if that of the terminal is unknown.
const DEFAULT_WIDTH: usize = 80;

/// How many incidents, messages and maintenance windows of a check are listed.
const LISTED: usize = 10;

/// The width of the words in front of the bars.
const LABEL: usize = 8;

/// The whole history, with colours.
pub(crate) fn history(history: &History<'_>, layout: Layout) -> String {
    let mut page = Page { history, layout, per_column: 1, out: String::new() };
    let (configured, others): (Vec<_>, Vec<_>) = history.checks.iter().partition(|check| check.is_configured);
    let mut is_first = true;
    for (heading, checks) in [(None, configured), (Some("not in this config file"), others)] {
        for (place, check) in checks.into_iter().enumerate() {
            if !std::mem::take(&mut is_first) {
                page.out.push('\n');
            }
            if let Some(heading) = heading.filter(|_| place == 0) {
                page.line(0, &paint(UNDERLINED, heading));
            }
            page.check(check);
        }
    }
    page.windows_of_all();
    page.legend();
    page.out
}

struct Page<'a> {
    history: &'a History<'a>,
    layout: Layout,
    /// How many days there are in a column of the bars.
    per_column: usize,
    out: String,
}

impl Page<'_> {
    fn check(&mut self, check: &CheckHistory<'_>) {
        let name = escape::line(&check.name);
        let room = self.width().saturating_sub(width(&name) + 2);
        // If the name is the endpoint, it is shown once.
        let endpoint = if check.endpoint == check.name { "".into() } else { escape::line(&check.endpoint) };
        let endpoint = if self.layout.width.is_some() { fit(&endpoint, room) } else { endpoint };
        self.line(0, format!("{}  {}", paint(BOLD, &name), paint(DIM, &endpoint)).trim_end());
        if check.is_empty() {
            let since = date(self.history.period.start());
            self.line(2, &paint(DIM, &format!("no results since {since}")));
            return;
        }
        self.verdict(check);
        let several = check.series.len() > 1;
        if several {
            self.uptimes(&check.series, 2);
        }
        for series in &check.series {
            if several {
                self.out.push('\n');
                self.location(check, series);
            }
            self.series(series, if several { 4 } else { 2 });
        }
        if several {
            self.out.push('\n');
        }
        self.incidents(check, several);
        self.messages(check);
        self.windows("maintenance", &self.history.windows(Some(&check.name)));
    }

    /// `✗ down since 2026-11-20 03:12 (14m): connection refused`
    fn verdict(&mut self, check: &CheckHistory<'_>) {
        let Some(verdict) = &check.verdict else {
            // All results are older than those that are kept in detail.
            let last = check.series.iter().flat_map(|series| &series.days).map(|day| day.start()).max();
            let last = last.map_or(String::new(), |last| format!(" since {}", date(last.saturating_add(DAY))));
            return self.line(2, &paint(style(Status::Degraded), &format!("no results{last}")));
        };
        let place = match check.series.as_slice() {
            [series] => series.location.as_deref(),
            _ => None,
        };
        let text = self.state(verdict.status, verdict.is_stale, place, verdict.since(), verdict.timestamp());
        self.reasoned(2, &text, verdict.reason.as_deref(), verdict.status);
    }

    fn location(&mut self, check: &CheckHistory<'_>, series: &Series) {
        let name = escape::line(series.location.as_deref().unwrap_or("without location")).into_owned();
        let locations = check.verdict.iter().flat_map(|verdict| &verdict.locations);
        let at = locations.into_iter().find(|at| at.location == series.location);
        let Some(at) = at else { return self.line(2, &paint(BOLD, &name)) };
        let text = self.state(at.status, at.is_stale, None, at.since, Some(at.timestamp));
        self.reasoned(2, &format!("{}  {text}", paint(BOLD, &name)), at.reason.as_deref(), at.status);
    }

    /// `✗ down at eu-west since 2026-11-20 03:12 (14m)`
    fn state(
        &self,
        status: Status,
        is_stale: bool,
        place: Option<&str>,
        since: Option<Timestamp>,
        last: Option<Timestamp>,
    ) -> String {
        let now = self.history.period.now;
        let ago = |moment: Timestamp| format!("{} ({})", minute(moment), age(now.since(moment)));
        let place = place.map_or(String::new(), |place| format!(" at {}", escape::line(place)));
        if is_stale {
            let mark = if self.layout.symbols { "? " } else { "" };
            let last = last.map_or(String::new(), |last| format!(" since {}", ago(last)));
            let stale = paint(style(Status::Degraded), &format!("{mark}stale"));
            return format!("{stale}{place}: no result{last}; it was {status}");
        }
        let mark = if self.layout.symbols { format!("{} ", symbol(status)) } else { String::new() };
        // The time before is unknown.
        let is_first = |since: Timestamp| since <= self.history.period.start() && status == Status::Healthy;
        let before = |since| if is_first(since) { " or before" } else { "" };
        let since = since.map_or(String::new(), |since| format!(" since {}{}", ago(since), before(since)));
        format!("{}{place}{since}", paint(style(status), &format!("{mark}{status}")))
    }

    /// A state and its reason: on the same line if there is room, else below.
    fn reasoned(&mut self, indent: usize, state: &str, reason: Option<&str>, status: Status) {
        let Some(reason) = reason.map(escape::line) else { return self.line(indent, state) };
        let used = indent + width(&anstream::adapter::strip_str(state).to_string());
        if self.layout.width.is_none_or(|width| used + 2 + super::width(&reason) <= width) {
            return self.line(indent, &format!("{state}: {}", paint(style(status), &reason)));
        }
        self.line(indent, &format!("{state}:"));
        self.wrapped(indent + 2, style(status), &reason);
    }

    /// The bars and figures of a check at a location.
    fn series(&mut self, series: &Series, indent: usize) {
        self.uptimes(&[series], indent);
        let is_day = self.history.period.length <= DAY;
        let cells: Vec<_> = if is_day {
            self.history.hours(series).into_iter().map(|(worst, rtt)| Cell { worst, rtt }).collect()
        } else {
            let days = self.history.days(series).into_iter().map(Option::unwrap_or_default);
            days.map(|day| Cell { worst: day.worst(), rtt: day.p50 }).collect()
        };
        let bars = Bars::new(&cells, self.width().saturating_sub(indent + LABEL));
        self.per_column = self.per_column.max(bars.per_cell);
        self.labelled(indent, if is_day { "hours" } else { "days" }, &bars.worst());
        let Some(range) = bars.rtt_range() else { return };
        self.labelled(indent, "rtt", &bars.rtt(series.threshold_rtt));
        let by = if is_day { "hour" } else { "day" };
        for line in self.rtt_words(series, range, by) {
            self.labelled(indent, "", &paint(DIM, &line));
        }
    }

    fn uptimes(&mut self, series: &[&Series], indent: usize) {
        let shares = self.history.uptimes(series).into_iter();
        let shares: Vec<_> =
            shares.map(|(time, share)| format!("{time} {}", share.map_or("-".to_owned(), percent))).collect();
        self.labelled(indent, "uptime", &shares.join("   "));
    }

    fn rtt_words(&self, series: &Series, (low, high): (Duration, Duration), by: &str) -> Vec<String> {
        let times = self.history.day_of_rtt(series);
        let quantile = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1));
        let last_day = times.first().zip(quantile(50)).zip(quantile(99)).map(|((min, median), p99)| {
            format!("last 24h: min {}, median {}, p99 {}", rough(*min), rough(*median), rough(*p99))
        });
        let range = (low != high).then(|| format!("medians by {by}: {} to {}", rough(low), rough(high)));
        let threshold =
            (!series.threshold_rtt.is_zero()).then(|| format!("degraded above {}", rough(series.threshold_rtt)));
        last_day
            .into_iter()
            .chain([range, threshold].into_iter().flatten().reduce(|a, b| format!("{a}; {b}")))
            .collect()
    }

    fn incidents(&mut self, check: &CheckHistory<'_>, several: bool) {
        let incidents = self.history.incidents(check);
        if incidents.is_empty() {
            return;
        }
        self.heading("incidents");
        let rows: Vec<_> = incidents.iter().take(LISTED).map(|incident| self.incident(incident, several)).collect();
        let columns = [0, 1, 3].map(|column: usize| rows.iter().map(|row| width(&row.0[column])).max().unwrap_or(0));
        for ((parts, status, reason), incident) in rows.iter().zip(&incidents) {
            let [span, time, state, place] = parts;
            let mut line = format!("{span}{}  {}{time}  ", pad(span, columns[0]), pad(time, columns[1]));
            line.push_str(&paint(style(*status), state));
            line.push_str(&pad(state, super::STATUS_WIDTH));
            if several {
                line.push_str(&format!("  {place}{}", pad(place, columns[2])));
            }
            self.listed(&line, reason);
            for posted in &incident.messages {
                self.posted_in_incident(posted);
            }
        }
        self.more(incidents.len());
    }

    /// A message below its incident.
    fn posted_in_incident(&mut self, posted: &Posted) {
        let state = posted.state.map(|state| format!("  {state}")).unwrap_or_default();
        self.listed(&format!("  {}{state}", minute(posted.at)), &escape::line(&posted.text));
    }

    /// The columns of an incident, and its reason.
    fn incident(&self, incident: &Incident, several: bool) -> ([String; 4], Status, String) {
        let Incident { from, to, status, reason, .. } = incident;
        let time = age(to.unwrap_or(self.history.period.now).since(*from));
        let places: Vec<_> = incident.locations().into_iter().map(|at| at.unwrap_or("without location")).collect();
        let places = if several { places.join(", ") } else { String::new() };
        let columns = [span(*from, *to), time, status.to_string(), escape::line(&places).into_owned()];
        let reason = escape::line(reason.as_deref().unwrap_or_default()).into_owned();
        // No location was left that could say more.
        let seen = incident.last_seen.map(|seen| format!(" ({status} when last seen, {})", minute(seen)));
        (columns, *status, format!("{reason}{}", seen.unwrap_or_default()))
    }

    fn messages(&mut self, check: &CheckHistory<'_>) {
        // Those of listed incidents are below them.
        let incidents = self.history.incidents(check);
        let shown: Vec<_> = incidents.iter().take(LISTED).flat_map(|incident| &incident.messages).collect();
        let mut messages = self.history.messages(check);
        messages.retain(|posted| !shown.contains(posted));
        self.posted(&messages);
    }

    fn posted(&mut self, messages: &[&Posted]) {
        if messages.is_empty() {
            return;
        }
        self.heading("messages");
        for posted in messages.iter().take(LISTED) {
            let state = posted.state.map(|state| format!("  {state}")).unwrap_or_default();
            self.listed(&format!("{}{state}", minute(posted.at)), &escape::line(&posted.text));
        }
        self.more(messages.len());
    }

    fn windows_of_all(&mut self) {
        let windows = self.history.windows(None);
        let messages = self.history.announcements();
        if !windows.is_empty() || !messages.is_empty() {
            self.out.push('\n');
            self.line(0, &paint(BOLD, "All checks"));
            self.posted(&messages);
            self.windows("maintenance", &windows);
        }
    }

    fn windows(&mut self, heading: &str, windows: &[&Window]) {
        if windows.is_empty() {
            return;
        }
        self.heading(heading);
        let now = self.history.period.now;
        for window in windows.iter().take(LISTED) {
            let when = match () {
                () if window.from > now => format!("  in {}", age(window.from.since(now))),
                () if window.to > now => format!("  {}", paint(BOLD, "now")),
                () => String::new(),
            };
            let span = span(window.from, Some(window.to));
            self.listed(&format!("{span}{when}"), &escape::line(&window.text));
        }
        self.more(windows.len());
    }

    fn legend(&mut self) {
        let period = &self.history.period;
        let unit = if period.length <= DAY { "the hours up to" } else { "the days up to" };
        let now = minute(period.now);
        self.out.push('\n');
        self.line(0, &bars::legend());
        let columns = match self.per_column {
            1 => String::new(),
            days => format!(", {days} in a column"),
        };
        self.line(0, &paint(DIM, &format!("{unit} {now}{columns}; all times are UTC")));
    }

    fn heading(&mut self, text: &str) {
        self.line(2, &paint(DIM, text));
    }

    fn more(&mut self, count: usize) {
        if count > LISTED {
            let more = format!("and {} more; --format json lists all", count - LISTED);
            self.line(4, &paint(DIM, &more));
        }
    }

    /// An entry of a list, with its text on the same line if there is room, else below.
    fn listed(&mut self, entry: &str, text: &str) {
        let used = 4 + width(&anstream::adapter::strip_str(entry).to_string());
        if self.layout.width.is_none_or(|width| used + 2 + super::width(text) <= width) {
            return self.line(4, format!("{entry}  {text}").trim_end());
        }
        self.line(4, entry.trim_end());
        self.wrapped(6, Style::new(), text);
    }

    fn labelled(&mut self, indent: usize, label: &str, text: &str) {
        let blanks = pad(label, LABEL);
        let label = if label.is_empty() { String::new() } else { paint(DIM, label) };
        self.line(indent, &format!("{label}{blanks}{text}"));
    }

    fn wrapped(&mut self, indent: usize, style: Style, text: &str) {
        let lines: Vec<_> = wrap(text, self.layout.width.map(|width| width.saturating_sub(indent))).collect();
        lines.into_iter().for_each(|line| self.line(indent, &paint(style, line)));
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.out.push_str(&" ".repeat(indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn width(&self) -> usize {
        self.layout.width.unwrap_or(DEFAULT_WIDTH)
    }
}

/// `99.98%`. Less than 100% is never rounded up to it.
fn percent(share: f64) -> String {
    let hundredths = (share * 10_000.0).floor();
    if hundredths >= 10_000.0 { "100%".to_owned() } else { format!("{:.2}%", hundredths / 100.0) }
}
