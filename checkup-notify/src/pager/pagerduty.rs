//! [`PagerDuty`]: a service of PagerDuty, through its Events API v2.
//!
//! Source: PagerDuty's documentation of the Events API v2: a summary of 1,024 characters, a `dedup_key` of 255, and 512 KB in all.

use std::sync::Arc;

use checkup_core::{
    Alert, ConfigError, ConfigProblems, Delivery, IntoNotifier, Notification, Notifier, NotifyError, Secret, SecretUrl,
    Severity,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::limit::{Limit, Unit};
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent};
use crate::settings::{HiddenUrl, server, token};

const SUMMARY: Limit = Limit::new(1024, Unit::Utf16);

/// Of each of the other texts. PagerDuty documents none for them.
const DETAIL: Limit = Limit::new(2048, Unit::Utf16);

/// How long a routing key is.
const KEY_LENGTH: usize = 32;

/// A service of PagerDuty, and its JSON object (`"type": "pagerduty"`).
///
/// An alert triggers an incident, and its end resolves it. In PagerDuty, add the integration *Events API v2* to a service.
///
/// ```
/// use checkup_notify::PagerDuty;
///
/// let pagerduty = PagerDuty::new("0123456789abcdef0123456789abcdef");
/// # use checkup_core::IntoNotifier;
/// # assert!(pagerduty.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: pagerduty, routing_key: "${PAGERDUTY_KEY}" }
///   - { type: pagerduty, routing_key: "${PAGERDUTY_EU_KEY}", url: "https://events.eu.pagerduty.com" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PagerDuty {
    /// The integration key of the service, with 32 characters.
    pub routing_key: Secret,
    /// The address of the API: `https://events.eu.pagerduty.com` for accounts in the EU. Default: `https://events.pagerduty.com`.
    #[serde(default = "api", skip_serializing_if = "is_api")]
    pub url: SecretUrl,
}

impl PagerDuty {
    /// Sends events to the service with this integration key.
    pub fn new(routing_key: impl Into<Secret>) -> Self {
        Self { routing_key: routing_key.into(), url: api() }
    }

    /// Sets the address of the API. Default: `https://events.pagerduty.com`.
    #[must_use]
    pub fn url(mut self, url: impl Into<SecretUrl>) -> Self {
        self.url = url.into();
        self
    }
}

fn api() -> SecretUrl {
    SecretUrl::from("https://events.pagerduty.com")
}

fn is_api(url: &SecretUrl) -> bool {
    *url == api()
}

impl IntoNotifier for PagerDuty {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let key = token(&mut problems, "routing_key", "the integration key of a service", &self.routing_key);
        if let Some(length) = key.as_ref().map(|key| key.expose().len()).filter(|length| *length != KEY_LENGTH) {
            let expected =
                format!("expected the integration key of a service, with {KEY_LENGTH} characters, found {length}");
            problems.push(ConfigError::reason("routing_key", expected));
        }
        let server = server(&mut problems, "url", &self.url);
        problems.finish(|| {
            let routing_key = key?;
            let server = server?;
            let secrets = server.password().and(routing_key.clone());
            Some(Arc::new(HttpNotifier(Events { url: server.at(["v2", "enqueue"]), routing_key, secrets })) as _)
        })
    }
}

/// A service that takes events.
#[derive(Debug)]
struct Events {
    url: HiddenUrl,
    routing_key: Secret,
    secrets: Secrets,
}

static SERVICE: Service =
    Service { name: "PagerDuty", known: &ERRORS, said: |answer| Said::json(answer, &["/message", "/errors"]) };

const ERRORS: [Known; 3] = [
    permanent(
        400,
        "routing",
        "the integration key is refused",
        "copy it again from the service's integrations to `routing_key`",
    ),
    permanent(400, "", "the event is not accepted", ""),
    permanent(403, "", "the integration key is refused", "check `routing_key`, and `url` for accounts in the EU"),
];

impl Channel for Events {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn delivery(&self) -> Delivery {
        Delivery::Each
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let alert = super::only(notification)?;
        Ok(Outgoing::json(self.url.expose(), &self.event(alert)))
    }
}

impl Events {
    fn event(&self, alert: &Alert) -> Value {
        let section = alert.section();
        let details: Map<_, _> =
            section.lines.iter().map(|line| (line.label.to_owned(), Value::from(DETAIL.cut(&line.text)))).collect();
        let links = section.links.iter().map(|link| json!({ "href": link.url, "text": link.label }));
        let source = if alert.endpoint.is_empty() { &alert.name } else { &alert.endpoint };
        // The payload of a resolution is not needed, but is shown in PagerDuty's log of events.
        let mut event = json!({
            "routing_key": self.routing_key.expose(),
            "dedup_key": alert.key,
            "event_action": if alert.step.is_over() { "resolve" } else { "trigger" },
            "links": links.collect::<Vec<_>>(),
            "client": "Checkup",
        });
        if let Some(page) = section.links.iter().find(|link| link.label == "Status page") {
            event["client_url"] = page.url.as_str().into();
        }
        event["payload"] = json!({
            "summary": SUMMARY.cut(&alert.to_string()),
            "source": DETAIL.cut(&checkup_core::text::escape(source)),
            "severity": severity(section.severity),
            "timestamp": alert.onset.to_string(),
            "component": DETAIL.cut(&checkup_core::text::escape(&alert.name)),
            "group": DETAIL.cut(&checkup_core::text::escape(alert.group.as_deref().unwrap_or_default())),
            "class": alert.kind.as_str(),
            "custom_details": details,
        });
        event
    }
}

/// PagerDuty's word for a severity.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Resolved => "info",
        _ => "warning",
    }
}
