//! [`Posted`]: a message of an operator.

use crate::Timestamp;

/// What an operator posted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Posted {
    /// The time of the result that it was attached to.
    pub at: Timestamp,
    /// The text.
    pub text: String,
}
