//! [`Shard`]: a node's share of the checks.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::fnv::Fnv;

/// A node's share of the checks: part `index` of `count`, from 1 on.
///
/// Nodes with one config file share its checks without a coordinator: each has a shard of its own, and each check is in
/// just one. Which one depends on its name alone, so that adding checks moves none of the others.
///
/// The hash is FNV-1a with 64 bits of the name in UTF-8, whose upper half is then added to its lower by exclusive or; the shard is
/// the remainder of dividing that by `count`, and 1.
///
/// ```
/// use checkup_core::Shard;
///
/// let shard: Shard = "2/8".parse()?;
/// assert_eq!((shard.index(), shard.count()), (2, 8));
/// let shards = (1..=8).map(|index| Shard::new(index, 8)).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(shards.iter().filter(|shard| shard.contains("API")).count(), 1);
/// # Ok::<(), checkup_core::ShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u32,
    count: NonZeroU32,
}

impl Shard {
    /// Part `index` of `count`.
    ///
    /// # Errors
    ///
    /// If there is no such part: `index` is from 1 to `count`.
    pub fn new(index: u32, count: u32) -> Result<Self, ShardError> {
        match NonZeroU32::new(count) {
            Some(count) if (1..=count.get()).contains(&index) => Ok(Self { index, count }),
            _ => Err(ShardError { found: format!("{index}/{count}") }),
        }
    }

    /// Which part it is, from 1 to [`count`](Self::count).
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many parts there are.
    pub fn count(self) -> u32 {
        self.count.get()
    }

    /// Whether the check of this name is in it.
    pub fn contains(self, name: &str) -> bool {
        let hash = Fnv::default().add(name.as_bytes()).value();
        (hash ^ (hash >> 32)) % u64::from(self.count.get()) == u64::from(self.index - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        let error = || ShardError { found: text.to_owned() };
        parts.and_then(|(index, count)| Self::new(index, count).ok()).ok_or_else(error)
    }
}

/// It is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a shard such as 2/8, the second of eight, found {found}")]
#[non_exhaustive]
pub struct ShardError {
    /// What was given.
    pub found: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_in_just_one_shard_and_they_are_about_as_large() {
        for count in [1, 2, 3, 8, 60] {
            let mut sizes = vec![0_usize; count as usize];
            for check in 0..6000 {
                let name = format!("check {check}");
                let shards: Vec<_> =
                    (1..=count).filter(|index| Shard::new(*index, count).unwrap().contains(&name)).collect();
                assert_eq!(shards.len(), 1);
                sizes[shards[0] as usize - 1] += 1;
            }
            let mean = 6000 / count as usize;
            assert!(sizes.iter().all(|size| size.abs_diff(mean) < mean / 2), "{sizes:?}");
        }
    }

    #[test]
    fn the_hash_is_the_documented_one_for_ever() {
        // FNV-1a of "foobar" is 85944171f73967e8, as in the hash's own test.
        let folded = 0x8594_4171_f739_67e8_u64 ^ 0x8594_4171;
        let index = u32::try_from(folded % 1000).unwrap() + 1;
        assert!(Shard::new(index, 1000).unwrap().contains("foobar"));
    }

    #[test]
    fn what_is_no_shard_is_refused_with_what_was_found() {
        for text in ["0/8", "9/8", "1/0", "2", "a/b", "-1/2", "1/2/3", ""] {
            let error = text.parse::<Shard>().unwrap_err();
            assert_eq!(error.to_string(), format!("expected a shard such as 2/8, the second of eight, found {text}"));
        }
        assert_eq!("2/8".parse::<Shard>().unwrap().to_string(), "2/8");
    }
}
