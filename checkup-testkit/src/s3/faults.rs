//! The deliberate faults of a server.

use std::time::Duration;

use super::dialect::{S3Dialect, S3Refusal};

/// The faults of the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    pub(super) read_only: bool,
    pub(super) anyone_may_read: bool,
    pub(super) ignore_put_conditions: bool,
    pub(super) refuse_put_conditions: bool,
    pub(super) refuse_bulk_deletes: bool,
    pub(super) unavailable: bool,
    pub(super) delay: Duration,
    pub(super) clock_ahead: Duration,
    pub(super) lose_answers: usize,
    pub(super) dialect: S3Dialect,
    pub(super) refuse_all: Option<&'static S3Refusal>,
    pub(super) deny_deletes: bool,
    pub(super) deny_listing: bool,
}
