//! [`Beat`]: one report of a job, and the content of its file.

use std::time::Duration;

use checkup_core::text::excerpt;
use checkup_core::{StorageError, StorageErrorKind, Timestamp, duration};
use serde::{Deserialize, Serialize};

/// How many characters of a message are kept.
const MAX_MESSAGE: usize = 500;

/// One report of a job: it begins, it has ended well, or it has failed.
///
/// ```
/// use std::time::Duration;
/// use checkup_heartbeat::{Beat, Outcome};
///
/// let beat = Beat::failed().message("the disk is full").took(Duration::from_secs(3));
/// assert_eq!(beat.outcome, Outcome::Failed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Beat {
    /// What the job reports.
    pub outcome: Outcome,
    /// When, by the clock of the machine that the job runs on.
    pub at: Timestamp,
    /// How long the job ran, if that is known.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub took: Option<Duration>,
    /// A text for people: why the job failed, for example. At most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where the job ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// What a job reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It begins.
    Began,
    /// It has ended well.
    Ok,
    /// It has failed.
    Failed,
}

impl Beat {
    /// A job begins now.
    pub fn began() -> Self {
        Self::new(Outcome::Began)
    }

    /// A job has ended well now.
    pub fn ok() -> Self {
        Self::new(Outcome::Ok)
    }

    /// A job has failed now.
    pub fn failed() -> Self {
        Self::new(Outcome::Failed)
    }

    fn new(outcome: Outcome) -> Self {
        Self { outcome, at: Timestamp::now(), took: None, message: None, location: None }
    }

    /// Sets the time of the report. Default: now.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }

    /// Sets how long the job ran.
    #[must_use]
    pub fn took(mut self, took: Duration) -> Self {
        self.took = Some(took);
        self
    }

    /// Sets the text for people. It is shown on one line, and shortened to 500 characters.
    #[must_use]
    pub fn message(mut self, message: impl AsRef<str>) -> Self {
        let message = excerpt(message.as_ref().trim().as_bytes(), MAX_MESSAGE);
        self.message = Some(message).filter(|message| !message.is_empty());
        self
    }

    /// Sets where the job ran.
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// The content of the file of a beat.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, StorageError> {
        let mut content =
            serde_json::to_vec(self).map_err(|error| StorageError::new("cannot encode the beat").with_source(error))?;
        content.push(b'\n');
        Ok(content)
    }

    /// Reads the content of a file. What others wrote into it is shortened and escaped.
    pub(crate) fn decode(content: &[u8]) -> Result<Self, StorageError> {
        let mut beat: Self = serde_json::from_slice(content)
            .map_err(|error| StorageError::new("not a beat").with_kind(StorageErrorKind::Corrupt).with_source(error))?;
        if let Some(message) = beat.message.take() {
            beat = beat.message(message);
        }
        beat.location = beat.location.map(|location| excerpt(location.as_bytes(), 64));
        Ok(beat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_read_back() {
        let beat = Beat::failed().message("full").took(Duration::from_millis(1500)).location("eu");
        assert_eq!(Beat::decode(&beat.encode().unwrap()).unwrap(), beat);
        let plain = Beat::ok();
        assert_eq!(Beat::decode(&plain.encode().unwrap()).unwrap(), plain);
    }

    #[test]
    fn messages_are_one_bounded_line_whoever_wrote_them() {
        let beat = Beat::failed().message("a\n\u{1b}[31mb");
        assert_eq!(beat.message.as_deref(), Some(r"a\n\u{1b}[31mb"));
        assert_eq!(Beat::ok().message(" \n").message, None);
        let long = format!(r#"{{"outcome":"failed","at":1,"message":"\u001b{}"}}"#, "x".repeat(10_000));
        let message = Beat::decode(long.as_bytes()).unwrap().message.unwrap();
        assert!(message.starts_with(r"\u{1b}x") && message.chars().count() < 600, "{message}");
        for content in ["", "{}", "[]", r#"{"outcome":"late","at":1}"#, "\u{0}"] {
            assert_eq!(Beat::decode(content.as_bytes()).unwrap_err().kind(), StorageErrorKind::Corrupt, "{content:?}");
        }
    }
}
