//! Reads [`Tcp`]: its own keys, and the flat TLS keys of upstream (the original Checkup, a Go program), which become the nested
//! object.

use std::path::PathBuf;
use std::time::Duration;

use checkup_core::{Secret, duration};
use checkup_net::{IpVersion, StartTls, TlsSettings, tls_switch};
use serde::de::{Deserialize, Deserializer, Error};

use super::{Tcp, default_max_read_bytes};
use crate::Expect;

/// The keys that a config file may contain.
#[derive(serde::Deserialize)]
#[serde(rename = "Tcp", deny_unknown_fields)]
struct Keys {
    endpoint_url: String,
    #[serde(default, with = "tls_switch")]
    tls: Option<TlsSettings>,
    #[serde(default)]
    starttls: Option<StartTls>,
    #[serde(default, with = "duration::option")]
    cert_expiry: Option<Duration>,
    #[serde(default)]
    tls_skip_verify: bool,
    #[serde(default)]
    tls_ca_file: Option<PathBuf>,
    #[serde(default)]
    ip_version: IpVersion,
    #[serde(default)]
    send: Option<Secret>,
    #[serde(default)]
    expect: Option<Expect>,
    #[serde(default = "default_max_read_bytes")]
    max_read_bytes: usize,
}

impl<'de> Deserialize<'de> for Tcp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = Keys::deserialize(deserializer)?;
        let tls = with_upstream_keys(keys.tls, keys.tls_skip_verify, keys.tls_ca_file).map_err(D::Error::custom)?;
        let Keys { endpoint_url, starttls, cert_expiry, ip_version, send, expect, max_read_bytes, .. } = keys;
        Ok(Self { endpoint_url, tls, starttls, cert_expiry, ip_version, send, expect, max_read_bytes })
    }
}

/// Adds upstream's `tls_skip_verify` and `tls_ca_file` to the settings. Like upstream, ignores them without TLS.
fn with_upstream_keys(
    tls: Option<TlsSettings>,
    skip_verify: bool,
    ca_file: Option<PathBuf>,
) -> Result<Option<TlsSettings>, &'static str> {
    let Some(mut tls) = tls else { return Ok(None) };
    if ca_file.is_some() && tls.ca_file.is_some() {
        return Err("expected either `tls.ca_file` or `tls_ca_file`, found both; remove `tls_ca_file`");
    }
    tls.ca_file = tls.ca_file.or(ca_file);
    tls.skip_verify |= skip_verify;
    Ok(Some(tls))
}

/// Adds upstream's keys to the schema.
#[cfg(feature = "config")]
pub(super) fn add_upstream_keys(schema: &mut schemars::Schema) {
    let keys = [
        ("tls_skip_verify", schemars::json_schema!({"type": "boolean", "default": false}), "skip_verify"),
        ("tls_ca_file", schemars::json_schema!({"type": ["string", "null"]}), "ca_file"),
    ];
    for (key, mut property, nested) in keys {
        let text = format!("Upstream's form of `tls.{nested}`. Without `tls` it has no effect.");
        property.insert("description".to_owned(), text.into());
        property.insert("deprecated".to_owned(), true.into());
        if let Some(properties) = schema.get_mut("properties").and_then(|value| value.as_object_mut()) {
            properties.insert(key.to_owned(), property.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Tcp, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn upstreams_keys_become_the_nested_object() {
        let flat = read(r#"{"endpoint_url":"db:1","tls":true,"tls_skip_verify":true,"tls_ca_file":"ca.pem"}"#).unwrap();
        assert_eq!(flat, Tcp::new("db:1").tls(TlsSettings::new().skip_verify(true).ca_file("ca.pem")));
        assert_eq!(
            serde_json::to_string(&flat).unwrap(),
            r#"{"endpoint_url":"db:1","tls":{"ca_file":"ca.pem","skip_verify":true}}"#
        );
        let mixed = read(r#"{"endpoint_url":"db:1","tls":{"server_name":"x"},"tls_ca_file":"ca.pem"}"#).unwrap();
        assert_eq!(mixed, Tcp::new("db:1").tls(TlsSettings::new().server_name("x").ca_file("ca.pem")));
    }

    #[test]
    fn upstreams_keys_have_no_effect_without_tls() {
        for tls in ["", r#""tls":false,"#] {
            let json = format!(r#"{{"endpoint_url":"db:1",{tls}"tls_skip_verify":true,"tls_ca_file":"ca.pem"}}"#);
            assert_eq!(read(&json).unwrap(), Tcp::new("db:1"));
        }
    }

    #[test]
    fn a_ca_file_in_both_forms_is_refused() {
        let error = read(r#"{"endpoint_url":"db:1","tls":{"ca_file":"a"},"tls_ca_file":"b"}"#).unwrap_err();
        assert!(error.starts_with("expected either `tls.ca_file` or `tls_ca_file`, found both"), "{error}");
    }

    #[cfg(feature = "config")]
    #[test]
    fn the_schema_has_every_key_that_can_be_read() {
        let schema = schemars::schema_for!(Tcp);
        let described = schema.get("properties").unwrap().as_object().unwrap();
        let error = read(r#"{"endpoint_url":"db:1","?":1}"#).unwrap_err();
        for key in described.keys() {
            assert!(error.contains(&format!("`{key}`")), "{key}: {error}");
        }
        assert_eq!(error.matches('`').count() / 2, described.len() + 1, "{error}");
    }
}
