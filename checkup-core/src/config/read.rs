//! From a parsed file to a [`Checkup`]: the root and the keys that all checks have.

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::environment::Replaced;
use super::registry::{Built, Types};
use super::{Kind, Registry, RootSettings, de, environment, suggest};
use crate::ConfigProblems;
use crate::check::ZERO_INTERVAL;
use crate::sourced::Reading;
use crate::{Check, Checkup, ConfigError, ConfigErrorKind, Policy, Quorum, Shard, Spool, Timestamp};

/// The keys of the root.
pub(super) const ROOT_KEYS: &[&str] = &[
    "checkers",
    "storage",
    "spool",
    "notifiers",
    "notifier",
    "concurrent_checks",
    "location",
    "shard",
    "quorum",
    "timestamp",
    "$schema",
];

/// The keys that every check has beside its own.
pub(super) const CHECK_KEYS: &[&str] = &[
    "type",
    "endpoint_name",
    "name",
    "attempts",
    "attempt_spacing",
    "timeout",
    "threshold_rtt",
    "retries",
    "interval",
    "tags",
    "group",
    "depends_on",
];

/// Upstream's word for "no timestamp": Go's zero time.
const UNSET_TIME: &str = "0001-01-01T00:00:00Z";

pub(super) fn checkup(
    registry: &Registry,
    mut value: Value,
    lookup: &dyn Fn(&str) -> Option<String>,
    folder: Option<&Path>,
) -> Result<Checkup, ConfigError> {
    let mut problems = ConfigProblems::new();
    let replaced = environment::interpolate(&mut value, lookup, &mut problems);
    // Values that still hold `${…}` would only bring follow-up problems.
    problems.into_result()?;
    let Value::Object(root) = value else {
        return Err(ConfigError::invalid("", "expected an object with `checkers`"));
    };
    let reading = Reading { texts: replaced.texts(), folder: folder.map(Into::into) };
    reading.during(|| Reader { registry, replaced, problems: ConfigProblems::new() }.root(root))
}

struct Reader<'a> {
    registry: &'a Registry,
    /// The places whose values came from the environment: they may be secrets.
    replaced: Replaced,
    problems: ConfigProblems,
}

impl Reader<'_> {
    fn root(mut self, mut root: Map<String, Value>) -> Result<Checkup, ConfigError> {
        self.unknown_keys(&root);
        let mut builder = Checkup::builder();
        let mut settings = RootSettings::default();

        for (place, value) in self.list(&mut root, "checkers") {
            builder = builder.checks(self.check(&place, value));
        }
        if let Some(value) = present(&mut root, "storage") {
            let types = &self.registry.storages;
            if let Some((storage, kept)) = self.plugin(types, Kind::Storage, "storage", value) {
                builder = builder.storage(storage);
                settings.storage = Some(kept);
            }
        }
        if let Some(value) = present(&mut root, "spool") {
            settings.spool = self.spool(value);
            if let Some(Some(spool)) = &settings.spool {
                builder = builder.spool(spool.clone());
            }
        }
        let legacy = present(&mut root, "notifier").map(|value| ("notifier".to_owned(), value));
        for (place, value) in legacy.into_iter().chain(self.list(&mut root, "notifiers")) {
            let types = &self.registry.notifiers;
            if let Some((notifier, kept)) = self.plugin(types, Kind::Notifier, &place, value) {
                builder = builder.notifier(notifier);
                settings.notifiers.push(kept);
            }
        }
        if let Some(count) = self.field::<i64>(&mut root, "", "concurrent_checks") {
            match usize::try_from(count) {
                Ok(count) => builder = builder.concurrent_checks(count),
                Err(_) => self.problems.push(ConfigError::invalid(
                    "concurrent_checks",
                    format!("expected 0 (the default) or more, found {count}"),
                )),
            }
            settings.concurrent_checks = Some(count);
        }
        if let Some(location) = self.field::<String>(&mut root, "", "location") {
            builder = builder.location(location.as_str());
            settings.location = Some(location);
        }
        if let Some(text) = self.field::<String>(&mut root, "", "timestamp").filter(|text| text != UNSET_TIME) {
            let parsed =
                text.parse::<Timestamp>().map_err(|error| ConfigError::invalid("timestamp", error.to_string()));
            let parsed = parsed.map_err(|error| error.hide(&|place| self.hidden(place)));
            if let Some(timestamp) = self.problems.take(parsed) {
                builder = builder.timestamp(timestamp);
                settings.timestamp = Some(timestamp);
            }
        }
        if let Some(value) = present(&mut root, "shard") {
            settings.shard = self.shard(value);
            if let Some(shard) = settings.shard {
                builder = builder.shard(shard);
            }
        }
        if let Some(count) = self.field::<usize>(&mut root, "", "quorum") {
            match Quorum::at_least(count) {
                Some(quorum) => builder = builder.quorum(quorum),
                None => self.problems.push(ConfigError::invalid(
                    "quorum",
                    "expected how many locations must say that a check is down, 1 or more, found 0; leave it out for a majority",
                )),
            }
        }
        for key in self.registry.sections.names() {
            let Some(value) = present(&mut root, key) else { continue };
            let Some(object) = self.object(key, value, "an object") else { continue };
            let hidden = |inner: &str| self.hidden(&join(key, inner));
            let built = self.registry.sections.build(Kind::Section, key, &object, &[], &hidden);
            if let Some((section, kept)) = self.problems.take(built.map_err(|error| error.at(key))) {
                settings.sections.push((kept, section));
            }
        }
        builder.settings = settings;
        // With a check missing, others that depend on it would bring follow-up problems.
        self.problems.into_result()?;
        builder.build().map_err(|error| error.hide(&|place| self.replaced.at(place)))
    }

    fn unknown_keys(&mut self, root: &Map<String, Value>) {
        let sections = &self.registry.sections;
        let keys = || ROOT_KEYS.iter().copied().chain(sections.names());
        for key in root.keys().filter(|key| !keys().any(|known| known == key.as_str())) {
            let message = match sections.remedy(key) {
                Some(remedy) => format!("`{key}` is not compiled in; {remedy}"),
                None => {
                    format!("unknown key{} (there are: {})", suggest::did_you_mean(key, keys()), suggest::list(keys()))
                }
            };
            self.problems.push(ConfigError::new(ConfigErrorKind::UnknownKey, key.as_str(), message));
        }
    }

    /// `{"index": 2, "count": 8}`.
    fn shard(&mut self, value: Value) -> Option<Shard> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            index: u32,
            count: u32,
        }
        let object = self.object("shard", value, "an object with `index` and `count`")?;
        let parts: Result<Parts, _> = de::read(&object, &[], &|inner| self.hidden(&join("shard", inner)));
        let parts = self.problems.take(parts.map_err(|error| error.at("shard")))?;
        let shard = Shard::new(parts.index, parts.count).map_err(|_| {
            let Parts { index, count } = parts;
            let message = format!("expected an `index` from 1 to `count`, found index {index} and count {count}");
            ConfigError::invalid("shard", message).hide(&|_| self.hidden("shard"))
        });
        self.problems.take(shard)
    }

    /// A spool, or `Some(None)` for none.
    fn spool(&mut self, value: Value) -> Option<Option<Spool>> {
        match value {
            Value::Bool(false) => Some(None),
            Value::Object(object) => {
                let spool = de::read(&object, &[], &|inner| self.hidden(&join("spool", inner)));
                self.problems.take(spool.map_err(|error| error.at("spool"))).map(Some)
            }
            other => {
                let found = if other.is_boolean() { "true" } else { kind_of(&other) };
                let message = format!("expected an object with `dir`, or false for no spool, found {found}");
                self.problems.push(ConfigError::invalid("spool", message));
                None
            }
        }
    }

    fn check(&mut self, place: &str, value: Value) -> Option<Check> {
        let mut object = self.object(place, value, "an object with a `type`")?;
        let name = self.field::<String>(&mut object, place, "endpoint_name");
        let alias = self.field::<String>(&mut object, place, "name");
        if name.is_some() && alias.is_some() {
            let message = "both `endpoint_name` and `name` are set, which are the same; leave one out";
            self.problems.push(ConfigError::invalid(join(place, "name"), message));
        }
        let policy = self.policy(&mut object, place);
        let (checker, settings) = self.plugin(&self.registry.checkers, Kind::Checker, place, Value::Object(object))?;
        let mut check = Check::new(name.or(alias).unwrap_or_default(), checker).with_policy(policy);
        check.settings = Some(settings);
        Some(check)
    }

    fn policy(&mut self, object: &mut Map<String, Value>, place: &str) -> Policy {
        let default = Policy::default();
        let attempts = self.field::<u32>(object, place, "attempts").and_then(std::num::NonZeroU32::new);
        let attempt_spacing = self.duration(object, place, "attempt_spacing");
        let timeout = self.duration(object, place, "timeout").filter(|timeout| !timeout.is_zero());
        let threshold_rtt = self.duration(object, place, "threshold_rtt");
        let retries = self.field(object, place, "retries");
        let interval = self.duration(object, place, "interval").filter(|interval| {
            if interval.is_zero() {
                self.problems.push(ConfigError::invalid(join(place, "interval"), ZERO_INTERVAL));
            }
            !interval.is_zero()
        });
        let tags = self.field(object, place, "tags");
        let group = self.field(object, place, "group");
        let depends_on = self.field(object, place, "depends_on");
        Policy {
            attempts: attempts.unwrap_or(default.attempts),
            attempt_spacing: attempt_spacing.unwrap_or(default.attempt_spacing),
            timeout,
            threshold_rtt: threshold_rtt.unwrap_or(default.threshold_rtt),
            retries: retries.unwrap_or(default.retries),
            interval,
            tags: tags.unwrap_or(default.tags),
            group,
            depends_on: depends_on.unwrap_or(default.depends_on),
        }
    }

    /// Makes a plugin of an object with its `type`.
    fn plugin<K: ?Sized + 'static>(
        &mut self,
        types: &Types<K>,
        kind: Kind,
        place: &str,
        value: Value,
    ) -> Option<Built<K>> {
        let mut object = self.object(place, value, "an object with a `type`")?;
        let Some(type_name) = present(&mut object, "type") else {
            let message = format!("the key `type` is missing (there are: {})", suggest::list(types.names()));
            self.problems.push(ConfigError::invalid(place, message));
            return None;
        };
        let Value::String(type_name) = type_name else {
            let message = format!("expected the name of a {}, found {}", kind.as_str(), kind_of(&type_name));
            self.problems.push(ConfigError::invalid(join(place, "type"), message));
            return None;
        };
        let common = if kind == Kind::Checker { CHECK_KEYS } else { &["type"] };
        let hidden = |inner: &str| self.hidden(&join(place, inner));
        let built = types.build(kind, &type_name, &object, common, &hidden);
        let built = built.map_err(|error| match error.problems()[0].kind {
            ConfigErrorKind::UnknownType => error.hide(&hidden),
            _ => error,
        });
        self.problems.take(built.map_err(|error| error.at(place)))
    }

    fn object(&mut self, place: &str, value: Value, expected: &str) -> Option<Map<String, Value>> {
        match value {
            Value::Object(object) => Some(object),
            other => {
                let message = format!("expected {expected}, found {}", kind_of(&other));
                self.problems.push(ConfigError::invalid(place, message));
                None
            }
        }
    }

    /// The names of the variables that the value at a place, or some part of it, came from.
    fn hidden(&self, place: &str) -> Vec<String> {
        self.replaced.at(place)
    }

    fn list(&mut self, object: &mut Map<String, Value>, key: &str) -> Vec<(String, Value)> {
        match present(object, key) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                items.into_iter().enumerate().map(|(index, item)| (format!("{key}[{index}]"), item)).collect()
            }
            Some(other) => {
                self.problems.push(ConfigError::invalid(key, format!("expected a list, found {}", kind_of(&other))));
                Vec::new()
            }
        }
    }

    /// Takes one key out of an object; `None` if it is absent, null, or (which is a problem) of another type.
    fn field<T: DeserializeOwned>(&mut self, object: &mut Map<String, Value>, place: &str, key: &str) -> Option<T> {
        let value = present(object, key)?;
        let place = join(place, key);
        let read = de::read_value(&value, &|inner| self.hidden(&join(&place, inner)));
        self.problems.take(read.map_err(|error| error.at(&place)))
    }

    fn duration(&mut self, object: &mut Map<String, Value>, place: &str, key: &str) -> Option<Duration> {
        #[derive(serde::Deserialize)]
        #[serde(transparent)]
        struct Text(#[serde(with = "crate::duration")] Duration);
        self.field::<Text>(object, place, key).map(|text| text.0)
    }
}

fn present(object: &mut Map<String, Value>, key: &str) -> Option<Value> {
    object.remove(key).filter(|value| !value.is_null())
}

fn join(place: &str, key: &str) -> String {
    if place.is_empty() || key.is_empty() { format!("{place}{key}") } else { format!("{place}.{key}") }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
