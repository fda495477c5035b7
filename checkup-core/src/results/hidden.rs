//! [`Hidden`]: a fact of a check that views for the public leave out.

use serde::{Deserialize, Serialize};

/// A fact of a check that its status page, API, feed, badges and metrics leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Hidden {
    /// What is checked, which may be the address of an internal system.
    Endpoint,
    /// Why a check is not healthy, which may have addresses and parts of responses.
    Reason,
    /// The names of the locations. They become `location 1`, `location 2`, ….
    Location,
}
