//! The words for an [`Alert`]: its title and its lines. Every channel and the command line use these.

use std::fmt;
use std::time::Duration;

use super::section::{Line, Link, Section, Severity};
use super::{Alert, AlertKind, AlertStep};
use crate::text::excerpt;
use crate::{Status, Timestamp};

/// How many characters of a name are shown.
const MAX_NAME: usize = 120;

/// How many characters of other texts are shown.
const MAX_TEXT: usize = 500;

/// How many characters of a URL are shown; longer ones are left out, since half a link leads nowhere.
const MAX_URL: usize = 500;

/// How many names are listed.
pub(super) const MAX_NAMES: usize = 10;

/// As one line for a message: `database is down: connection refused`. Characters that mislead are escaped; escape it for your medium.
impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title())?;
        match &self.reason {
            Some(reason) if self.step != AlertStep::Up => write!(f, ": {}", shown(reason)),
            _ => Ok(()),
        }
    }
}

/// Whether it is the URL of a web page, and nothing that a channel would interpret, such as Slack's `!channel` or `javascript:`.
fn is_web(url: &str) -> bool {
    let is_http = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    (is_http("https://") || is_http("http://")) && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

impl Alert {
    /// What happened, in a few words: `database is down`, `location eu works again`.
    pub fn title(&self) -> String {
        let name = excerpt(self.name.as_bytes(), MAX_NAME);
        let test = if self.is_test { "[TEST] " } else { "" };
        let group = self.group.as_deref().map(|group| format!(" ({})", excerpt(group.as_bytes(), MAX_NAME)));
        let group = group.unwrap_or_default();
        let state = match self.kind {
            AlertKind::Check => return format!("{test}{name}{group} {}", phrase(self.step, self.status)),
            AlertKind::Location | AlertKind::Notifier => format!("{} {name}", self.kind),
            AlertKind::Storage => "the storage".to_owned(),
        };
        let phrase = match self.step {
            AlertStep::Down => "does not work",
            AlertStep::Again => "still does not work",
            AlertStep::Flapping => "fails again and again",
            AlertStep::Up => "works again",
            AlertStep::Was => "did not work and works again",
            AlertStep::Closed => "is no longer watched",
        };
        format!("{test}{state} {phrase}")
    }

    /// How urgent it is.
    pub fn severity(&self) -> Severity {
        match (self.step, self.status) {
            (step, _) if step.is_over() => Severity::Resolved,
            (_, Status::Down) => Severity::Critical,
            _ => Severity::Warning,
        }
    }

    /// All of it in words.
    pub fn section(&self) -> Section {
        let mut lines = Vec::new();
        let mut line = |label, text: String| lines.push(Line { label, text });
        if let Some(reason) = &self.reason {
            line("Reason", shown(reason));
        }
        if let Some(places) = self.places() {
            line("Where", places);
        }
        if let Some(cause) = &self.cause {
            line("Because of", excerpt(cause.as_bytes(), MAX_NAME));
        }
        if !self.also_affected.is_empty() {
            line("Also affected", names(self.also_affected.iter().map(String::as_str), self.also_affected.len()));
        }
        match self.ended {
            Some(ended) => line("Lasted", self.lasted(ended)),
            None => line("Since", self.since()),
        }
        if !self.endpoint.is_empty() {
            line("Endpoint", shown(&self.endpoint));
        }
        if let Some(note) = &self.note {
            line("Note", shown(note));
        }
        let links = [("Runbook", &self.runbook), ("Status page", &self.page)];
        let links = links.into_iter().filter_map(|(label, url)| {
            let url = url.as_ref().filter(|url| url.len() <= MAX_URL && is_web(url))?;
            Some(Link { label, url: excerpt(url.as_bytes(), MAX_URL) })
        });
        let links = links.collect();
        Section { severity: self.severity(), title: self.title(), lines, links }
    }

    /// `eu, us (2 of 3 locations)`; `None` if there is only one location, without a name.
    fn places(&self) -> Option<String> {
        let count = self.locations.len();
        if count == 0 || (self.of_locations <= 1 && self.locations.iter().all(Option::is_none)) {
            return None;
        }
        let named = self.locations.iter().map(|place| place.as_deref().unwrap_or("a node without location"));
        let named = names(named, count);
        match self.of_locations {
            0 | 1 => Some(named),
            all => Some(format!("{named} ({count} of {all} locations)")),
        }
    }

    /// `2026-11-25 14:03 CET, for 2 min`
    fn since(&self) -> String {
        let onset = self.zone.minute(self.onset);
        match self.at.since(self.onset) {
            short if short < Duration::from_secs(1) => onset,
            long => format!("{onset}, for {}", in_words(long)),
        }
    }

    /// `12 min, from 2026-11-25 14:03 to 14:15 CET`
    fn lasted(&self, ended: Timestamp) -> String {
        format!("{}, {}", in_words(ended.since(self.onset)), self.zone.range(self.onset, ended))
    }
}

/// `is down`
fn phrase(step: AlertStep, status: Status) -> String {
    let state = if status == Status::Down { "down" } else { "degraded" };
    match step {
        AlertStep::Down => format!("is {state}"),
        AlertStep::Again => format!("is still {state}"),
        AlertStep::Flapping => "is flapping".to_owned(),
        AlertStep::Up if status == Status::Down => "is up again".to_owned(),
        AlertStep::Up => "is healthy again".to_owned(),
        AlertStep::Was => format!("was {state} and is up again"),
        AlertStep::Closed => format!("was {state}, and the alert is closed"),
    }
}

/// The first names, and how many more there are.
pub(super) fn names<'a>(all: impl Iterator<Item = &'a str>, count: usize) -> String {
    let shown: Vec<_> = all.take(MAX_NAMES).map(|name| excerpt(name.as_bytes(), MAX_NAME)).collect();
    match count.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn shown(text: &str) -> String {
    excerpt(text.as_bytes(), MAX_TEXT)
}

/// `45 s`, `12 min`, `1 h 5 min`, `3 d 4 h`
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

fn two(large: u64, unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {small_unit}") }
}
