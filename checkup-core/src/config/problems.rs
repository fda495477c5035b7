//! [`Problems`]: the problems of one object of a config file.

use super::de;
use crate::ConfigProblems;

/// The problems of one object.
#[derive(Default)]
pub(super) struct Problems(pub(super) ConfigProblems);

impl Problems {
    pub(super) fn read<T>(&mut self, read: de::Read<T>) -> Option<T> {
        self.0.take(read.problems.into_result());
        read.value
    }
}
