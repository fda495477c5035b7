//! The texts for the overall state.

use serde::{Deserialize, Serialize};

/// Texts for the overall state, up to 200 characters each. Default for each: words in the visitor's language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StatusText {
    /// Every check is healthy. Default: `All systems operational`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy: Option<String>,
    /// A check is degraded, and none is down. Default: with numbers, such as `Degraded service: 2 of 12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// A check is down. Default: with numbers, such as `Partial outage: 1 of 12 down`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down: Option<String>,
    /// All checks that are not healthy are in maintenance. Default: `Maintenance under way`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<String>,
    /// The latest results are too old. Default: `No recent results`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
    /// There are no results. Default: `No results yet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty: Option<String>,
}

impl StatusText {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The text of a state, if the settings have one.
    pub(crate) fn of(&self, state: &str) -> Option<&str> {
        self.all().into_iter().find_map(|(key, text)| text.filter(|_| key == state))
    }

    pub(super) fn all(&self) -> [(&'static str, Option<&str>); 6] {
        let Self { healthy, degraded, down, maintenance, stale, empty } = self;
        [
            ("healthy", healthy.as_deref()),
            ("degraded", degraded.as_deref()),
            ("down", down.as_deref()),
            ("maintenance", maintenance.as_deref()),
            ("stale", stale.as_deref()),
            ("empty", empty.as_deref()),
        ]
    }
}
