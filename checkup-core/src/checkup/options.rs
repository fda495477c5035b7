//! [`Options`]: the keys of a config file's root that are not plugins. A new one is added here, and nowhere else.

use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::sync::Semaphore;

use super::{Checkup, CheckupBuilder, Shard};
use crate::history::{Hysteresis, Rules};
use crate::spool::Spooled;
use crate::{ConfigError, ConfigProblems, Quorum, Spool, Timestamp};

/// How many checks run concurrently unless set otherwise: hundreds of endpoints take one round, and the connections
/// fit the usual limit of 1,024 open files.
pub const DEFAULT_CONCURRENT_CHECKS: usize = 256;

/// The maximum number of concurrent checks.
const MAX_CONCURRENT_CHECKS: usize = 100_000;

/// How many characters a location may have, so that file names can contain all of it.
const MAX_LOCATION: usize = 64;

/// The settings of a checkup besides its checks, its storage and its notifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Options {
    /// Where reports wait while the storage cannot be reached: an object with `dir`, or `false` for nowhere.
    pub(super) spool: SpoolSetting,
    /// How many checks run concurrently, up to 100,000. Default: 256; 0 means the default.
    pub(super) concurrent_checks: usize,
    /// Where this node is, in one line of at most 64 characters; recorded in every result.
    pub(super) location: String,
    /// This node's share of the checks: `"2/8"` or `{"index": 2, "count": 8}` for the second of eight. The name of a check decides in which
    /// share it is.
    pub(super) shard: Option<Shard>,
    /// How many locations must report a check as down for it to be down. Default: more than half.
    pub(super) quorum: Quorum,
    /// An RFC 3339 time that replaces the time of every result; absent or `0001-01-01T00:00:00Z` for none.
    #[serde(with = "timestamp")]
    #[cfg_attr(feature = "config", schemars(with = "Option<String>"))]
    pub(super) timestamp: Option<Timestamp>,
}

impl Options {
    /// All options that are invalid, each with its key.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = ConfigProblems::new();
        if let SpoolSetting::In(spool) = &self.spool {
            problems.take(spool.validate().map_err(|error| error.at("spool")));
        }
        if self.concurrent_checks > MAX_CONCURRENT_CHECKS {
            let expected = format!("at most {MAX_CONCURRENT_CHECKS}");
            problems.push(ConfigError::expected("concurrent_checks", expected).found(self.concurrent_checks));
        }
        if !self.location.is_empty() {
            problems.take(location(&self.location));
        }
        problems.into_result()
    }

    /// Where this node is, without the white space around it.
    pub(super) fn location(&self) -> Option<&str> {
        Some(self.location.trim()).filter(|location| !location.is_empty())
    }

    pub(super) fn spool(&self) -> Option<&Spool> {
        match &self.spool {
            SpoolSetting::In(spool) => Some(spool),
            SpoolSetting::Absent | SpoolSetting::Nowhere => None,
        }
    }

    pub(super) fn concurrent_checks(&self) -> usize {
        match self.concurrent_checks {
            0 => DEFAULT_CONCURRENT_CHECKS,
            count => count,
        }
    }
}

impl CheckupBuilder {
    /// Where reports wait while the storage cannot be reached. Default: nowhere, so that only the caller has a report that could not be
    /// stored. Without a storage, it has no effect.
    #[must_use]
    pub fn spool(mut self, spool: Spool) -> Self {
        self.options.spool = SpoolSetting::In(spool);
        self
    }

    /// How many checks run concurrently, up to 100,000; 0 for the default, 256.
    #[must_use]
    pub fn concurrent_checks(mut self, count: usize) -> Self {
        self.options.concurrent_checks = count;
        self
    }

    /// Gives every result this time instead of its own.
    #[must_use]
    pub fn timestamp(mut self, timestamp: Timestamp) -> Self {
        self.options.timestamp = Some(timestamp);
        self
    }

    /// Where this node is (`eu-west`), which every result then says: one line of at most 64 characters, without the white space
    /// around it; empty for none.
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.options.location = location.into();
        self
    }

    /// Keeps only this share of the checks, so that several nodes can divide the checks between them. Default: all.
    #[must_use]
    pub fn shard(mut self, shard: Shard) -> Self {
        self.options.shard = Some(shard);
        self
    }

    /// How many locations must report a check as down for it to be down. Default: more than half.
    #[must_use]
    pub fn quorum(mut self, quorum: Quorum) -> Self {
        self.options.quorum = quorum;
        self
    }
}

impl Checkup {
    /// Where reports wait while the storage cannot be reached.
    pub fn spool(&self) -> Option<&Spool> {
        self.spool.as_ref()
    }

    /// The same checkup with this spool, unless it has one, its config file says `"spool": false`, or it has no storage. It is for
    /// programs that read other people's config files, such as the command line.
    #[must_use]
    pub fn with_default_spool(mut self, spool: Spool) -> Self {
        let is_open = self.options.spool == SpoolSetting::Absent && self.spool.is_none();
        if let Some(storage) = self.storage.take_if(|_| is_open) {
            self.storage = Some(Arc::new(Spooled::new(storage, spool.clone())));
            self.spool = Some(spool);
        }
        self
    }

    /// How many checks run concurrently.
    pub fn concurrent_checks(&self) -> usize {
        self.context.concurrent_checks
    }

    /// The same checkup with another limit on concurrent checks, at least 1. It shares the limit with its clones only.
    #[must_use]
    pub fn with_concurrent_checks(&self, count: usize) -> Self {
        let mut bounded = self.clone();
        bounded.context.concurrent_checks = count.clamp(1, MAX_CONCURRENT_CHECKS);
        bounded.context.limit = Arc::new(Semaphore::new(bounded.context.concurrent_checks));
        bounded
    }

    /// Where this node is, which every result says.
    pub fn location(&self) -> Option<&str> {
        self.context.location.as_deref()
    }

    /// The same checkup at another location, which every result then says; empty for none.
    #[must_use]
    pub fn with_location(&self, location: &str) -> Self {
        let mut moved = self.clone();
        location.clone_into(&mut moved.options.location);
        moved.context.location = moved.options.location().map(Into::into);
        moved
    }

    /// Which share of the checks these are, if they are not all.
    pub fn shard(&self) -> Option<Shard> {
        self.options.shard
    }

    /// The same checkup with only the checks in this shard, which replaces one that it has.
    #[must_use]
    pub fn with_shard(&self, shard: Shard) -> Self {
        let whole = self.unsharded();
        let mut part = whole.only(|check| shard.contains(&check.name()));
        part.options.shard = Some(shard);
        part.whole = Some((whole.checks, whole.context.dependencies));
        part
    }

    /// The checkup of all nodes, regardless of which share of the checks this one has.
    pub(crate) fn unsharded(&self) -> Checkup {
        let mut whole = self.clone();
        if let Some((checks, dependencies)) = whole.whole.take() {
            (whole.checks, whole.context.dependencies) = (checks, dependencies);
        }
        whole
    }

    /// How many locations must report a check as down, for [verdicts](crate::Verdict) over them.
    pub fn quorum(&self) -> Quorum {
        self.options.quorum
    }

    /// How results become states and incidents: the quorum, and the settings `failures` and `successes` of all checks, including those of
    /// other shards. Of checks with the same name the last that sets one counts.
    pub fn rules(&self) -> Rules {
        let checks = self.whole.as_ref().map_or(&self.checks, |(checks, _)| checks);
        let rules = Rules::new(self.quorum());
        checks.iter().fold(rules, |rules, check| {
            let policy = check.policy();
            let hysteresis = Hysteresis { failures: policy.failures, successes: policy.successes };
            rules.with_hysteresis(check.name(), hysteresis)
        })
    }
}

/// Whether a location is one line that people can read.
fn location(text: &str) -> Result<(), ConfigError> {
    let location = text.trim();
    let expected = |expected: &str| Err(ConfigError::expected("location", expected));
    match location.chars().count() {
        0 => expected("the name of a place, such as `eu-west`"),
        _ if location.chars().any(char::is_control) => {
            Err(ConfigError::expected("location", "no control characters").found(format_args!("{location:?}")))
        }
        1..=MAX_LOCATION => Ok(()),
        length => {
            let expected = format!("at most {MAX_LOCATION} characters");
            Err(ConfigError::expected("location", expected).found(length))
        }
    }
}

/// What is said about a spool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum SpoolSetting {
    #[default]
    Absent,
    /// `false`
    Nowhere,
    In(Spool),
}

impl Serialize for SpoolSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Nowhere => serializer.serialize_bool(false),
            Self::In(spool) => spool.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SpoolSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpoolVisitor;

        impl<'de> Visitor<'de> for SpoolVisitor {
            type Value = SpoolSetting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `dir`, or false for no spool")
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<SpoolSetting, E> {
                match flag {
                    false => Ok(SpoolSetting::Nowhere),
                    true => Err(E::invalid_value(de::Unexpected::Bool(flag), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SpoolSetting, A::Error> {
                Spool::deserialize(MapAccessDeserializer::new(map)).map(SpoolSetting::In)
            }
        }

        deserializer.deserialize_any(SpoolVisitor)
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for SpoolSetting {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SpoolSetting".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [Spool::json_schema(generator), { "const": false }, { "type": "null" }] })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// A time as people write it.
mod timestamp {
    use serde::de::{Error, Unexpected};
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Timestamp;

    /// Upstream's word for "no timestamp": Go's zero time.
    const UNSET: &str = "0001-01-01T00:00:00Z";

    pub(super) fn serialize<S: Serializer>(timestamp: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match timestamp {
            Some(timestamp) => serializer.collect_str(timestamp),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = &"a time such as \"2016-09-08T07:00:00Z\"";
        match text.as_str() {
            UNSET | "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| D::Error::invalid_value(Unexpected::Str(text), expected)),
        }
    }
}
