//! The JSON of a result: the keys of the original Checkup in their order, zero values omitted except `rtt`, and exactly
//! one of `healthy`, `degraded` and `down`. Additions come last. One of them is `unknown`, for a result without a
//! verdict: upstream reads it as its own status "unknown", because none of the three is true.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Attempt, CheckResult, MaintenanceWindow, Post, Status};
use crate::Timestamp;
use crate::duration;

#[derive(Serialize)]
struct Writing<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    endpoint: &'a str,
    #[serde(skip_serializing_if = "is_epoch")]
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    times: &'a [Attempt],
    #[serde(with = "duration::nanos", skip_serializing_if = "Duration::is_zero")]
    threshold: Duration,
    #[serde(skip_serializing_if = "is_false")]
    healthy: bool,
    #[serde(skip_serializing_if = "is_false")]
    degraded: bool,
    #[serde(skip_serializing_if = "is_false")]
    down: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maintenance: Option<&'a MaintenanceWindow>,
    #[serde(skip_serializing_if = "is_false")]
    unknown: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<&'a Post>,
}

#[derive(Deserialize)]
struct Reading {
    #[serde(default)]
    title: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    timestamp: Timestamp,
    // Go writes an absent list as null where `omitempty` is not set.
    #[serde(default)]
    times: Option<Vec<Attempt>>,
    #[serde(with = "duration::nanos", default)]
    threshold: Duration,
    #[serde(default)]
    healthy: bool,
    #[serde(default)]
    degraded: bool,
    #[serde(default)]
    down: bool,
    #[serde(default)]
    notice: Option<Box<str>>,
    #[serde(default)]
    message: Option<Box<str>>,
    #[serde(default)]
    location: Option<Box<str>>,
    #[serde(default)]
    because_of: Option<Box<str>>,
    #[serde(default)]
    maintenance: Option<Box<MaintenanceWindow>>,
    #[serde(default)]
    unknown: bool,
    #[serde(default)]
    post: Option<Box<Post>>,
}

impl Serialize for CheckResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Writing {
            title: &self.name,
            endpoint: &self.endpoint,
            timestamp: self.timestamp,
            times: &self.attempts,
            threshold: self.threshold_rtt,
            healthy: self.status == Status::Healthy,
            degraded: self.status == Status::Degraded,
            down: self.status == Status::Down,
            notice: non_empty(self.notice.as_deref()),
            message: non_empty(self.message.as_deref()),
            location: non_empty(self.location.as_deref()),
            because_of: non_empty(self.because_of.as_deref()),
            maintenance: self.maintenance.as_deref(),
            unknown: self.status == Status::Unknown,
            post: self.post.as_deref(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CheckResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Reading::deserialize(deserializer)?;
        let status = match (read.down, read.degraded, read.healthy, read.unknown) {
            (true, false, false, false) => Status::Down,
            (false, true, false, false) => Status::Degraded,
            (false, false, true, false) => Status::Healthy,
            (false, false, false, true) => Status::Unknown,
            _ => return Err(D::Error::custom("expected exactly one of `healthy`, `degraded` and `down` to be true")),
        };
        Ok(Self {
            name: read.title,
            endpoint: read.endpoint,
            timestamp: read.timestamp,
            location: owned_non_empty(read.location).map(Into::into),
            attempts: read.times.unwrap_or_default(),
            threshold_rtt: read.threshold,
            status,
            notice: owned_non_empty(read.notice),
            message: owned_non_empty(read.message),
            because_of: owned_non_empty(read.because_of),
            maintenance: read.maintenance,
            post: read.post,
        })
    }
}

fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn owned_non_empty(text: Option<Box<str>>) -> Option<Box<str>> {
    text.filter(|text| !text.is_empty())
}

fn is_epoch(timestamp: &Timestamp) -> bool {
    timestamp.unix_nanos() == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cause;

    /// As the original Checkup writes it: its encoder produces these keys, this order and these escapes.
    const UPSTREAM: &str = r#"{"title":"A \u0026 B","endpoint":"http://127.0.0.1:1/","timestamp":1700000000123456789,"times":[{"rtt":0},{"rtt":1500000,"error":"response status 301 Moved Permanently"}],"threshold":500000000,"down":true,"message":"we know"}"#;

    #[test]
    fn an_upstream_result_reads_and_writes_the_same() {
        let result: CheckResult = serde_json::from_str(UPSTREAM).unwrap();
        assert_eq!(result.name, "A & B");
        assert_eq!(result.status, Status::Down);
        assert_eq!(result.attempts.len(), 2);
        assert_eq!(result.message.as_deref(), Some("we know"));
        let written = serde_json::to_string(&result).unwrap();
        assert_eq!(written, UPSTREAM.replace("\\u0026", "&"));
    }

    #[test]
    fn additions_come_last_and_read_back() {
        let mut result = CheckResult::new("x", "y");
        result.timestamp = Timestamp::from_unix_nanos(7);
        let mut attempt = Attempt::failure(Duration::from_nanos(3), Cause::Tls, "bad certificate");
        attempt.phases.add(crate::Phase::Dns, Duration::from_nanos(2));
        result.attempts = vec![attempt];
        result.status = Status::Down;
        result.location = Some("eu".into());
        result.because_of = Some("db".into());
        let written = serde_json::to_string(&result).unwrap();
        assert_eq!(
            written,
            r#"{"title":"x","endpoint":"y","timestamp":7,"times":[{"rtt":3,"error":"bad certificate","cause":"tls","phases":{"dns":2}}],"down":true,"location":"eu","because_of":"db"}"#
        );
        assert_eq!(serde_json::from_str::<CheckResult>(&written).unwrap(), result);
    }

    #[test]
    fn a_result_without_a_verdict_is_none_of_upstreams_three() {
        let mut result = CheckResult::new("x", "y");
        result.timestamp = Timestamp::from_unix_nanos(7);
        result.attempts = vec![Attempt::failure(Duration::from_nanos(3), Cause::Monitor, "too many open files")];
        result.status = Status::Unknown;
        let written = serde_json::to_string(&result).unwrap();
        assert_eq!(
            written,
            r#"{"title":"x","endpoint":"y","timestamp":7,"times":[{"rtt":3,"error":"too many open files","cause":"monitor"}],"unknown":true}"#
        );
        assert_eq!(serde_json::from_str::<CheckResult>(&written).unwrap(), result);
    }

    #[test]
    fn a_result_without_a_status_or_with_two_is_refused() {
        for text in ["{}", r#"{"healthy":true,"down":true}"#, r#"{"down":true,"unknown":true}"#] {
            assert!(serde_json::from_str::<CheckResult>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn causes_and_keys_of_later_versions_are_accepted() {
        let text = r#"{"healthy":true,"later":1,"times":[{"rtt":1,"error":"e","cause":"quantum"}]}"#;
        let result: CheckResult = serde_json::from_str(text).unwrap();
        assert_eq!(result.attempts[0].cause, Some(Cause::Other));
    }
}
