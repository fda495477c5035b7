use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CheckResult, Status};
use crate::Timestamp;
use crate::duration::GoDuration;

/// The outcome of one run: one result per check, in the order of the checks.
///
/// Displays as one line per check, with the reason under each that is not healthy.
/// Its JSON is the content of a check file: the array of results.
///
/// ```
/// use checkup_core::{Checkup, check_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let checkup = Checkup::builder()
///     .check(check_fn("cache", || async { Ok::<_, std::io::Error>(()) }))
///     .check(check_fn("queue", || async { Err::<(), _>("17 messages are stuck") }))
///     .build()?;
/// let report = checkup.check().await;
/// assert!(!report.is_healthy());
/// assert!(report.get("cache").is_some_and(|result| result.is_healthy()));
/// assert!(report.to_string().contains("17 messages are stuck"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// One result per check, in the order of the checks.
    pub results: Vec<CheckResult>,
    /// When the run began.
    pub started: Timestamp,
    /// How long the run took; zero if the report does not come from one run (read from a file, or a monitor's latest
    /// results).
    pub elapsed: Duration,
}

impl Report {
    /// A report of results that were read or made elsewhere. Its start is that of its earliest result.
    pub fn new(results: Vec<CheckResult>) -> Self {
        let started = results.iter().map(|result| result.timestamp).min().unwrap_or_default();
        Self { results, started, elapsed: Duration::ZERO }
    }

    /// The worst status of all results; healthy if there are none.
    pub fn status(&self) -> Status {
        self.results.iter().map(|result| result.status).max().unwrap_or(Status::Healthy)
    }

    /// Whether every result is healthy (none degraded, unknown or down).
    pub fn is_healthy(&self) -> bool {
        self.status() == Status::Healthy
    }

    /// Whether nothing is down: every result is healthy or degraded.
    ///
    /// This is the condition for readiness. A degraded check is slow or has a notice, and still serves: if it made a service not
    /// ready, one slow dependency would take every replica out of the load balancer together. A result without a verdict
    /// ([`Unknown`](Status::Unknown)) is not up.
    ///
    /// ```
    /// use checkup_core::{Checkup, Observation, check_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let long_queue = || async { Ok::<_, std::io::Error>(Observation::new().degraded("200 jobs wait")) };
    /// let report = Checkup::builder().check(check_fn("queue", long_queue)).build()?.check().await;
    /// assert!(report.is_up());
    /// assert!(!report.is_healthy());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_up(&self) -> bool {
        self.status().is_up()
    }

    /// The first result of the check with this name.
    pub fn get(&self, name: &str) -> Option<&CheckResult> {
        self.results.iter().find(|result| result.name == name)
    }

    /// The results that are degraded, unknown or down, in order.
    pub fn unhealthy(&self) -> impl Iterator<Item = &CheckResult> {
        self.results.iter().filter(|result| !result.is_healthy())
    }

    /// This report without the results that have no verdict ([`Unknown`](Status::Unknown)): those are not stored. Operators' posts stay.
    #[must_use]
    pub fn with_verdicts(&self) -> Cow<'_, Self> {
        let is_kept = |result: &&CheckResult| result.status != Status::Unknown || result.post.is_some();
        if self.results.iter().all(|result| is_kept(&result)) {
            return Cow::Borrowed(self);
        }
        let known = self.results.iter().filter(is_kept).cloned();
        Cow::Owned(Self { results: known.collect(), ..*self })
    }

    /// How many results have this status.
    pub fn count(&self, status: Status) -> usize {
        self.results.iter().filter(|result| result.status == status).count()
    }

    /// For tests: panics if a result is not healthy, and lists the reasons.
    ///
    /// # Panics
    ///
    /// If a result is degraded, unknown or down. The message is the report's table.
    #[track_caller]
    pub fn assert_healthy(&self) {
        if !self.is_healthy() {
            let unhealthy = self.unhealthy().count();
            panic!("{unhealthy} of {} checks are not healthy\n{self}", self.results.len());
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.results.iter().map(|result| result.name.chars().count()).max().unwrap_or(0);
        for result in &self.results {
            let rtt = GoDuration::rounded(result.stats().median);
            writeln!(f, "{:8}  {:width$}  {}  {rtt}", result.status, result.name, result.endpoint)?;
            if let Some(reason) = result.reason() {
                writeln!(f, "          {:width$}  {reason}", "")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.results.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Report {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attempt, Cause};

    fn down(name: &str) -> CheckResult {
        let mut result = CheckResult::new(name, "127.0.0.1:1");
        result.status = Status::Down;
        result.attempts = vec![Attempt::failure(Duration::from_millis(2), Cause::Refused, "connection refused")];
        result
    }

    #[test]
    fn no_results_are_healthy() {
        assert!(Report::default().is_healthy());
        Report::default().assert_healthy();
    }

    #[test]
    #[should_panic(
        expected = "1 of 2 checks are not healthy\nhealthy   a   x  0s\ndown      db  127.0.0.1:1  2ms\n              connection refused\n"
    )]
    fn assert_healthy_panics_with_the_reasons() {
        Report::new(vec![CheckResult::new("a", "x"), down("db")]).assert_healthy();
    }

    #[test]
    fn a_report_is_up_while_nothing_is_down_or_unknown() {
        let with = |status: Status| {
            let mut result = CheckResult::new("db", "127.0.0.1:1");
            result.status = status;
            Report::new(vec![CheckResult::new("a", "x"), result])
        };
        let is_up = |status: Status| with(status).is_up();
        assert_eq!(
            [Status::Healthy, Status::Degraded, Status::Unknown, Status::Down].map(is_up),
            [true, true, false, false]
        );
        assert!(Report::default().is_up());
    }

    #[test]
    fn json_is_the_array_of_results() {
        let report = Report::new(vec![down("db")]);
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.starts_with("[{\"title\":\"db\""), "{json}");
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}
