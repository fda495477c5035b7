//! A maintenance window as people write it: `FROM..TO`.

use std::time::Duration;

use checkup_core::{MaintenanceWindow, Timestamp, duration};
use jiff::ZonedDateTime;

/// How far ahead a window may start, and how long it may be: a mistyped date can make a window of centuries.
const LONGEST: Duration = Duration::from_secs(400 * 86_400);

/// The forms of a side, for messages.
const SIDES: &str = "a time such as 2026-11-20T22:00Z or 2026-11-20T23:00+01:00, `now`, or +2h";

/// A maintenance window that may be relative to the time at which it is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    from: Side,
    to: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    At(Timestamp),
    Now,
    After(Duration),
    Ago(Duration),
}

impl Window {
    /// Parses `FROM..TO`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((from, to)) = text.split_once("..") else {
            return Err(format!("expected FROM..TO, each {SIDES}; found no `..` in {text:?}"));
        };
        let window = Self { from: Side::parse(from)?, to: Side::parse(to)? };
        // Relative times are checked now, and again when the message is posted.
        window.at(Timestamp::now()).map(|_| window)
    }

    /// The window, now.
    pub(crate) fn at(self, now: Timestamp) -> Result<MaintenanceWindow, String> {
        let from = self.from.at(now, now);
        // A relative end is a length: `22:00..+2h` is two hours.
        let to = self.to.at(now, from);
        if to <= from {
            return Err(format!("expected an end after the start, found {from} to {to}"));
        }
        if from > now.saturating_add(LONGEST) {
            return Err(format!("expected a start at most 400 days ahead, found {from}"));
        }
        if to.since(from) > LONGEST {
            return Err(format!("expected a window of at most 400 days, found {from} to {to}"));
        }
        Ok(MaintenanceWindow::new(from, to))
    }
}

impl Side {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "now" {
            return Ok(Self::Now);
        }
        let relative = |text: &str| duration::parse(text).map_err(|error| error.to_string());
        match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(later), _) => relative(later).map(Self::After),
            (_, Some(earlier)) => relative(earlier).map(Self::Ago),
            _ => moment(text).map(Self::At).ok_or_else(|| format!("expected {SIDES}; found {text:?}{}", hint(text))),
        }
    }

    /// The moment; a relative time counts from `base`.
    fn at(self, now: Timestamp, base: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Now => now,
            Self::After(duration) => base.saturating_add(duration),
            Self::Ago(duration) => now.saturating_sub(duration),
        }
    }
}

/// A time as in RFC 3339, with an offset. The seconds may be left out, and a blank may replace the `T`. A time zone in brackets
/// decides the offset: `2026-11-20T22:00[Europe/Vienna]`.
fn moment(text: &str) -> Option<Timestamp> {
    let moment = match text.contains('[') {
        true => text.parse::<ZonedDateTime>().ok()?.timestamp(),
        false => text.parse::<jiff::Timestamp>().ok()?,
    };
    i64::try_from(moment.as_nanosecond()).ok().map(Timestamp::from_unix_nanos)
}

/// What is missing from the time, if that is known.
fn hint(text: &str) -> &'static str {
    let is_time = |text: &str| text.trim_end_matches(['Z', 'z']).parse::<jiff::civil::Time>().is_ok();
    let starts_with_time = text.get(..5).is_some_and(is_time);
    if starts_with_time {
        ", which has no date"
    } else if text.parse::<jiff::civil::DateTime>().is_ok() {
        ", which has no zone: add Z for UTC, or an offset such as +01:00"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// At 12:00 on 2026-11-20.
    fn window(text: &str) -> Result<(String, String), String> {
        let (from, to) = text.split_once("..").unwrap();
        let window = Window { from: Side::parse(from)?, to: Side::parse(to)? };
        window.at(at("2026-11-20T12:00:00Z")).map(|window| (window.from.to_string(), window.to.to_string()))
    }

    fn times(from: &str, to: &str) -> Result<(String, String), String> {
        Ok((format!("2026-11-20T{from}Z"), format!("2026-11-20T{to}Z")))
    }

    #[test]
    fn a_window_is_two_times_each_absolute_or_relative() {
        assert_eq!(window("2026-11-20T22:00:00Z..2026-11-20T23:30:00Z"), times("22:00:00", "23:30:00"));
        assert_eq!(window("now..+2h"), times("12:00:00", "14:00:00"));
        assert_eq!(window("+1h..+30m"), times("13:00:00", "13:30:00"));
        assert_eq!(window("-30m..now"), times("11:30:00", "12:00:00"));
        assert_eq!(window("2026-11-20 22:00Z..+90m"), times("22:00:00", "23:30:00"));
        assert_eq!(window("2026-11-20T22:00+01:30..2026-11-20T18:00-04:00"), times("20:30:00", "22:00:00"));
    }

    #[test]
    fn a_window_begins_within_400_days_and_is_no_longer() {
        assert!(window("+9600h..+9600h").is_ok());
        assert!(window("+9601h..+1h").unwrap_err().starts_with("expected a start at most 400 days ahead, found "));
        assert!(
            window("now..2200-01-01T00:00Z").unwrap_err().starts_with("expected a window of at most 400 days, found ")
        );
        assert!(
            window("2020-01-01T00:00Z..now").unwrap_err().starts_with("expected a window of at most 400 days, found ")
        );
    }

    #[test]
    fn a_time_zone_decides_the_offset() {
        assert_eq!(window("2026-11-20T22:00[UTC]..+1h"), times("22:00:00", "23:00:00"));
    }

    #[test]
    fn invalid_windows_say_what_was_found() {
        let error = |text: &str| window(text).unwrap_err();
        assert_eq!(
            error("tomorrow..+2h"),
            "expected a time such as 2026-11-20T22:00Z or 2026-11-20T23:00+01:00, `now`, or +2h; found \"tomorrow\""
        );
        assert!(
            error("2026-11-20T22:00..+2h").ends_with("which has no zone: add Z for UTC, or an offset such as +01:00")
        );
        assert!(error("22:00Z..+2h").ends_with("found \"22:00Z\", which has no date"));
        assert!(error("22:00..+2h").ends_with("found \"22:00\", which has no date"));
        assert!(error("now..+2 fortnights").contains("found \"2 fortnights\""), "{}", error("now..+2 fortnights"));
        assert!(error("2026-11-20T25:00Z..now").contains("found \"2026-11-20T25:00Z\""));
        assert!(error("2026-11-20T22:00+1:00..now").contains("found"));
        assert_eq!(
            error("now..2026-11-20T11:00Z"),
            "expected an end after the start, found 2026-11-20T12:00:00Z to 2026-11-20T11:00:00Z"
        );
        assert!(error("now..+0s").starts_with("expected an end after the start"));
        let error = Window::parse("now").unwrap_err();
        assert!(
            error.starts_with("expected FROM..TO, each a time such as ") && error.ends_with("found no `..` in \"now\"")
        );
    }
}
