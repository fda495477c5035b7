//! From settings to a checker: everything is parsed here, once, and every problem is named.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use checkup_core::{Checker, ConfigError, IntoChecker, Secret};
use checkup_net::ClientTls;
use http::Method;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use regex::bytes::Regex;

use crate::checker::{Options, RequestBody, default_headers};
use crate::rules::{HeaderRule, JsonRule, parse_regex};
use crate::status::StatusSet;
use crate::{DEFAULT_MAX_BODY_BYTES, Http, HttpChecker};

/// More redirects than anybody means.
const MAX_REDIRECTS: u8 = 50;

impl IntoChecker for Http {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        let mut problems = Vec::new();
        let mut keep = |error| problems.push(error);
        let url = self.endpoint_url.parse().map_err(&mut keep).ok();
        let method = self.parse_method().map_err(&mut keep).ok();
        let headers = self.parse_headers().map_err(&mut keep).ok();
        let up_status = StatusSet::parse(&self.up_status).map_err(&mut keep).ok();
        let options = self.parse_options(&mut problems);
        if let (Some((target, authorization)), Some(method), Some(own), Some(up_status)) =
            (url, method, headers, up_status)
            && problems.is_empty()
        {
            let headers = (!own.is_empty() || authorization.is_some()).then(|| {
                let mut headers = default_headers(&target);
                headers.extend(authorization.map(|authorization| (AUTHORIZATION, authorization)));
                // One by one: what is there twice is replaced.
                own.into_iter().for_each(|(name, value)| drop(headers.insert(name, value)));
                Box::new(headers)
            });
            let endpoint = self.endpoint_url.redacted().into();
            return Ok(Arc::new(HttpChecker::new(endpoint, target, method, headers, up_status, options)));
        }
        let mut problems = problems.into_iter();
        let mut all = problems.next().unwrap_or_else(|| ConfigError::invalid("", "the settings cannot work"));
        problems.for_each(|problem| all.extend(problem));
        Err(all)
    }
}

impl Http {
    fn parse_method(&self) -> Result<Method, ConfigError> {
        let invalid = |remedy: &str| {
            let found = &self.method;
            ConfigError::invalid(
                "method",
                format!("expected a method such as \"GET\" or \"POST\", found {found:?}{remedy}"),
            )
        };
        // Methods are case-sensitive (RFC 9110, section 9.1), and those that anybody uses are upper case.
        let method: Method = self.method.to_ascii_uppercase().parse().map_err(|_| invalid(""))?;
        match method {
            Method::CONNECT => Err(invalid(", which is for proxies")),
            Method::HEAD if self.has_body_rules() => {
                Err(invalid(": the answer to HEAD has no body for the conditions on it"))
            }
            method => Ok(method),
        }
    }

    fn has_body_rules(&self) -> bool {
        !self.must_contain.is_empty()
            || !self.must_not_contain.is_empty()
            || self.must_match.is_some()
            || !self.json.is_empty()
    }

    fn parse_headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, ConfigError> {
        let mut headers = Vec::new();
        for (name, values) in &self.headers {
            let place = || format!("headers.{}", checkup_net::excerpt(name.as_bytes(), 80));
            let parsed: HeaderName = name
                .parse()
                .map_err(|_| ConfigError::invalid(place(), "expected a header's name such as \"Accept\""))?;
            if matches!(parsed.as_str(), "connection" | "content-length" | "transfer-encoding" | "upgrade") {
                return Err(ConfigError::invalid(place(), "expected no header of the connection; leave it out"));
            }
            let joined = values.iter().map(Secret::expose).collect::<Vec<_>>().join(", ");
            let mut value = HeaderValue::try_from(joined).map_err(|_| {
                ConfigError::invalid(place(), "expected a value without line breaks and control characters")
            })?;
            value.set_sensitive(true);
            headers.push((parsed, value));
        }
        Ok(headers)
    }

    /// What most checks leave as it is; `None` if this one does.
    fn parse_options(&self, problems: &mut Vec<ConfigError>) -> Option<Box<Options>> {
        let tls = self.client_tls();
        if self.has_default_options() && tls == ClientTls::default() {
            return None;
        }
        let mut keep = |error| problems.push(error);
        let _ = tls.validate("tls_").map_err(&mut keep);
        let mut options = Options {
            body: RequestBody(self.body.as_ref().map(|body| body.expose().to_owned().into()).unwrap_or_default()),
            follow_redirects: self.follow_redirects,
            ip_version: self.ip_version,
            tls,
            ..Options::default()
        };
        if self.follow_redirects > MAX_REDIRECTS {
            let found = self.follow_redirects;
            keep(ConfigError::invalid("follow_redirects", format!("expected at most {MAX_REDIRECTS}, found {found}")));
        }
        if self.max_body_bytes == 0 {
            keep(ConfigError::invalid("max_body_bytes", "expected more than 0, found 0; leave it out for 1 MiB"));
        }
        if let Some(address) = &self.resolve {
            options.fixed = parse_resolve(address).map_err(&mut keep).ok();
        }
        self.parse_rules(&mut options, problems);
        Some(Box::new(options))
    }

    fn has_default_options(&self) -> bool {
        self.body.is_none()
            && self.follow_redirects == 0
            && self.ip_version.is_any()
            && self.resolve.is_none()
            && self.response_headers.is_empty()
            && self.max_body_bytes == DEFAULT_MAX_BODY_BYTES
            && !self.has_body_rules()
    }

    fn client_tls(&self) -> ClientTls {
        let mut tls = ClientTls::default();
        tls.ca_file.clone_from(&self.tls_ca_file);
        tls.extra_ca_file.clone_from(&self.tls_extra_ca_file);
        tls.client_cert_file.clone_from(&self.tls_client_cert_file);
        tls.client_key_file.clone_from(&self.tls_client_key_file);
        tls.skip_verify = self.tls_skip_verify;
        tls.min_version = self.tls_min_version;
        tls
    }

    fn parse_rules(&self, options: &mut Options, problems: &mut Vec<ConfigError>) {
        let mut keep = |error| problems.push(error);
        let rules = &mut options.body_rules;
        rules.must_contain.clone_from(&self.must_contain);
        rules.must_not_contain.clone_from(&self.must_not_contain);
        rules.max_bytes = self.max_body_bytes;
        if let Some(pattern) = &self.must_match {
            // Bodies may be anything, so the search is in bytes. What reads for texts reads for bytes.
            let parsed = parse_regex("must_match", pattern).map_err(&mut keep).ok();
            rules.must_match = parsed.and_then(|regex| Regex::new(regex.as_str()).ok());
        }
        for (index, assertion) in self.json.iter().enumerate() {
            let rule = JsonRule::parse(assertion).map_err(|error| keep(error.at(&format!("json[{index}]"))));
            rules.json.extend(rule);
        }
        for (index, assertion) in self.response_headers.iter().enumerate() {
            let place = format!("response_headers[{index}]");
            options.header_rules.extend(HeaderRule::parse(assertion).map_err(|error| keep(error.at(&place))));
        }
    }
}

/// The address, and the port unless it is the URL's.
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
    Err(ConfigError::invalid(
        "resolve",
        format!(
            "expected an IP address such as \"192.0.2.7\", or one with a port such as \"192.0.2.7:8443\", found {text:?}"
        ),
    ))
}
