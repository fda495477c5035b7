//! Sending a request to a service: [`Outgoing`] is the request, [`Answer`] what came back.

mod client;

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use checkup_core::ErrorChain;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde_json::Value;
use url::Url;

/// How much of an answer is read, for the text of an error.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// A service that asks for more is asked again after a day.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A request that delivers a message.
#[derive(Clone)]
pub(crate) struct Outgoing {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// What a service answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// At most 64 KiB of it.
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer. The text has no URL and no secret.
pub(crate) struct NoAnswer(pub(crate) String);

impl Outgoing {
    /// A request without a body.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// A POST of JSON.
    pub(crate) fn json(url: Url, body: &impl Serialize) -> Self {
        // Our payloads have keys that are texts, and numbers that are finite: they can always be serialised.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::new(Method::POST, url).typed("application/json").body(body)
    }

    /// A POST of a form.
    pub(crate) fn form<'a>(url: Url, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::new(Method::POST, url).typed("application/x-www-form-urlencoded").body(body.into_bytes())
    }

    /// Uses this method.
    pub(crate) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets the body.
    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Sets a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Authenticates with `Authorization`. Values are validated with the settings, by [`is_header_value`].
    pub(crate) fn authorization(self, scheme: &str, credentials: &str) -> Self {
        self.secret_header(AUTHORIZATION, &format!("{scheme} {credentials}"))
    }

    /// Authenticates with user name and password.
    pub(crate) fn basic(self, user: &str, password: &str) -> Self {
        let credentials = STANDARD.encode(format!("{user}:{password}"));
        self.authorization("Basic", &credentials)
    }

    /// Sets a header whose value is a secret.
    pub(crate) fn secret_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    /// The body, for signatures.
    pub(crate) fn body_bytes(&self) -> &[u8] {
        &self.body
    }

    fn typed(self, content_type: &'static str) -> Self {
        self.header(CONTENT_TYPE, HeaderValue::from_static(content_type))
    }

    /// Sends the request. Takes at most ten seconds, follows no redirect, and reads at most 64 KiB of the answer.
    pub(crate) async fn send(self) -> Result<Answer, NoAnswer> {
        let host = host(&self.url);
        let client = client::shared().await.map_err(|error| NoAnswer::of(error, &host))?;
        let request = client.request(self.method, self.url).headers(self.headers).body(self.body);
        let mut response = request.send().await.map_err(|error| NoAnswer::of(error, &host))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while body.len() < MAX_ANSWER_BYTES {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                // The status has the outcome; the body only explains it.
                Ok(None) | Err(_) => break,
            }
        }
        body.truncate(MAX_ANSWER_BYTES);
        Ok(Answer { status, headers, body })
    }
}

impl Answer {
    /// Whether the status is 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON, or null.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// How long to wait according to `Retry-After`, which is a number of seconds or a date.
    pub(crate) fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let wait = match value.parse::<f64>() {
            Ok(seconds) => seconds_to_wait(seconds)?,
            Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
        };
        Some(wait.min(LONGEST_RETRY_AFTER))
    }
}

/// A number of seconds that a service says to wait, if it can be one.
pub(crate) fn seconds_to_wait(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(LONGEST_RETRY_AFTER))
}

/// Whether the text can be in a header: printable, on one line.
pub(crate) fn is_header_value(text: &str) -> bool {
    HeaderValue::from_str(text).is_ok()
}

impl NoAnswer {
    fn of(error: reqwest::Error, host: &str) -> Self {
        if error.is_timeout() {
            return Self(format!("{host} did not answer within {} s", client::TIMEOUT.as_secs()));
        }
        let what = if error.is_connect() { "cannot connect to" } else { "no valid answer from" };
        // The URL may be the secret.
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(|source| format!(": {}", ErrorChain(source)));
        Self(format!("{what} {host}{}", cause.unwrap_or_default()))
    }
}

/// The host and the port, which are not secret.
fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(retry_after: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        Answer { status: 429, headers, body: Vec::new() }
    }

    #[test]
    fn retry_after_is_a_number_or_a_date_and_at_most_a_day() {
        let now = httpdate::parse_http_date("Wed, 25 Nov 2026 10:00:00 GMT").unwrap();
        let wait = |text| answer(text).retry_after(now).map(|wait| wait.as_secs_f64());
        assert_eq!(wait("30"), Some(30.0));
        assert_eq!(wait(" 0.5 "), Some(0.5));
        assert_eq!(wait("Wed, 25 Nov 2026 10:01:00 GMT"), Some(60.0));
        assert_eq!(wait("Wed, 25 Nov 2026 09:00:00 GMT"), Some(0.0));
        assert_eq!(wait("1e300"), None);
        assert_eq!(wait("99999999"), Some(86400.0));
        for invalid in ["-1", "soon", "", "NaN", "inf"] {
            assert_eq!(wait(invalid), None, "{invalid}");
        }
    }
}
