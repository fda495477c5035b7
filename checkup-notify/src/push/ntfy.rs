//! [`Ntfy`]: a topic of ntfy.sh, or of a private server.
//!
//! Source: ntfy's documentation of publishing as JSON: a message of 4,096 bytes (a longer one becomes an attachment), a title of 1 KB, three
//! actions. Texts are plain unless a message asks for Markdown.

use std::sync::Arc;

use checkup_core::{
    ConfigError, ConfigProblems, IntoNotifier, Message, Notification, Notifier, NotifyError, Secret, SecretUrl,
    Severity,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::limit::{Limit, Unit};
use crate::render::PLAIN;
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent, temporary};
use crate::settings::{HiddenUrl, server, token};

const TITLE: Limit = Limit::new(1000, Unit::Bytes);
const MESSAGE: Limit = Limit::new(4000, Unit::Bytes);
const MAX_ACTIONS: usize = 3;

/// A topic of ntfy, and its JSON object (`"type": "ntfy"`).
///
/// ```
/// use checkup_notify::Ntfy;
///
/// let ntfy = Ntfy::new("example-alerts").url("https://ntfy.example.com").token("tk_example");
/// # use checkup_core::IntoNotifier;
/// # assert!(ntfy.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: ntfy, url: "https://ntfy.example.com", topic: example-alerts, token: "${NTFY_TOKEN}" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Ntfy {
    /// The topic: 1 to 64 letters, digits, `-` and `_`. On a server without accounts, anyone who knows it can read and write it.
    pub topic: Secret,
    /// The server's address. A user and password in it are sent as `Authorization`. Default: `https://ntfy.sh`.
    #[serde(default = "api", skip_serializing_if = "is_api")]
    pub url: SecretUrl,
    /// An access token. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
}

impl Ntfy {
    /// Publishes to this topic of ntfy.sh.
    pub fn new(topic: impl Into<Secret>) -> Self {
        Self { topic: topic.into(), url: api(), token: None }
    }

    /// Sets the server's address. Default: `https://ntfy.sh`.
    #[must_use]
    pub fn url(mut self, url: impl Into<SecretUrl>) -> Self {
        self.url = url.into();
        self
    }

    /// Authenticates with this access token. Default: none.
    #[must_use]
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = Some(token.into());
        self
    }
}

fn api() -> SecretUrl {
    SecretUrl::from("https://ntfy.sh")
}

fn is_api(url: &SecretUrl) -> bool {
    *url == api()
}

impl IntoNotifier for Ntfy {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let topic = self.topic.expose().trim();
        let is_topic = (1..=64).contains(&topic.len())
            && topic.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_'));
        if !is_topic {
            problems.push(ConfigError::reason("topic", "expected a topic of 1 to 64 letters, digits, `-` and `_`"));
        }
        let server = server(&mut problems, "url", &self.url);
        let token = self.token.as_ref().and_then(|value| token(&mut problems, "token", "an access token", value));
        let topic = Secret::new(topic);
        problems.finish(|| {
            let server = server?;
            let secrets = server.password().and(topic.clone()).and(token.clone().unwrap_or_default());
            Some(Arc::new(HttpNotifier(Topic { server, topic, token, secrets })) as _)
        })
    }
}

/// A topic of a server.
#[derive(Debug)]
struct Topic {
    server: HiddenUrl,
    topic: Secret,
    token: Option<Secret>,
    secrets: Secrets,
}

static SERVICE: Service =
    Service { name: "ntfy", known: &ERRORS, said: |answer| Said::json(answer, &["/code", "/error"]) };

const ERRORS: [Known; 8] = [
    permanent(401, "", "the token or the password is refused", "check `token`"),
    permanent(403, "", "writing to the topic is forbidden", "check `token`, and the permissions of its user"),
    permanent(0, "40009", "the topic is not valid", "check `topic`"),
    temporary(0, "42908", "the day's limit of messages is reached", "use an account, or a private server"),
    temporary(0, "42901", "too many messages at the moment", ""),
    permanent(413, "", "the message is larger than the server accepts", ""),
    permanent(404, "", "there is no ntfy server at this address", "check `url`"),
    temporary(507, "", "the server's storage is full", ""),
];

impl Channel for Topic {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let payload = payload(self.topic.expose(), &notification.message());
        let request = Outgoing::json(self.server.expose(), &payload);
        Ok(match &self.token {
            Some(token) => request.authorization("Bearer", token.expose()),
            None => request,
        })
    }
}

fn payload(topic: &str, message: &Message) -> Value {
    let (priority, tag) = match message.severity {
        Severity::Critical => (5, "red_circle"),
        Severity::Resolved => (3, "green_circle"),
        _ => (4, "yellow_circle"),
    };
    let mut actions: Vec<Value> = Vec::new();
    for link in message.sections.iter().flat_map(|section| &section.links) {
        let action = json!({ "action": "view", "label": link.label, "url": link.url });
        if actions.len() < MAX_ACTIONS && !actions.contains(&action) {
            actions.push(action);
        }
    }
    let mut payload = json!({
        "topic": topic,
        "title": TITLE.cut(&message.title),
        "message": PLAIN.body(message, MESSAGE),
        "priority": priority,
        "tags": [tag],
    });
    if !actions.is_empty() {
        payload["actions"] = actions.into();
    }
    payload
}
