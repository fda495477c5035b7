//! [`Exec`]: a command that is run with the notification on its standard input.

mod group;

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::text::{escape, excerpt};
use checkup_core::{
    ConfigError, ConfigProblems, Delivery, IntoNotifier, Notification, Notifier, NotifyError, async_trait, duration,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::document::document;
use crate::limit::{Limit, Unit};
use group::Group;

/// How long a command may take by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a command may take: less than the minute after which the monitor cancels a call.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(50);

/// How much of its standard error is kept, for the text of an error.
const MAX_STDERR: usize = 64 << 10;

/// How much of its standard error an error shows: the end, where programs say why they failed.
const MAX_SAID: usize = 200;

/// How long to wait for the rest of standard error after the command has ended. Processes that it left behind may keep it open.
const GRACE: Duration = Duration::from_millis(100);

/// How large a variable is. All variables and arguments together are limited by the system.
const VARIABLE: Limit = Limit::new(4096, Unit::Bytes);

/// A command, and its JSON object (`"type": "exec"`).
///
/// It is run without a shell: arguments are passed as they are. On its standard input it gets the JSON document that a
/// [webhook](crate) without a template gets. The most important values are environment variables too: `CHECKUP_ID`, `CHECKUP_TITLE`,
/// `CHECKUP_SEVERITY` (`critical`, `warning`, `resolved`), `CHECKUP_TEXT`, and if there is only one alert `CHECKUP_STEP`, `CHECKUP_NAME`,
/// `CHECKUP_ENDPOINT`, `CHECKUP_REASON`, `CHECKUP_KEY` and `CHECKUP_INCIDENT`. They are texts from outside: quote them in scripts.
///
/// An exit code other than 0 is an error, and the delivery is repeated, with the same id. A command that takes longer than
/// [`timeout`](Self::timeout) is killed, together with all processes that it has started.
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
    /// The program: a path, or a name that is looked up in `PATH`.
    pub command: String,
    /// Its arguments. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// How long it may take, at most 50s. Default: 10s.
    #[serde(default = "default_timeout", with = "duration", skip_serializing_if = "is_default_timeout")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub timeout: Duration,
    /// Whether to run it for each alert, instead of once for all that are due. Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub each: bool,
}

impl Exec {
    /// Runs this program.
    pub fn new(command: impl Into<String>) -> Self {
        Self { command: command.into(), arguments: Vec::new(), timeout: DEFAULT_TIMEOUT, each: false }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
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

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(each: &bool) -> bool {
    !each
}

impl IntoNotifier for Exec {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        if self.command.trim().is_empty() || self.command.contains('\0') {
            problems.push(ConfigError::reason("command", "expected a program"));
        }
        for (index, argument) in self.arguments.iter().enumerate() {
            if argument.contains('\0') {
                problems
                    .push(ConfigError::reason(format!("arguments[{index}]"), "expected a text without NUL characters"));
            }
        }
        if self.timeout.is_zero() || self.timeout > LONGEST_TIMEOUT {
            let expected = "a duration up to 50s";
            problems.push(ConfigError::expected("timeout", expected).found(duration::GoDuration(self.timeout)));
        }
        problems.finish(|| Some(Arc::new(Program(self)) as _))
    }
}

/// A program that is run for each notification.
struct Program(Exec);

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An argument may be a token.
        f.debug_struct("Program").field("command", &self.0.command).finish_non_exhaustive()
    }
}

#[async_trait]
impl Notifier for Program {
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        let Exec { command, arguments, timeout: limit, .. } = &self.0;
        let mut process = Command::new(command.trim());
        process
            .args(arguments)
            .envs(variables(notification))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let input = document(notification);
        let mut group = Group::spawn(process).map_err(|error| {
            let message = format!("{}: cannot run it: {error}; check `command`", escape(command));
            NotifyError::permanent(message)
        })?;
        let (stdin, stderr) = group.pipes();
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program need not read its input.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let mut said = Vec::new();
        let outcome = timeout(*limit, async {
            let read = last_of(stderr, &mut said);
            tokio::pin!(read);
            let both = async { tokio::join!(write, group.wait()).1 };
            tokio::pin!(both);
            tokio::select! {
                status = &mut both => {
                    let _ = timeout(GRACE, read).await;
                    status
                }
                () = &mut read => both.await,
            }
        })
        .await;
        let said = || {
            let text = excerpt(last(&said), MAX_SAID);
            if text.is_empty() { text } else { format!(": {text}") }
        };
        let name = escape(command);
        match outcome {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(NotifyError::temporary(format!("{name}: {}{}", ended(status), said()))),
            Ok(Err(error)) => Err(NotifyError::temporary(format!("{name}: cannot wait for it: {error}"))),
            Err(_) => {
                group.kill();
                let limit = duration::GoDuration(*limit);
                Err(NotifyError::temporary(format!("{name}: killed after {limit}{}", said())))
            }
        }
    }

    fn delivery(&self) -> Delivery {
        if self.0.each { Delivery::Each } else { Delivery::Together }
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

/// Reads to the end, and keeps the last part of a limited size.
async fn last_of(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..length]);
        let excess = kept.len().saturating_sub(MAX_STDERR);
        kept.drain(..excess);
    }
}

/// The last line, as far as an error shows it.
fn last(said: &[u8]) -> &[u8] {
    let said = said.trim_ascii();
    said.rsplit(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// How a process ended.
fn ended(status: std::process::ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    }
}
