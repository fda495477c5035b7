//! [`HeartbeatChecker`]: one look at the beats of a job.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{
    Cause, Checker, ConfigError, ConfigProblems, ErrorChain, Failure, IntoChecker, Observation, Phase, Secret, Sourced,
    Storage, StorageError, Timestamp, async_trait,
};

use crate::job::NO_FILES;
use crate::judge::{Schedule, Verdict, judge, readable};
use crate::name::FileName;
use crate::{Heartbeat, Job};

/// The longest name of a job, in characters.
const MAX_JOB: usize = 200;

/// How often the beats are listed again because one of them was removed in the meantime.
const MAX_ROUNDS: usize = 3;

impl IntoChecker for Heartbeat {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        Ok(Arc::new(HeartbeatChecker::new(self)?))
    }
}

/// The checker that [`Heartbeat`] becomes. In a checkup, it reads the beats from the storage of that checkup.
pub struct HeartbeatChecker {
    /// The name of the job, without the values of variables.
    endpoint: Box<str>,
    job: Job,
    schedule: Schedule,
    token: Option<Secret>,
    storage: Option<Arc<dyn Storage>>,
}

impl HeartbeatChecker {
    /// The checker with these settings, and no storage yet.
    ///
    /// # Errors
    ///
    /// All invalid settings, each with its key.
    pub fn new(settings: Heartbeat) -> Result<Self, ConfigError> {
        let mut problems = ConfigProblems::new();
        problems.take(validate_job(&settings.job));
        let positive = |key: &str, duration: Duration| match duration {
            Duration::ZERO => Err(ConfigError::expected(key, "more than 0, such as \"1h\"").found("0")),
            _ => Ok(()),
        };
        problems.take(positive("every", settings.every));
        problems.take(settings.max_runtime.map_or(Ok(()), |limit| positive("max_runtime", limit)));
        problems.take(settings.token.as_ref().map_or(Ok(()), validate_token));
        let Heartbeat { job, every, grace, max_runtime, token } = settings;
        let job = Sourced::of_settings(job);
        problems.finish(|| {
            Some(Self {
                endpoint: format!("job {}", job.redacted()).into(),
                job: Job::new(job.as_str()),
                schedule: Schedule { every, grace, max_runtime },
                token,
                storage: None,
            })
        })
    }

    /// The job whose beats it reads.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The secret part of the URL to which the job can report, if there is one.
    pub fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// The verdict on the beats that are stored now.
    async fn look(&self) -> Result<Result<Observation, Failure>, StorageError> {
        let files = self.storage.as_ref().and_then(|storage| storage.files());
        let files = files.ok_or_else(|| StorageError::new(NO_STORAGE))?;
        let mut rounds = 0;
        loop {
            rounds += 1;
            let beats = self.job.beats(files).await?;
            let (verdict, doubt) = judge(&beats, self.schedule, Timestamp::now());
            let and_doubt = doubt.as_ref().map(|doubt| format!("; {doubt}")).unwrap_or_default();
            return Ok(match verdict {
                Verdict::OnTime(took) => {
                    let observation = took.map_or_else(Observation::new, |took| Observation::new().rtt(took));
                    Ok(doubt.into_iter().fold(observation, Observation::degraded))
                }
                Verdict::Down(reason) => Err(Failure::assertion(format!("{reason}{and_doubt}"))),
                Verdict::Failed(beat, ago) => {
                    // Another machine may have removed it for a later one.
                    let content = match self.job.read(files, beat).await? {
                        None if rounds < MAX_ROUNDS && self.is_gone(files, beat).await? => continue,
                        content => content,
                    };
                    let of = |text: Option<String>, before: &str| {
                        text.map(|text| format!("{before}{text}")).unwrap_or_default()
                    };
                    let (message, location) = content.map(|beat| (beat.message, beat.location)).unwrap_or_default();
                    let (location, message) = (of(location, " at "), of(message, ": "));
                    Err(Failure::assertion(format!("failed {} ago{location}{message}{and_doubt}", readable(ago))))
                }
            });
        }
    }

    async fn is_gone(
        &self,
        files: &dyn checkup_core::archive::NamedFiles,
        beat: &FileName,
    ) -> Result<bool, StorageError> {
        Ok(!self.job.beats(files).await?.contains(beat))
    }
}

/// Without the storage, whose `Debug` a third party may have written.
impl fmt::Debug for HeartbeatChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, schedule, token, .. } = self;
        let mut debug = f.debug_struct("HeartbeatChecker");
        debug.field("endpoint", endpoint).field("schedule", schedule).field("token", token).finish_non_exhaustive()
    }
}

#[async_trait]
impl Checker for HeartbeatChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.endpoint)
    }

    /// A storage that cannot be read says nothing about the job.
    async fn attempt(&self) -> Result<Observation, Failure> {
        Phase::note("the storage has not answered");
        self.look().await.unwrap_or_else(|error| {
            let why = ErrorChain(&error);
            Err(Failure::new(Cause::Monitor, format!("cannot read the beats of the job: {why}")))
        })
    }

    fn with_storage(&self, storage: Option<&Arc<dyn Storage>>) -> Result<Option<Arc<dyn Checker>>, ConfigError> {
        let storage = match storage {
            Some(storage) => storage,
            None if self.storage.is_some() => return Ok(None),
            None => return Err(ConfigError::reason("type", NO_STORAGE)),
        };
        if storage.files().is_none() {
            return Err(ConfigError::reason("type", NO_FILES));
        }
        Ok(Some(Arc::new(Self {
            endpoint: self.endpoint.clone(),
            job: self.job.clone(),
            schedule: self.schedule,
            token: self.token.clone(),
            storage: Some(Arc::clone(storage)),
        })))
    }
}

/// Why a check has no beats, and what to do.
const NO_STORAGE: &str =
    "a heartbeat reads the beats of a job from the `storage` of the checks, and there is none; add one";

fn validate_job(job: &str) -> Result<(), ConfigError> {
    let expected = format!("the name of a job, in one line of at most {MAX_JOB} characters");
    let expected = || ConfigError::expected("job", expected);
    match job.chars().count() {
        _ if job.trim().is_empty() => Err(expected().found("an empty text")),
        _ if job.chars().any(char::is_control) => Err(expected().found("control characters")),
        length if length > MAX_JOB => Err(expected().found(format_args!("{length} characters"))),
        _ => Ok(()),
    }
}

fn validate_token(token: &Secret) -> Result<(), ConfigError> {
    let token = token.expose();
    let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (16..=200).contains(&token.len()) && token.chars().all(is_safe) {
        return Ok(());
    }
    let found = match token.len() {
        length @ 16..=200 => format!("{length} bytes with others"),
        length => format!("{length} bytes"),
    };
    let expected = "16 to 200 letters, digits, `-` and `_`; `openssl rand -hex 16` prints some";
    Err(ConfigError::expected("token", expected).found(found))
}
