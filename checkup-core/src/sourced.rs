//! [`Sourced`]: text that knows which of its parts came from environment variables.

mod reading;
mod url;

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Secret;

#[cfg(feature = "config")]
pub(crate) use reading::{Reading, resolve};
pub use reading::{resolve_path, variables_in};

/// Printed in place of a value that came from the environment.
const REDACTED: &str = "[redacted]";

/// A string setting that knows which of its parts came from environment variables, and therefore may be secret.
///
/// Plugins use it instead of [`String`] for such a setting, and print [`redacted`](Self::redacted). `Debug` and `Serialize`
/// (except inside [`Secret::exposing`]) redact as well. Text that was not read from a config file, or has no variables, is
/// shown unchanged.
///
/// ```
/// # #[cfg(feature = "config")] {
/// use checkup_core::Sourced;
/// use checkup_core::config::{Format, Registry};
///
/// #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// struct Display {
///     title: Sourced,
/// }
///
/// let mut registry = Registry::new();
/// registry.section::<Display>("display", |_| Ok(()));
/// let checkup = registry.parse_with(
///     "{ checkers: [], display: { title: 'of ${WHO}' } }",
///     Format::Yaml,
///     |_| Some("hunter2".to_owned()),
/// )?;
/// let display = checkup.section::<Display>().expect("the section exists");
/// assert_eq!(display.title.as_str(), "of hunter2");
/// assert_eq!(display.title.redacted(), "of [redacted]");
/// # }
/// # Ok::<(), checkup_core::ConfigError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sourced {
    text: String,
    /// In the order of the text, without overlaps.
    variables: Box<[Variable]>,
}

/// A part of a text that came from an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// The variable's name.
    pub name: String,
    /// The range of bytes that is its value.
    pub range: Range<usize>,
}

impl Variable {
    pub(crate) fn new(name: impl Into<String>, range: Range<usize>) -> Self {
        Self { name: name.into(), range }
    }
}

impl Sourced {
    /// Text without parts from the environment.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), variables: Box::default() }
    }

    /// Text of the settings, with its parts from the environment. They are known only while the settings are read and the plugin is made.
    pub fn of_settings(text: impl Into<String>) -> Self {
        let text = text.into();
        let variables = variables_in(&text);
        Self { text, variables }
    }

    /// The text itself, which may contain secrets.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parts that came from environment variables, in the order of the text.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The text with `[redacted]` in place of each part that came from the environment.
    pub fn redacted(&self) -> String {
        let mut shown = String::new();
        let mut end = 0;
        for variable in &self.variables {
            shown.push_str(&self.text[end..variable.range.start]);
            shown.push_str(REDACTED);
            end = variable.range.end;
        }
        shown.push_str(&self.text[end..]);
        shown
    }
}

impl fmt::Debug for Sourced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.redacted(), f)
    }
}

impl From<String> for Sourced {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Sourced {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl Serialize for Sourced {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Secret::is_exposing() {
            true => serializer.serialize_str(&self.text),
            false => serializer.serialize_str(&self.redacted()),
        }
    }
}

impl<'de> Deserialize<'de> for Sourced {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::of_settings)
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for Sourced {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sourced".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string"})
    }

    fn inline_schema() -> bool {
        true
    }
}
