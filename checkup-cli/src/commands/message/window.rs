//! A time of maintenance as people write it: `FROM..TO`.

use std::time::Duration;

use checkup_core::{MaintenanceWindow, Timestamp, duration};

/// What a side may be, for messages.
const SIDES: &str = "a time such as 2026-11-20T22:00Z or 2026-11-20T23:00+01:00, `now`, or +2h";

/// A time of maintenance, before anybody knows what `now` is.
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
        // At any moment, since what is relative is so to one moment. What depends on it is told when it is known.
        match window.at(Timestamp::now()) {
            Ok(_) => Ok(window),
            Err(error) => Err(error),
        }
    }

    /// The window, now.
    pub(crate) fn at(self, now: Timestamp) -> Result<MaintenanceWindow, String> {
        let from = self.from.at(now, now);
        // A length, if it is relative: `22:00..+2h` is two hours.
        let to = self.to.at(now, from);
        if to <= from {
            return Err(format!("expected an end after the beginning, found {from} to {to}"));
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

    /// The moment; what comes after or before counts from `base`.
    fn at(self, now: Timestamp, base: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Now => now,
            Self::After(duration) => base.saturating_add(duration),
            Self::Ago(duration) => now.saturating_sub(duration),
        }
    }
}

/// An RFC 3339 time. The seconds may be left out, and a blank may stand for the `T`, as the RFC has it.
fn moment(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(at);
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let local: Timestamp = format!("{date}T{clock}{seconds}Z").parse().ok()?;
    match zone.split_at_checked(1)? {
        ("Z" | "z", "") => Some(local),
        ("+", offset) => Some(local.saturating_sub(self::offset(offset)?)),
        ("-", offset) => Some(local.saturating_add(self::offset(offset)?)),
        _ => None,
    }
}

/// `01:30`
fn offset(text: &str) -> Option<Duration> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then(|| Duration::from_secs(hours * 3_600 + minutes * 60))
}

/// What is missing, where that can be told.
fn hint(text: &str) -> &'static str {
    let with_zone = |zoned: String| moment(&zoned).is_some();
    if with_zone(format!("{text}Z")) {
        ", which has no zone: add Z for UTC, or such as +01:00"
    } else if with_zone(format!("2026-01-01T{text}Z")) || with_zone(format!("2026-01-01T{text}")) {
        ", which has no date"
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
    fn what_cannot_be_says_what_was_found() {
        let error = |text: &str| window(text).unwrap_err();
        assert_eq!(
            error("tomorrow..+2h"),
            "expected a time such as 2026-11-20T22:00Z or 2026-11-20T23:00+01:00, `now`, or +2h; found \"tomorrow\""
        );
        assert!(error("2026-11-20T22:00..+2h").ends_with("which has no zone: add Z for UTC, or such as +01:00"));
        assert!(error("22:00Z..+2h").ends_with("found \"22:00Z\", which has no date"));
        assert!(error("22:00..+2h").ends_with("found \"22:00\", which has no date"));
        assert!(error("now..+2 fortnights").contains("found \"2 fortnights\""), "{}", error("now..+2 fortnights"));
        assert!(error("2026-11-20T25:00Z..now").contains("found \"2026-11-20T25:00Z\""));
        assert!(error("2026-11-20T22:00+1:00..now").contains("found"));
        assert_eq!(
            error("now..2026-11-20T11:00Z"),
            "expected an end after the beginning, found 2026-11-20T12:00:00Z to 2026-11-20T11:00:00Z"
        );
        assert!(error("now..+0s").starts_with("expected an end after the beginning"));
        let error = Window::parse("now").unwrap_err();
        assert!(
            error.starts_with("expected FROM..TO, each a time such as ") && error.ends_with("found no `..` in \"now\"")
        );
    }
}
