//! [`Fingerprint`]: the SHA-256 of a certificate.

use std::fmt;

use sha2::{Digest, Sha256};

/// The SHA-256 of a certificate in DER. Displays as `9F:86:…`, as openssl does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of a certificate in DER.
    pub(crate) fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }

    /// Reads hexadecimal digits, with or without colons, and with the label that openssl prints. The error says what was found.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let digits = text.rsplit(['=']).next().unwrap_or_default().trim();
        let digits = digits.strip_prefix("sha256:").unwrap_or(digits);
        let digits: Vec<u8> = digits.bytes().filter(|byte| !matches!(byte, b':' | b' ')).collect();
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err("a text with other characters");
        }
        if digits.len() != 64 {
            return Err(match digits.len() {
                40 => "one of SHA-1",
                32 => "one of MD5",
                _ => "a text of another length",
            });
        }
        let mut fingerprint = [0; 32];
        for (byte, pair) in fingerprint.iter_mut().zip(digits.chunks(2)) {
            *byte = pair.iter().fold(0, |value, digit| value << 4 | value_of(*digit));
        }
        Ok(Self(fingerprint))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index > 0 { ":" } else { "" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

fn value_of(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-256 of "test", from FIPS 180-4's algorithm as `sha256sum` computes it.
    const OF_TEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn all_usual_forms_are_read() {
        let expected = Fingerprint::of(b"test");
        let colons = expected.to_string();
        assert_eq!(colons.replace(':', "").to_lowercase(), OF_TEST);
        for text in [OF_TEST, &colons, &format!("sha256 Fingerprint={colons}"), &format!("sha256:{OF_TEST}")] {
            assert_eq!(Fingerprint::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, found) in [
            ("", "a text of another length"),
            ("a9:4a:8f:e5:cc:b1:9b:a6:1c:4c:08:73:d3:91:e9:87:98:2f:bb:d3", "one of SHA-1"),
            ("d41d8cd98f00b204e9800998ecf8427e", "one of MD5"),
            (&OF_TEST.replace('9', "é"), "a text with other characters"),
        ] {
            assert_eq!(Fingerprint::parse(text), Err(found), "{text}");
        }
    }
}
