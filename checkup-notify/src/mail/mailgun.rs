//! [`Mailgun`]: mail through Mailgun's HTTP API.
//!
//! Source: Mailgun's documentation of sending messages. (Its SMTP servers work with [`Mail`](super::Mail).)

use std::sync::Arc;

use checkup_core::{ConfigError, ConfigProblems, IntoNotifier, Notification, Notifier, NotifyError, Secret, SecretUrl};
use serde::{Deserialize, Serialize};

use super::letter::{Letter, address, addresses};
use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent};
use crate::settings::{HiddenUrl, required, server, token};

/// Mail through Mailgun, and its JSON object (`"type": "mailgun"`).
///
/// ```
/// use checkup_notify::Mailgun;
///
/// let mailgun = Mailgun::new("key-example", "mg.example.com", "checkup@mg.example.com", ["ops@example.com"]);
/// # use checkup_core::IntoNotifier;
/// # assert!(mailgun.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - type: mailgun
///     apikey: "${MAILGUN_KEY}"
///     domain: mg.example.com
///     from: checkup@mg.example.com
///     to: [ops@example.com]
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Mailgun {
    /// The sender: `checkup@example.com` or `Checkup <checkup@example.com>`.
    pub from: String,
    /// The recipients, who all see each other.
    pub to: Vec<String>,
    /// A text before each title in the subject. Default: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The API key.
    pub apikey: Secret,
    /// The domain that mail is sent from.
    pub domain: String,
    /// The address of the API: `https://api.eu.mailgun.net` for domains in the EU. Default: `https://api.mailgun.net`.
    #[serde(default = "api", skip_serializing_if = "is_api")]
    pub url: SecretUrl,
}

impl Mailgun {
    /// Sends mail of this domain from one address to others.
    pub fn new(
        apikey: impl Into<Secret>,
        domain: impl Into<String>,
        from: impl Into<String>,
        to: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            from: from.into(),
            to: to.into_iter().map(Into::into).collect(),
            subject: String::new(),
            apikey: apikey.into(),
            domain: domain.into(),
            url: api(),
        }
    }

    /// Sets a text before each title in the subject. Default: none.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Sets the address of the API. Default: `https://api.mailgun.net`.
    #[must_use]
    pub fn url(mut self, url: impl Into<SecretUrl>) -> Self {
        self.url = url.into();
        self
    }
}

fn api() -> SecretUrl {
    SecretUrl::from("https://api.mailgun.net")
}

fn is_api(url: &SecretUrl) -> bool {
    *url == api()
}

impl IntoNotifier for Mailgun {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let from = address(&mut problems, "from", &self.from);
        let to = addresses(&mut problems, "to", &self.to);
        let apikey = token(&mut problems, "apikey", "the API key", &self.apikey);
        let domain = required(&mut problems, "domain", "the domain that mail is sent from", &self.domain);
        let server = server(&mut problems, "url", &self.url);
        problems.finish(|| {
            let (apikey, server) = (apikey?, server?);
            let secrets = server.password().and(apikey.clone());
            let url = server.at(["v3", &*domain?, "messages"]);
            let to = to?.iter().map(ToString::to_string).collect();
            let domain = Domain { url, apikey, from: from?.to_string(), to, subject: self.subject, secrets };
            Some(Arc::new(HttpNotifier(domain)) as _)
        })
    }
}

/// A domain that mail is sent from.
#[derive(Debug)]
struct Domain {
    url: HiddenUrl,
    apikey: Secret,
    from: String,
    to: Vec<String>,
    subject: String,
    secrets: Secrets,
}

static SERVICE: Service = Service { name: "Mailgun", known: &ERRORS, said: |answer| Said::json(answer, &["/message"]) };

const ERRORS: [Known; 4] = [
    permanent(401, "", "the API key is refused", "check `apikey`, and `url` for domains in the EU"),
    permanent(403, "", "the domain may not send", "check the domain's state in Mailgun"),
    permanent(404, "", "the domain does not exist", "check `domain`, and `url` for domains in the EU"),
    permanent(400, "", "the message is not accepted", "check `from` and `to`"),
];

impl Channel for Domain {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let Letter { subject, text, html } = Letter::new(notification, &self.subject);
        let mut form = vec![("from", &*self.from), ("subject", &*subject), ("text", &*text), ("html", &*html)];
        form.extend(self.to.iter().map(|recipient| ("to", &**recipient)));
        form.push(("h:Auto-Submitted", "auto-generated"));
        Ok(Outgoing::form(self.url.expose(), form).basic("api", self.apikey.expose()))
    }
}
