//! [`Alertmanager`]: Prometheus' Alertmanager, which then groups, silences and routes.
//!
//! Source: Alertmanager's API v2. An alert is identified by its labels. Without an end, Alertmanager ends it `resolve_timeout` (5 minutes)
//! after it was last sent, which would be a false recovery if nothing sends it again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::text::escape;
use checkup_core::{
    Alert, ConfigError, ConfigProblems, IntoNotifier, Notification, Notifier, NotifyError, Secret, SecretUrl,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::limit::{Limit, Unit};
use crate::render::PLAIN;
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent};
use crate::settings::{HiddenUrl, server, token};

/// How often open alerts should be sent again.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// How long an open alert stays open if it is not sent again.
const OPEN: Duration = Duration::from_secs(24 * 3600);

/// A label. Alertmanager documents no limits; these keep what it passes on readable. It is the same for all deliveries, since labels are
/// the identity of an alert.
const LABEL: Limit = Limit::new(512, Unit::Utf16);

/// The summary of an alert.
const SUMMARY: Limit = Limit::new(512, Unit::Utf16);

/// The description of an alert, and those of all alerts of a request together.
const DESCRIPTION: usize = 8000;
const ALL_DESCRIPTIONS: usize = 256 << 10;

/// An Alertmanager, and its JSON object (`"type": "alertmanager"`).
///
/// Alerts have the labels `alertname` (`Checkup`), `check`, `endpoint`, `group`, `kind` and `severity` (`critical` or `warning`), and the
/// annotations `summary`, `description` and `runbook_url`. An open alert that is not sent again ends after a day.
///
/// ```
/// use checkup_notify::Alertmanager;
///
/// let alertmanager = Alertmanager::new("http://alertmanager:9093").label("team", "ops");
/// # use checkup_core::IntoNotifier;
/// # assert!(alertmanager.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: alertmanager, url: "http://alertmanager:9093", labels: { team: ops } }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Alertmanager {
    /// Its address, without `/api`. A user and password in it are sent as `Authorization`.
    pub url: SecretUrl,
    /// A token that is sent as `Authorization: Bearer`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// More labels for every alert. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Alertmanager {
    /// Sends alerts to this Alertmanager.
    pub fn new(url: impl Into<SecretUrl>) -> Self {
        Self { url: url.into(), token: None, labels: BTreeMap::new() }
    }

    /// Authenticates with this token. Default: none.
    #[must_use]
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Adds a label to every alert.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }
}

impl IntoNotifier for Alertmanager {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let server = server(&mut problems, "url", &self.url);
        let token = self.token.as_ref().and_then(|value| token(&mut problems, "token", "a token", value));
        for (name, value) in &self.labels {
            let is_name = |name: &str| {
                let mut characters = name.chars();
                characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
                    && characters.all(|other| other.is_ascii_alphanumeric() || other == '_')
            };
            if !is_name(name) || OWN_LABELS.contains(&name.as_str()) || value.is_empty() {
                let expected = format!(
                    "the name of a label (letters, digits and `_`, and not {}) with a value",
                    OWN_LABELS.join(", ")
                );
                problems.push(ConfigError::expected(format!("labels.{name}"), expected));
            }
        }
        problems.finish(|| {
            let server = server?;
            let secrets = server.password().and(token.clone().unwrap_or_default());
            let url = server.at(["api", "v2", "alerts"]);
            Some(Arc::new(HttpNotifier(Api { url, token, labels: self.labels, secrets })) as _)
        })
    }
}

/// The labels that every alert has.
const OWN_LABELS: [&str; 6] = ["alertname", "check", "endpoint", "group", "kind", "severity"];

/// The API of an Alertmanager.
#[derive(Debug)]
struct Api {
    url: HiddenUrl,
    token: Option<Secret>,
    labels: BTreeMap<String, String>,
    secrets: Secrets,
}

static SERVICE: Service =
    Service { name: "Alertmanager", known: &ERRORS, said: |answer| Said::json(answer, &["/message"]) };

const ERRORS: [Known; 2] = [
    permanent(404, "", "there is no Alertmanager at this address", "check `url`"),
    permanent(401, "", "the credentials are refused", "check `token`, or user and password in `url`"),
];

impl Channel for Api {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn keep_alive(&self) -> Option<Duration> {
        Some(KEEP_ALIVE)
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let description = DESCRIPTION.min(ALL_DESCRIPTIONS / notification.alerts.len().max(1));
        let description = Limit::new(description, Unit::JsonBytes);
        let alerts: Vec<_> = notification.alerts.iter().map(|alert| self.alert(alert, description)).collect();
        let request = Outgoing::json(self.url.expose(), &alerts);
        Ok(match &self.token {
            Some(token) => request.authorization("Bearer", token.expose()),
            None => request,
        })
    }
}

impl Api {
    fn alert(&self, alert: &Alert, description: Limit) -> Value {
        let text = |text: &str| LABEL.cut(&escape(text));
        let section = alert.section();
        // The severity of a recovery would be another label, and so another alert.
        let severity = if alert.status == checkup_core::Status::Down { "critical" } else { "warning" };
        let own = [
            ("alertname", "Checkup".to_owned()),
            ("check", text(&alert.name)),
            ("endpoint", text(&alert.endpoint)),
            ("group", text(alert.group.as_deref().unwrap_or_default())),
            ("kind", alert.kind.as_str().to_owned()),
            ("severity", severity.to_owned()),
        ];
        let mut labels = self.labels.clone();
        // Alertmanager treats an empty label like one that is missing.
        labels.extend(
            own.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value)),
        );
        let mut annotations = json!({ "summary": SUMMARY.cut(&section.title) });
        let description = PLAIN.section(&section, description);
        if !description.is_empty() {
            annotations["description"] = description.into();
        }
        let link = |label: &str| section.links.iter().find(|link| link.label == label).map(|link| link.url.clone());
        if let Some(runbook) = link("Runbook") {
            annotations["runbook_url"] = runbook.into();
        }
        let mut json = json!({ "labels": labels, "annotations": annotations, "startsAt": alert.onset.to_string() });
        let ended = alert.ended.filter(|_| alert.step.is_over());
        json["endsAt"] = ended.unwrap_or_else(|| alert.at.saturating_add(OPEN)).to_string().into();
        if let Some(page) = link("Status page").filter(|page| Url::parse(page).is_ok()) {
            json["generatorURL"] = page.into();
        }
        json
    }
}
