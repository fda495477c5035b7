//! [`ExecChecker`]: one attempt of an exec check.

use std::borrow::Cow;
use std::sync::Arc;

use checkup_core::{
    Cause, Checker, ConfigError, ConfigProblems, Failure, IntoChecker, Observation, Phase, Sourced, async_trait,
};
use memchr::memmem;

use crate::config::MAX_OUTPUT_BYTES;
use crate::process::{Ended, MaxOutput};
use crate::program::Program;
use crate::{Exec, Raise};

impl IntoChecker for Exec {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let program =
            Program::new(self.command, self.arguments, self.directory, self.environment, self.inherit_environment);
        let program = problems.take(program);
        if !(1..=MAX_OUTPUT_BYTES).contains(&self.max_output_bytes) {
            let expected = format!("1 to {MAX_OUTPUT_BYTES}");
            problems.push(ConfigError::expected("max_output_bytes", expected).found(self.max_output_bytes));
        }
        let [must_contain, must_not_contain] = [&self.must_contain, &self.must_not_contain]
            .map(|text| Some(Sourced::of_settings(text.as_str())).filter(|text| !text.as_str().is_empty()));
        problems.finish(|| {
            Some(Arc::new(ExecChecker {
                program: program?,
                must_contain,
                must_not_contain,
                raise: self.raise,
                nagios: self.nagios,
                max_output_bytes: self.max_output_bytes,
            }) as Arc<dyn Checker>)
        })
    }
}

/// The checker that [`Exec`] becomes.
#[derive(Debug)]
pub struct ExecChecker {
    program: Program,
    must_contain: Option<Sourced>,
    must_not_contain: Option<Sourced>,
    raise: Raise,
    nagios: bool,
    max_output_bytes: usize,
}

#[async_trait]
impl Checker for ExecChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.program.shown())
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        Phase::note("the command was still running");
        let run = self.program.run([], None, MaxOutput::Enforced(self.max_output_bytes));
        let outcome = run.await.and_then(|ended| self.judge(&ended));
        match outcome {
            Err(failure) if self.raise == Raise::Warn && failure.cause() != Cause::Monitor => {
                Ok(Observation::new().degraded(failure.message()))
            }
            outcome => outcome,
        }
    }
}

impl ExecChecker {
    /// Decides what a command that has ended means.
    fn judge(&self, ended: &Ended) -> Result<Observation, Failure> {
        let observation = match ended.status.code() {
            Some(0) => Observation::new(),
            Some(1) if self.nagios => Observation::new().degraded(self.plugin_says(ended, "warning")),
            Some(2) if self.nagios => return Err(Failure::assertion(self.plugin_says(ended, "critical"))),
            Some(3) if self.nagios => return Err(Failure::other(self.plugin_says(ended, "unknown"))),
            _ => return Err(Failure::assertion(self.program.failure(ended))),
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
        let line = self.program.first_line(ended);
        let text = line.as_deref().map(|line| line.split('|').next().unwrap_or_default().trim());
        match text {
            None | Some("") => format!("the plugin reports {state}, without a text"),
            Some(text) => text.to_owned(),
        }
    }
}
