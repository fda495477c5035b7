//! [`ConfigError`]: what is wrong in a configuration, and [`ConfigProblems`], which collects it.

use std::error::Error;
use std::fmt;

/// Everything that is wrong in a configuration: each problem with its place, what was found, and the remedy.
///
/// ```
/// use checkup_core::ConfigError;
///
/// let error = ConfigError::invalid("endpoint_url", "expected host:port, found \"db\"").at("checkers[3]");
/// assert_eq!(error.to_string(), "checkers[3].endpoint_url: expected host:port, found \"db\"");
/// ```
///
/// `Debug` is the same as `Display`: it is what a program prints whose `main` returns the error.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<ConfigProblem>,
}

/// One thing that is wrong in a configuration. Displays as `place: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// A path such as `checkers[3].threshold_rtt`, possibly after the name of a file; empty for the whole configuration.
    pub place: String,
    /// What kind of problem it is.
    pub kind: ConfigErrorKind,
    /// What was expected, what was found, and what to do.
    pub message: String,
    /// The message without the value, if the value can be told apart. It is shown if the value came from the environment.
    without_value: Option<String>,
}

/// What kind of problem a configuration has, to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// An invalid value.
    Invalid,
    /// A key that does not exist.
    UnknownKey,
    /// A `type` that does not exist, or is not compiled in.
    UnknownType,
    /// An environment variable that is not set.
    UnsetVariable,
    /// The text is not JSON, YAML or TOML.
    Syntax,
    /// A file cannot be found or read.
    Io,
}

impl ConfigError {
    /// One problem of a kind.
    pub fn new(kind: ConfigErrorKind, place: impl Into<String>, message: impl Into<String>) -> Self {
        let (place, message) = (place.into(), message.into());
        Self { problems: vec![ConfigProblem { place, kind, message, without_value: None }] }
    }

    /// An invalid value at `place`, a key of the settings.
    ///
    /// The message may show the value. If that came from the environment, where secrets are, the message is not shown: prefer
    /// [`expected`](Self::expected) and [`reason`](Self::reason), which keep the two apart.
    pub fn invalid(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ConfigErrorKind::Invalid, place, message)
    }

    /// An invalid value at `place`, with a message that does not show the value or any part of it. It is shown wherever the value
    /// came from.
    pub fn reason(place: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::invalid(place, message);
        for problem in &mut error.problems {
            problem.without_value = Some(problem.message.clone());
        }
        error
    }

    /// A value at `place` that is not what was expected. `expected` does not show the value; [`found`](Self::found) adds it.
    ///
    /// ```
    /// use checkup_core::ConfigError;
    ///
    /// let error = ConfigError::expected("max_bytes", "1 to 100").found(7000);
    /// assert_eq!(error.to_string(), "max_bytes: expected 1 to 100, found 7000");
    /// ```
    pub fn expected(place: impl Into<String>, expected: impl fmt::Display) -> Self {
        Self::reason(place, format!("expected {expected}"))
    }

    /// The same error with the value that was found, which is left out if it came from the environment.
    #[must_use]
    pub fn found(mut self, found: impl fmt::Display) -> Self {
        for problem in &mut self.problems {
            problem.message = format!("{}, found {found}", problem.message);
        }
        self
    }

    /// What the first problem says was expected.
    pub(crate) fn expectation(&self) -> String {
        let message = &self.problems[0].message;
        message.strip_prefix("expected ").unwrap_or(message).to_owned()
    }

    /// All problems, in the order of the configuration. Never empty.
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }

    /// The same problems inside of `place`: `endpoint_url` at `checkers[3]` is `checkers[3].endpoint_url`.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        if place.is_empty() {
            return self;
        }
        for problem in &mut self.problems {
            let dot = if problem.place.is_empty() || problem.place.starts_with('[') { "" } else { "." };
            problem.place = format!("{place}{dot}{}", problem.place);
        }
        self
    }

    /// The same problems in a file: `checkers[3]` in `checkup.json` is `checkup.json: checkers[3]`.
    #[must_use]
    pub fn in_file(mut self, file: impl fmt::Display) -> Self {
        for problem in &mut self.problems {
            let colon = if problem.place.is_empty() { "" } else { ": " };
            problem.place = format!("{file}{colon}{}", problem.place);
        }
        self
    }

    /// The same problems without values that came from the environment. `variables` gives the variables of a place.
    #[cfg(feature = "config")]
    pub(crate) fn hide(mut self, variables: &dyn Fn(&str) -> VariablesAt) -> Self {
        for problem in &mut self.problems {
            let VariablesAt { mut here, within } = variables(&problem.place);
            // A setting with parts (a list of one, say) is named; of a whole object, any of its values may be meant.
            if here.is_empty() && !problem.place.is_empty() && problem.kind != ConfigErrorKind::UnknownKey {
                here.clone_from(&within);
            }
            problem.message = match &problem.without_value {
                // It is not about a value, or says all that there is to say.
                Some(_) if here.is_empty() && within.is_empty() => continue,
                Some(message) if here.is_empty() || message.contains("environment variable") => message.clone(),
                Some(message) => format!("{message}; the value comes from {}, and is not shown", named(&here)),
                None if here.is_empty() && within.is_empty() => continue,
                None => {
                    here.extend(within);
                    format!("{} cannot be used here; the value is not shown", named(&here))
                }
            };
            problem.without_value = Some(problem.message.clone());
        }
        self
    }

    /// The same problems at other places: those that `place` gives, if it does.
    #[cfg(feature = "config")]
    pub(crate) fn map_places(mut self, place: impl Fn(&str) -> Option<String>) -> Self {
        for problem in &mut self.problems {
            if let Some(place) = place(&problem.place) {
                problem.place = place;
            }
        }
        self
    }

    /// Only these problems, if there are any.
    #[cfg(feature = "config")]
    pub(crate) fn retain(mut self, keep: impl FnMut(&ConfigProblem) -> bool) -> Result<(), Self> {
        self.problems.retain(keep);
        if self.problems.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The same problems, whose messages are known to hold no value.
    #[cfg(feature = "config")]
    pub(crate) fn without_values(mut self) -> Self {
        for problem in &mut self.problems {
            problem.without_value = Some(problem.message.clone());
        }
        self
    }

    /// Appends the problems of another error.
    pub fn extend(&mut self, other: ConfigError) {
        self.problems.extend(other.problems);
    }
}

/// Collects the problems of a configuration, so that all of them are reported together.
///
/// Every plugin parses its settings with one, so that a person who made three mistakes sees all three.
///
/// ```
/// use checkup_core::{ConfigError, ConfigProblems};
///
/// #[derive(Debug)]
/// struct Range { low: u8, high: u8 }
///
/// fn number(key: &str, text: &str) -> Result<u8, ConfigError> {
///     text.parse().map_err(|_| ConfigError::invalid(key, format!("expected a number up to 255, found {text:?}")))
/// }
///
/// fn parse(low: &str, high: &str) -> Result<Range, ConfigError> {
///     let mut problems = ConfigProblems::new();
///     let low = problems.take(number("low", low));
///     let high = problems.take(number("high", high));
///     problems.finish(|| Some(Range { low: low?, high: high? }))
/// }
///
/// assert!(parse("1", "2").is_ok());
/// assert_eq!(parse("one", "two").unwrap_err().problems().len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ConfigProblems(Option<ConfigError>);

impl ConfigProblems {
    /// No problems yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the problems of an error.
    pub fn push(&mut self, error: ConfigError) {
        match &mut self.0 {
            Some(all) => all.extend(error),
            none => *none = Some(error),
        }
    }

    /// The value of a result; its problems are added if it is an error.
    pub fn take<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Whether no problem was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// All problems as one error, if there are any.
    ///
    /// # Errors
    ///
    /// If a problem was added.
    pub fn into_result(self) -> Result<(), ConfigError> {
        self.0.map_or(Ok(()), Err)
    }

    /// The value that `build` makes of what [`take`](Self::take) returned, or all problems as one error.
    ///
    /// # Errors
    ///
    /// If a problem was added; `build` is not called then.
    ///
    /// # Panics
    ///
    /// If `build` returns `None` although there is no problem: a value is missing without a reported reason.
    #[track_caller]
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, ConfigError> {
        self.into_result()?;
        match build() {
            Some(value) => Ok(value),
            None => panic!("a setting is missing although no problem was reported"),
        }
    }
}

/// The names of the environment variables whose values are at a place.
#[cfg(feature = "config")]
#[derive(Debug, Default)]
pub(crate) struct VariablesAt {
    /// Those of the value at the place, or of what it is a part of.
    pub(crate) here: Vec<String>,
    /// Those of its parts.
    pub(crate) within: Vec<String>,
}

#[cfg(feature = "config")]
fn named(variables: &[String]) -> String {
    let plural = if variables.len() == 1 { "" } else { "s" };
    format!("the environment variable{plural} {}", variables.join(", "))
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

impl Error for ConfigError {}
