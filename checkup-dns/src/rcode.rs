//! Response codes by their names in the IANA registry of DNS RCODEs.

use hickory_proto::op::ResponseCode;

const NAMES: &[(u16, &str)] = &[
    (0, "NOERROR"),
    (1, "FORMERR"),
    (2, "SERVFAIL"),
    (3, "NXDOMAIN"),
    (4, "NOTIMP"),
    (5, "REFUSED"),
    (6, "YXDOMAIN"),
    (7, "YXRRSET"),
    (8, "NXRRSET"),
    (9, "NOTAUTH"),
    (10, "NOTZONE"),
    (16, "BADVERS"),
    (23, "BADCOOKIE"),
];

/// Reads a response code. The error says what was expected.
pub(crate) fn parse(text: &str) -> Result<ResponseCode, String> {
    let upper = text.trim().to_ascii_uppercase();
    match NAMES.iter().find(|(_, name)| *name == upper) {
        Some((number, _)) => Ok(from_number(*number)),
        None => {
            let names: Vec<_> = NAMES.iter().map(|(_, name)| *name).collect();
            Err(format!("expected a DNS response code, one of {}, found {text:?}", names.join(", ")))
        }
    }
}

/// Returns the name of a response code.
pub(crate) fn name(code: ResponseCode) -> String {
    let number = u16::from(code);
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("RCODE {number}"),
    }
}

fn from_number(number: u16) -> ResponseCode {
    // The upper eight bits are in the OPT record (RFC 6891, section 6.1.3).
    ResponseCode::from((number >> 4) as u8, (number & 0x0F) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_convert_both_ways() {
        for (number, text) in NAMES {
            let code = parse(text).unwrap();
            assert_eq!((u16::from(code), name(code)), (*number, (*text).to_owned()));
        }
        assert_eq!(parse("nxdomain").unwrap(), ResponseCode::NXDomain);
        assert_eq!(name(ResponseCode::from_low(13)), "RCODE 13");
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let message = parse("NOPE").unwrap_err();
        assert!(message.contains("NOERROR, FORMERR, SERVFAIL") && message.contains("\"NOPE\""), "{message}");
    }
}
