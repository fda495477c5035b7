use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Attempt, Facts, Phases, Post, Stats, Status};
use crate::Timestamp;

/// The result of one check in one run.
///
/// Its JSON is that of the original Checkup (see [`check_file`](crate::check_file)), with additional fields that are
/// omitted when absent.
///
/// A report may have a hundred thousand, so what few results have takes little space where it is absent.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{Attempt, Cause, CheckResult, Status};
///
/// let mut result = CheckResult::new("API", "https://example.com/health");
/// result.attempts = vec![Attempt::failure(Duration::from_millis(3), Cause::Refused, "connection refused")];
/// result.status = Status::Down;
/// assert_eq!(result.reason().as_deref(), Some("connection refused"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckResult {
    /// The check's name (`title` in JSON).
    pub name: String,
    /// What was checked, in a form for people; never credentials.
    pub endpoint: String,
    /// When the check began.
    pub timestamp: Timestamp,
    /// Where the check ran, if the node has a location. An addition to the original format.
    pub location: Option<Arc<str>>,
    /// The attempts, in order (`times` in JSON).
    pub attempts: Vec<Attempt>,
    /// The round-trip time above which the check is degraded; zero for none.
    pub threshold_rtt: Duration,
    /// The verdict.
    pub status: Status,
    /// Why the check is degraded; `None` if there is no reason to give.
    pub notice: Option<Box<str>>,
    /// A message that an operator attached.
    pub message: Option<Box<str>>,
    /// A maintenance window that an operator announced; [`message`](Self::message) says what for. An addition to the
    /// original format.
    pub maintenance: Option<Box<MaintenanceWindow>>,
    /// The name of the check that is the cause, if this check is down because it depends on that one. An addition to
    /// the original format.
    pub because_of: Option<Box<str>>,
    /// What makes this an operator's post, in a check file. An addition to the original format.
    pub post: Option<Box<Post>>,
}

/// A time in which failures are expected. It is left out when uptime is calculated.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{CheckResult, MaintenanceWindow, Timestamp};
///
/// let now = Timestamp::now();
/// let mut result = CheckResult::new("API", "https://example.com/health");
/// result.message = Some("moving to another rack".into());
/// result.maintenance = Some(Box::new(MaintenanceWindow::new(now, now.saturating_add(Duration::from_secs(3600)))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MaintenanceWindow {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends: the first moment after it.
    pub to: Timestamp,
    /// Whether it applies to all checks, and not only to the check of this result.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

impl MaintenanceWindow {
    /// A window for one check.
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to, all: false }
    }

    /// Applies the window to all checks.
    #[must_use]
    pub fn of_all_checks(mut self) -> Self {
        self.all = true;
        self
    }
}

impl CheckResult {
    /// A healthy result with the current time and no attempts.
    pub fn new(name: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            endpoint: endpoint.into(),
            timestamp: Timestamp::now(),
            location: None,
            attempts: Vec::new(),
            threshold_rtt: Duration::ZERO,
            status: Status::Healthy,
            notice: None,
            message: None,
            maintenance: None,
            because_of: None,
            post: None,
        }
    }

    /// A post about a check that has no fresh result: an entry of a check file with its time, and without a verdict. It has one attempt, since
    /// the original page expects some.
    pub fn of_post(name: impl Into<String>, endpoint: impl Into<String>, post: Post) -> Self {
        let attempts = vec![Attempt::success(Duration::ZERO)];
        let result = Self::new(name, endpoint);
        Self { timestamp: post.at, status: Status::Unknown, attempts, post: Some(Box::new(post)), ..result }
    }

    /// Whether the status is [`Healthy`](Status::Healthy).
    pub fn is_healthy(&self) -> bool {
        self.status == Status::Healthy
    }

    /// Statistics of the attempts' round-trip times.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.attempts)
    }

    /// The round-trip time: the median of the successful attempts, which is the mean of the middle two if their number
    /// is even. `None` if no attempt succeeded.
    pub fn rtt(&self) -> Option<Duration> {
        let mut times: Vec<_> =
            self.attempts.iter().filter(|attempt| attempt.is_success()).map(|attempt| attempt.rtt).collect();
        times.sort_unstable();
        let middle = times.len() / 2;
        match times.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(times[middle]),
            _ => Some(times[middle - 1].saturating_add(times[middle]) / 2),
        }
    }

    /// The failed attempts, in order.
    pub fn failures(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| !attempt.is_success())
    }

    /// Why the check is not healthy, in a sentence: the check that is the cause, the first error and how many attempts
    /// failed, or the notice. `None` if it is healthy, or if no reason is known.
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        if self.is_healthy() {
            return None;
        }
        let Some(error) = self.failures().find_map(|attempt| attempt.error.as_deref()) else {
            return self.notice.as_deref().map(Cow::Borrowed);
        };
        let failed = self.failures().count();
        let reason = match self.attempts.len() {
            1 => Cow::Borrowed(error),
            total => Cow::Owned(format!("{error} ({failed} of {total} attempts failed)")),
        };
        Some(match &self.because_of {
            Some(cause) => Cow::Owned(format!("down because of {cause}: {reason}")),
            None => reason,
        })
    }

    /// The phases of the first attempt that reported any.
    pub fn phases(&self) -> Option<&Phases> {
        self.attempts.iter().map(|attempt| &attempt.phases).find(|phases| !phases.is_empty())
    }

    /// What the attempts learned about the target: the latest value of each fact.
    pub fn facts(&self) -> Facts {
        let certificate_expiry = self
            .attempts
            .iter()
            .rev()
            .filter_map(|attempt| attempt.facts.as_deref())
            .find_map(|facts| facts.certificate_expiry);
        Facts { certificate_expiry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cause;

    #[test]
    fn the_round_trip_time_is_the_median_of_successes() {
        let nanos = Duration::from_nanos;
        let rtt = |attempts: &[Attempt]| {
            let mut result = CheckResult::new("API", "x");
            result.attempts = attempts.to_vec();
            result.rtt()
        };
        let failure = Attempt::failure(nanos(1000), Cause::Timeout, "timed out");
        assert_eq!(rtt(&[]), None);
        assert_eq!(rtt(std::slice::from_ref(&failure)), None);
        assert_eq!(rtt(&[Attempt::success(nanos(7)), failure]), Some(nanos(7)));
        assert_eq!(rtt(&[9, 1, 4, 7].map(|time| Attempt::success(nanos(time)))), Some(nanos(5)));
        assert_eq!(rtt(&[Attempt::success(Duration::MAX), Attempt::success(Duration::MAX)]), Some(Duration::MAX / 2));
    }

    #[test]
    fn the_latest_attempt_that_knows_a_fact_counts() {
        let mut result = CheckResult::new("API", "x");
        let with = |expiry| {
            let mut attempt = Attempt::success(Duration::ZERO);
            attempt.facts = Some(Box::new(Facts::new().certificate_expiry(Timestamp::from_unix_nanos(expiry))));
            attempt
        };
        result.attempts = vec![with(1), with(2), Attempt::success(Duration::ZERO)];
        assert_eq!(result.facts().certificate_expiry, Some(Timestamp::from_unix_nanos(2)));
    }
}
