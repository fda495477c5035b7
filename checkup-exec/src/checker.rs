//! [`ExecChecker`]: one attempt of an exec check.

use std::borrow::Cow;
use std::io;
use std::path::{PathBuf, is_separator};
use std::process::ExitStatus;
use std::sync::Arc;

use checkup_core::{
    Cause, Checker, ConfigError, ConfigProblems, Failure, IntoChecker, Observation, Phase, Secret, Sourced,
    async_trait, resolve_path, validate_path,
};
use memchr::memmem;
use tokio::process::Command;

use crate::config::MAX_OUTPUT_BYTES;
use crate::environment;
use crate::process::{Ended, RunError, run};
use crate::redact::Redactor;
use crate::{Exec, Raise};

impl IntoChecker for Exec {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        let mut problems = ConfigProblems::new();
        for (index, argument) in self.arguments.iter().enumerate() {
            problems.take(without_nul(&format!("arguments[{index}]"), argument.expose()));
        }
        if let Some(directory) = &self.directory {
            problems.take(validate_path("directory", directory));
        }
        for (name, value) in &self.environment {
            problems.take(validate_variable(name, value));
        }
        if !(1..=MAX_OUTPUT_BYTES).contains(&self.max_output_bytes) {
            let expected = format!("1 to {MAX_OUTPUT_BYTES}");
            problems.push(ConfigError::expected("max_output_bytes", expected).found(self.max_output_bytes));
        }
        let redactor = Redactor::new(&self);
        let [must_contain, must_not_contain] = [&self.must_contain, &self.must_not_contain]
            .map(|text| Some(Sourced::of_settings(text.as_str())).filter(|text| !text.as_str().is_empty()));
        let command = Sourced::of_settings(self.command);
        let program = problems.take(program(command.as_str()));
        problems.finish(|| {
            Some(Arc::new(ExecChecker {
                command: command.redacted().into(),
                program: program?,
                arguments: self.arguments.into(),
                directory: self.directory,
                environment: self.environment.into_iter().collect(),
                inherit_environment: self.inherit_environment,
                must_contain,
                must_not_contain,
                raise: self.raise,
                nagios: self.nagios,
                max_output_bytes: self.max_output_bytes,
                redactor,
            }) as Arc<dyn Checker>)
        })
    }
}

/// The checker that [`Exec`] becomes.
#[derive(Debug)]
pub struct ExecChecker {
    /// As it was written, without the values of variables.
    command: Box<str>,
    program: Secret,
    arguments: Box<[Secret]>,
    directory: Option<PathBuf>,
    environment: Box<[(String, Secret)]>,
    inherit_environment: bool,
    must_contain: Option<Sourced>,
    must_not_contain: Option<Sourced>,
    raise: Raise,
    nagios: bool,
    max_output_bytes: usize,
    redactor: Redactor,
}

#[async_trait]
impl Checker for ExecChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.command)
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        Phase::note("the command was still running");
        let outcome = match run(self.process(), self.max_output_bytes).await {
            Ok(ended) => self.judge(&ended),
            Err(error) => Err(self.explain(error)),
        };
        match outcome {
            Err(failure) if self.raise == Raise::Warn && failure.cause() != Cause::Monitor => {
                Ok(Observation::new().degraded(failure.message()))
            }
            outcome => outcome,
        }
    }
}

impl ExecChecker {
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

    /// Decides what a command that has ended means.
    fn judge(&self, ended: &Ended) -> Result<Observation, Failure> {
        let observation = match ended.status.code() {
            Some(0) => Observation::new(),
            Some(1) if self.nagios => Observation::new().degraded(self.plugin_says(ended, "warning")),
            Some(2) if self.nagios => return Err(Failure::assertion(self.plugin_says(ended, "critical"))),
            Some(3) if self.nagios => return Err(Failure::other(self.plugin_says(ended, "unknown"))),
            _ => return Err(self.failed(ended)),
        };
        let is_in_output = |text: &Sourced| {
            [&ended.stdout, &ended.stderr].iter().any(|output| memmem::find(output, text.as_str().as_bytes()).is_some())
        };
        match (&self.must_contain, &self.must_not_contain) {
            (Some(text), _) if !is_in_output(text) => {
                Err(Failure::assertion(format!("output does not contain '{}'", text.redacted())))
            }
            (_, Some(text)) if is_in_output(text) => {
                Err(Failure::assertion(format!("output contains '{}'", text.redacted())))
            }
            _ => Ok(observation),
        }
    }

    /// What a Nagios plugin reports: its first line, without the performance data after `|`.
    fn plugin_says(&self, ended: &Ended, state: &str) -> String {
        let line = self.redactor.first_line(&ended.stdout).or_else(|| self.redactor.first_line(&ended.stderr));
        let text = line.as_deref().map(|line| line.split('|').next().unwrap_or_default().trim());
        match text {
            None | Some("") => format!("the plugin reports {state}, without a text"),
            Some(text) => text.to_owned(),
        }
    }

    /// The failure of a command that ended with an error, with the last line that it printed.
    fn failed(&self, ended: &Ended) -> Failure {
        let status = status_text(ended.status);
        let line = self.redactor.last_line(&ended.stderr).or_else(|| self.redactor.last_line(&ended.stdout));
        Failure::assertion(line.map_or(status.clone(), |line| format!("{status}: {line}")))
    }

    fn explain(&self, error: RunError) -> Failure {
        match error {
            RunError::Start(error) => self.not_started(error),
            RunError::Broken(error) => Failure::from(error).context("the command could not be watched"),
            RunError::TooMuchOutput => Failure::assertion(format!(
                "the command printed more than {} bytes; let it print less, or raise `max_output_bytes`",
                self.max_output_bytes
            )),
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
                return Failure::new(cause, failure.message()).context(format_args!("cannot run {}", self.command));
            }
        };
        Failure::other(format!("cannot run {}: {reason}", self.command))
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
