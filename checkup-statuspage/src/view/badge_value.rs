//! The value of a badge: a state or an uptime.

use std::time::Duration;

use checkup_core::Status;

/// The right half of a badge.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BadgeValue {
    /// The state of a check, or of all.
    State(Status),
    /// The latest results are too old.
    Stale,
    /// There are no results.
    Unknown,
    /// A maintenance window is open.
    Maintenance,
    /// The share of the known time in which the check was not down, from 0 to 1.
    Uptime(f64),
    /// A round-trip time.
    Rtt(Duration),
}

impl BadgeValue {
    /// The value as text.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::State(Status::Healthy) => "operational".to_owned(),
            Self::State(status) => status.to_string(),
            Self::Stale => "stale".to_owned(),
            Self::Unknown => "unknown".to_owned(),
            Self::Maintenance => "maintenance".to_owned(),
            Self::Uptime(share) => percent(*share),
            Self::Rtt(time) => milliseconds(*time),
        }
    }

    /// The colour, dark enough for white text to have a contrast of 4.5 (WCAG AA).
    pub(crate) fn colour(&self) -> &'static str {
        match self {
            Self::State(Status::Healthy) => "#1a7f37",
            Self::State(Status::Degraded) => "#9a6700",
            Self::Maintenance | Self::Rtt(_) => "#0969da",
            Self::Uptime(share) if *share >= 0.999 => "#1a7f37",
            Self::Uptime(share) if *share >= 0.99 => "#9a6700",
            Self::State(_) | Self::Uptime(_) => "#cf222e",
            Self::Stale | Self::Unknown => "#59636e",
        }
    }
}

/// A share in percent, never rounded up, so 100 % means all.
fn percent(share: f64) -> String {
    let hundredths = (share * 10_000.0).floor() / 100.0;
    if share >= 1.0 { "100%".to_owned() } else { format!("{hundredths:.2}%") }
}

/// `3.4 ms`, `85 ms`, `1.20 s`
fn milliseconds(time: Duration) -> String {
    match time.as_secs_f64() * 1000.0 {
        millis if millis < 9.95 => format!("{millis:.1} ms"),
        millis if millis < 999.5 => format!("{millis:.0} ms"),
        millis => format!("{:.2} s", millis / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_times_have_two_or_three_digits() {
        let of = |micros| BadgeValue::Rtt(Duration::from_micros(micros)).text();
        assert_eq!([of(3_449), of(9_960), of(85_400), of(999_600)], ["3.4 ms", "10 ms", "85 ms", "1.00 s"]);
    }

    #[test]
    fn uptime_is_never_rounded_up_to_all() {
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(0.999_999), "99.99%");
        assert_eq!(percent(0.0), "0.00%");
    }
}
