//! `"tls": true | false | {…}`: [`TlsSettings`] of checkers whose protocol works with and without TLS.
//!
//! A settings struct uses it as `#[serde(with = "checkup_net::tls_switch")]` on an `Option<TlsSettings>`, and as
//! `#[schemars(schema_with = "checkup_net::tls_switch::schema")]`. `true` selects the default settings.
//!
//! ```
//! use checkup_net::TlsSettings;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Mail {
//!     #[serde(default, skip_serializing_if = "Option::is_none", with = "checkup_net::tls_switch")]
//!     tls: Option<TlsSettings>,
//! }
//!
//! for (json, tls) in [
//!     (r#"{"tls":true}"#, TlsSettings::new()),
//!     (r#"{"tls":{"skip_verify":true}}"#, TlsSettings::new().skip_verify(true)),
//! ] {
//!     let mail: Mail = serde_json::from_str(json)?;
//!     assert_eq!(mail.tls, Some(tls));
//!     assert_eq!(serde_json::to_string(&mail)?, json);
//! }
//! let plain: Mail = serde_json::from_str(r#"{"tls":false}"#)?;
//! assert_eq!(serde_json::to_string(&plain)?, "{}");
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::TlsSettings;

/// Writes the settings: `false` for none, `true` for the defaults, otherwise an object.
///
/// # Errors
///
/// If the serializer fails.
pub fn serialize<S: Serializer>(tls: &Option<TlsSettings>, serializer: S) -> Result<S::Ok, S::Error> {
    match tls {
        Some(settings) if *settings != TlsSettings::default() => settings.serialize(serializer),
        other => serializer.serialize_bool(other.is_some()),
    }
}

/// Reads the settings.
///
/// # Errors
///
/// If the value is neither a boolean nor an object of [`TlsSettings`].
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TlsSettings>, D::Error> {
    struct Switch;

    impl<'de> Visitor<'de> for Switch {
        type Value = Option<TlsSettings>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true, false or an object of TLS settings such as {\"ca_file\": \"ca.pem\"}")
        }

        fn visit_bool<E: de::Error>(self, on: bool) -> Result<Self::Value, E> {
            Ok(on.then(TlsSettings::default))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            TlsSettings::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(Switch)
}

/// The JSON Schema of the value.
#[cfg(feature = "config")]
pub fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "anyOf": [
            {"type": "boolean", "description": "Whether to speak TLS, with the default settings."},
            generator.subschema_for::<TlsSettings>(),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_values_are_refused_with_what_is_expected() {
        for json in ["1", "\"yes\"", "[]"] {
            let error = deserialize(&mut serde_json::Deserializer::from_str(json)).unwrap_err().to_string();
            assert!(error.contains("expected true, false or an object of TLS settings"), "{error}");
        }
    }
}
