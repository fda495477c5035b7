//! [`Redactor`]: removes the secrets of a check from the output that messages quote.

use std::collections::BTreeMap;

use checkup_core::{Secret, text::excerpt, variables_in};

/// Printed in place of a secret.
const REDACTED: &str = "[redacted]";

/// Shorter values are not redacted: they occur everywhere, and an output without them could not be understood.
const MIN_CHARACTERS: usize = 4;

/// How much of a line a message shows, in characters.
const MAX_SHOWN: usize = 300;

/// The values that messages must not show.
#[derive(Debug)]
pub(crate) struct Redactor(Box<[Secret]>);

impl Redactor {
    /// Knows the values of `environment`, and the parts of `arguments` that came from environment variables. Works while the settings
    /// become a program.
    pub(crate) fn new(arguments: &[Secret], environment: &BTreeMap<String, Secret>) -> Self {
        let mut values: Vec<_> = environment.values().cloned().collect();
        for argument in arguments {
            let text = argument.expose();
            values.extend(variables_in(text).iter().map(|variable| Secret::new(&text[variable.range.clone()])));
        }
        values.retain(|value| value.expose().chars().count() >= MIN_CHARACTERS);
        // One value may be a part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.expose().len()));
        values.dedup();
        Self(values.into())
    }

    /// The first line of an output that is not blank, shortened and without secrets.
    pub(crate) fn first_line(&self, output: &[u8]) -> Option<String> {
        shown(self.redact(output).lines())
    }

    /// The last line of an output that is not blank, shortened and without secrets.
    pub(crate) fn last_line(&self, output: &[u8]) -> Option<String> {
        shown(self.redact(output).lines().rev())
    }

    /// Redacts before lines are split, since a secret may have several.
    fn redact(&self, output: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(output).into_owned();
        for value in &self.0 {
            text = text.replace(value.expose(), REDACTED);
        }
        text
    }
}

fn shown<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let line = lines.find(|line| !line.trim().is_empty())?;
    Some(excerpt(line.trim().as_bytes(), MAX_SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_redacted_even_if_one_contains_another_or_has_several_lines() {
        let values = [("A", "hunter2"), ("B", "hunter2-long"), ("C", "one\ntwo"), ("LANG", "C")];
        let environment = values.map(|(name, value)| (name.to_owned(), Secret::new(value)));
        let redactor = Redactor::new(&[], &environment.into());
        assert_eq!(
            redactor.last_line(b"got hunter2-long and hunter2, in C").unwrap(),
            "got [redacted] and [redacted], in C"
        );
        assert_eq!(redactor.last_line(b"key: one\ntwo\n").unwrap(), "key: [redacted]");
    }

    #[test]
    fn blank_lines_are_skipped_and_what_misleads_is_escaped() {
        let redactor = Redactor::new(&[], &BTreeMap::new());
        assert_eq!(redactor.first_line(b"\n  \nfirst \x1b[31m\nlast\n\n").unwrap(), r"first \u{1b}[31m");
        assert_eq!(redactor.last_line(b"\n  \nfirst\n last \n\n").unwrap(), "last");
        assert_eq!(redactor.last_line(b"\r\n \n"), None);
        assert!(redactor.first_line("é".repeat(1000).as_bytes()).unwrap().chars().count() <= MAX_SHOWN + 1);
    }
}
