//! [`Gotify`]: an application of a Gotify server.
//!
//! Source: Gotify's API documentation. Texts are plain unless a message asks for Markdown.

use std::sync::Arc;

use checkup_core::{
    ConfigError, ConfigProblems, IntoNotifier, Notification, Notifier, NotifyError, Secret, SecretUrl, Severity,
};
use reqwest::header::HeaderName;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::limit::{Limit, Unit};
use crate::render::PLAIN;
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent};
use crate::settings::{HiddenUrl, server, token};

/// Gotify documents no limit; this one keeps messages readable on a phone.
const MESSAGE: Limit = Limit::new(8000, Unit::Utf16);

/// An application of a Gotify server, and its JSON object (`"type": "gotify"`).
///
/// ```
/// use checkup_notify::Gotify;
///
/// let gotify = Gotify::new("https://gotify.example.com", "Aexample");
/// # use checkup_core::IntoNotifier;
/// # assert!(gotify.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: gotify, url: "https://gotify.example.com", token: "${GOTIFY_TOKEN}" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Gotify {
    /// The server's address.
    pub url: SecretUrl,
    /// The application's token.
    pub token: Secret,
}

impl Gotify {
    /// Sends messages of the application with this token.
    pub fn new(url: impl Into<SecretUrl>, token: impl Into<Secret>) -> Self {
        Self { url: url.into(), token: token.into() }
    }
}

impl IntoNotifier for Gotify {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let server = server(&mut problems, "url", &self.url);
        let token = token(&mut problems, "token", "the application's token", &self.token);
        problems.finish(|| {
            let (server, token) = (server?, token?);
            let secrets = server.password().and(token.clone());
            Some(Arc::new(HttpNotifier(Application { url: server.at(["message"]), token, secrets })) as _)
        })
    }
}

/// An application of a server.
#[derive(Debug)]
struct Application {
    url: HiddenUrl,
    token: Secret,
    secrets: Secrets,
}

static SERVICE: Service =
    Service { name: "Gotify", known: &ERRORS, said: |answer| Said::json(answer, &["/errorDescription", "/error"]) };

const ERRORS: [Known; 3] = [
    permanent(401, "", "the token is refused", "copy it again from the application to `token`"),
    permanent(403, "", "the token is not of an application", "use the token of an application, not of a client"),
    permanent(404, "", "there is no Gotify server at this address", "check `url`"),
];

impl Channel for Application {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let message = notification.message();
        let priority = match message.severity {
            Severity::Critical => 8,
            Severity::Resolved => 4,
            _ => 5,
        };
        let title = Limit::new(250, Unit::Utf16).cut(&message.title);
        let payload = json!({ "title": title, "message": PLAIN.body(&message, MESSAGE), "priority": priority });
        let request = Outgoing::json(self.url.expose(), &payload);
        Ok(request.secret_header(HeaderName::from_static("x-gotify-key"), self.token.expose()))
    }
}
