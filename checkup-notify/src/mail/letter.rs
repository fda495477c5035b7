//! What both ways of sending mail have in common: addresses, the subject, and the two forms of the text.

use checkup_core::{ConfigError, ConfigProblems, Notification};
use lettre::message::Mailbox;

use crate::limit::{Limit, Unit};
use crate::render::{HTML, PLAIN};

/// A subject is shown on one line.
const SUBJECT: Limit = Limit::new(200, Unit::Utf16);

/// Each form of the text. Mail has no limit that matters, but a reader has.
const TEXT: Limit = Limit::new(64 << 10, Unit::Bytes);

/// A message in the forms that mail has.
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

impl Letter {
    /// `prefix` is before the title in the subject.
    pub(super) fn new(notification: &Notification, prefix: &str) -> Self {
        let message = notification.message();
        let space = if prefix.is_empty() { "" } else { " " };
        let subject = SUBJECT.cut(&checkup_core::text::escape(&format!("{prefix}{space}{}", message.title)));
        Self { subject, text: PLAIN.message(&message, TEXT) + "\n", html: HTML.message(&message, TEXT) + "\n" }
    }
}

/// An address: `checkup@example.com` or `Checkup <checkup@example.com>`.
pub(super) fn address(problems: &mut ConfigProblems, key: &str, text: &str) -> Option<Mailbox> {
    let parsed = text.trim().parse().ok();
    if parsed.is_none() {
        let expected = "an address such as checkup@example.com or Checkup <checkup@example.com>";
        problems.push(ConfigError::expected(key, expected).found(format_args!("{text:?}")));
    }
    parsed
}

/// One address or more.
pub(super) fn addresses(problems: &mut ConfigProblems, key: &str, texts: &[String]) -> Option<Vec<Mailbox>> {
    if texts.is_empty() {
        problems.push(ConfigError::reason(key, "expected at least one address"));
        return None;
    }
    let parsed = texts.iter().enumerate().map(|(index, text)| address(problems, &format!("{key}[{index}]"), text));
    parsed.collect::<Vec<_>>().into_iter().collect()
}
