//! [`Posted`]: a message of an operator.

use crate::{PostState, Timestamp};

/// What an operator posted. Orders by time, then by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Posted {
    /// When it was posted; for a message that was attached to a result without a time of its own, the time of the result.
    pub at: Timestamp,
    /// Identifies the message, to edit or withdraw it. A message that was attached to a result without an id has one of the result's time, which
    /// is unique for a check.
    pub id: String,
    /// The text.
    pub text: String,
    /// How far the operators are.
    pub state: Option<PostState>,
    /// The id of the incident that it is about; without one, its time decides.
    pub incident: Option<String>,
    /// The group of checks that it is about. Views show it once for all of them.
    pub group: Option<String>,
}

impl Posted {
    /// A message in a result of the original format.
    pub(crate) fn in_result(at: Timestamp, text: String) -> Self {
        let id = format!("r{}", at.unix_nanos().div_euclid(1_000_000));
        Self { at, id, text, state: None, incident: None, group: None }
    }
}
