//! [`Webhook`]: an HTTP request whose body is a template.

mod signature;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use checkup_core::{ConfigError, ConfigProblems, Delivery, IntoNotifier, Notification, Notifier, NotifyError, Secret};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::channel::{Channel, HttpNotifier};
use crate::document::document;
use crate::http::{Outgoing, is_header_value};
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service};
use crate::settings::{HiddenUrl, hook, token};
use template::Template;

/// The methods that a webhook may have.
const METHODS: [&str; 4] = ["GET", "PATCH", "POST", "PUT"];

/// Any HTTP endpoint, and its JSON object (`"type": "webhook"`).
///
/// Without a template, the body is a JSON document with all that is known: `id`, `title`, `severity` (`critical`, `warning`, `resolved`),
/// `text`, `count`, and `alerts`, each with `step` (`down`, `again`, `flapping`, `up`, `was`, `closed`), `name`, `endpoint`, `reason`, `onset`
/// and so on. A body has at most 512 KiB: if `count` is larger than the number of `alerts`, the others did not fit. Keys may be added in later
/// versions.
///
/// A template (in the language of Jinja) has the same values as variables. In JSON, which is the default, `{{ title }}` writes the
/// text with its quotes and escapes. A template that makes invalid JSON is an error of the settings.
///
/// Each request has the header `Idempotency-Key`, which is the `id`: a delivery that is repeated has the same one. With a `secret`, the header
/// `X-Checkup-Signature` is `sha256=` and the HMAC-SHA256 of the body in hexadecimal.
///
/// ```
/// use checkup_notify::Webhook;
///
/// let webhook = Webhook::new("https://example.com/hook")
///     .header("Authorization", "Bearer t0ken")
///     .body(r#"{ "summary": {{ title }}, "names": {{ alerts | map(attribute="name") | list }} }"#);
/// # use checkup_core::IntoNotifier;
/// # assert!(webhook.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - type: webhook
///     url: https://example.com/hook
///     headers: { Authorization: "Bearer ${HOOK_TOKEN}" }
///     body: '{ "summary": {{ title }}, "details": {{ text }} }'
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Webhook {
    /// The URL. It is treated as a secret, since those of many services are.
    pub url: Secret,
    /// The request's method: `GET`, `PATCH`, `POST` or `PUT`. Default: `POST`.
    #[serde(default = "post", skip_serializing_if = "is_post")]
    pub method: String,
    /// The request's headers. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// The template of the body. It is treated as a secret, since it may contain a token. Default: a JSON document with all that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Secret>,
    /// The body's type, which says how values in the template are escaped: as JSON, as HTML (for HTML and XML), for a form
    /// (`application/x-www-form-urlencoded`), or not at all (for `text/plain`). Default: `application/json`.
    #[serde(default = "json", skip_serializing_if = "is_json")]
    pub content_type: String,
    /// The key of the signature. Default: none, and requests are not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// The status of a successful answer, such as 200. Default: any from 200 to 299.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_status: Option<u16>,
    /// Whether to send a request for each alert, instead of one for all that are due. Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub each: bool,
}

impl Webhook {
    /// Makes requests to this URL.
    pub fn new(url: impl Into<Secret>) -> Self {
        Self {
            url: url.into(),
            method: post(),
            headers: BTreeMap::new(),
            body: None,
            content_type: json(),
            secret: None,
            expect_status: None,
            each: false,
        }
    }

    /// Sets the method. Default: `POST`.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = method.into();
        self
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Sets the template of the body. Default: a JSON document with all that is known.
    #[must_use]
    pub fn body(mut self, template: impl Into<Secret>) -> Self {
        self.body = Some(template.into());
        self
    }

    /// Sets the body's type. Default: `application/json`.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Signs requests with this key. Default: they are not signed.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Sets the status of a successful answer. Default: any from 200 to 299.
    #[must_use]
    pub fn expect_status(mut self, status: u16) -> Self {
        self.expect_status = Some(status);
        self
    }

    /// Sets whether to send a request for each alert. Default: one for all that are due.
    #[must_use]
    pub fn each(mut self, each: bool) -> Self {
        self.each = each;
        self
    }
}

fn post() -> String {
    "POST".to_owned()
}

fn is_post(method: &str) -> bool {
    method == "POST"
}

fn json() -> String {
    "application/json".to_owned()
}

fn is_json(content_type: &str) -> bool {
    content_type == "application/json"
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(each: &bool) -> bool {
    !each
}

impl IntoNotifier for Webhook {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let url = hook(&mut problems, "url", &self.url);
        let method = METHODS.iter().find(|method| self.method.eq_ignore_ascii_case(method));
        if method.is_none() {
            let expected = format!("one of {}", METHODS.join(", "));
            problems.push(ConfigError::expected("method", expected).found(format_args!("{:?}", self.method)));
        }
        let method = method.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
        let mut secrets = url.as_ref().map_or_else(Secrets::new, HiddenUrl::secrets);
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let place = format!("headers.{name}");
            let parsed =
                HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| !OWN_HEADERS.contains(&name.as_str()));
            if parsed.is_none() {
                let expected = "expected the name of a header that is not set by other means";
                problems.push(ConfigError::reason(&place, expected));
            }
            let value = value.expose().trim();
            if !is_header_value(value) {
                problems.push(ConfigError::reason(&place, "expected a value without control characters"));
            }
            secrets = secrets.and_header(value);
            headers.extend(parsed.map(|name| (name, Secret::new(value))));
        }
        let content_type = HeaderValue::from_str(self.content_type.trim()).ok();
        if content_type.is_none() {
            problems.push(ConfigError::reason("content_type", "expected a type such as application/json"));
        }
        let template = self.body.as_ref().map(|body| Template::new(body.expose(), &self.content_type));
        let template = template.map(|template| problems.take(template.map_err(|error| error.at("body"))));
        let secret = self.secret.as_ref().and_then(|secret| token(&mut problems, "secret", "a key", secret));
        secrets = secrets.and(secret.clone().unwrap_or_default());
        if self.expect_status.is_some_and(|status| !(100..=599).contains(&status)) {
            problems.push(ConfigError::expected("expect_status", "100 to 599"));
        }
        problems.finish(|| {
            let template = template.map(|template| template.ok_or(())).transpose().ok()?;
            let (expect_status, each) = (self.expect_status, self.each);
            let (url, method, content_type) = (url?, method?, content_type?);
            let endpoint =
                Endpoint { url, method, headers, template, content_type, secret, expect_status, each, secrets };
            Some(Arc::new(HttpNotifier(endpoint)) as _)
        })
    }
}

/// Headers that are made from other settings, or from the body.
const OWN_HEADERS: [&str; 5] = ["content-length", "content-type", "host", "transfer-encoding", "x-checkup-signature"];

/// An endpoint that takes requests.
#[derive(Debug)]
struct Endpoint {
    url: HiddenUrl,
    method: Method,
    headers: Vec<(HeaderName, Secret)>,
    template: Option<Template>,
    content_type: HeaderValue,
    secret: Option<Secret>,
    expect_status: Option<u16>,
    each: bool,
    secrets: Secrets,
}

static SERVICE: Service = Service { name: "webhook", known: &ERRORS, said: Said::plain };

/// Nothing is known about any endpoint.
const ERRORS: [Known; 0] = [];

impl Channel for Endpoint {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn delivery(&self) -> Delivery {
        if self.each { Delivery::Each } else { Delivery::Together }
    }

    fn expected_status(&self) -> Option<u16> {
        self.expect_status
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let body = match &self.template {
            Some(template) => template.render(notification)?,
            None => document(notification),
        };
        let id =
            HeaderValue::from_str(&notification.id()).map_err(|_| NotifyError::permanent("the id is not a header"))?;
        let mut request = Outgoing::new(self.method.clone(), self.url.expose())
            .body(body.into_bytes())
            .header(CONTENT_TYPE, self.content_type.clone())
            .header(HeaderName::from_static("idempotency-key"), id);
        if let Some(secret) = &self.secret {
            let signature = signature::of(secret.expose(), request.body_bytes());
            request = request.secret_header(HeaderName::from_static("x-checkup-signature"), &signature);
        }
        let set = |request: Outgoing, (name, value): &(HeaderName, Secret)| {
            request.secret_header(name.clone(), value.expose())
        };
        Ok(self.headers.iter().fold(request, set))
    }
}
