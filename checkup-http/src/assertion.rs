//! What a response must hold: [`JsonAssertion`] and [`HeaderAssertion`], one shape for both.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What a part of a JSON body must be, found by a JSONPath (RFC 9535).
///
/// The path must find at least one value, and every value that it finds must meet every condition. Without a
/// condition it is enough that there is one.
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
    /// The value must be equal to this JSON value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "null_is_a_value")]
    pub equals: Option<Value>,
    /// The text must contain this. A value that is no text is taken as its JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The text must match this regular expression somewhere. A value that is no text is taken as its JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// The number must be this or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The number must be this or less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Whether the path must find something; `false` for that it must not. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
}

impl JsonAssertion {
    /// The path must find something, until there is a condition.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// The value must be equal to this.
    #[must_use]
    pub fn equals(mut self, value: impl Into<Value>) -> Self {
        self.equals = Some(value.into());
        self
    }

    /// The text must contain this.
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

    /// The number must be this or more.
    #[must_use]
    pub fn at_least(mut self, minimum: impl Into<f64>) -> Self {
        self.at_least = Some(minimum.into());
        self
    }

    /// The number must be this or less.
    #[must_use]
    pub fn at_most(mut self, maximum: impl Into<f64>) -> Self {
        self.at_most = Some(maximum.into());
        self
    }

    /// Whether the path must find something, or must not.
    #[must_use]
    pub fn exists(mut self, exists: bool) -> Self {
        self.exists = Some(exists);
        self
    }
}

/// What a header of the response must be. The lines of a repeated header are joined by `", "` (RFC 9110, section 5.3).
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
    /// The value must be equal to this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// The value must contain this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The value must match this regular expression somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// Whether the header must be there; `false` for that it must not. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
}

impl HeaderAssertion {
    /// The header must be there, until there is a condition.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The value must be equal to this.
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

    /// Whether the header must be there, or must not.
    #[must_use]
    pub fn exists(mut self, exists: bool) -> Self {
        self.exists = Some(exists);
        self
    }
}

/// Makes `"equals": null` a condition, not the lack of one.
fn null_is_a_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
