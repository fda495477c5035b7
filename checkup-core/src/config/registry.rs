//! [`Registry`]: the known `type`s, and how to make them from their settings.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::from_url::{FromUrl, Scheme};
use super::problems::Problems;
use super::{de, problem, suggest, type_schema};
use crate::source::{Settings, SettingsType, Source, Texts};
use crate::sourced::Reading;
use crate::{
    Checker, Checkup, ConfigError, ConfigErrorKind, IntoChecker, IntoNotifier, IntoStorage, Notifier, Storage,
};

/// Settings that a config file can hold: every type with these traits.
pub trait ConfigObject: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static> ConfigObject for T {}

/// The `type`s of checkers, storages and notifiers that exist, and how to make them from their settings.
///
/// It is a plain value: every program has its own. The facade's `default_registry()` has the types of the enabled features.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    pub(super) checkers: Types<dyn Checker>,
    pub(super) storages: Types<dyn Storage>,
    pub(super) notifiers: Types<dyn Notifier>,
    pub(super) sections: Types<dyn Any + Send + Sync>,
    /// The checkers that URL schemes stand for.
    pub(super) schemes: BTreeMap<String, Scheme>,
    /// How sections are validated when the checks are known.
    pub(super) with_checks: BTreeMap<String, Validation>,
}

/// Validates a section of a checkup.
type WithChecks = dyn Fn(&Checkup) -> Result<(), ConfigError> + Send + Sync;

#[derive(Clone)]
pub(super) struct Validation(Arc<WithChecks>);

impl Validation {
    pub(super) fn of(&self, checkup: &Checkup) -> Result<(), ConfigError> {
        (self.0)(checkup)
    }
}

impl fmt::Debug for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validation")
    }
}

/// The kind of thing that a `type` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A checker.
    Checker,
    /// A storage.
    Storage,
    /// A notifier.
    Notifier,
    /// A key of the root that a program has registered for itself.
    Section,
}

impl Kind {
    /// Its name in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Checker => "checker",
            Kind::Storage => "storage",
            Kind::Notifier => "notifier",
            Kind::Section => "section",
        }
    }
}

impl Registry {
    /// A registry that knows no types.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `C` the settings of checkers with this `type`. An earlier registration is replaced.
    pub fn checker<C: ConfigObject + IntoChecker>(&mut self, type_name: &str) -> &mut Self {
        self.checkers.insert::<C>(type_name, C::into_checker);
        self.schemes.retain(|_, scheme| scheme.type_name != type_name);
        self
    }

    /// Same as [`checker`](Self::checker), and these checks can also be written as URLs: `checkup redis://cache:6379` on the command
    /// line, and [`checks_from_urls`](Self::checks_from_urls). An earlier registration of one of its schemes is replaced.
    pub fn checker_with_urls<C: ConfigObject + IntoChecker + FromUrl>(&mut self, type_name: &str) -> &mut Self {
        self.checker::<C>(type_name);
        self.schemes.extend(Scheme::of::<C>(type_name));
        self
    }

    /// Makes `C` the settings of storages with this `type`. An earlier registration is replaced.
    pub fn storage<C: ConfigObject + IntoStorage>(&mut self, type_name: &str) -> &mut Self {
        self.storages.insert::<C>(type_name, C::into_storage);
        self
    }

    /// Makes `C` the settings of notifiers with this `type`. An earlier registration is replaced.
    pub fn notifier<C: ConfigObject + IntoNotifier>(&mut self, type_name: &str) -> &mut Self {
        self.notifiers.insert::<C>(type_name, C::into_notifier);
        self
    }

    /// Makes `C` the settings under this key of the file's root, for programs that keep their own settings next to the checks. They are
    /// checked with the rest, described in the schema, and written back. [`Checkup::section`](crate::Checkup::section) returns them.
    ///
    /// ```
    /// use checkup_core::config::{Format, Registry};
    ///
    /// #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    /// #[serde(deny_unknown_fields)]
    /// struct Display {
    ///     title: String,
    /// }
    ///
    /// let mut registry = Registry::new();
    /// registry.section::<Display>("display", |_| Ok(()));
    /// let checkup = registry.parse("{ checkers: [], display: { title: Status } }", Format::Yaml)?;
    /// assert_eq!(checkup.section(), Some(&Display { title: "Status".into() }));
    /// # Ok::<(), checkup_core::ConfigError>(())
    /// ```
    pub fn section<C: ConfigObject>(&mut self, key: &str, validate: fn(&C) -> Result<(), ConfigError>) -> &mut Self {
        self.sections.insert::<C>(key, move |settings: C| {
            validate(&settings)?;
            Ok(Arc::new(settings) as Arc<dyn Any + Send + Sync>)
        });
        self.with_checks.remove(key);
        self
    }

    /// Same as [`section`](Self::section), with a second validation that sees the checks of the file, those of other shards included: for
    /// settings that name checks.
    ///
    /// ```
    /// use checkup_core::ConfigError;
    /// use checkup_core::config::{Format, Registry};
    ///
    /// #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    /// struct Display {
    ///     first: String,
    /// }
    ///
    /// let mut registry = Registry::new();
    /// registry.section_with_checks::<Display>("display", |_| Ok(()), |display, checkup| {
    ///     let is_known = checkup.checks().any(|check| check.name() == display.first);
    ///     if is_known { Ok(()) } else { Err(ConfigError::invalid("first", "expected the name of a check")) }
    /// });
    /// let error = registry.parse("{ checkers: [], display: { first: Shop } }", Format::Yaml).unwrap_err();
    /// assert_eq!(error.to_string(), "display.first: expected the name of a check");
    /// ```
    pub fn section_with_checks<C: ConfigObject>(
        &mut self,
        key: &str,
        validate: fn(&C) -> Result<(), ConfigError>,
        validate_checks: fn(&C, &Checkup) -> Result<(), ConfigError>,
    ) -> &mut Self {
        self.section::<C>(key, validate);
        let with_checks: Arc<WithChecks> = Arc::new(move |checkup| {
            checkup.section::<C>().map_or(Ok(()), |settings| validate_checks(settings, checkup))
        });
        self.with_checks.insert(key.to_owned(), Validation(with_checks));
        self
    }

    /// Notes that this `type` exists but is not compiled in, and what to do about it: for types behind a feature.
    pub fn absent(&mut self, kind: Kind, type_name: &str, remedy: &str) -> &mut Self {
        self.absent_types(kind).insert(type_name.to_owned(), Absent::NotCompiledIn(remedy.to_owned()));
        self
    }

    /// Notes what replaces a `type` that other programs have and this one does not: "use `tcp` with `tls: true`". It is shown to people whose
    /// config has that type.
    pub fn replaced(&mut self, kind: Kind, type_name: &str, remedy: &str) -> &mut Self {
        self.absent_types(kind).insert(type_name.to_owned(), Absent::Replaced(remedy.to_owned()));
        self
    }

    fn absent_types(&mut self, kind: Kind) -> &mut BTreeMap<String, Absent> {
        match kind {
            Kind::Checker => &mut self.checkers.absent,
            Kind::Storage => &mut self.storages.absent,
            Kind::Notifier => &mut self.notifiers.absent,
            Kind::Section => &mut self.sections.absent,
        }
    }

    /// Makes checkups that cannot be written back: the settings of their checks are not kept, only what was made of them. This takes less
    /// memory, for programs that read files with many checks.
    ///
    /// ```
    /// use checkup_core::config::{Format, Registry};
    /// # use std::borrow::Cow;
    /// # use checkup_core::{Checker, Failure, Observation, async_trait};
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    /// # struct Always {}
    /// # #[async_trait]
    /// # impl Checker for Always {
    /// #     fn endpoint(&self) -> Cow<'_, str> { "".into() }
    /// #     async fn attempt(&self) -> Result<Observation, Failure> { Ok(Observation::new()) }
    /// # }
    ///
    /// let mut registry = Registry::new();
    /// registry.checker::<Always>("always").forget_settings();
    /// let checkup = registry.parse("checkers: [{ type: always }]", Format::Yaml)?;
    /// assert!(serde_json::to_string(&checkup).is_err());
    /// # Ok::<(), checkup_core::ConfigError>(())
    /// ```
    pub fn forget_settings(&mut self) -> &mut Self {
        self.checkers.forgets_settings = true;
        self
    }

    /// The names of the types of one kind, sorted.
    pub fn types(&self, kind: Kind) -> Vec<&str> {
        match kind {
            Kind::Checker => self.checkers.names().collect(),
            Kind::Storage => self.storages.names().collect(),
            Kind::Notifier => self.notifiers.names().collect(),
            Kind::Section => self.sections.names().collect(),
        }
    }
}

/// The types of one kind.
pub(super) struct Types<K: ?Sized> {
    known: BTreeMap<String, Entry<K>>,
    absent: BTreeMap<String, Absent>,
    forgets_settings: bool,
}

/// Why a known type is not registered, and what to do about it.
#[derive(Clone)]
enum Absent {
    NotCompiledIn(String),
    Replaced(String),
}

struct Entry<K: ?Sized> {
    settings_type: Arc<SettingsType>,
    make: Arc<Make<K>>,
    schema: fn() -> Value,
}

/// Reads the settings in an object, which may have other keys as well, and makes the plugin.
type Make<K> = dyn Fn(&Map<String, Value>, &[&str], &mut Problems) -> Option<Arc<K>> + Send + Sync;

impl<K: ?Sized + 'static> Types<K> {
    fn insert<C: ConfigObject>(
        &mut self,
        type_name: &str,
        make: impl Fn(C) -> Result<Arc<K>, ConfigError> + Send + Sync + 'static,
    ) {
        let make = move |object: &Map<String, Value>, others: &[&str], problems: &mut Problems| {
            let read = de::read_settings::<C>(object, others);
            let is_whole = read.is_whole;
            if !is_whole {
                missing_keys::<C>(object, &read.missing, problems);
            }
            // With defaults in place of what is invalid, there would be problems that do not exist.
            let settings = problems.read(read).filter(|_| is_whole)?;
            problems.0.take(make(settings))
        };
        let settings_type = Arc::new(SettingsType { name: type_name.into(), write: written::<C> });
        let entry = Entry { settings_type, make: Arc::new(make), schema: type_schema::of_type::<C> };
        self.absent.remove(type_name);
        self.known.insert(type_name.to_owned(), entry);
    }

    pub(super) fn settings_type(&self, type_name: &str) -> Option<Arc<SettingsType>> {
        self.known.get(type_name).map(|entry| Arc::clone(&entry.settings_type))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    /// What to do about a type that is not compiled in.
    pub(super) fn remedy(&self, type_name: &str) -> Option<&str> {
        match self.absent.get(type_name)? {
            Absent::NotCompiledIn(remedy) => Some(remedy),
            Absent::Replaced(_) => None,
        }
    }

    /// The keys of a type.
    pub(super) fn keys_of(&self, type_name: &str) -> Option<Vec<String>> {
        let mut schema = (self.known.get(type_name)?.schema)();
        match schema["properties"].take() {
            Value::Object(properties) => Some(properties.into_iter().map(|(key, _)| key).collect()),
            _ => Some(Vec::new()),
        }
    }

    /// The keys of all types.
    pub(super) fn all_keys(&self) -> Vec<String> {
        self.names().filter_map(|name| self.keys_of(name)).flatten().collect()
    }

    pub(super) fn schemas(&self) -> impl Iterator<Item = (&str, Value)> {
        self.known.iter().map(|(name, entry)| (name.as_str(), (entry.schema)()))
    }

    /// Makes the plugin from `object`, without its `type`. `others` are further keys that were removed.
    pub(super) fn build(
        &self,
        kind: Kind,
        type_name: &str,
        object: &Map<String, Value>,
        others: &[&str],
        texts: &Texts,
        problems: &mut Problems,
    ) -> Option<(Arc<K>, Source)> {
        let Some(entry) = self.known.get(type_name) else {
            let message = self.unknown(kind, type_name);
            problems.0.push(ConfigError::new(ConfigErrorKind::UnknownType, "type", message));
            return None;
        };
        let made = (entry.make)(object, others, problems)?;
        if self.forgets_settings {
            return Some((made, Source::new(&entry.settings_type, None)));
        }
        let object = serde_json::to_string(object).map_err(|error| ConfigError::reason("", error.to_string()));
        let variables = Some(texts).filter(|texts| !texts.is_empty()).cloned().map(Box::new);
        let settings = Settings { object: problems.0.take(object)?.into(), variables };
        Some((made, Source::new(&entry.settings_type, Some(settings))))
    }

    /// Why a known type does not exist in this program, and what to do about it.
    pub(super) fn absence(&self, kind: Kind, type_name: &str) -> Option<String> {
        let kind = kind.as_str();
        Some(match self.absent.get(type_name)? {
            Absent::NotCompiledIn(remedy) => format!("the {kind} `{type_name}` is not compiled in; {remedy}"),
            Absent::Replaced(remedy) => format!("there is no {kind} `{type_name}`; {remedy}"),
        })
    }

    fn unknown(&self, kind: Kind, type_name: &str) -> String {
        if let Some(absence) = self.absence(kind, type_name) {
            return absence;
        }
        let kind = kind.as_str();
        let absent = self.absent.iter().filter(|(_, absent)| matches!(absent, Absent::NotCompiledIn(_)));
        let all = self.known.keys().chain(absent.map(|(name, _)| name)).map(String::as_str);
        let hint = suggest::did_you_mean(type_name, all);
        let known = match hint {
            hint if !hint.is_empty() => hint,
            _ if self.known.is_empty() => format!("; this program has no {kind}s"),
            _ => format!(" (available: {})", suggest::list(self.names())),
        };
        format!("there is no {kind} `{type_name}`{known}")
    }
}

/// Adds missing required keys, except for those that have been reported.
fn missing_keys<C: ConfigObject>(object: &Map<String, Value>, known: &[String], problems: &mut Problems) {
    let schema = type_schema::of_type::<C>();
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for key in required.filter(|key| !object.contains_key(*key) && !known.iter().any(|known| known == key)) {
        problems.0.push(problem::missing_key("", key));
    }
}

/// How settings of a type are written: they are read again from their compact form.
fn written<C: ConfigObject>(settings: &Settings) -> Result<Value, ConfigError> {
    let invalid = |error: serde_json::Error| ConfigError::reason("", error.to_string());
    let object: Map<String, Value> = serde_json::from_str(&settings.object).map_err(invalid)?;
    let reading = Reading { texts: settings.variables.as_deref().cloned().unwrap_or_default(), folder: None };
    let read = reading.during(|| de::read::<C>(&object, &[]));
    let settings = read.problems.finish(|| read.value)?;
    serde_json::to_value(settings).map_err(invalid)
}

// A derive would put the same bound on `K`, which is unsized.
impl<K: ?Sized> Clone for Types<K> {
    fn clone(&self) -> Self {
        Self { known: self.known.clone(), absent: self.absent.clone(), forgets_settings: self.forgets_settings }
    }
}

impl<K: ?Sized> Default for Types<K> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), absent: BTreeMap::new(), forgets_settings: false }
    }
}

impl<K: ?Sized> fmt::Debug for Types<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
}

impl<K: ?Sized> Clone for Entry<K> {
    fn clone(&self) -> Self {
        Self { settings_type: Arc::clone(&self.settings_type), make: Arc::clone(&self.make), schema: self.schema }
    }
}
