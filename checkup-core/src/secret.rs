//! [`Secret`]: text that is redacted wherever it is printed or serialised.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A password, token or key, which `Debug`, `Display` and `Serialize` redact.
///
/// ```
/// use checkup_core::Secret;
///
/// let password = Secret::new("hunter2");
/// assert_eq!(format!("{password} {password:?}"), "[redacted] [redacted]");
/// assert_eq!(serde_json::to_string(&password)?, "\"[redacted]\"");
/// assert_eq!(password.expose(), "hunter2");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(String);

/// Printed in place of a secret.
const REDACTED: &str = "[redacted]";

thread_local! {
    static EXPOSING: Cell<bool> = const { Cell::new(false) };
}

impl Secret {
    /// Wraps a string as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself. Review every use of this method.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the secret is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Runs `serialize` with secrets in the clear on this thread, for users who asked to write a
    /// configuration including its secrets.
    ///
    /// ```
    /// # use checkup_core::Secret;
    /// let token = Secret::new("t0ken");
    /// let json = Secret::exposing(|| serde_json::to_string(&token))?;
    /// assert_eq!(json, "\"t0ken\"");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn exposing<T>(serialize: impl FnOnce() -> T) -> T {
        /// Restores the flag, even if `serialize` panics.
        struct Restore(bool);
        impl Drop for Restore {
            fn drop(&mut self) {
                EXPOSING.set(self.0);
            }
        }
        let _restore = Restore(EXPOSING.replace(true));
        serialize()
    }

    /// Whether secrets are serialised in the clear on this thread, for types that redact a part of themselves.
    pub fn is_exposing() -> bool {
        EXPOSING.get()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if EXPOSING.get() { &self.0 } else { REDACTED })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Refuses values of other types without showing them, as serde's own messages do.
        struct SecretVisitor;

        impl SecretVisitor {
            fn refuse<E: de::Error>() -> Result<Secret, E> {
                Err(E::custom("expected a text in quotes (its value is not shown, since it is a secret)"))
            }
        }

        impl Visitor<'_> for SecretVisitor {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Secret, E> {
                Ok(Secret(text))
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Secret, E> {
                Self::refuse()
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
                Self::refuse()
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Secret, E> {
                Self::refuse()
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
                Self::refuse()
            }
        }

        // Deserialising as a string would let the format reject other types itself, with the value in its error.
        deserializer.deserialize_any(SecretVisitor)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "writeOnly": true})
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_refused_without_showing_it() {
        let error = serde_json::from_str::<Secret>("12345").unwrap_err().to_string();
        assert!(error.contains("expected a text") && !error.contains("12345"), "{error}");
    }

    #[test]
    fn exposing_ends_with_its_scope_even_after_a_panic() {
        let secret = Secret::new("s3cret");
        let json = || serde_json::to_string(&secret).unwrap();
        assert_eq!(Secret::exposing(json), "\"s3cret\"");
        let panicked = std::panic::catch_unwind(|| Secret::exposing(|| panic!("in the middle")));
        assert!(panicked.is_err());
        assert_eq!(json(), "\"[redacted]\"");
    }
}
