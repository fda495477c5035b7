//! Moments and spans of time as people read them, in UTC.

use std::time::Duration;

use checkup_core::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// `2026-11-20T03:12:59`
pub(crate) fn second(moment: Timestamp) -> String {
    utc(moment).strftime("%FT%T").to_string()
}

/// `2026-11-20 03:12`
pub(crate) fn minute(moment: Timestamp) -> String {
    utc(moment).strftime("%F %H:%M").to_string()
}

/// `2026-11-20`
pub(crate) fn date(moment: Timestamp) -> String {
    utc(moment).date().to_string()
}

/// `2026-11-20 03:12 – 03:26`, with the second date if it differs; up to `now` without an end.
pub(crate) fn span(from: Timestamp, to: Option<Timestamp>) -> String {
    let start = utc(from).date();
    let end = match to.map(utc) {
        None => "now".to_owned(),
        Some(end) if end.date() == start => end.strftime("%H:%M").to_string(),
        Some(end) if end.year() == start.year() => end.strftime("%m-%d %H:%M").to_string(),
        Some(end) => end.strftime("%F %H:%M").to_string(),
    };
    format!("{} – {end}", minute(from))
}

/// A time that has passed, in its two largest units: `45s`, `14m`, `3h 12m`, `2d 4h`.
pub(crate) fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit} {small}{part}"),
    };
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m"),
        3_600..86_400 => two(hours, "h", minutes % 60, "m"),
        _ if days < 10 => two(days, "d", hours % 24, "h"),
        _ => format!("{days}d"),
    }
}

fn utc(moment: Timestamp) -> DateTime {
    // Every timestamp is within the years that this can show.
    let moment = jiff::Timestamp::from_nanosecond(moment.unix_nanos().into()).unwrap_or_default();
    Offset::UTC.to_datetime(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn moments_are_cut_off_and_not_rounded() {
        let moment = at("2026-11-20T03:12:59.999Z");
        assert_eq!(second(moment), "2026-11-20T03:12:59");
        assert_eq!(minute(moment), "2026-11-20 03:12");
        assert_eq!(date(moment), "2026-11-20");
        assert_eq!(second(Timestamp::from_unix_nanos(i64::MIN)), "1677-09-21T00:12:43");
        assert_eq!(second(Timestamp::from_unix_nanos(i64::MAX)), "2262-04-11T23:47:16");
    }

    #[test]
    fn a_span_repeats_no_date() {
        let from = at("2026-11-20T03:12:59.5Z");
        assert_eq!(span(from, Some(at("2026-11-20T03:26:00Z"))), "2026-11-20 03:12 – 03:26");
        assert_eq!(span(from, Some(at("2026-11-21T00:10:00Z"))), "2026-11-20 03:12 – 11-21 00:10");
        assert_eq!(span(from, Some(at("2027-01-01T00:10:00Z"))), "2026-11-20 03:12 – 2027-01-01 00:10");
        assert_eq!(span(from, None), "2026-11-20 03:12 – now");
    }

    #[test]
    fn an_age_has_at_most_two_units() {
        let ages = [0, 59, 60, 3_599, 3_600, 11_520, 86_400, 187_200, 864_000 + 7_200];
        let texts = ages.map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(texts, ["0s", "59s", "1m", "59m", "1h", "3h 12m", "1d", "2d 4h", "10d"]);
    }
}
