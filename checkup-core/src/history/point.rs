//! [`Point`]: the part of a recent result that a summary keeps.

use std::time::Duration;

use crate::{CheckResult, Status, Timestamp};

/// How many characters of a reason are kept.
const MAX_REASON: usize = 300;

/// The longest plausible round-trip time: a day.
const MAX_RTT: Duration = Duration::from_secs(24 * 3600);

/// A result, with the details that a chart needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Point {
    /// When the check began, in whole milliseconds.
    pub timestamp: Timestamp,
    /// The verdict.
    pub status: Status,
    /// The median round-trip time of the attempts that succeeded, in whole microseconds.
    pub rtt: Option<Duration>,
    /// The fastest and the slowest of them.
    pub spread: Option<(Duration, Duration)>,
    /// Why it was not healthy.
    pub reason: Option<String>,
}

impl Point {
    pub(crate) fn of(result: &CheckResult) -> Self {
        let times = || result.attempts.iter().filter(|attempt| attempt.is_success()).map(|attempt| attempt.rtt);
        let spread = times().min().zip(times().max()).filter(|(low, high)| low != high);
        Self {
            timestamp: to_millis(result.timestamp),
            status: result.status,
            rtt: result.rtt().map(to_micros),
            spread: spread.map(|(low, high)| (to_micros(low), to_micros(high))),
            reason: result.reason().map(|reason| shortened(&reason, MAX_REASON)),
        }
    }
}

/// The time in whole milliseconds.
pub(crate) fn to_millis(time: Timestamp) -> Timestamp {
    const MILLI: i64 = 1_000_000;
    Timestamp::from_unix_nanos(time.unix_nanos().div_euclid(MILLI).saturating_mul(MILLI))
}

fn to_micros(time: Duration) -> Duration {
    Duration::from_micros(u64::try_from(time.min(MAX_RTT).as_micros()).unwrap_or(u64::MAX))
}

/// The text, cut to this number of characters.
pub(crate) fn shortened(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
