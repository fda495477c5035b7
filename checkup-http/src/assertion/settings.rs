//! [`JsonAssertion`] and [`HeaderAssertion`]: the settings of conditions on a response.

use checkup_core::exact_number;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::number::JsonNumber;

/// A condition on a part of a JSON body, which is found by a JSONPath (RFC 9535).
///
/// The path must find at least one value, and every value that it finds must meet every condition. Without further
/// conditions, it is enough that a value exists. Numbers are compared exactly, whatever their size: 1, 1.0 and 10e-1 are
/// equal, and 9007199254740993 is not 9007199254740992. Only comparisons *within* a path, such as `$[?@.age > 5]`, use
/// floating point.
///
/// ```
/// use checkup_http::{Http, JsonAssertion};
///
/// let http = Http::new("https://example.com/health")
///     .json(JsonAssertion::new("$.status").equals("ok"))
///     .json(JsonAssertion::new("$.checks[*].state").matches("^(up|starting)$"))
///     .json(JsonAssertion::new("$.queue.depth").at_most(100))
///     .json(JsonAssertion::new("$.error").exists(false));
/// # let _ = http;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct JsonAssertion {
    /// The JSONPath (RFC 9535), such as `$.status` or `$.checks[*].state`.
    pub path: String,
    /// The value must equal this JSON value. Numbers in it are compared exactly, however many digits they have.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "null_is_a_value")]
    pub equals: Option<Value>,
    /// The value must contain this text. A value that is not a string is searched in its JSON form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The value must match this regular expression somewhere. A value that is not a string is searched in its JSON form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// The value must be a number that is at least this. The limit may have any number of digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<JsonNumber>,
    /// The value must be a number that is at most this. The limit may have any number of digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<JsonNumber>,
    /// Whether the path must find a value (`true`) or must not (`false`). Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
}

impl JsonAssertion {
    /// Requires that the path finds a value. Add conditions on the value with the other methods.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// The value must equal this. A number with more than 15 digits is a [`JsonNumber`], since `f64` would round it.
    #[must_use]
    pub fn equals(mut self, value: impl Into<Value>) -> Self {
        self.equals = Some(value.into());
        self
    }

    /// The value must contain this text.
    #[must_use]
    pub fn contains(mut self, text: impl Into<String>) -> Self {
        self.contains = Some(text.into());
        self
    }

    /// The text must match this regular expression somewhere.
    #[must_use]
    pub fn matches(mut self, pattern: impl Into<String>) -> Self {
        self.matches = Some(pattern.into());
        self
    }

    /// The value must be a number that is at least this.
    #[must_use]
    pub fn at_least(mut self, minimum: impl Into<JsonNumber>) -> Self {
        self.at_least = Some(minimum.into());
        self
    }

    /// The value must be a number that is at most this.
    #[must_use]
    pub fn at_most(mut self, maximum: impl Into<JsonNumber>) -> Self {
        self.at_most = Some(maximum.into());
        self
    }

    /// Whether the path must find a value, or must not.
    #[must_use]
    pub fn exists(mut self, exists: bool) -> Self {
        self.exists = Some(exists);
        self
    }
}

/// A condition on a header of the response. The lines of a repeated header are joined by `", "` (RFC 9110, section 5.3).
///
/// ```
/// use checkup_http::{HeaderAssertion, Http};
///
/// let http = Http::new("https://example.com")
///     .response_header(HeaderAssertion::new("strict-transport-security"))
///     .response_header(HeaderAssertion::new("content-type").contains("text/html"))
///     .response_header(HeaderAssertion::new("x-powered-by").exists(false));
/// # let _ = http;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HeaderAssertion {
    /// The header's name; case does not matter.
    pub name: String,
    /// The value must equal this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// The value must contain this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The value must match this regular expression somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// Whether the header must be present (`true`) or absent (`false`). Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
}

impl HeaderAssertion {
    /// Requires that the header is present. Add conditions on its value with the other methods.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The value must equal this.
    #[must_use]
    pub fn equals(mut self, value: impl Into<String>) -> Self {
        self.equals = Some(value.into());
        self
    }

    /// The value must contain this.
    #[must_use]
    pub fn contains(mut self, text: impl Into<String>) -> Self {
        self.contains = Some(text.into());
        self
    }

    /// The value must match this regular expression somewhere.
    #[must_use]
    pub fn matches(mut self, pattern: impl Into<String>) -> Self {
        self.matches = Some(pattern.into());
        self
    }

    /// Whether the header must be present, or absent.
    #[must_use]
    pub fn exists(mut self, exists: bool) -> Self {
        self.exists = Some(exists);
        self
    }
}

/// Reads `"equals": null` as a condition, not as a missing one.
fn null_is_a_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    exact_number::deserialize(deserializer).map(Some)
}
