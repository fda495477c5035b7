//! [`Source`]: what a check, a storage or a notifier was made of, to write it back.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::ConfigError;
use crate::sourced::Variable;

/// The settings of a plugin, as its config file has them.
///
/// There is one for every check, so it is as small as it can be: the written form is made from it when it is asked for.
#[derive(Clone)]
pub(crate) struct Source {
    settings_type: Arc<SettingsType>,
    /// `None` if the registry does not keep settings.
    settings: Option<Box<Settings>>,
}

/// The settings of a plugin, to be written back.
#[derive(Clone)]
pub(crate) struct Settings {
    /// The plugin's own settings as a JSON object, with the values of variables in place.
    pub(crate) object: Box<str>,
    /// Which texts in it came from variables.
    pub(crate) variables: Option<Box<Texts>>,
}

/// Texts that variables were replaced in.
pub(crate) type Texts = HashMap<String, Box<[Variable]>>;

/// A registered type: its name, and how its settings are written.
pub(crate) struct SettingsType {
    pub(crate) name: Box<str>,
    pub(crate) write: fn(&Settings) -> Result<Value, ConfigError>,
}

impl Source {
    pub(crate) fn new(settings_type: &Arc<SettingsType>, settings: Option<Settings>) -> Self {
        Self { settings_type: Arc::clone(settings_type), settings: settings.map(Box::new) }
    }

    /// The `type` in a config file.
    pub(crate) fn type_name(&self) -> &str {
        &self.settings_type.name
    }

    /// The settings as JSON. Secrets are redacted, except inside of [`Secret::exposing`](crate::Secret::exposing).
    pub(crate) fn written(&self) -> Result<Value, ConfigError> {
        let settings = self.settings.as_deref().ok_or_else(|| {
            ConfigError::reason(
                "",
                "the registry that read the checks does not keep their settings; leave out `forget_settings`",
            )
        })?;
        (self.settings_type.write)(settings)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The object may hold secrets.
        f.debug_struct("Source").field("type", &self.type_name()).finish_non_exhaustive()
    }
}
