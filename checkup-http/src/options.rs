//! [`Options`]: the settings that most checks leave at their defaults, parsed.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use checkup_core::{ConfigError, ConfigProblems};
use checkup_net::{IpVersion, TlsSettings};
use regex::bytes::Regex;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::assertion::{HeaderRule, JsonRule, parse_regex};
use crate::body::BodyRules;
use crate::config::{DEFAULT_MAX_BODY_BYTES, Http};
use crate::text::{Hidden, Text};

/// The maximum of `follow_redirects`. For comparison, browsers follow 20.
const MAX_REDIRECTS: u8 = 50;

/// The settings that most checks leave at their defaults.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) body: RequestBody,
    pub(crate) follow_redirects: u8,
    pub(crate) lenient: bool,
    pub(crate) ip_version: IpVersion,
    /// The address to connect to, and the port if it differs from the URL's.
    pub(crate) fixed: Option<(IpAddr, Option<u16>)>,
    pub(crate) tls: TlsSettings,
    pub(crate) cert_expiry: Option<Duration>,
    /// The name from the settings that the certificate must be valid for.
    pub(crate) server_name: Option<ServerName<'static>>,
    pub(crate) body_rules: BodyRules,
    pub(crate) header_rules: Vec<HeaderRule>,
}

/// The request's body, which may hold credentials: `Debug` does not show it.
#[derive(Clone, Default)]
pub(crate) struct RequestBody(pub(crate) Bytes);

impl Options {
    pub(crate) fn default_options() -> &'static Self {
        static DEFAULT: OnceLock<Options> = OnceLock::new();
        DEFAULT.get_or_init(Self::default)
    }

    /// Parses the settings. Returns `None` if all are the defaults.
    ///
    /// # Errors
    ///
    /// All problems together.
    pub(crate) fn parse(http: &Http) -> Result<Option<Box<Self>>, ConfigError> {
        if has_defaults(http) {
            return Ok(None);
        }
        let mut problems = ConfigProblems::new();
        problems.take(http.tls.validate("tls."));
        let server_name = problems.take(http.tls.server_name.as_deref().map(parse_server_name).transpose());
        if http.follow_redirects > MAX_REDIRECTS {
            let expected = ConfigError::expected("follow_redirects", format!("at most {MAX_REDIRECTS}"));
            problems.push(expected.found(http.follow_redirects));
        }
        if http.max_body_bytes == 0 {
            let expected = ConfigError::expected("max_body_bytes", "more than 0 (leave it out for 1 MiB)");
            problems.push(expected.found(0));
        }
        let fixed = problems.take(http.resolve.as_deref().map(parse_resolve).transpose());
        let body_rules = problems.take(parse_body_rules(http));
        let header_rules = problems.take(parse_all("response_headers", &http.response_headers, HeaderRule::parse));
        problems.finish(|| {
            let body = http.body.as_ref().map(|body| body.expose().to_owned().into()).unwrap_or_default();
            Some(Some(Box::new(Self {
                body: RequestBody(body),
                follow_redirects: http.follow_redirects,
                lenient: http.lenient,
                ip_version: http.ip_version,
                fixed: fixed?,
                tls: http.tls.clone(),
                cert_expiry: http.cert_expiry,
                server_name: server_name?,
                body_rules: body_rules?,
                header_rules: header_rules?,
            })))
        })
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// Whether the settings have conditions on the body.
pub(crate) fn has_body_rules(http: &Http) -> bool {
    !http.must_contain.is_empty()
        || !http.must_not_contain.is_empty()
        || http.must_match.is_some()
        || !http.json.is_empty()
}

fn has_defaults(http: &Http) -> bool {
    http.body.is_none()
        && http.follow_redirects == 0
        && !http.lenient
        && http.ip_version.is_any()
        && http.resolve.is_none()
        && http.response_headers.is_empty()
        && http.max_body_bytes == DEFAULT_MAX_BODY_BYTES
        && http.tls == TlsSettings::default()
        && http.cert_expiry.is_none()
        && !has_body_rules(http)
}

fn parse_body_rules(http: &Http) -> Result<BodyRules, ConfigError> {
    let mut problems = ConfigProblems::new();
    // A body may contain any bytes, so it is searched as bytes. Patterns that are valid for text are valid for bytes
    // too.
    let pattern = http.must_match.as_deref().map(|pattern| {
        parse_regex("must_match", pattern)?;
        let regex = Regex::new(pattern).map_err(|_| ConfigError::expected("must_match", "a regular expression"))?;
        Ok((Hidden(regex), Text::new(pattern)))
    });
    let must_match = problems.take(pattern.transpose());
    let json = problems.take(parse_all("json", &http.json, JsonRule::parse));
    problems.finish(|| {
        Some(BodyRules {
            must_contain: Text::new(http.must_contain.as_str()),
            must_not_contain: Text::new(http.must_not_contain.as_str()),
            must_match: must_match?,
            json: json?,
            max_bytes: http.max_body_bytes,
        })
    })
}

/// Parses each item of a list.
fn parse_all<S, T>(
    key: &str,
    settings: &[S],
    parse: impl Fn(&S) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let mut problems = ConfigProblems::new();
    let parsed = settings.iter().enumerate();
    let parsed = parsed.map(|(index, setting)| parse(setting).map_err(|error| error.at(&format!("{key}[{index}]"))));
    let parsed: Option<Vec<T>> = parsed.map(|parsed| problems.take(parsed)).collect::<Vec<_>>().into_iter().collect();
    problems.finish(|| parsed)
}

/// Parses the address, and the port if there is one.
fn parse_resolve(text: &str) -> Result<(IpAddr, Option<u16>), ConfigError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok((address, None));
    }
    if let Ok(address) = text.parse::<SocketAddr>()
        && address.port() > 0
    {
        return Ok((address.ip(), Some(address.port())));
    }
    let expected = "an IP address such as \"192.0.2.7\", or one with a port such as \"192.0.2.7:8443\"";
    Err(ConfigError::expected("resolve", expected).found(format_args!("{text:?}")))
}

fn parse_server_name(name: &str) -> Result<ServerName<'static>, ConfigError> {
    ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|_| {
        let expected = "a host name or an IP address that a certificate can contain";
        ConfigError::expected("tls.server_name", expected).found(format_args!("{name:?}"))
    })
}
