//! Searches a body as it comes, and reads no more of it than the rules need.

use checkup_core::Failure;
use memchr::memmem;
use regex::bytes::Regex;

use crate::rules::JsonRule;

/// What the body of a response must hold, and how much of it is read for that.
#[derive(Debug, Default)]
pub(crate) struct BodyRules {
    /// Empty for no rule, as upstream; likewise the next.
    pub(crate) must_contain: String,
    pub(crate) must_not_contain: String,
    pub(crate) must_match: Option<Regex>,
    pub(crate) json: Vec<JsonRule>,
    /// The most bytes that are read.
    pub(crate) max_bytes: usize,
}

impl BodyRules {
    /// Whether the body needs no look.
    pub(crate) fn is_empty(&self) -> bool {
        self.must_contain.is_empty() && self.must_not_contain.is_empty() && !self.needs_whole()
    }

    /// Whether the body must be in memory as a whole.
    fn needs_whole(&self) -> bool {
        self.must_match.is_some() || !self.json.is_empty()
    }

    /// Whether only the end of the body tells.
    fn needs_end(&self) -> bool {
        self.needs_whole() || !self.must_not_contain.is_empty()
    }

    fn too_long(&self) -> Failure {
        Failure::assertion(format!("the response's body is longer than {} bytes (max_body_bytes)", self.max_bytes))
    }
}

/// How far a body has been searched.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    rules: &'a BodyRules,
    /// The whole body if a rule needs it, else the end of what came.
    window: Vec<u8>,
    /// The start of what in the window has not been searched.
    searched: usize,
    received: usize,
    found: bool,
}

/// How much of the window stays before it is cut, so that it is not cut for every chunk.
const WINDOW: usize = 16 * 1024;

impl<'a> Search<'a> {
    /// Begins with a body that says it has `length` bytes, if it says.
    ///
    /// # Errors
    ///
    /// If that is too much for rules that need the end.
    pub(crate) fn new(rules: &'a BodyRules, length: Option<u64>) -> Result<Self, Failure> {
        let too_long =
            length.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > rules.max_bytes));
        // A text that must not be there may still come, which says more than that the body is long.
        if too_long && rules.needs_whole() {
            return Err(rules.too_long());
        }
        Ok(Self { rules, window: Vec::new(), searched: 0, received: 0, found: rules.must_contain.is_empty() })
    }

    /// Takes the next part of the body. `Ok(true)` if no more is needed.
    ///
    /// # Errors
    ///
    /// If the rules are broken, or the body is longer than they allow.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<bool, Failure> {
        let room = self.rules.max_bytes - self.received;
        let (chunk, cut) = if chunk.len() > room { (&chunk[..room], true) } else { (chunk, false) };
        self.received += chunk.len();
        self.window.extend_from_slice(chunk);
        self.look()?;
        if cut && !self.found {
            return Err(Failure::assertion(format!(
                "{} in its first {} bytes (max_body_bytes)",
                missing(&self.rules.must_contain),
                self.rules.max_bytes
            )));
        }
        if cut && self.rules.needs_end() {
            return Err(self.rules.too_long());
        }
        Ok(self.found && !self.rules.needs_end())
    }

    /// The verdict when the body has ended.
    ///
    /// # Errors
    ///
    /// If the rules are broken.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if !self.found {
            return Err(Failure::assertion(missing(&self.rules.must_contain)));
        }
        if let Some(pattern) = &self.rules.must_match
            && !pattern.is_match(&self.window)
        {
            return Err(Failure::assertion(format!("response does not match '{}'", pattern.as_str())));
        }
        if self.rules.json.is_empty() {
            return Ok(());
        }
        let body = serde_json::from_slice(&self.window).map_err(|error| {
            let start = checkup_net::excerpt(&self.window, 60);
            Failure::assertion(match self.window.is_empty() {
                true => "response is not JSON: it is empty".to_owned(),
                false => format!("response is not JSON: {error}; it begins with \"{start}\""),
            })
        })?;
        self.rules.json.iter().try_for_each(|rule| rule.check(&body))
    }

    /// Searches what is new in the window, and cuts the window if it need not be whole.
    fn look(&mut self) -> Result<(), Failure> {
        let from = |needle: &str| self.searched.saturating_sub(needle.len().saturating_sub(1));
        let has = |needle: &str| memmem::find(&self.window[from(needle)..], needle.as_bytes()).is_some();
        let forbidden = &self.rules.must_not_contain;
        self.found = self.found || has(&self.rules.must_contain);
        if !forbidden.is_empty() && has(forbidden) {
            return Err(Failure::assertion(format!("response contains '{forbidden}'")));
        }
        self.searched = self.window.len();
        let keep = self.rules.must_contain.len().max(forbidden.len());
        if !self.rules.needs_whole() && self.window.len() > keep + WINDOW {
            let cut = self.window.len() - keep;
            self.window.drain(..cut);
            self.searched -= cut;
        }
        Ok(())
    }
}

fn missing(text: &str) -> String {
    format!("response does not contain '{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(must_contain: &str, must_not_contain: &str, max_bytes: usize) -> BodyRules {
        BodyRules {
            must_contain: must_contain.to_owned(),
            must_not_contain: must_not_contain.to_owned(),
            max_bytes,
            ..BodyRules::default()
        }
    }

    /// How many chunks are taken, and the verdict.
    fn run<'a>(rules: &BodyRules, chunks: impl IntoIterator<Item = &'a [u8]>) -> (usize, Result<(), String>) {
        let mut search = Search::new(rules, None).unwrap();
        let mut taken = 0;
        for chunk in chunks {
            taken += 1;
            match search.feed(chunk) {
                Ok(true) => return (taken, Ok(())),
                Ok(false) => {}
                Err(failure) => return (taken, Err(failure.message().to_owned())),
            }
        }
        (taken, search.finish().map_err(|failure| failure.message().to_owned()))
    }

    #[test]
    fn finds_text_across_any_division_into_chunks() {
        let body = [b"x".repeat(40_000), b"needle".to_vec(), b"y".repeat(40_000)].concat();
        for size in [1, 2, 3, 5, 7, 39_999, 40_003, 100_000] {
            let found = run(&rules("needle", "", 1 << 20), body.chunks(size));
            assert_eq!(found, (40_006_usize.div_ceil(size), Ok(())), "{size}");
            let forbidden = run(&rules("", "needle", 1 << 20), body.chunks(size));
            assert_eq!(forbidden.1.unwrap_err(), "response contains 'needle'", "{size}");
        }
    }

    #[test]
    fn the_window_stays_small() {
        let rules = rules("needle", "", usize::MAX);
        let mut search = Search::new(&rules, None).unwrap();
        for _ in 0..1000 {
            assert!(!search.feed(&[b'x'; 8192]).unwrap());
            assert!(search.window.len() < 32 * 1024);
        }
    }

    #[test]
    fn past_the_bound_the_text_says_so() {
        let body = [&[b'x'; 8][..]; 4];
        let (taken, verdict) = run(&rules("needle", "", 20), body);
        assert_eq!(taken, 3);
        assert_eq!(verdict.unwrap_err(), "response does not contain 'needle' in its first 20 bytes (max_body_bytes)");
        let (_, verdict) = run(&rules("", "needle", 20), body);
        assert_eq!(verdict.unwrap_err(), "the response's body is longer than 20 bytes (max_body_bytes)");
        assert_eq!(run(&rules("", "needle", 32), body), (4, Ok(())));
        let whole = BodyRules { must_match: Some(Regex::new("x").unwrap()), max_bytes: 20, ..BodyRules::default() };
        assert!(Search::new(&whole, Some(21)).is_err());
        assert!(Search::new(&whole, Some(20)).is_ok());
    }

    #[test]
    fn both_texts_count_as_upstream() {
        assert_eq!(run(&rules("a", "b", 100), [&b"a"[..]]).1, Ok(()));
        assert_eq!(run(&rules("a", "b", 100), [&b"ab"[..]]).1.unwrap_err(), "response contains 'b'");
        assert_eq!(run(&rules("a", "", 100), [&b"b"[..]]).1.unwrap_err(), "response does not contain 'a'");
        assert_eq!(run(&rules("a", "", 100), []).1.unwrap_err(), "response does not contain 'a'");
    }
}
