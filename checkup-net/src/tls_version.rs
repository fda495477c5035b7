//! [`TlsVersion`]: a part of the settings, even if TLS is not compiled in.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A version of TLS. In config files `"1.2"` or `"1.3"`; numbers are accepted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    /// The number: `1.2` or `1.3`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for TlsVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TlsVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TlsVersionVisitor;

        impl Visitor<'_> for TlsVersionVisitor {
            type Value = TlsVersion;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"1.2\" or \"1.3\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TlsVersion, E> {
                match text {
                    "1.2" => Ok(TlsVersion::Tls12),
                    "1.3" => Ok(TlsVersion::Tls13),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            // YAML and TOML read `1.3` without quotes as a number.
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<TlsVersion, E> {
                self.visit_str(&number.to_string())
            }
        }

        deserializer.deserialize_any(TlsVersionVisitor)
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for TlsVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TlsVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": ["1.2", "1.3"]})
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_strings_and_numbers() {
        for (json, version) in [("\"1.2\"", TlsVersion::Tls12), ("1.2", TlsVersion::Tls12), ("1.3", TlsVersion::Tls13)]
        {
            assert_eq!(serde_json::from_str::<TlsVersion>(json).unwrap(), version);
        }
        assert_eq!(serde_json::to_string(&TlsVersion::Tls13).unwrap(), "\"1.3\"");
        let error = serde_json::from_str::<TlsVersion>("\"1.1\"").unwrap_err().to_string();
        assert!(error.contains("expected \"1.2\" or \"1.3\""), "{error}");
    }
}
