//! Groups of checks, and their order.

use serde::{Deserialize, Serialize};

/// Checks that are shown together below a heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Group {
    /// The heading. Empty for no heading.
    pub name: String,
    /// The names of the checks, all of which must exist in the config file.
    #[serde(default)]
    pub checks: Vec<String>,
}

impl Group {
    /// A group of these checks.
    pub fn new(name: impl Into<String>, checks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), checks: checks.into_iter().map(Into::into).collect() }
    }
}

/// The order of checks in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Order {
    /// The order in the config file.
    #[default]
    Config,
    /// By name.
    Name,
    /// The worst first.
    Status,
}

impl Order {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
