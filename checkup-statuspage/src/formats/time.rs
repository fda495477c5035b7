//! Times as text: RFC 3339, and the `Date` of HTTP.

use checkup_core::Timestamp;

/// RFC 3339 in UTC, in whole seconds.
pub(crate) fn rfc3339(moment: Timestamp) -> String {
    let seconds = moment.unix_nanos().div_euclid(1_000_000_000);
    of_seconds(seconds).to_string()
}

/// The form of the `Date` header (RFC 9110, 5.6.7).
pub(crate) fn http_date(moment: Timestamp) -> String {
    let seconds = moment.unix_nanos().div_euclid(1_000_000_000);
    // Years from 0 to 9999 have this form, and timestamps are within them.
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&of_seconds(seconds)).unwrap_or_default()
}

/// A time in RFC 3339, with any offset.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let nanos = text.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
    i64::try_from(nanos).ok().map(Timestamp::from_unix_nanos)
}

fn of_seconds(seconds: i64) -> jiff::Timestamp {
    // 64 bits of nanoseconds are the years 1677 to 2262.
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_and_read() {
        let leap = parse("2028-02-29T23:59:59.9Z").unwrap();
        assert_eq!(rfc3339(leap), "2028-02-29T23:59:59Z");
        assert_eq!(http_date(leap), "Tue, 29 Feb 2028 23:59:59 GMT");
        assert_eq!(rfc3339(Timestamp::from_unix_nanos(-1)), "1969-12-31T23:59:59Z");
        assert_eq!(parse("2026-03-29T03:30:00+02:00"), parse("2026-03-29T01:30:00Z"));
        for text in ["", "yesterday", "2026-02-30T00:00:00Z", "2026-03-29T03:30:00", "9999-01-01T00:00:00Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
