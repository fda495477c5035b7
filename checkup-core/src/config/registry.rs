use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Format, Settings, de, read, schema, suggest};
use crate::{
    Checker, Checkup, ConfigError, ConfigErrorKind, IntoChecker, IntoNotifier, IntoStorage, Notifier, Storage,
};

/// Settings that can stand in a config file. Whatever has these traits is one.
pub trait ConfigObject: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static> ConfigObject for T {}

/// Which `type`s of checkers, storages and notifiers there are, and how to make them of their settings.
///
/// A plain value: every program has its own. The facade's `default_registry()` has those of the enabled features.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    pub(super) checkers: Types<dyn Checker>,
    pub(super) storages: Types<dyn Storage>,
    pub(super) notifiers: Types<dyn Notifier>,
    pub(super) sections: Types<dyn Section>,
}

/// What a root key of its own is read into, whatever its type.
pub(crate) trait Section: Any + Send + Sync {}

impl<T: Any + Send + Sync> Section for T {}

/// What a `type` is a type of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A checker.
    Checker,
    /// A storage.
    Storage,
    /// A notifier.
    Notifier,
    /// A root key of its own, which is not made into any of the others.
    Section,
}

impl Kind {
    /// The word for it.
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

    /// Makes `C` the settings of checkers with this `type`. A type that was registered before is replaced.
    pub fn checker<C: ConfigObject + IntoChecker>(&mut self, type_name: &str) -> &mut Self {
        self.checkers.insert::<C>(type_name, C::into_checker);
        self
    }

    /// Makes `C` the settings of storages with this `type`. A type that was registered before is replaced.
    pub fn storage<C: ConfigObject + IntoStorage>(&mut self, type_name: &str) -> &mut Self {
        self.storages.insert::<C>(type_name, C::into_storage);
        self
    }

    /// Makes `C` the settings of notifiers with this `type`. A type that was registered before is replaced.
    pub fn notifier<C: ConfigObject + IntoNotifier>(&mut self, type_name: &str) -> &mut Self {
        self.notifiers.insert::<C>(type_name, C::into_notifier);
        self
    }

    /// Makes `C` the settings under this key of the file's root, for programs that keep their own beside the checks. It is checked
    /// with the rest, in the schema, and written back. [`Checkup::section`] has it.
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
            Ok(Arc::new(settings) as Arc<dyn Section>)
        });
        self
    }

    /// Notes that this `type` exists but is not here, and what to do about it: for types behind a feature.
    pub fn absent(&mut self, kind: Kind, type_name: &str, remedy: &str) -> &mut Self {
        let absent = match kind {
            Kind::Checker => &mut self.checkers.absent,
            Kind::Storage => &mut self.storages.absent,
            Kind::Notifier => &mut self.notifiers.absent,
            Kind::Section => &mut self.sections.absent,
        };
        absent.insert(type_name.to_owned(), remedy.to_owned());
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
    /// As [`parse`](Self::parse).
    pub fn parse_in(&self, text: &str, format: Format, folder: impl AsRef<Path>) -> Result<Checkup, ConfigError> {
        let lookup = |variable: &str| std::env::var(variable).ok();
        read::checkup(self, format.parse(text)?, &lookup, Some(folder.as_ref()))
    }

    /// Reads a config from a text, with variables from `lookup`. Relative paths are relative to the working directory.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_with(
        &self,
        text: &str,
        format: Format,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Checkup, ConfigError> {
        read::checkup(self, format.parse(text)?, &lookup, None)
    }

    /// The JSON Schema (2020-12) of config files with the types that are registered, for editors.
    pub fn schema(&self) -> Value {
        schema::of(self)
    }
}

/// The types of one kind.
pub(super) struct Types<K: ?Sized> {
    known: BTreeMap<String, Entry<K>>,
    absent: BTreeMap<String, String>,
}

/// What a type makes of its settings: the thing itself, and the settings as they were read, to write them back.
pub(super) type Built<K> = (Arc<K>, Settings);

struct Entry<K: ?Sized> {
    build: Arc<Build<K>>,
    schema: fn() -> Value,
}

type Build<K> = dyn Fn(&Map<String, Value>, &[&str], de::Hidden<'_>) -> Result<Built<K>, ConfigError> + Send + Sync;

impl<K: ?Sized + 'static> Types<K> {
    fn insert<C: ConfigObject>(
        &mut self,
        type_name: &str,
        make: impl Fn(C) -> Result<Arc<K>, ConfigError> + Send + Sync + 'static,
    ) {
        let name: Arc<str> = type_name.into();
        let build = move |object: &Map<String, Value>, common: &[&str], hidden: de::Hidden<'_>| {
            let settings: C = de::read_settings(object, common, hidden)?;
            let kept = Settings::new(Arc::clone(&name), settings.clone());
            Ok((make(settings).map_err(|error| error.hide(hidden))?, kept))
        };
        let entry = Entry { build: Arc::new(build), schema: schema::of_type::<C> };
        self.absent.remove(type_name);
        self.known.insert(type_name.to_owned(), entry);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    /// What to do about a type that is not here.
    pub(super) fn remedy(&self, type_name: &str) -> Option<&str> {
        self.absent.get(type_name).map(String::as_str)
    }

    pub(super) fn schemas(&self) -> impl Iterator<Item = (&str, Value)> {
        self.known.iter().map(|(name, entry)| (name.as_str(), (entry.schema)()))
    }

    /// Makes the thing of `object`, whose `type` has been taken out.
    pub(super) fn build(
        &self,
        kind: Kind,
        type_name: &str,
        object: &Map<String, Value>,
        common: &[&str],
        hidden: de::Hidden<'_>,
    ) -> Result<Built<K>, ConfigError> {
        match self.known.get(type_name) {
            Some(entry) => (entry.build)(object, common, hidden),
            None => Err(ConfigError::new(ConfigErrorKind::UnknownType, "type", self.unknown(kind, type_name))),
        }
    }

    fn unknown(&self, kind: Kind, type_name: &str) -> String {
        let kind = kind.as_str();
        if let Some(remedy) = self.absent.get(type_name) {
            return format!("the {kind} `{type_name}` is not compiled in; {remedy}");
        }
        let all = || self.known.keys().chain(self.absent.keys()).map(String::as_str);
        let hint = suggest::did_you_mean(type_name, all());
        let names = if self.known.is_empty() { "none".to_owned() } else { suggest::list(self.names()) };
        format!("there is no {kind} `{type_name}`{hint} (there are: {names})")
    }
}

// Derives would ask the same of `K`, which is unsized.
impl<K: ?Sized> Clone for Types<K> {
    fn clone(&self) -> Self {
        Self { known: self.known.clone(), absent: self.absent.clone() }
    }
}

impl<K: ?Sized> Default for Types<K> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), absent: BTreeMap::new() }
    }
}

impl<K: ?Sized> fmt::Debug for Types<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
}

impl<K: ?Sized> Clone for Entry<K> {
    fn clone(&self) -> Self {
        Self { build: Arc::clone(&self.build), schema: self.schema }
    }
}
