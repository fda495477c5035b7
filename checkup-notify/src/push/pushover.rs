//! [`Pushover`]: a user or group of Pushover.
//!
//! Source: Pushover's documentation of its message API: a message of 1,024 characters, a title of 250, a URL of 512 with a title of 100. A
//! message of priority 2 needs `retry` (at least 30 seconds) and `expire` (at most 3 hours). Requests that were refused with a status of
//! 4xx must not be repeated, except 429: the month's limit.

use std::sync::Arc;
use std::time::Duration;

use checkup_core::{
    ConfigError, ConfigProblems, IntoNotifier, Notification, Notifier, NotifyError, Secret, SecretUrl, Severity,
    duration,
};
use serde::{Deserialize, Serialize};

use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::limit::{Limit, Unit};
use crate::render::PLAIN;
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent, temporary};
use crate::settings::{HiddenUrl, server, token};

const TITLE: Limit = Limit::new(250, Unit::Utf16);
const MESSAGE: Limit = Limit::new(1024, Unit::Utf16);
const MAX_URL: usize = 512;

/// The least and the longest time between repetitions, and the longest until they end.
const SHORTEST_RETRY: Duration = Duration::from_secs(30);
const LONGEST_EXPIRE: Duration = Duration::from_secs(10_800);

/// A user or group of Pushover, and its JSON object (`"type": "pushover"`).
///
/// ```
/// use checkup_notify::Pushover;
///
/// let pushover = Pushover::new("application-token", "user-key");
/// # use checkup_core::IntoNotifier;
/// # assert!(pushover.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: pushover, token: "${PUSHOVER_TOKEN}", recipient: "${PUSHOVER_USER}" }
///   # Repeats every minute until someone acknowledges it in the app.
///   - { type: pushover, token: "${PUSHOVER_TOKEN}", recipient: "${PUSHOVER_USER}", priority: 2, retry: 1m }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Pushover {
    /// The application's token.
    pub token: Secret,
    /// The key of the user or group.
    pub recipient: Secret,
    /// A text before each title. Default: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The priority of a check that is down, from -2 to 2. Degraded checks and recoveries have at most 0. Default: 1.
    #[serde(default = "high", skip_serializing_if = "is_high")]
    pub priority: i8,
    /// With priority 2, how often the message is repeated until someone acknowledges it; at least 30s. Default: 1m.
    #[serde(default = "retry", with = "duration", skip_serializing_if = "is_retry")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub retry: Duration,
    /// With priority 2, after how long it is no longer repeated; at most 3h. Default: 1h.
    #[serde(default = "expire", with = "duration", skip_serializing_if = "is_expire")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub expire: Duration,
    /// The address of the API. Default: `https://api.pushover.net`.
    #[serde(default = "api", skip_serializing_if = "is_api")]
    pub url: SecretUrl,
}

impl Pushover {
    /// Sends messages of the application with this token to this user or group.
    pub fn new(token: impl Into<Secret>, recipient: impl Into<Secret>) -> Self {
        Self {
            token: token.into(),
            recipient: recipient.into(),
            subject: String::new(),
            priority: high(),
            retry: retry(),
            expire: expire(),
            url: api(),
        }
    }

    /// Sets a text before each title. Default: none.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Sets the priority of a check that is down, from -2 to 2. Default: 1.
    #[must_use]
    pub fn priority(mut self, priority: i8) -> Self {
        self.priority = priority;
        self
    }

    /// Sets how often a message of priority 2 is repeated, at least every 30 seconds. Default: every minute.
    #[must_use]
    pub fn retry(mut self, retry: Duration) -> Self {
        self.retry = retry;
        self
    }

    /// Sets after how long a message of priority 2 is no longer repeated, at most 3 hours. Default: one hour.
    #[must_use]
    pub fn expire(mut self, expire: Duration) -> Self {
        self.expire = expire;
        self
    }

    /// Sets the address of the API. Default: Pushover's own.
    #[must_use]
    pub fn url(mut self, url: impl Into<SecretUrl>) -> Self {
        self.url = url.into();
        self
    }
}

fn high() -> i8 {
    1
}

fn is_high(priority: &i8) -> bool {
    *priority == high()
}

fn retry() -> Duration {
    Duration::from_secs(60)
}

fn is_retry(duration: &Duration) -> bool {
    *duration == retry()
}

fn expire() -> Duration {
    Duration::from_secs(3600)
}

fn is_expire(duration: &Duration) -> bool {
    *duration == expire()
}

fn api() -> SecretUrl {
    SecretUrl::from("https://api.pushover.net")
}

fn is_api(url: &SecretUrl) -> bool {
    *url == api()
}

impl IntoNotifier for Pushover {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let application = token(&mut problems, "token", "the application's token", &self.token);
        let recipient = token(&mut problems, "recipient", "the key of a user or group", &self.recipient);
        let server = server(&mut problems, "url", &self.url);
        if !(-2..=2).contains(&self.priority) {
            problems.push(ConfigError::expected("priority", "-2 to 2").found(self.priority));
        }
        if self.retry < SHORTEST_RETRY {
            problems.push(ConfigError::expected("retry", "30s or more").found(duration::GoDuration(self.retry)));
        }
        if self.expire > LONGEST_EXPIRE || self.expire < self.retry {
            let expected = "at most 3h, and no less than `retry`";
            problems.push(ConfigError::expected("expire", expected).found(duration::GoDuration(self.expire)));
        }
        problems.finish(|| {
            let (token, recipient, server) = (application?, recipient?, server?);
            let secrets = server.password().and(token.clone()).and(recipient.clone());
            let url = server.at(["1", "messages.json"]);
            let Self { subject, priority, retry, expire, .. } = self;
            Some(Arc::new(HttpNotifier(Recipient { url, token, recipient, subject, priority, retry, expire, secrets }))
                as _)
        })
    }
}

/// A user or group that gets an application's messages.
#[derive(Debug)]
struct Recipient {
    url: HiddenUrl,
    token: Secret,
    recipient: Secret,
    subject: String,
    priority: i8,
    retry: Duration,
    expire: Duration,
    secrets: Secrets,
}

static SERVICE: Service = Service { name: "Pushover", known: &ERRORS, said: |answer| Said::json(answer, &["/errors"]) };

const ERRORS: [Known; 4] = [
    permanent(400, "token", "the application's token is refused", "copy it again to `token`"),
    permanent(400, "user", "the recipient is refused, or has no device", "check `recipient`"),
    permanent(400, "", "the message is not accepted", ""),
    temporary(
        429,
        "",
        "the application has reached its limit of messages for this month",
        "raise the limit in your account",
    ),
];

impl Channel for Recipient {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let message = notification.message();
        let priority = if message.severity == Severity::Critical { self.priority } else { self.priority.min(0) };
        let space = if self.subject.is_empty() { "" } else { " " };
        let title = TITLE.cut(&format!("{}{space}{}", self.subject, message.title));
        let text = PLAIN.body(&message, MESSAGE);
        let (priority, retry, expire) =
            (priority.to_string(), self.retry.as_secs().to_string(), self.expire.as_secs().to_string());
        let mut form = vec![
            ("token", self.token.expose()),
            ("user", self.recipient.expose()),
            ("title", &title),
            ("message", &text),
            ("priority", &priority),
        ];
        if priority == "2" {
            form.extend([("retry", &*retry), ("expire", &*expire)]);
        }
        let links = message.sections.iter().flat_map(|section| &section.links);
        if let Some(link) = { links }.find(|link| link.url.len() <= MAX_URL) {
            form.extend([("url", &*link.url), ("url_title", link.label)]);
        }
        Ok(Outgoing::form(self.url.expose(), form))
    }
}
