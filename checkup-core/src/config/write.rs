//! From a [`Checkup`] that was made from a file back to the file's form.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::ConfigObject;
use super::registry::Section;
use crate::duration::Human;
use crate::{Check, Checkup, Policy, Quorum, Shard, Spool, Timestamp};

/// The settings that a plugin was made of, to write them back.
#[derive(Clone)]
pub(crate) struct Settings {
    type_name: Arc<str>,
    object: Arc<dyn ToValue>,
}

/// What the root of a file says beside its checks.
#[derive(Clone, Default)]
pub(crate) struct RootSettings {
    pub(crate) storage: Option<Settings>,
    /// `Some(None)` is `false`.
    pub(crate) spool: Option<Option<Spool>>,
    pub(crate) notifiers: Vec<Settings>,
    pub(crate) concurrent_checks: Option<i64>,
    pub(crate) location: Option<String>,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) shard: Option<Shard>,
    /// Root keys of their own: how they are written, and what they were read into.
    pub(crate) sections: Vec<(Settings, Arc<dyn Section>)>,
}

impl fmt::Debug for RootSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is in a section is the business of whoever registered it, and may be secret.
        f.debug_struct("RootSettings")
            .field("storage", &self.storage)
            .field("spool", &self.spool)
            .field("notifiers", &self.notifiers)
            .field("concurrent_checks", &self.concurrent_checks)
            .field("location", &self.location)
            .field("timestamp", &self.timestamp)
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// The `type` in a config file.
    pub(crate) fn type_name(&self) -> &str {
        &self.type_name
    }
}

impl Checkup {
    /// What the config file says under the root key that was [registered](super::Registry::section) for settings of this type.
    pub fn section<T: 'static>(&self) -> Option<&T> {
        self.settings.sections.iter().find_map(|(_, section)| (&**section as &dyn Any).downcast_ref())
    }
}

impl Settings {
    pub(super) fn new<C: ConfigObject>(type_name: Arc<str>, object: C) -> Self {
        Self { type_name, object: Arc::new(object) }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The object may hold secrets in fields that are not `Secret`.
        f.debug_struct("Settings").field("type", &self.type_name).finish_non_exhaustive()
    }
}

trait ToValue: Send + Sync {
    fn to_value(&self) -> serde_json::Result<Value>;
}

impl<C: ConfigObject> ToValue for C {
    fn to_value(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// Writes the config that the checkup was made of. Secrets are redacted, unless inside of
/// [`Secret::exposing`](crate::Secret::exposing).
///
/// # Errors
///
/// If a check, the storage or a notifier was made in code: that has no form in a file.
///
/// ```
/// use checkup_core::config::{Format, Registry};
///
/// let checkup = Registry::new().parse(r#"{ "checkers": [], "concurrent_checks": 10 }"#, Format::Json)?;
/// assert_eq!(serde_json::to_string(&checkup)?, r#"{"checkers":[],"concurrent_checks":10}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Serialize for Checkup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = &self.settings;
        if self.storage().is_some() && settings.storage.is_none() || self.notifiers().len() != settings.notifiers.len()
        {
            return Err(S::Error::custom("a storage or notifier that was made in code has no form in a config file"));
        }
        let mut root = serializer.serialize_map(None)?;
        root.serialize_entry("checkers", &Checks(self))?;
        if let Some(storage) = &settings.storage {
            root.serialize_entry("storage", &Plugin { settings: storage, check: None })?;
        }
        match &settings.spool {
            Some(Some(spool)) => root.serialize_entry("spool", spool)?,
            Some(None) => root.serialize_entry("spool", &false)?,
            None => {}
        }
        if !settings.notifiers.is_empty() {
            let notifiers: Vec<_> =
                settings.notifiers.iter().map(|settings| Plugin { settings, check: None }).collect();
            root.serialize_entry("notifiers", &notifiers)?;
        }
        if let Some(count) = settings.concurrent_checks {
            root.serialize_entry("concurrent_checks", &count)?;
        }
        if let Some(location) = &settings.location {
            root.serialize_entry("location", location)?;
        }
        if let Some(timestamp) = &settings.timestamp {
            root.serialize_entry("timestamp", &timestamp.to_string())?;
        }
        if let Some(shard) = &settings.shard {
            root.serialize_entry("shard", &serde_json::json!({ "index": shard.index(), "count": shard.count() }))?;
        }
        if let Quorum::AtLeast(count) = self.quorum() {
            root.serialize_entry("quorum", &count)?;
        }
        for (section, _) in &settings.sections {
            root.serialize_entry(&*section.type_name, &section.object.to_value().map_err(S::Error::custom)?)?;
        }
        root.end()
    }
}

struct Checks<'a>(&'a Checkup);

impl Serialize for Checks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.checks().len()))?;
        for check in self.0.checks() {
            let settings = check.settings.as_ref().ok_or_else(|| {
                S::Error::custom(format_args!(
                    "the check `{}` was made in code and has no form in a config file",
                    check.name()
                ))
            })?;
            list.serialize_element(&Plugin { settings, check: Some(check) })?;
        }
        list.end()
    }
}

/// A plugin's object: its type, for a check the keys that all checks have, and its settings.
struct Plugin<'a> {
    settings: &'a Settings,
    check: Option<&'a Check>,
}

impl Serialize for Plugin<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", &*self.settings.type_name)?;
        if let Some(check) = self.check.filter(|check| !check.given_name().is_empty()) {
            object.serialize_entry("endpoint_name", check.given_name())?;
        }
        let own = self.settings.object.to_value().map_err(S::Error::custom)?;
        let Value::Object(own) = own else {
            return Err(S::Error::custom(format_args!(
                "the settings of `{}` are not an object",
                self.settings.type_name
            )));
        };
        for (key, value) in &own {
            object.serialize_entry(key, value)?;
        }
        if let Some(check) = self.check {
            policy(check.policy(), &mut object)?;
        }
        object.end()
    }
}

/// The policy, without what is as by default.
fn policy<M: SerializeMap>(policy: &Policy, object: &mut M) -> Result<(), M::Error> {
    let default = Policy::default();
    if policy.attempts != default.attempts {
        object.serialize_entry("attempts", &policy.attempts)?;
    }
    for (key, duration) in [
        ("attempt_spacing", Some(policy.attempt_spacing).filter(|d| !d.is_zero())),
        ("timeout", policy.timeout),
        ("threshold_rtt", Some(policy.threshold_rtt).filter(|d| !d.is_zero())),
        ("interval", policy.interval),
    ] {
        if let Some(duration) = duration {
            object.serialize_entry(key, &Human(duration).to_string())?;
        }
    }
    if policy.retries != default.retries {
        object.serialize_entry("retries", &policy.retries)?;
    }
    for (key, names) in [("tags", &policy.tags), ("depends_on", &policy.depends_on)] {
        if !names.is_empty() {
            object.serialize_entry(key, names)?;
        }
    }
    if let Some(group) = &policy.group {
        object.serialize_entry("group", group)?;
    }
    Ok(())
}
