//! [`Exec`]: the settings of an exec check.

use std::collections::BTreeMap;
use std::path::PathBuf;

use checkup_core::Secret;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// How much output a command may print by default: 1 MiB.
const DEFAULT_MAX_OUTPUT_BYTES: usize = 1 << 20;

/// The highest limit: 64 MiB. The output is kept in memory.
pub(crate) const MAX_OUTPUT_BYTES: usize = 64 << 20;

/// The settings of an exec check, and its JSON object (`"type": "exec"`).
///
/// An attempt runs the command without a shell and waits until it ends. The check is down if the exit status is not 0, or if the output
/// is not as required. The timeout of an attempt is 10 seconds by default, as in upstream: the original Checkup, a Go program.
///
/// **This runs what the settings say.** Anyone who can change a config file with this type can run any program as the user of the
/// monitor.
///
/// A Nagios plugin, as in a config file:
///
/// ```
/// use checkup_exec::Exec;
///
/// let disk: Exec = serde_json::from_str(r#"{
///     "command": "/usr/lib/nagios/plugins/check_disk",
///     "arguments": ["-w", "20%", "-c", "10%"],
///     "nagios": true
/// }"#)?;
/// let plugin = Exec::new("/usr/lib/nagios/plugins/check_disk").arguments(["-w", "20%", "-c", "10%"]).nagios(true);
/// assert_eq!(disk, plugin);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Exec {
    /// The program: its path, or a name that is looked up in `PATH`. No shell is involved. Results show it as the endpoint.
    /// In a config file, a relative path such as `./check` is relative to the folder of the file.
    pub command: String,

    /// The arguments, each passed as it is. They may contain secrets, so they are never shown. On most systems every user of the
    /// machine can see the arguments of running programs: pass secrets in `environment`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Secret>,

    /// The folder in which the command runs. Default: that of the monitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,

    /// Environment variables of the command, in addition to those that it gets from the monitor. Their values are never shown, and
    /// those of 4 characters or more are redacted in quoted output. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, Secret>,

    /// Whether the command gets all environment variables of the monitor, including secrets, as in upstream. Default: false, and it gets
    /// only `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL`, `LANG`, `LANGUAGE`, `LC_*`, `TZ`, `TMPDIR` and `XDG_RUNTIME_DIR`; on Windows also
    /// those that programs need to start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inherit_environment: bool,

    /// The output, or the error output, must contain this text. Empty means no condition. Default: empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub must_contain: String,

    /// Neither the output nor the error output may contain this text. Empty means no condition. Default: empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub must_not_contain: String,

    /// What a failure means: `"error"`, the check is down; `"warn"` or `"warning"`, it is degraded. A timeout always means down.
    /// Default: `"error"`.
    #[serde(default, skip_serializing_if = "Raise::is_error")]
    #[cfg_attr(feature = "config", schemars(schema_with = "raise_schema"))]
    pub raise: Raise,

    /// Whether the command is a Nagios plugin: exit code 1 (warning) means degraded, 2 (critical) and 3 (unknown) mean down, and the
    /// first line of the output is the reason. Default: false, and every exit code except 0 is a failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nagios: bool,

    /// How many bytes the command may print, from 1 to 67108864, separately for the output and the error output. A command that prints
    /// more is killed. Default: 1048576.
    #[serde(default = "default_max_output_bytes", skip_serializing_if = "is_default_max_output_bytes")]
    pub max_output_bytes: usize,
}

/// What a failure of an exec check means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Raise {
    /// The check is down.
    #[default]
    Error,
    /// The check is degraded.
    Warn,
}

impl Exec {
    /// Checks that this command ends with exit status 0.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            arguments: Vec::new(),
            directory: None,
            environment: BTreeMap::new(),
            inherit_environment: false,
            must_contain: String::new(),
            must_not_contain: String::new(),
            raise: Raise::Error,
            nagios: false,
            max_output_bytes: DEFAULT_MAX_OUTPUT_BYTES,
        }
    }

    /// Adds an argument, which the command gets as it is.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<Secret>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<A: Into<Secret>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets the folder in which the command runs. Default: that of the monitor.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets an environment variable of the command.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Sets whether the command gets all environment variables of the monitor, including secrets. Default: false.
    #[must_use]
    pub fn inherit_environment(mut self, inherit: bool) -> Self {
        self.inherit_environment = inherit;
        self
    }

    /// The output, or the error output, must contain this text.
    #[must_use]
    pub fn must_contain(mut self, text: impl Into<String>) -> Self {
        self.must_contain = text.into();
        self
    }

    /// Neither the output nor the error output may contain this text.
    #[must_use]
    pub fn must_not_contain(mut self, text: impl Into<String>) -> Self {
        self.must_not_contain = text.into();
        self
    }

    /// Sets what a failure means. Default: the check is down.
    #[must_use]
    pub fn raise(mut self, raise: Raise) -> Self {
        self.raise = raise;
        self
    }

    /// Sets whether the command is a Nagios plugin. Default: false.
    #[must_use]
    pub fn nagios(mut self, nagios: bool) -> Self {
        self.nagios = nagios;
        self
    }

    /// Sets how many bytes the command may print, from 1 byte to 64 MiB. Default: 1 MiB.
    #[must_use]
    pub fn max_output_bytes(mut self, bytes: usize) -> Self {
        self.max_output_bytes = bytes;
        self
    }
}

impl Raise {
    fn is_error(&self) -> bool {
        *self == Self::Error
    }
}

impl<'de> Deserialize<'de> for Raise {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            // Upstream writes an empty text for an unset one.
            "" | "error" => Ok(Self::Error),
            "warn" | "warning" => Ok(Self::Warn),
            other => Err(D::Error::unknown_variant(other, &["error", "warn", "warning"])),
        }
    }
}

fn default_max_output_bytes() -> usize {
    DEFAULT_MAX_OUTPUT_BYTES
}

fn is_default_max_output_bytes(bytes: &usize) -> bool {
    *bytes == DEFAULT_MAX_OUTPUT_BYTES
}

/// The schema of [`Raise`], with both names of its second value.
#[cfg(feature = "config")]
fn raise_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"enum": ["error", "warn", "warning"]})
}
