//! [`Shard`]: a node's share of the checks.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fnv::Fnv;

/// A node's share of the checks: part `index` of `count`, counted from 1.
///
/// Nodes with the same config file divide its checks without a coordinator: each node has its own shard, and each check is in
/// exactly one shard. The shard depends only on the name of the check, so adding a check moves no other.
///
/// The shard is 1 plus the remainder of dividing a hash by `count`. The hash is the 64-bit FNV-1a of the name in UTF-8, with its
/// upper half XORed into its lower half.
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
    /// If `index` is not from 1 to `count`.
    pub fn new(index: u32, count: u32) -> Result<Self, ShardError> {
        match NonZeroU32::new(count) {
            Some(count) if (1..=count.get()).contains(&index) => Ok(Self { index, count }),
            _ => Err(ShardError { found: format!("{index}/{count}") }),
        }
    }

    /// The index of this part, from 1 to [`count`](Self::count).
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many parts there are.
    pub fn count(self) -> u32 {
        self.count.get()
    }

    /// Whether the check with this name belongs to this shard.
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

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Shard", 2)?;
        object.serialize_field("index", &self.index)?;
        object.serialize_field("count", &self.count)?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            index: u32,
            count: u32,
        }

        struct ShardVisitor;

        impl<'de> Visitor<'de> for ShardVisitor {
            type Value = Shard;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a shard such as \"2/8\", or an object with `index` and `count`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Shard, E> {
                text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Shard, A::Error> {
                let Parts { index, count } = Parts::deserialize(MapAccessDeserializer::new(map))?;
                Shard::new(index, count).map_err(|_| {
                    let found = format!("index {index} and count {count}");
                    de::Error::invalid_value(Unexpected::Other(&found), &"an `index` from 1 to `count`")
                })
            }
        }

        deserializer.deserialize_any(ShardVisitor)
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for Shard {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Shard".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["object", "string"],
            "pattern": r"^([0-9]+/[0-9]+|.*\$\{.*)$",
            "properties": {
                "index": { "type": "integer", "minimum": 1, "description": "Which share this node has: 1 for the first." },
                "count": { "type": "integer", "minimum": 1, "description": "How many shares there are." },
            },
            "required": ["index", "count"],
            "additionalProperties": false,
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The text is not a shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a shard such as 2/8, the second of eight, found {found}")]
#[non_exhaustive]
pub struct ShardError {
    /// The text that was given.
    pub found: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_in_exactly_one_shard_and_shards_are_of_similar_size() {
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
    fn the_hash_is_the_documented_one() {
        // FNV-1a of "foobar" is 85944171f73967e8, as in the hash's own test.
        let folded = 0x8594_4171_f739_67e8_u64 ^ 0x8594_4171;
        let index = u32::try_from(folded % 1000).unwrap() + 1;
        assert!(Shard::new(index, 1000).unwrap().contains("foobar"));
    }

    #[test]
    fn other_texts_are_refused_with_what_was_found() {
        for text in ["0/8", "9/8", "1/0", "2", "a/b", "-1/2", "1/2/3", ""] {
            let error = text.parse::<Shard>().unwrap_err();
            assert_eq!(error.to_string(), format!("expected a shard such as 2/8, the second of eight, found {text}"));
        }
        assert_eq!("2/8".parse::<Shard>().unwrap().to_string(), "2/8");
    }
}
