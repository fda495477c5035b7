//! [`certificate_expiry`]: when the certificates that a server presented expire.

use checkup_core::Timestamp;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Returns when the certificates that a server presented stop being accepted: the earliest end (`notAfter`) among its own
/// certificate, which is the first of the chain, and the others that have not expired yet.
///
/// Other certificates that have already expired were not needed to verify the chain: some servers keep sending them for
/// old clients. `None` without certificates, or if the server's own certificate cannot be read.
///
/// The chain is what rustls' `peer_certificates` returns for a connection.
pub fn certificate_expiry(chain: &[CertificateDer<'_>]) -> Option<Timestamp> {
    let (own, others) = chain.split_first()?;
    let own = not_after(own)?;
    let now = Timestamp::now();
    let others = others.iter().filter_map(|certificate| not_after(certificate)).filter(|end| *end > now);
    Some(others.fold(own, Timestamp::min))
}

/// Reads `notAfter` from a certificate in DER (RFC 5280, section 4.1).
fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = expect(certificate, SEQUENCE)?;
    let (mut fields, _) = expect(certificate, SEQUENCE)?;
    // The version is omitted if it is 1.
    if let Some((_, rest)) = expect(fields, VERSION) {
        fields = rest;
    }
    let (_serial_number, fields) = expect(fields, INTEGER)?;
    let (_signature_algorithm, fields) = expect(fields, SEQUENCE)?;
    let (_issuer, fields) = expect(fields, SEQUENCE)?;
    let (validity, _) = expect(fields, SEQUENCE)?;
    let (_, _, not_after) = element(validity)?;
    let (tag, time, _) = element(not_after)?;
    moment(tag, time)
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Splits off the first element, which must have this tag. Returns its content, and what follows it.
fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(found, _, _)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// Splits off the first DER element (X.690). Returns its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // The number of length bytes. Certificates are shorter than 16 MiB.
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` from 1950 to 2049, or `YYYYMMDDHHMMSSZ` (RFC 5280, section 4.1.2.5).
fn moment(tag: u8, time: &[u8]) -> Option<Timestamp> {
    let time = std::str::from_utf8(time).ok()?.strip_suffix('Z')?;
    let (century, time) = match tag {
        UTC_TIME if time.len() == 12 => (if time < "50" { "20" } else { "19" }, time),
        GENERALIZED_TIME if time.len() == 14 => time.split_at_checked(2)?,
        _ => return None,
    };
    let digits = format!("{century}{time}");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<u32>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_since_1970(i64::from(year), i64::from(month), i64::from(day));
    let seconds = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    // `99991231235959Z`, which means that a certificate does not expire, is beyond the range of timestamps.
    Some(Timestamp::from_unix_nanos(seconds.saturating_mul(1_000_000_000)))
}

/// Counts the days from 1970-01-01 to a date of the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // If years begin in March, the leap day is their last day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719_468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use checkup_testkit::Ca;
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::*;

    /// A certificate that ends this many seconds after 1970.
    fn ending(seconds: u64) -> CertificateDer<'static> {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let identity = Ca::new().server_valid(&["localhost"], SystemTime::UNIX_EPOCH, end);
        CertificateDer::from_pem_slice(identity.cert_pem.as_bytes()).unwrap()
    }

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_unix_nanos(seconds.saturating_mul(1_000_000_000)))
    }

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_forms() {
        // 2049-12-31 is the last day of the short form; from 2050 on the long one is used.
        for seconds in [1, 951_782_400, 1_795_310_912, 2_524_607_999, 2_524_608_000, 7_258_118_400] {
            assert_eq!(certificate_expiry(&[ending(seconds)]), at(seconds as i64), "{seconds}");
        }
    }

    #[test]
    fn the_earliest_end_counts_but_expired_extra_certificates_do_not() {
        let (soon, late, past) = (ending(7_000_000_000), ending(8_000_000_000), ending(1_000_000_000));
        assert_eq!(certificate_expiry(&[late.clone(), soon.clone()]), at(7_000_000_000));
        assert_eq!(certificate_expiry(&[soon.clone(), late.clone()]), at(7_000_000_000));
        assert_eq!(certificate_expiry(&[late.clone(), past.clone()]), at(8_000_000_000));
        assert_eq!(certificate_expiry(&[past, late]), at(1_000_000_000));
        assert_eq!(certificate_expiry(&[]), None);
    }

    #[test]
    fn only_the_standards_time_formats_are_accepted() {
        for (tag, time, expected) in [
            (UTC_TIME, "700101000000Z", at(0)),
            (UTC_TIME, "500101000000Z", at(-631_152_000)),
            (UTC_TIME, "491231235959Z", at(2_524_607_999)),
            (UTC_TIME, "000229120000Z", at(951_825_600)),
            (GENERALIZED_TIME, "20500101000000Z", at(2_524_608_000)),
            (GENERALIZED_TIME, "99991231235959Z", at(i64::MAX)),
            (UTC_TIME, "20500101000000Z", None),
            (UTC_TIME, "7001010000Z", None),
            (UTC_TIME, "700101000000+0100", None),
            (UTC_TIME, "701301000000Z", None),
            (UTC_TIME, "700100000000Z", None),
            (UTC_TIME, "70010100000éZ", None),
            (GENERALIZED_TIME, "é500101000000Z", None),
            (SEQUENCE, "700101000000Z", None),
        ] {
            assert_eq!(moment(tag, time.as_bytes()), expected, "{time}");
        }
    }

    #[test]
    fn truncated_and_damaged_certificates_do_not_panic() {
        let whole = ending(1_795_310_912);
        let end = not_after(&whole);
        for length in 0..whole.len() {
            assert_eq!(not_after(&whole[..length]), None, "{length}");
        }
        let mut damaged = whole.to_vec();
        for index in 0..damaged.len() {
            for value in [0, 0x7f, 0x80, 0x83, 0x84, 0xff] {
                let good = std::mem::replace(&mut damaged[index], value);
                let _ = not_after(&damaged);
                damaged[index] = good;
            }
        }
        assert_eq!(not_after(&damaged), end);
    }
}
