//! Extended DNS errors (RFC 8914): a server's reason for its response code.

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};

/// The number of the option in the IANA registry.
const OPTION: u16 = 15;

/// How much of the server's own text a message shows, in characters.
const MAX_SHOWN: usize = 120;

/// The names of the codes, starting at 0 (RFC 8914, section 4).
const NAMES: &[&str] = &[
    "Other Error",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
];

/// Returns the first extended error of an answer, with the text that the server adds.
pub(crate) fn text(answer: &Message) -> Option<String> {
    let option = answer.edns.as_ref()?.option(EdnsCode::Unknown(OPTION))?;
    let EdnsOption::Unknown(_, data) = option else { return None };
    let (code, words) = data.split_first_chunk::<2>()?;
    let code = u16::from_be_bytes(*code);
    let name = NAMES.get(usize::from(code)).map_or_else(|| format!("extended error {code}"), |name| (*name).to_owned());
    // Some servers end the text with a NUL, which clients must accept (RFC 8914, section 2).
    let words = words.strip_suffix(b"\0").unwrap_or(words);
    if words.is_empty() { Some(name) } else { Some(format!("{name}: {}", checkup_net::excerpt(words, MAX_SHOWN))) }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::Edns;

    use super::*;

    fn with_option(data: &[u8]) -> Message {
        let mut edns = Edns::new();
        edns.options_mut().insert(EdnsOption::Unknown(OPTION, data.to_vec()));
        let mut message = Message::query();
        message.set_edns(edns);
        // In the form in which it is read from the network.
        Message::from_vec(&message.to_vec().unwrap()).unwrap()
    }

    #[test]
    fn a_code_becomes_its_name_followed_by_the_servers_text() {
        assert_eq!(text(&with_option(&[0, 6])).as_deref(), Some("DNSSEC Bogus"));
        assert_eq!(text(&with_option(b"\0\x07no luck\0")).as_deref(), Some("Signature Expired: no luck"));
        assert_eq!(text(&with_option(&[1, 0])).as_deref(), Some("extended error 256"));
        assert_eq!(text(&with_option(b"\0\0\x1b[2J")).as_deref(), Some("Other Error: \\u{1b}[2J"));
    }

    #[test]
    fn a_missing_or_short_option_has_no_text() {
        assert_eq!(text(&Message::query()), None);
        assert_eq!(text(&with_option(&[0])), None);
        assert_eq!(text(&with_option(&[])), None);
    }
}
