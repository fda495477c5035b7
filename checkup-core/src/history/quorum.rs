//! [`Quorum`]: how many locations must be down for a check to be down.

use std::num::NonZeroUsize;

/// How many locations must be down at the same time for a check to be down.
///
/// ```
/// use checkup_core::Quorum;
///
/// assert_eq!(Quorum::Majority.of(3), 2);
/// assert_eq!(Quorum::at_least(1).map(|quorum| quorum.of(3)), Some(1));
/// // Never more than there are.
/// assert_eq!(Quorum::at_least(5).map(|quorum| quorum.of(3)), Some(3));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "there is no third kind")]
pub enum Quorum {
    /// More than half of the known locations.
    #[default]
    Majority,
    /// At least this number, or all known locations if they are fewer.
    AtLeast(NonZeroUsize),
}

impl Quorum {
    /// At least `count` locations, or all known locations if they are fewer. `None` for zero.
    pub fn at_least(count: usize) -> Option<Self> {
        NonZeroUsize::new(count).map(Self::AtLeast)
    }

    /// How many of `count` locations that is.
    pub fn of(self, count: usize) -> usize {
        match self {
            Self::Majority => count / 2 + 1,
            Self::AtLeast(least) => least.get(),
        }
        .min(count)
    }
}
