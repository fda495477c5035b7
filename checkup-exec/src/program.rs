//! [`Program`]: a command as settings describe it.

use std::collections::BTreeMap;
use std::io;
use std::path::{PathBuf, is_separator};
use std::process::ExitStatus;

use checkup_core::{Cause, ConfigError, ConfigProblems, Failure, Secret, Sourced, resolve_path, validate_path};
use tokio::process::Command;

use crate::environment;
use crate::process::{Ended, MaxOutput, RunError, run};
use crate::redact::Redactor;

/// A command that runs without a shell, with harmless environment variables only, and leaves no process behind: what exec checks run, for other
/// plugins that run commands.
#[derive(Debug)]
pub struct Program {
    /// As it was written, without the values of variables.
    shown: Box<str>,
    program: Secret,
    arguments: Box<[Secret]>,
    directory: Option<PathBuf>,
    environment: Box<[(String, Secret)]>,
    inherit_environment: bool,
    redactor: Redactor,
}

impl Program {
    /// Makes a program from settings with the keys of [`Exec`](crate::Exec). Works while settings become a plugin: a path is relative to the
    /// folder of the config file, and values of variables are redacted.
    ///
    /// # Errors
    ///
    /// All problems of the settings, each with its key.
    pub fn new(
        command: String,
        arguments: Vec<Secret>,
        directory: Option<PathBuf>,
        environment: BTreeMap<String, Secret>,
        inherit_environment: bool,
    ) -> Result<Self, ConfigError> {
        let mut problems = ConfigProblems::new();
        for (index, argument) in arguments.iter().enumerate() {
            problems.take(without_nul(&format!("arguments[{index}]"), argument.expose()));
        }
        if let Some(directory) = &directory {
            problems.take(validate_path("directory", directory));
        }
        for (name, value) in &environment {
            problems.take(validate_variable(name, value));
        }
        let redactor = Redactor::new(&arguments, &environment);
        let command = Sourced::of_settings(command);
        let program = problems.take(program(command.as_str()));
        problems.finish(|| {
            Some(Self {
                shown: command.redacted().into(),
                program: program?,
                arguments: arguments.into(),
                directory,
                environment: environment.into_iter().collect(),
                inherit_environment,
                redactor,
            })
        })
    }

    /// The command as it was written, without the values of variables.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Runs it until it ends, with more environment variables. Without `input`, it has nothing to read. Everything that it started is killed when
    /// it ends, and when the future is dropped.
    ///
    /// # Errors
    ///
    /// If it cannot be started or watched, or prints too much. The message has the remedy.
    pub async fn run(
        &self,
        variables: impl IntoIterator<Item = (&str, &str)>,
        input: Option<&[u8]>,
        max: MaxOutput,
    ) -> Result<Ended, Failure> {
        let mut process = self.process();
        process.envs(variables);
        run(process, input, max).await.map_err(|error| self.explain(error, max))
    }

    /// Why a command failed that ended with an error: its exit status, and the last line that it printed, shortened and without secrets.
    pub fn failure(&self, ended: &Ended) -> String {
        let status = status_text(ended.status);
        let line = self.redactor.last_line(&ended.stderr).or_else(|| self.redactor.last_line(&ended.stdout));
        line.map_or(status.clone(), |line| format!("{status}: {line}"))
    }

    /// The first line that it printed, shortened and without secrets.
    pub(crate) fn first_line(&self, ended: &Ended) -> Option<String> {
        self.redactor.first_line(&ended.stdout).or_else(|| self.redactor.first_line(&ended.stderr))
    }

    fn process(&self) -> Command {
        let mut process = Command::new(self.program.expose());
        process.args(self.arguments.iter().map(Secret::expose));
        if let Some(directory) = &self.directory {
            process.current_dir(directory);
        }
        if !self.inherit_environment {
            process.env_clear().envs(environment::harmless());
        }
        process.envs(self.environment.iter().map(|(name, value)| (name, value.expose())));
        process
    }

    fn explain(&self, error: RunError, max: MaxOutput) -> Failure {
        match error {
            RunError::Start(error) => self.not_started(error),
            RunError::Broken(error) => Failure::from(error).context("the command could not be watched"),
            RunError::TooMuchOutput => {
                let (MaxOutput::Enforced(max) | MaxOutput::Kept(max)) = max;
                Failure::assertion(format!(
                    "the command printed more than {max} bytes; let it print less, or raise `max_output_bytes`"
                ))
            }
        }
    }

    fn not_started(&self, error: io::Error) -> Failure {
        let reason = match error.kind() {
            io::ErrorKind::NotFound if self.directory.is_some() => {
                "there is no such command, or no such `directory`; check both, and the interpreter after `#!` if it is a script"
            }
            io::ErrorKind::NotFound => {
                "there is no such command; check `command`, and the interpreter after `#!` if it is a script"
            }
            io::ErrorKind::PermissionDenied => {
                "permission denied; make it executable for this user, for example with `chmod +x`"
            }
            io::ErrorKind::NotADirectory => "a part of its path, or of `directory`, is not a folder; check both",
            io::ErrorKind::ArgumentListTooLong => "its arguments and environment are too long; pass less",
            // `fork` says so if this user, or the machine, has too many processes.
            io::ErrorKind::WouldBlock => {
                let message = "this machine cannot start more processes; raise the limit (`ulimit -u`), or lower `concurrent_checks`";
                return Failure::new(Cause::Monitor, message);
            }
            _ if is_no_program(&error) => {
                "it is not a program for this machine; a script begins with a line such as `#!/bin/sh`"
            }
            _ => {
                let failure = Failure::from(error);
                let cause = if failure.cause() == Cause::Monitor { Cause::Monitor } else { Cause::Other };
                return Failure::new(cause, failure.message()).context(format_args!("cannot run {}", self.shown));
            }
        };
        Failure::other(format!("cannot run {}: {reason}", self.shown))
    }
}

/// `exit status 1` as in upstream, or the signal.
fn status_text(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("killed by signal {signal}");
    }
    status.code().map_or_else(|| "ended without an exit status".to_owned(), |code| format!("exit status {code}"))
}

/// Whether the system does not know how to run a file: `ENOEXEC`, or `ERROR_BAD_EXE_FORMAT` of Windows.
fn is_no_program(error: &io::Error) -> bool {
    error.raw_os_error() == Some(if cfg!(windows) { 193 } else { 8 })
}

/// What to run: a path in the settings is relative to the folder of the config file, and a plain name is looked up in `PATH`.
fn program(command: &str) -> Result<Secret, ConfigError> {
    if command.trim().is_empty() {
        return Err(ConfigError::expected("command", "a program such as \"/usr/bin/df\"").found("an empty text"));
    }
    if command.contains(['\n', '\0']) {
        let found = "a text with several lines; to run a script, set `command: sh` and `arguments: [-c, …]`";
        return Err(ConfigError::expected("command", "the path or the name of one program").found(found));
    }
    if !command.contains(is_separator) {
        return Ok(command.into());
    }
    let path = resolve_path(command).into_os_string().into_string();
    path.map(Secret::new).map_err(|_| {
        let message = "the folder of the config file has a name that is not UTF-8; write an absolute path";
        ConfigError::reason("command", message)
    })
}

fn validate_variable(name: &str, value: &Secret) -> Result<(), ConfigError> {
    if name.is_empty() || name.contains(['=', '\0']) {
        let expected = "the names of environment variables, without `=`";
        return Err(ConfigError::expected("environment", expected).found(format_args!("{name:?}")));
    }
    without_nul(&format!("environment.{name}"), value.expose())
}

/// No system can pass a NUL character to a program.
fn without_nul(key: &str, text: &str) -> Result<(), ConfigError> {
    match text.contains('\0') {
        true => {
            Err(ConfigError::reason(key, "expected a text without NUL characters; remove them (the text is not shown)"))
        }
        false => Ok(()),
    }
}
