//! Moments and spans of time as people read them, in UTC.

use std::time::Duration;

use checkup_core::Timestamp;

/// `2026-11-20 03:12`
pub(super) fn minute(moment: Timestamp) -> String {
    let (date, time) = parts(moment);
    format!("{date} {time}")
}

/// `2026-11-20`
pub(super) fn date(moment: Timestamp) -> String {
    parts(moment).0
}

/// `2026-11-20 03:12 – 03:26`, with the second date if it is another; up to `now` without an end.
pub(super) fn span(from: Timestamp, to: Option<Timestamp>) -> String {
    let (date, time) = parts(from);
    let end = match to.map(parts) {
        None => "now".to_owned(),
        Some((last, time)) if last == date => time,
        Some((last, time)) if last[..4] == date[..4] => format!("{} {time}", &last[5..]),
        Some((last, time)) => format!("{last} {time}"),
    };
    format!("{date} {time} – {end}")
}

/// A time that has passed, in its two largest units: `45s`, `14m`, `3h 12m`, `2d 4h`.
pub(super) fn age(time: Duration) -> String {
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

/// The date, and the time to the minute.
fn parts(moment: Timestamp) -> (String, String) {
    let text = moment.to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    (date.to_owned(), time.chars().take(5).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_says_no_date_twice() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let from = at("2026-11-20T03:12:59.5Z");
        assert_eq!(minute(from), "2026-11-20 03:12");
        assert_eq!(span(from, Some(at("2026-11-20T03:26:00Z"))), "2026-11-20 03:12 – 03:26");
        assert_eq!(span(from, Some(at("2026-11-21T00:10:00Z"))), "2026-11-20 03:12 – 11-21 00:10");
        assert_eq!(span(from, Some(at("2027-01-01T00:10:00Z"))), "2026-11-20 03:12 – 2027-01-01 00:10");
        assert_eq!(span(from, None), "2026-11-20 03:12 – now");
    }

    #[test]
    fn an_age_has_two_units_at_most() {
        let ages = [0, 59, 60, 3_599, 3_600, 11_520, 86_400, 187_200, 864_000 + 7_200];
        let texts = ages.map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(texts, ["0s", "59s", "1m", "59m", "1h", "3h 12m", "1d", "2d 4h", "10d"]);
    }
}
