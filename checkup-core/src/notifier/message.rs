//! [`Message`]: alerts in words, which every channel renders in its own form.

use std::fmt;

use super::section::{Section, Severity};
use super::wording::{MAX_NAMES, names};
use super::{Alert, AlertKind, AlertStep};
use crate::Status;

/// How many alerts a message shows in full.
const IN_FULL: usize = 20;

/// One message about any number of alerts: a title, a section for each of the worst, and a line about the rest.
///
/// All texts are on one line each, of limited length, and without characters that mislead. They still come from outside: escape them for
/// your medium. `Display` writes it as plain text.
///
/// ```
/// use checkup_core::{Alert, AlertStep, Notification, Timestamp};
///
/// let onset: Timestamp = "2026-11-25T13:03:00Z".parse()?;
/// let mut alert = Alert::new(AlertStep::Down, "database", "tcp://db.example.com:5432", onset);
/// alert.reason = Some("connection refused".to_owned());
/// let message = Notification::new(vec![alert]).message();
/// assert_eq!(message.title, "database is down");
/// assert_eq!(message.sections[0].lines[0].to_string(), "Reason: connection refused");
/// # Ok::<(), checkup_core::ParseTimestampError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// What happened. With a single alert, the same as the title of its section.
    pub title: String,
    /// The worst severity of all alerts.
    pub severity: Severity,
    /// The alerts that are shown in full, worst first.
    pub sections: Vec<Section>,
    /// The titles of the alerts after them: at most a few, for [`more`](Self::more).
    rest: Vec<String>,
    /// How many alerts are not shown in full.
    more: usize,
}

impl Message {
    pub(super) fn of(alerts: &[Alert]) -> Self {
        let title = match alerts {
            [alone] => alone.title(),
            all => counted(all),
        };
        let severity = alerts.iter().map(Alert::severity).max().unwrap_or(Severity::Resolved);
        let sections: Vec<_> = alerts.iter().take(IN_FULL).map(Alert::section).collect();
        let more = alerts.len() - sections.len();
        let rest = alerts.iter().skip(IN_FULL).take(MAX_NAMES).map(Alert::title).collect();
        Self { title, severity, sections, rest, more }
    }

    /// The same message with at most this many sections in full, for channels that limit the size. The others are counted.
    #[must_use]
    pub fn with_sections(&self, count: usize) -> Self {
        let mut message = self.clone();
        let cut = message.sections.split_off(count.min(self.sections.len()));
        message.more += cut.len();
        let rest = cut.into_iter().map(|section| section.title).chain(message.rest);
        message.rest = rest.take(MAX_NAMES).collect();
        message
    }

    /// What is not shown in full: `And 380 more: a is down, b is down … and 370 more`. `None` if everything is.
    pub fn more(&self) -> Option<String> {
        let all = self.rest.iter().map(String::as_str);
        (self.more > 0).then(|| format!("And {} more: {}", self.more, names(all, self.more)))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        for section in &self.sections {
            f.write_str("\n")?;
            if section.title != self.title {
                write!(f, "\n{}", section.title)?;
            }
            for line in &section.lines {
                write!(f, "\n{line}")?;
            }
            for link in &section.links {
                write!(f, "\n{link}")?;
            }
        }
        match self.more() {
            Some(more) => write!(f, "\n\n{more}"),
            None => Ok(()),
        }
    }
}

/// `398 checks are down, 2 are up again, 1 other alert`
fn counted(alerts: &[Alert]) -> String {
    let is = |step: AlertStep, down: Option<bool>| {
        let of = |alert: &&Alert| {
            let status = down.is_none_or(|down| (alert.status == Status::Down) == down);
            alert.kind == AlertKind::Check && alert.step == step && status
        };
        alerts.iter().filter(of).count()
    };
    let states = [
        (is(AlertStep::Down, Some(true)), "down"),
        (is(AlertStep::Again, Some(true)), "still down"),
        (is(AlertStep::Flapping, None), "flapping"),
        (is(AlertStep::Down, Some(false)), "degraded"),
        (is(AlertStep::Again, Some(false)), "still degraded"),
        (is(AlertStep::Up, None), "up again"),
        (is(AlertStep::Was, None), "up again after an outage that could not be sent"),
        (is(AlertStep::Closed, None), "closed"),
    ];
    let mut parts = Vec::new();
    for (count, state) in states.into_iter().filter(|(count, _)| *count > 0) {
        let noun = match (parts.is_empty(), count) {
            (true, 1) => " check",
            (true, _) => " checks",
            _ => "",
        };
        parts.push(format!("{count}{noun} {} {state}", if count == 1 { "is" } else { "are" }));
    }
    match alerts.iter().filter(|alert| alert.kind != AlertKind::Check).count() {
        0 => {}
        1 => parts.push("1 alert about the monitor itself".to_owned()),
        count => parts.push(format!("{count} alerts about the monitor itself")),
    }
    let test = if alerts.iter().any(|alert| alert.is_test) { "[TEST] " } else { "" };
    format!("{test}{}", parts.join(", "))
}
