//! [`Markup`]: a message as text in the markup of a channel, within its limit.

use checkup_core::{Line, Link, Message, Section, Severity};

use crate::limit::{Limit, Unit};

/// How a channel writes text. Everything that it is given is escaped first.
pub(crate) struct Markup {
    /// Makes any text harmless.
    pub(crate) escape: fn(&str) -> String,
    /// What is around a title.
    pub(crate) strong: [&'static str; 2],
    /// Writes a link, or nothing if the channel shows links elsewhere. The label is one of ours, and the URL is not escaped yet.
    pub(crate) link: fn(label: &str, url: &str) -> String,
    /// The end of a line.
    pub(crate) newline: &'static str,
    /// Whether titles begin with a coloured circle.
    pub(crate) has_symbols: bool,
}

/// Plain text.
pub(crate) const PLAIN: Markup = Markup {
    escape: str::to_owned,
    strong: ["", ""],
    link: |label, url| format!("{label}: {url}"),
    newline: "\n",
    has_symbols: false,
};

/// HTML, for mail.
pub(crate) const HTML: Markup = Markup {
    escape: escape_html,
    strong: ["<b>", "</b>"],
    link: |label, url| format!("<a href=\"{}\">{label}</a>", escape_html(url)),
    newline: "<br>\n",
    has_symbols: true,
};

/// If the whole message does not fit, texts of the worst alert are cut to one of these lengths.
const SHORTER: [usize; 4] = [400, 150, 60, 20];

impl Markup {
    /// The message with its title.
    pub(crate) fn message(&self, message: &Message, limit: Limit) -> String {
        self.fit(message, limit, true)
    }

    /// The message without its title, for channels that have a place for that. Empty only if there is nothing more to say.
    pub(crate) fn body(&self, message: &Message, limit: Limit) -> String {
        self.fit(message, limit, false)
    }

    /// One alert without its title.
    pub(crate) fn section(&self, section: &Section, limit: Limit) -> String {
        let whole = |max| self.lines(section, max).join(self.newline);
        std::iter::once(usize::MAX).chain(SHORTER).map(whole).find(|text| limit.holds(text)).unwrap_or_default()
    }

    /// A title within a limit, which counts after escaping.
    pub(crate) fn title(&self, title: &str, severity: Severity, limit: Limit) -> String {
        limit.cut_written(title, |title| self.strong(title, severity))
    }

    /// As many alerts as fit, and the number of the others.
    fn fit(&self, message: &Message, limit: Limit, with_title: bool) -> String {
        let fewer = (1..=message.sections.len()).rev().map(|count| (message.with_sections(count), usize::MAX));
        let shorter = SHORTER.into_iter().map(|max| (message.with_sections(1), max));
        let written = fewer.chain(shorter).map(|(message, max)| self.write(&message, max, with_title));
        let mut fitting = written.filter(|text| limit.holds(text));
        fitting.next().unwrap_or_else(|| self.title(&message.title, message.severity, limit))
    }

    fn write(&self, message: &Message, max: usize, with_title: bool) -> String {
        let mut blocks = Vec::new();
        let is_alone = matches!(message.sections.as_slice(), [one] if one.title == message.title);
        if with_title && !is_alone {
            blocks.push(self.strong(&shortened(&message.title, max), message.severity));
        }
        for section in &message.sections {
            let title =
                (with_title || !is_alone).then(|| self.strong(&shortened(&section.title, max), section.severity));
            let lines: Vec<_> = title.into_iter().chain(self.lines(section, max)).collect();
            blocks.push(lines.join(self.newline));
        }
        if let Some(more) = message.more() {
            blocks.push((self.escape)(&shortened(&more, max)));
        }
        blocks.join(&self.newline.repeat(2))
    }

    fn lines(&self, section: &Section, max: usize) -> Vec<String> {
        let text = |line: &Line| (self.escape)(&format!("{}: {}", line.label, shortened(&line.text, max)));
        let link = |link: &Link| (self.link)(link.label, &link.url);
        let links = section.links.iter().filter(|link| link.url.len() <= max).map(link);
        section.lines.iter().map(text).chain(links).filter(|line| !line.is_empty()).collect()
    }

    fn strong(&self, text: &str, severity: Severity) -> String {
        let [begin, end] = self.strong;
        let (symbol, space) = if self.has_symbols { (symbol(severity), " ") } else { ("", "") };
        format!("{symbol}{space}{begin}{}{end}", (self.escape)(text))
    }
}

/// A circle in the colour of the severity.
pub(crate) fn symbol(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴",
        Severity::Resolved => "🟢",
        _ => "🟡",
    }
}

/// The colour of the severity, as 0xRRGGBB.
pub(crate) fn colour(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 0xd1_24_2f,
        Severity::Resolved => 0x1a_7f_37,
        _ => 0xbf_87_00,
    }
}

/// Escapes what HTML interprets, in text and in quoted attributes.
pub(crate) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Puts a backslash before each of these characters.
pub(crate) fn escape_with_backslash(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if special.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn shortened(text: &str, max: usize) -> String {
    Limit::new(max, Unit::Chars).cut(text)
}

#[cfg(test)]
mod tests {
    use checkup_core::{Alert, AlertStep, Notification, Timestamp};

    use super::*;

    fn message(count: usize, reason: &str) -> Message {
        let onset: Timestamp = "2026-11-25T13:03:00Z".parse().unwrap();
        let alert = |number| {
            let mut alert = Alert::new(AlertStep::Down, format!("check-{number}"), "tcp://db:5432", onset);
            alert.reason = Some(reason.to_owned());
            alert
        };
        Notification::new((0..count).map(alert).collect()).message()
    }

    #[test]
    fn one_alert_has_its_title_once() {
        let text = PLAIN.message(&message(1, "refused"), Limit::new(4000, Unit::Chars));
        assert!(text.starts_with("check-0 is down\nReason: refused\n"), "{text}");
        assert_eq!(text.matches("check-0 is down").count(), 1, "{text}");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        for max in [150, 300, 600, 1000, 2000, 4000] {
            let limit = Limit::new(max, Unit::Chars);
            let text = PLAIN.message(&message(400, "refused"), limit);
            assert!(limit.holds(&text), "{max}: {text}");
            let shown = text.matches("\nReason: ").count();
            assert!(text.starts_with("400 checks are down"), "{text}");
            if shown > 0 {
                assert!(text.contains(&format!("And {} more", 400 - shown)), "{max}: {text}");
            }
        }
    }

    #[test]
    fn any_limit_holds_for_any_text() {
        let hostile = "<&\"*_\u{202e}🙂".repeat(10_000);
        for count in [1, 3, 400] {
            let message = message(count, &hostile);
            for max in [0, 1, 10, 40, 100, 255, 1024, 4096] {
                for markup in [&PLAIN, &HTML] {
                    let limit = Limit::new(max, Unit::Bytes);
                    assert!(limit.holds(&markup.message(&message, limit)), "{max}");
                    assert!(limit.holds(&markup.body(&message, limit)), "{max}");
                    assert!(limit.holds(&markup.section(&message.sections[0], limit)), "{max}");
                }
            }
        }
    }
}
