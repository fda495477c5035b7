//! [`Exec`]: a command that is run with the notification on its standard input.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::text::escape;
use checkup_core::{
    Cause, ConfigError, ConfigProblems, Delivery, IntoNotifier, Notification, Notifier, NotifyError, Secret,
    async_trait, duration,
};
use checkup_exec::{MaxOutput, Program};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::document::document;
use crate::limit::{Limit, Unit};

/// How long a command may take by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a command may take: less than the minute after which the monitor cancels a call.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(50);

/// How much of its output is kept, for the text of an error, which shows the last line.
const MAX_OUTPUT: MaxOutput = MaxOutput::Kept(64 << 10);

/// How large a variable is. All variables and arguments together are limited by the system.
const VARIABLE: Limit = Limit::new(4096, Unit::Bytes);

/// A command, and its JSON object (`"type": "exec"`).
///
/// It is run without a shell: arguments are passed as they are. On its standard input it gets the JSON document that a webhook
/// without a template gets. The most important values are environment variables too: `CHECKUP_ID`, `CHECKUP_TITLE`,
/// `CHECKUP_SEVERITY` (`critical`, `warning`, `resolved`), `CHECKUP_TEXT`, and if there is only one alert `CHECKUP_STEP`, `CHECKUP_NAME`,
/// `CHECKUP_ENDPOINT`, `CHECKUP_REASON`, `CHECKUP_KEY` and `CHECKUP_INCIDENT`. They are texts from outside: quote them in scripts.
///
/// An exit status other than 0 is an error, and the delivery is repeated, with the same id. Everything that the command started is killed
/// when it ends, and at the [`timeout`](Self::timeout).
///
/// **This runs what the settings say.** Anyone who can change a config file with this type can run any program as the user of the
/// monitor.
///
/// ```
/// use checkup_notify::Exec;
///
/// let exec = Exec::new("/usr/local/bin/page").argument("--team").argument("ops");
/// # use checkup_core::IntoNotifier;
/// # assert!(exec.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: exec, command: /usr/local/bin/page, arguments: [--team, ops], timeout: 20s }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Exec {
    /// The program: its path, or a name that is looked up in `PATH`. No shell is involved. In a config file, a relative path such as `./page`
    /// is relative to the folder of the file.
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
    /// Whether the command gets all environment variables of the monitor, including secrets. Default: false, and it gets only harmless ones such
    /// as `PATH`, `HOME` and `LANG`, as exec checks do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inherit_environment: bool,
    /// How long it may take, at most 50s. Default: 10s.
    #[serde(default = "default_timeout", with = "duration", skip_serializing_if = "is_default_timeout")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub timeout: Duration,
    /// Whether to run it for each alert, instead of once for all that are due. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub each: bool,
}

impl Exec {
    /// Runs this program.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            arguments: Vec::new(),
            directory: None,
            environment: BTreeMap::new(),
            inherit_environment: false,
            timeout: DEFAULT_TIMEOUT,
            each: false,
        }
    }

    /// Adds an argument, which the command gets as it is.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<Secret>) -> Self {
        self.arguments.push(argument.into());
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

    /// Sets how long it may take, at most 50 seconds. Default: 10 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets whether to run it for each alert. Default: once for all that are due.
    #[must_use]
    pub fn each(mut self, each: bool) -> Self {
        self.each = each;
        self
    }
}

fn default_timeout() -> Duration {
    DEFAULT_TIMEOUT
}

fn is_default_timeout(timeout: &Duration) -> bool {
    *timeout == DEFAULT_TIMEOUT
}

impl IntoNotifier for Exec {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        if self.timeout.is_zero() || self.timeout > LONGEST_TIMEOUT {
            let expected = "a duration up to 50s";
            problems.push(ConfigError::expected("timeout", expected).found(duration::GoDuration(self.timeout)));
        }
        let Self { command, arguments, directory, environment, inherit_environment, timeout, each } = self;
        let program = Program::new(command, arguments, directory, environment, inherit_environment);
        let program = problems.take(program);
        problems.finish(|| Some(Arc::new(Command { program: program?, timeout, each }) as _))
    }
}

/// A program that is run for each notification.
#[derive(Debug)]
struct Command {
    program: Program,
    timeout: Duration,
    each: bool,
}

#[async_trait]
impl Notifier for Command {
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        let name = escape(self.program.shown());
        let (variables, input) = (variables(notification), document(notification));
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
        match timeout(self.timeout, self.program.run(variables, Some(input.as_bytes()), MAX_OUTPUT)).await {
            Ok(Ok(ended)) if ended.is_success() => Ok(()),
            Ok(Ok(ended)) => Err(NotifyError::temporary(format!("{name}: {}", self.program.failure(&ended)))),
            Ok(Err(failure)) if failure.cause() == Cause::Monitor => {
                Err(NotifyError::temporary(format!("{name}: {}", failure.message())))
            }
            Ok(Err(failure)) => Err(NotifyError::permanent(format!("{name}: {}", failure.message()))),
            Err(_) => {
                let limit = duration::GoDuration(self.timeout);
                Err(NotifyError::temporary(format!("{name}: killed after {limit}; let it do less, or raise `timeout`")))
            }
        }
    }

    fn delivery(&self) -> Delivery {
        if self.each { Delivery::Each } else { Delivery::Together }
    }
}

/// The most important values as environment variables.
fn variables(notification: &Notification) -> Vec<(&'static str, String)> {
    let message = notification.message();
    let mut variables = vec![
        ("CHECKUP_ID", notification.id()),
        ("CHECKUP_TITLE", message.title.clone()),
        ("CHECKUP_SEVERITY", message.severity.as_str().to_owned()),
        ("CHECKUP_TEXT", message.to_string()),
    ];
    if let [alone] = notification.alerts.as_slice() {
        variables.extend([
            ("CHECKUP_STEP", alone.step.as_str().to_owned()),
            ("CHECKUP_NAME", escape(&alone.name).into_owned()),
            ("CHECKUP_ENDPOINT", escape(&alone.endpoint).into_owned()),
            ("CHECKUP_REASON", escape(alone.reason.as_deref().unwrap_or_default()).into_owned()),
            ("CHECKUP_KEY", alone.key.clone()),
            ("CHECKUP_INCIDENT", escape(&alone.id).into_owned()),
        ]);
    }
    for (_, value) in &mut variables {
        *value = VARIABLE.cut(value);
    }
    variables
}
