//! [`Jsm`]: alerts of Jira Service Management, and of Opsgenie, which it succeeds.
//!
//! Source: Atlassian's documentation of the integration events API, which takes the same requests as Opsgenie's alert API: a message of 130
//! characters, a description of 15,000, an alias of 512. Requests are accepted (202) and processed later. Opsgenie's API ends on 2027-04-05.

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
use crate::render::PLAIN;
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent};
use crate::settings::{HiddenUrl, server, token};

const MESSAGE: Limit = Limit::new(130, Unit::Utf16);
const DESCRIPTION: Limit = Limit::new(15_000, Unit::Utf16);
const ENTITY: Limit = Limit::new(512, Unit::Utf16);

/// Of each text in the details, whose limit is 8,000 characters in all.
const DETAIL: Limit = Limit::new(500, Unit::Utf16);

/// An API integration of Jira Service Management, and its JSON object (`"type": "jsm"`).
///
/// An alert opens an alert there, and its end closes it. For Opsgenie, set [`url`](Self::url).
///
/// ```
/// use checkup_notify::Jsm;
///
/// let jsm = Jsm::new("01234567-89ab-cdef-0123-456789abcdef");
/// # use checkup_core::IntoNotifier;
/// # assert!(jsm.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: jsm, api_key: "${JSM_KEY}" }
///   - { type: jsm, api_key: "${OPSGENIE_KEY}", url: "https://api.eu.opsgenie.com/v2/alerts" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Jsm {
    /// The key of the API integration.
    pub api_key: Secret,
    /// The address of the alerts. Default: `https://api.atlassian.com/jsm/ops/integration/v2/alerts`. Opsgenie's is
    /// `https://api.opsgenie.com/v2/alerts` or `https://api.eu.opsgenie.com/v2/alerts`.
    #[serde(default = "api", skip_serializing_if = "is_api")]
    pub url: SecretUrl,
}

impl Jsm {
    /// Opens and closes alerts with the key of this integration.
    pub fn new(api_key: impl Into<Secret>) -> Self {
        Self { api_key: api_key.into(), url: api() }
    }

    /// Sets the address of the alerts. Default: Jira Service Management's.
    #[must_use]
    pub fn url(mut self, url: impl Into<SecretUrl>) -> Self {
        self.url = url.into();
        self
    }
}

fn api() -> SecretUrl {
    SecretUrl::from("https://api.atlassian.com/jsm/ops/integration/v2/alerts")
}

fn is_api(url: &SecretUrl) -> bool {
    *url == api()
}

impl IntoNotifier for Jsm {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let key = token(&mut problems, "api_key", "the key of an API integration", &self.api_key);
        let url = server(&mut problems, "url", &self.url);
        problems.finish(|| {
            let api_key = key?;
            let url = url?;
            let secrets = url.password().and(api_key.clone());
            Some(Arc::new(HttpNotifier(Alerts { url, api_key, secrets })) as _)
        })
    }
}

/// The alerts of an integration.
#[derive(Debug)]
struct Alerts {
    url: HiddenUrl,
    api_key: Secret,
    secrets: Secrets,
}

static SERVICE: Service =
    Service { name: "Jira Service Management", known: &ERRORS, said: |answer| Said::json(answer, &["/message"]) };

const ERRORS: [Known; 3] = [
    permanent(401, "", "the key is refused", "copy it again from the API integration to `api_key`"),
    permanent(
        403,
        "",
        "the key is refused",
        "check `api_key`, that the integration is turned on, and `url` for accounts in the EU",
    ),
    permanent(422, "", "the alert is not accepted", "check that `api_key` is of an API integration"),
];

impl Channel for Alerts {
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
        let request =
            if alert.step.is_over() { self.close(alert) } else { Outgoing::json(self.url.expose(), &open(alert)) };
        Ok(request.authorization("GenieKey", self.api_key.expose()))
    }
}

impl Alerts {
    fn close(&self, alert: &Alert) -> Outgoing {
        let mut url = self.url.at([&*alert.key, "close"]).expose();
        url.query_pairs_mut().append_pair("identifierType", "alias");
        let section = alert.section();
        let note = format!("{}\n{}", section.title, PLAIN.section(&section, DESCRIPTION));
        let note = DESCRIPTION.cut(&note);
        Outgoing::json(url, &json!({ "source": "Checkup", "note": note }))
    }
}

fn open(alert: &Alert) -> Value {
    let section = alert.section();
    let details: Map<_, _> =
        section.lines.iter().map(|line| (line.label.to_owned(), Value::from(DETAIL.cut(&line.text)))).collect();
    json!({
        "message": MESSAGE.cut(&section.title),
        "alias": alert.key,
        "description": PLAIN.section(&section, DESCRIPTION),
        "priority": if section.severity == Severity::Critical { "P1" } else { "P3" },
        "entity": ENTITY.cut(&checkup_core::text::escape(&alert.endpoint)),
        "source": "Checkup",
        "details": details,
    })
}
