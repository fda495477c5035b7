//! Parses the method and the headers of a request from the settings.

use checkup_core::{ConfigError, ConfigProblems, Secret};
use http::Method;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::config::Http;
use crate::options::has_body_rules;
use crate::url::Target;
use crate::wire::default_headers;

/// Parses the method.
///
/// # Errors
///
/// If it is not a method, is meant for proxies, or contradicts the conditions on the body.
pub(crate) fn parse_method(http: &Http) -> Result<Method, ConfigError> {
    let invalid = |remedy: &str| {
        let expected = ConfigError::expected("method", format_args!("a method such as \"GET\" or \"POST\"{remedy}"));
        expected.found(format_args!("{:?}", http.method))
    };
    // Methods are case-sensitive (RFC 9110, section 9.1), and all common ones are upper case.
    let method: Method = http.method.to_ascii_uppercase().parse().map_err(|_| invalid(""))?;
    match method {
        Method::CONNECT => Err(invalid(" (CONNECT is for proxies)")),
        Method::HEAD if has_body_rules(http) => {
            Err(invalid(" (the answer to HEAD has no body, but there are conditions on the body)"))
        }
        method => Ok(method),
    }
}

/// Parses the headers of the settings.
///
/// # Errors
///
/// All invalid headers, without their values.
pub(crate) fn parse_headers(http: &Http) -> Result<Vec<(HeaderName, HeaderValue)>, ConfigError> {
    let mut problems = ConfigProblems::new();
    let mut headers = Vec::new();
    for (name, values) in &http.headers {
        let parsed = parse_header(name, values).map_err(|message| {
            ConfigError::reason(format!("headers.{}", checkup_net::excerpt(name.as_bytes(), 80)), message)
        });
        headers.extend(problems.take(parsed));
    }
    problems.finish(|| Some(headers))
}

/// Combines the default headers with those of the settings, which replace them. `None` if there are only default
/// headers.
pub(crate) fn headers(
    target: &Target,
    authorization: Option<HeaderValue>,
    own: Vec<(HeaderName, HeaderValue)>,
) -> Option<Box<HeaderMap>> {
    if own.is_empty() && authorization.is_none() {
        return None;
    }
    let mut headers = default_headers(target);
    headers.extend(authorization.map(|authorization| (AUTHORIZATION, authorization)));
    // Each replaces any of the same name.
    own.into_iter().for_each(|(name, value)| drop(headers.insert(name, value)));
    Some(Box::new(headers))
}

fn parse_header(name: &str, values: &[Secret]) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name: HeaderName = name.parse().map_err(|_| "expected a header's name such as \"Accept\"")?;
    if matches!(name.as_str(), "connection" | "content-length" | "transfer-encoding" | "upgrade") {
        return Err("this header belongs to the connection and is set automatically; remove it");
    }
    // Secrets from files usually end in a line break.
    let joined = values.iter().map(|value| value.expose().trim()).collect::<Vec<_>>().join(", ");
    let mut value = HeaderValue::try_from(joined.as_str()).map_err(|_| match joined.contains(['\r', '\n']) {
        true => "expected a value on one line, found a line break inside the value (those at its ends are removed)",
        false => "expected a value without control characters, found one inside the value",
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}
