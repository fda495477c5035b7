//! The whole file: its root, and the keys that all checks have. It is read check by check, so that at most one check is in
//! memory twice. It can be written back from the checkup that was made from it.

use std::any::Any;
use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::mem;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::defaults::Defaults;
use super::environment::{self, Replaced};
use super::format::{Part, kind_of};
use super::problem::unknown_key;
use super::problems::Problems;
use super::registry::Types;
use super::{Format, Kind, Registry, de, suggest};
use crate::checkup::{Options, Section};
use crate::source::Source;
use crate::sourced::Reading;
use crate::{Check, Checkup, CheckupBuilder, ConfigError, ConfigErrorKind, ConfigProblems, Policy};

/// Looks a variable up.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Registry {
    /// Reads a config file: JSON, YAML or TOML, by its extension. Relative paths in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or has invalid settings: all problems, each with its place.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Checkup, ConfigError> {
        let path = path.as_ref();
        let load = || {
            let format = Format::of(path)?;
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigError::new(ConfigErrorKind::Io, "", format!("cannot be read: {error}")))?;
            self.parse_in(&text, format, path.parent().unwrap_or(Path::new("")))
        };
        load().map_err(|error: ConfigError| error.in_file(path.display()))
    }

    /// Reads a config from a text, with variables from the environment. Relative paths are relative to the working directory.
    ///
    /// # Errors
    ///
    /// If it has invalid settings: all problems, each with its place.
    pub fn parse(&self, text: &str, format: Format) -> Result<Checkup, ConfigError> {
        self.parse_with(text, format, |variable| std::env::var(variable).ok())
    }

    /// Reads a config from the text of a file in this folder, which relative paths are relative to, with variables from the environment.
    ///
    /// Paths are settings of the type [`PathBuf`](std::path::PathBuf), of any plugin.
    ///
    /// # Errors
    ///
    /// Same as [`parse`](Self::parse).
    pub fn parse_in(&self, text: &str, format: Format, folder: impl AsRef<Path>) -> Result<Checkup, ConfigError> {
        let lookup = |variable: &str| std::env::var(variable).ok();
        read(self, text, format, &lookup, Some(folder.as_ref()))
    }

    /// Reads a config from a text, with variables from `lookup`. Relative paths are relative to the working directory.
    ///
    /// # Errors
    ///
    /// Same as [`parse`](Self::parse).
    pub fn parse_with(
        &self,
        text: &str,
        format: Format,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Checkup, ConfigError> {
        read(self, text, format, &lookup, None)
    }
}

/// The keys of the root that define plugins.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Plugins {
    /// The checks, each with its `type`, its settings, and the keys that all checks have.
    #[schemars(schema_with = "super::type_schema::checkers")]
    checkers: Vec<Value>,
    /// Where reports are stored, with its `type`.
    #[schemars(schema_with = "super::type_schema::storage")]
    storage: Option<Value>,
    /// Settings for all checks of a type that do not set them: `{"http": {"timeout": "5s"}}`.
    #[schemars(schema_with = "super::type_schema::defaults")]
    #[serde(rename = "defaults")]
    _defaults: Value,
    /// The notifiers, which are called when a status changes, each with its `type`.
    #[schemars(schema_with = "super::type_schema::notifiers")]
    notifiers: Vec<Value>,
    /// A single notifier: an older form of `notifiers` in upstream. It is called first.
    #[schemars(schema_with = "super::type_schema::notifier")]
    notifier: Option<Value>,
    /// The schema of this file, for editors.
    #[serde(rename = "$schema")]
    #[schemars(with = "String")]
    _schema: Value,
}

/// The name of a check.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Name {
    /// The check's name. Default: its endpoint.
    #[schemars(with = "String")]
    endpoint_name: Option<String>,
    /// The same as `endpoint_name`.
    #[schemars(with = "String")]
    name: Option<String>,
}

/// Reads a config file.
pub(super) fn read(
    registry: &Registry,
    text: &str,
    format: Format,
    lookup: Lookup<'_>,
    folder: Option<&Path>,
) -> Result<Checkup, ConfigError> {
    let mut reader = Reader {
        registry,
        lookup,
        folder: folder.map(Into::into),
        check_keys: [&["type"], de::keys_of::<Name>(), de::keys_of::<Policy>()].concat(),
        defaults: Defaults::default(),
        checks: Vec::new(),
        policy: Arc::default(),
        dependencies: Vec::new(),
        problems: ConfigProblems::new(),
    };
    let root = format.read(text, &mut |part| match part {
        Part::Defaults(value) => reader.defaults(value),
        Part::Check(index, check) => reader.check(index, check),
    })?;
    match root {
        Value::Object(root) => reader.root(root),
        _ => Err(ConfigError::reason("", "expected an object with `checkers`")),
    }
}

struct Reader<'a> {
    registry: &'a Registry,
    lookup: Lookup<'a>,
    folder: Option<Arc<Path>>,
    /// The keys that every check has besides those of its type.
    check_keys: Vec<&'static str>,
    defaults: Defaults,
    checks: Vec<Check>,
    /// The policy of the latest check: the next check probably has the same policy.
    policy: Arc<Policy>,
    /// Which variables the names in `depends_on` came from, which are looked at when all checks are known.
    dependencies: Vec<(String, Replaced)>,
    problems: ConfigProblems,
}

impl Reader<'_> {
    fn defaults(&mut self, value: Value) {
        let types = &self.registry.checkers;
        let common = || self.check_keys.iter().copied().map(str::to_owned);
        let keys = |type_name: &str| types.keys_of(type_name).map(|own| own.into_iter().chain(common()).collect());
        let (defaults, problems) =
            Defaults::read(value, &types.names().collect::<Vec<_>>(), |name| types.absence(Kind::Checker, name), keys);
        self.defaults = defaults;
        self.problems.take(problems.into_result());
    }

    fn check(&mut self, index: usize, mut value: Value) {
        let Some(inherited) = self.defaults.fill(&mut value) else { return self.whole_check(index, value) };
        let before = mem::take(&mut self.problems);
        self.whole_check(index, value);
        let own = mem::replace(&mut self.problems, before);
        if let Err(error) = own.into_result() {
            self.problems.take(self.defaults.located(error, &format!("checkers[{index}]"), &inherited));
        }
    }

    /// Reads a check that has all of its settings.
    fn whole_check(&mut self, index: usize, value: Value) {
        let check = self.within(&format_args!("checkers[{index}]"), value, |reader, value, replaced, problems| {
            let mut object = object(value, problems)?;
            let Name { endpoint_name, name } = problems.read(de::take(&mut object)).unwrap_or_default();
            if endpoint_name.is_some() && name.is_some() {
                let message = "both `endpoint_name` and `name` are set, which are the same; leave one out";
                problems.0.push(ConfigError::reason("name", message));
            }
            let policy: Policy = problems.read(de::take(&mut object)).unwrap_or_default();
            problems.0.take(policy.validate());
            if !policy.depends_on.is_empty() && !replaced.texts().is_empty() {
                reader.dependencies.push((format!("checkers[{index}]"), replaced.clone()));
            }
            let types = &reader.registry.checkers;
            let (checker, source) = plugin(types, Kind::Checker, object, &reader.check_keys, replaced, problems)?;
            if *reader.policy != policy {
                reader.policy = Arc::new(policy);
            }
            let name = endpoint_name.or(name).unwrap_or_default();
            Some(Check::from_source(name, checker, Arc::clone(&reader.policy), source))
        });
        self.checks.extend(check);
    }

    fn root(mut self, mut root: Map<String, Value>) -> Result<Checkup, ConfigError> {
        let of_checks = mem::take(&mut self.problems);
        let sections: Vec<_> = self.registry.sections.names().filter_map(|key| root.remove_entry(key)).collect();
        let mut plugins = Map::new();
        for key in de::keys_of::<Plugins>() {
            plugins.extend(root.remove_entry(*key).filter(|(_, value)| !value.is_null()));
        }
        // They were read before the checks.
        plugins.remove("defaults");
        let mut options = Map::new();
        for key in de::keys_of::<Options>() {
            options.extend(root.remove_entry(*key));
        }
        self.unknown_keys(&root);
        self.problems.take(of_checks.into_result());

        let mut builder = CheckupBuilder::default();
        // Their variables are replaced where each is built, so that its errors know which values are not to be shown.
        let mut problems = Problems::default();
        let plugins: Option<Plugins> = read_all(Value::Object(plugins), &mut problems);
        let Plugins { checkers, storage, notifier, notifiers, .. } = plugins.unwrap_or_default();
        self.problems.take(problems.0.into_result());
        // Each check of a list was read before; a single value counts as a list of one.
        if let Some(other) = checkers.first() {
            self.problems.push(ConfigError::expected("checkers", "a list of objects").found(kind_of(other)));
        }
        if let Some(value) = storage
            && let Some((storage, source)) = self.plugin(&self.registry.storages, Kind::Storage, &"storage", value)
        {
            builder = builder.storage(storage);
            builder.sources.storage = Some(source);
        }
        let older = notifier.map(|value| ("notifier".to_owned(), value));
        let list = notifiers.into_iter().enumerate().map(|(index, value)| (format!("notifiers[{index}]"), value));
        for (place, value) in older.into_iter().chain(list) {
            if let Some((notifier, source)) = self.plugin(&self.registry.notifiers, Kind::Notifier, &place, value) {
                builder = builder.notifier(notifier);
                builder.sources.notifiers.push(source);
            }
        }
        let options = self.within(&"", Value::Object(options), |_, value, _, problems| {
            let options: Options = read_all(value, problems)?;
            problems.0.take(options.validate());
            Some(options)
        });
        builder.options = options.unwrap_or_default();
        let mut variables_of_sections = BTreeMap::new();
        for (key, value) in sections.into_iter().filter(|(_, value)| !value.is_null()) {
            let section = self.within(&key, value, |reader, value, replaced, problems| {
                let object = object(value, problems)?;
                let built =
                    reader.registry.sections.build(Kind::Section, &key, &object, &[], replaced.texts(), problems);
                Some((built?, replaced.clone()))
            });
            let Some(((section, source), replaced)) = section else { continue };
            builder.sources.sections.push((source, Section(section)));
            variables_of_sections.insert(key, replaced);
        }
        // Invalid checks are missing, so checks that depend on them would be reported too.
        self.problems.into_result()?;
        let dependencies = self.dependencies;
        let variables = |place: &str| {
            let mut all = dependencies.iter().filter_map(|(check, replaced)| {
                place.strip_prefix(check.as_str())?.strip_prefix('.').map(|inner| replaced.at(inner))
            });
            all.next().unwrap_or_default()
        };
        builder.checks = self.checks;
        let checkup = builder.build().map_err(|error| error.hide(&variables))?;
        let whole = checkup.unsharded();
        let mut problems = ConfigProblems::new();
        for (key, validation) in &self.registry.with_checks {
            let variables = |place: &str| variables_of_sections.get(key).map(|of| of.at(place)).unwrap_or_default();
            problems.take(validation.of(&whole).map_err(|error| error.hide(&variables).at(key)));
        }
        problems.into_result()?;
        Ok(checkup)
    }

    fn unknown_keys(&mut self, root: &Map<String, Value>) {
        let sections = &self.registry.sections;
        let own = [de::keys_of::<Plugins>(), de::keys_of::<Options>()].concat();
        let known: Vec<_> = own.into_iter().chain(sections.names()).collect();
        let keys_of_types = LazyCell::new(|| self.registry.checkers.all_keys());
        // These keys are free to use, for YAML anchors.
        for key in root.keys().filter(|key| !key.starts_with("x-")) {
            let problem = |message: String| ConfigError::new(ConfigErrorKind::UnknownKey, key.as_str(), message);
            self.problems.push(match sections.remedy(key) {
                Some(remedy) => problem(format!("`{key}` is not compiled in; {remedy}")),
                None if self.check_keys.contains(&key.as_str()) => {
                    problem(format!("unknown key; `{key}` is a key of each check in `checkers`"))
                }
                None => {
                    let root = suggest::closest(key, known.iter().copied());
                    // `url` next to `checkers`, say.
                    let of_checks = || suggest::closest(key, keys_of_types.iter().map(String::as_str));
                    match root.is_none().then(of_checks).flatten() {
                        Some(ours) => problem(format!("unknown key; each check in `checkers` has `{ours}`")),
                        None => unknown_key(key.clone(), key, &known),
                    }
                }
            });
        }
    }

    /// Makes a plugin from an object with its `type`.
    fn plugin<K: ?Sized + 'static>(
        &mut self,
        types: &Types<K>,
        kind: Kind,
        place: &dyn Display,
        value: Value,
    ) -> Option<(Arc<K>, Source)> {
        self.within(place, value, |_, value, replaced, problems| {
            let object = object(value, problems)?;
            plugin(types, kind, object, &["type"], replaced, problems)
        })
    }

    /// Reads the value at a place, with its variables replaced, and adds what is wrong with it to the problems.
    fn within<T>(
        &mut self,
        place: &dyn Display,
        mut value: Value,
        read: impl FnOnce(&mut Self, Value, &Replaced, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        let mut problems = Problems::default();
        let replaced = environment::interpolate(&mut value, self.lookup, &mut problems.0);
        let mut outcome = None;
        // Values that still hold `${…}` would have more problems.
        if problems.0.is_empty() {
            let reading = Reading { texts: replaced.texts().clone(), folder: self.folder.clone() };
            outcome = reading.during(|| read(self, value, &replaced, &mut problems));
        }
        if let Err(error) = problems.0.into_result() {
            self.problems.push(error.hide(&|inner| replaced.at(inner)).at(&place.to_string()));
        }
        outcome
    }
}

/// Reads settings that are a whole object, except for nulls, which count as absent.
fn read_all<T: serde::de::DeserializeOwned>(value: Value, problems: &mut Problems) -> Option<T> {
    let mut object = object(value, problems)?;
    problems.read(de::take(&mut object))
}

fn object(value: Value, problems: &mut Problems) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        other => {
            problems.0.push(ConfigError::expected("", "an object").found(kind_of(&other)).without_values());
            None
        }
    }
}

fn plugin<K: ?Sized + 'static>(
    types: &Types<K>,
    kind: Kind,
    mut object: Map<String, Value>,
    others: &[&str],
    replaced: &Replaced,
    problems: &mut Problems,
) -> Option<(Arc<K>, Source)> {
    let type_name = match object.remove("type").unwrap_or_default() {
        Value::String(type_name) => type_name,
        Value::Null => {
            let message = format!("the key `type` is missing (expected one of {})", suggest::list(types.names()));
            problems.0.push(ConfigError::reason("", message));
            return None;
        }
        other => {
            let expected = format!("the name of a {}", kind.as_str());
            problems.0.push(ConfigError::expected("type", expected).found(kind_of(&other)).without_values());
            return None;
        }
    };
    types.build(kind, &type_name, &object, others, replaced.texts(), problems)
}

impl Checkup {
    /// What the config file says under the root key that was [registered](super::Registry::section) for settings of this type.
    pub fn section<T: 'static>(&self) -> Option<&T> {
        self.sources.sections.iter().find_map(|(_, Section(section))| (&**section as &dyn Any).downcast_ref())
    }
}

/// Writes the config that the checkup was made of. Secrets are redacted, except inside of
/// [`Secret::exposing`](crate::Secret::exposing).
///
/// # Errors
///
/// If a check, the storage or a notifier was made in code: those cannot be written to a file.
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
        let sources = &self.sources;
        if self.storage().is_some() && sources.storage.is_none() || self.notifiers().len() != sources.notifiers.len() {
            return Err(S::Error::custom("a storage or notifier that was made in code has no form in a config file"));
        }
        let mut root = serializer.serialize_map(None)?;
        root.serialize_entry("checkers", &Checks(self))?;
        if let Some(storage) = &sources.storage {
            root.serialize_entry("storage", &Plugin { source: storage, check: None })?;
        }
        if !sources.notifiers.is_empty() {
            let notifiers: Vec<_> = sources.notifiers.iter().map(|source| Plugin { source, check: None }).collect();
            root.serialize_entry("notifiers", &notifiers)?;
        }
        write_changes(&self.options, &mut root)?;
        for (source, _) in &sources.sections {
            root.serialize_entry(source.type_name(), &source.written().map_err(S::Error::custom)?)?;
        }
        root.end()
    }
}

struct Checks<'a>(&'a Checkup);

impl Serialize for Checks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.checks().len()))?;
        for check in self.0.checks() {
            let source = check.source().ok_or_else(|| {
                let name = check.name();
                S::Error::custom(format_args!("the check `{name}` was made in code and has no form in a config file"))
            })?;
            list.serialize_element(&Plugin { source, check: Some(check) })?;
        }
        list.end()
    }
}

/// A plugin's object: its type, its settings, and for a check the keys that all checks have.
struct Plugin<'a> {
    source: &'a Source,
    check: Option<&'a Check>,
}

impl Serialize for Plugin<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let type_name = self.source.type_name();
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", type_name)?;
        if let Some(check) = self.check.filter(|check| !check.given_name().is_empty()) {
            object.serialize_entry("endpoint_name", check.given_name())?;
        }
        let Value::Object(own) = self.source.written().map_err(S::Error::custom)? else {
            return Err(S::Error::custom(format_args!("the settings of `{type_name}` are not an object")));
        };
        for (key, value) in &own {
            object.serialize_entry(key, value)?;
        }
        if let Some(check) = self.check {
            write_changes(check.policy(), &mut object)?;
        }
        object.end()
    }
}

/// Writes those settings that differ from their defaults.
fn write_changes<T: Serialize + Default, M: SerializeMap>(settings: &T, object: &mut M) -> Result<(), M::Error> {
    let value = |settings: &T| serde_json::to_value(settings).map_err(M::Error::custom);
    let (Value::Object(own), default) = (value(settings)?, value(&T::default())?) else { return Ok(()) };
    for (key, value) in own.iter().filter(|(key, value)| default[key.as_str()] != **value) {
        object.serialize_entry(key, value)?;
    }
    Ok(())
}
