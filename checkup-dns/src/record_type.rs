//! Reads record types as people write them.

use std::str::FromStr;

use hickory_proto::rr::RecordType;

/// The types that have a name; others are written as `TYPE` and their number (RFC 3597).
const NAMES: &[&str] = &[
    "A",
    "AAAA",
    "ANAME",
    "ANY",
    "CAA",
    "CDNSKEY",
    "CDS",
    "CERT",
    "CNAME",
    "CSYNC",
    "DNAME",
    "DNSKEY",
    "DS",
    "HINFO",
    "HTTPS",
    "KEY",
    "MX",
    "NAPTR",
    "NS",
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "NULL",
    "OPENPGPKEY",
    "PTR",
    "RRSIG",
    "SMIMEA",
    "SOA",
    "SRV",
    "SSHFP",
    "SVCB",
    "TLSA",
    "TXT",
];

/// Reads a record type. The error says what was expected.
pub(crate) fn parse(text: &str) -> Result<RecordType, String> {
    let upper = text.trim().to_ascii_uppercase();
    if NAMES.contains(&upper.as_str())
        && let Ok(known) = RecordType::from_str(&upper)
    {
        return Ok(known);
    }
    let number = upper.strip_prefix("TYPE").and_then(|number| number.parse::<u16>().ok());
    if let Some(number) = number.filter(|number| is_askable(*number)) {
        return Ok(RecordType::from(number));
    }
    Err(format!(
        "expected a record type that can be asked for, one of {} or TYPE and a number, found {text:?}",
        NAMES.join(", ")
    ))
}

/// Whether one query can ask for this type and one message answer it. Zone transfers (251, 252) are streams of
/// messages; OPT (41), TKEY (249) and TSIG (250) are parts of messages; 0 is reserved.
fn is_askable(number: u16) -> bool {
    !matches!(number, 0 | 41 | 249..=252)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_a_type() {
        for name in NAMES {
            assert_eq!(parse(name).unwrap().to_string(), *name);
        }
    }

    #[test]
    fn case_does_not_matter_and_numbers_work() {
        assert_eq!(parse("aaaa").unwrap(), RecordType::AAAA);
        assert_eq!(parse("TYPE28").unwrap(), RecordType::AAAA);
        assert_eq!(parse("TYPE65400").unwrap(), RecordType::Unknown(65400));
    }

    #[test]
    fn other_types_are_refused_with_the_valid_ones() {
        for text in ["AXFR", "IXFR", "OPT", "TYPE41", "TYPE252", "AAAAA", "", "TYPE70000"] {
            let message = parse(text).unwrap_err();
            assert!(message.contains("A, AAAA, ") && message.contains(&format!("found {text:?}")), "{message}");
        }
    }
}
