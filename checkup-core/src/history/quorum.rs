//! [`Quorum`]: how many locations must be down for a check to be down.

use std::num::NonZeroUsize;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// In config files, a majority is null and any other quorum its number.
impl Serialize for Quorum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Majority => serializer.serialize_none(),
            Self::AtLeast(count) => count.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Quorum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let count = Option::<usize>::deserialize(deserializer)?;
        let expected = &"how many locations must report a check as down, 1 or more; leave it out for a majority";
        match count {
            None => Ok(Self::Majority),
            Some(count) => Self::at_least(count)
                .ok_or_else(|| D::Error::invalid_value(Unexpected::Unsigned(count as u64), expected)),
        }
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for Quorum {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quorum".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1 })
    }

    fn inline_schema() -> bool {
        true
    }
}
