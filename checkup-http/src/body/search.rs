//! Searches a text while it arrives, and keeps no more of it than the rules need.

use checkup_core::Failure;
use memchr::memmem;
use regex::bytes::Regex;

use crate::assertion::{Json, JsonRule};
use crate::text::{Hidden, Text};

/// What the body of a response must contain, and how much of it may be read to find out.
#[derive(Debug, Default)]
pub(crate) struct BodyRules {
    /// This and the next text are empty if there is no such rule, as in upstream.
    pub(crate) must_contain: Text,
    pub(crate) must_not_contain: Text,
    /// A pattern, and its text.
    pub(crate) must_match: Option<(Hidden<Regex>, Text)>,
    pub(crate) json: Vec<JsonRule>,
    /// The maximum number of bytes that are read, after decoding.
    pub(crate) max_bytes: usize,
}

impl BodyRules {
    /// Whether every body passes.
    pub(crate) fn is_empty(&self) -> bool {
        self.must_contain.as_str().is_empty() && self.must_not_contain.as_str().is_empty() && !self.needs_whole()
    }

    /// Whether the body must be in memory as a whole.
    pub(crate) fn needs_whole(&self) -> bool {
        self.must_match.is_some() || !self.json.is_empty()
    }

    /// Whether the verdict needs the end of the body.
    pub(crate) fn needs_end(&self) -> bool {
        self.needs_whole() || !self.must_not_contain.as_str().is_empty()
    }

    pub(crate) fn too_long(&self) -> Failure {
        Failure::assertion(format!("the response's body is longer than {} bytes (max_body_bytes)", self.max_bytes))
    }
}

/// A search through a text.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    rules: &'a BodyRules,
    /// The whole text if a rule needs it, otherwise the end of what has arrived.
    window: Vec<u8>,
    /// The start of the part of the window that has not been searched.
    searched: usize,
    found: bool,
}

/// How long the window may get before it is cut, so that not every part requires a cut.
const WINDOW: usize = 16 * 1024;

impl<'a> Search<'a> {
    pub(crate) fn new(rules: &'a BodyRules) -> Self {
        Self { rules, window: Vec::new(), searched: 0, found: rules.must_contain.as_str().is_empty() }
    }

    /// The text so far. Append to it, then call [`look`](Self::look) to search the addition.
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.window
    }

    /// Searches what is new. Returns `Ok(true)` if no more is needed.
    ///
    /// # Errors
    ///
    /// If the rules are broken.
    pub(crate) fn look(&mut self) -> Result<bool, Failure> {
        let from = |needle: &str| self.searched.saturating_sub(needle.len().saturating_sub(1));
        let has = |needle: &str| memmem::find(&self.window[from(needle)..], needle.as_bytes()).is_some();
        let (required, forbidden) = (self.rules.must_contain.as_str(), self.rules.must_not_contain.as_str());
        self.found = self.found || has(required);
        if !forbidden.is_empty() && has(forbidden) {
            return Err(Failure::assertion(format!("response contains '{}'", self.rules.must_not_contain.shown())));
        }
        self.searched = self.window.len();
        let keep = required.len().max(forbidden.len());
        if !self.rules.needs_whole() && self.window.len() > keep + WINDOW {
            let cut = self.window.len() - keep;
            self.window.drain(..cut);
            self.searched -= cut;
        }
        Ok(self.found && !self.rules.needs_end())
    }

    /// Judges a text that continues beyond the limit.
    ///
    /// # Errors
    ///
    /// If the rules need more of the text.
    pub(crate) fn cut(&self) -> Result<(), Failure> {
        if !self.found {
            return Err(Failure::assertion(format!(
                "{} in its first {} bytes (max_body_bytes)",
                missing(&self.rules.must_contain),
                self.rules.max_bytes
            )));
        }
        if self.rules.needs_end() { Err(self.rules.too_long()) } else { Ok(()) }
    }

    /// Judges the text when it has ended.
    ///
    /// # Errors
    ///
    /// If the rules are broken.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if !self.found {
            return Err(Failure::assertion(missing(&self.rules.must_contain)));
        }
        if let Some((pattern, text)) = &self.rules.must_match
            && !pattern.0.is_match(&self.window)
        {
            return Err(Failure::assertion(format!("response does not match '{}'", text.shown())));
        }
        if self.rules.json.is_empty() {
            return Ok(());
        }
        let body = parse_json(&self.window)?;
        self.rules.json.iter().try_for_each(|rule| rule.check(&body))
    }
}

fn parse_json(text: &[u8]) -> Result<Json, Failure> {
    let reason = match std::str::from_utf8(text) {
        Ok("") => return Err(Failure::assertion("response is not JSON: it is empty")),
        Ok(text) => match Json::parse(text) {
            Ok(json) => return Ok(json),
            Err(reason) => reason,
        },
        Err(error) => format!("it is not UTF-8 at byte {}", error.valid_up_to() + 1),
    };
    let start = checkup_net::excerpt(text, 60);
    Err(Failure::assertion(format!("response is not JSON: {reason}; it begins with \"{start}\"")))
}

fn missing(text: &Text) -> String {
    format!("response does not contain '{}'", text.shown())
}
