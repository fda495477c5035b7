//! [`FromUrl`]: settings that can also be written as a URL, such as `tcp://db:5432`.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::{Checker, ConfigError, IntoChecker, Secret, SecretUrl};

/// Settings of checkers that can also be written as a URL: `checkup redis://cache:6379` checks it without a config file.
///
/// [`Registry::checker_with_urls`](super::Registry::checker_with_urls) registers them.
///
/// # Contract
///
/// For implementors: refuse any part of the URL that would have no effect, and show no credentials in errors.
///
/// ```
/// use checkup_core::config::{CheckUrl, FromUrl};
/// use checkup_core::ConfigError;
///
/// struct Redis {
///     endpoint_url: String,
/// }
///
/// impl FromUrl for Redis {
///     const FORMS: &'static [&'static str] = &["redis://host:port"];
///
///     fn from_url(url: &CheckUrl<'_>) -> Result<Self, ConfigError> {
///         Ok(Self { endpoint_url: url.address_only()?.to_owned() })
///     }
/// }
///
/// let redis = Redis::from_url(&"redis://cache:6379".try_into()?)?;
/// assert_eq!(redis.endpoint_url, "cache:6379");
/// # Ok::<(), ConfigError>(())
/// ```
pub trait FromUrl: Sized {
    /// The forms of the URLs, each with its scheme, for help and errors: `["redis://host:port"]`.
    const FORMS: &'static [&'static str];

    /// The settings that the URL stands for. It has the scheme of one of the [forms](Self::FORMS).
    ///
    /// # Errors
    ///
    /// If a part of the URL is missing, invalid or without effect.
    fn from_url(url: &CheckUrl<'_>) -> Result<Self, ConfigError>;
}

/// A URL that stands for a check, in its parts. They are not decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckUrl<'a> {
    text: &'a str,
    scheme: String,
    /// What is between the scheme and the path: perhaps a user, and the address.
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> CheckUrl<'a> {
    /// The URL as it was given, with any credentials in it.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The scheme, in lower case: `tcp` of `tcp://db:5432`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host and perhaps the port: `db:5432` of `tcp://db:5432`.
    ///
    /// # Errors
    ///
    /// If it is missing, or if there is a user in front of it.
    pub fn address(&self) -> Result<&'a str, ConfigError> {
        let scheme = &self.scheme;
        match self.authority {
            "" => Err(ConfigError::reason("", format!("expected a host after `{scheme}://`"))),
            authority if authority.contains('@') => Err(ConfigError::reason(
                "",
                format!("a user has no effect in `{scheme}://`; remove what is before the `@`"),
            )),
            authority => Ok(authority),
        }
    }

    /// The [address](Self::address), if there is nothing else in the URL.
    ///
    /// # Errors
    ///
    /// If the address is missing, or if there is a user, a path or a query.
    pub fn address_only(&self) -> Result<&'a str, ConfigError> {
        let address = self.address()?;
        if self.path.is_empty() && self.query.is_none() {
            return Ok(address);
        }
        let scheme = &self.scheme;
        Err(ConfigError::reason(
            "",
            format!("a path has no effect in `{scheme}://`; remove what is after the host and port"),
        ))
    }

    /// The path without its first slash; empty if there is none.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The part after the question mark.
    pub fn query(&self) -> Option<&'a str> {
        self.query
    }
}

impl<'a> TryFrom<&'a str> for CheckUrl<'a> {
    type Error = ConfigError;

    fn try_from(text: &'a str) -> Result<Self, ConfigError> {
        let split = text.split_once("://");
        let is_scheme = |scheme: &str| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        let Some((scheme, rest)) = split.filter(|(scheme, _)| is_scheme(scheme)) else {
            return Err(ConfigError::reason("", "expected a URL, which begins with a scheme such as `https://`"));
        };
        let (authority, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (path, query) = match after.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (after, None),
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        Ok(Self { text, scheme: scheme.to_ascii_lowercase(), authority, path, query })
    }
}

impl fmt::Debug for CheckUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&SecretUrl::from(self.text), f)
    }
}

/// Makes the checker of a URL, and its settings as JSON.
type MakeChecker = fn(&CheckUrl<'_>) -> Result<(Arc<dyn Checker>, String), ConfigError>;

/// What a scheme stands for.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    /// The registered type.
    pub(super) type_name: String,
    /// The form of the URL.
    pub(super) form: &'static str,
    pub(super) make: MakeChecker,
}

impl Scheme {
    /// The schemes of the forms of a type.
    pub(super) fn of<C: Serialize + IntoChecker + FromUrl>(type_name: &str) -> impl Iterator<Item = (String, Self)> {
        C::FORMS.iter().map(move |form| {
            let scheme = form.split("://").next().unwrap_or(form).to_ascii_lowercase();
            (scheme, Self { type_name: type_name.to_owned(), form, make: make::<C> })
        })
    }
}

/// The checker, and its settings as JSON.
fn make<C: Serialize + IntoChecker + FromUrl>(url: &CheckUrl<'_>) -> Result<(Arc<dyn Checker>, String), ConfigError> {
    let settings = C::from_url(url)?;
    let object = Secret::exposing(|| serde_json::to_string(&settings));
    let object = object.map_err(|error| ConfigError::reason("", error.to_string()))?;
    Ok((settings.into_checker()?, object))
}
