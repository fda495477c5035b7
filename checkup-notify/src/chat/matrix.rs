//! [`Matrix`]: a user that writes to a Matrix room.
//!
//! Source: the Matrix client-server API: the transaction id makes a repeated request the same message, and an event has at most 64 KiB.
//! Messages are not end-to-end encrypted. The empty `m.mentions` means that no user is mentioned, whatever the text contains.

use std::sync::Arc;

use checkup_core::{ConfigError, ConfigProblems, IntoNotifier, Notification, Notifier, NotifyError, Secret, SecretUrl};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::channel::{Channel, HttpNotifier};
use crate::http::{Answer, Outgoing, seconds_to_wait};
use crate::limit::{Limit, Unit};
use crate::render::{HTML, PLAIN};
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent, temporary};
use crate::settings::{HiddenUrl, required, server, token};

/// Each of the two forms of the text. Together they leave room for the rest of the event.
const TEXT: Limit = Limit::new(24_000, Unit::JsonBytes);

/// A Matrix user and the room that it writes to, and its JSON object (`"type": "matrix"`).
///
/// The user must have joined the room. Messages are not end-to-end encrypted.
///
/// ```
/// use checkup_notify::Matrix;
///
/// let matrix = Matrix::new("https://matrix.example.com", "!room:example.com", "syt_token");
/// # use checkup_core::IntoNotifier;
/// # assert!(matrix.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: matrix, url: "https://matrix.example.com", room: "!room:example.com", token: "${MATRIX_TOKEN}" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Matrix {
    /// The address of the user's homeserver.
    pub url: SecretUrl,
    /// The room's id, which begins with `!`. (An alias, which begins with `#`, is not an id.)
    pub room: String,
    /// The user's access token.
    pub token: Secret,
}

impl Matrix {
    /// Writes to this room as the user of this token.
    pub fn new(url: impl Into<SecretUrl>, room: impl Into<String>, token: impl Into<Secret>) -> Self {
        Self { url: url.into(), room: room.into(), token: token.into() }
    }
}

impl IntoNotifier for Matrix {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let server = server(&mut problems, "url", &self.url);
        let room = required(&mut problems, "room", "the room's id", &self.room);
        if room.as_deref().is_some_and(|room| !room.starts_with('!')) {
            problems.push(ConfigError::reason(
                "room",
                "expected the room's id, which begins with `!`; clients show it in the room's settings",
            ));
        }
        let token = token(&mut problems, "token", "the user's access token", &self.token);
        problems.finish(|| {
            let (room, token) = (room?, token?);
            let path = ["_matrix", "client", "v3", "rooms", &*room, "send", "m.room.message"];
            let server = server?;
            let secrets = server.password().and(token.clone());
            Some(Arc::new(HttpNotifier(Room { url: server.at(path), token, secrets })) as _)
        })
    }
}

/// A room that the user has joined.
#[derive(Debug)]
struct Room {
    url: HiddenUrl,
    token: Secret,
    secrets: Secrets,
}

static SERVICE: Service = Service { name: "Matrix", known: &ERRORS, said };

const ERRORS: [Known; 5] = [
    permanent(0, "M_UNKNOWN_TOKEN", "the access token is refused or has expired", "log in again and set `token`"),
    permanent(0, "M_MISSING_TOKEN", "the access token is refused", "set `token`"),
    permanent(
        0,
        "M_FORBIDDEN",
        "the user may not write to the room",
        "let it join the room, and check its power level",
    ),
    permanent(0, "M_NOT_FOUND", "the room does not exist", "check `room` and `url`"),
    temporary(0, "M_LIMIT_EXCEEDED", "too many messages at the moment", ""),
];

fn said(answer: &Answer) -> Said {
    let milliseconds = answer.json().pointer("/retry_after_ms").and_then(Value::as_f64);
    let retry_after = milliseconds.and_then(|milliseconds| seconds_to_wait(milliseconds / 1000.0));
    Said { retry_after, ..Said::json(answer, &["/errcode", "/error"]) }
}

impl Channel for Room {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let message = notification.message();
        let payload = json!({
            "msgtype": "m.text",
            "body": PLAIN.message(&message, TEXT),
            "format": "org.matrix.custom.html",
            "formatted_body": HTML.message(&message, TEXT),
            "m.mentions": {},
        });
        let url = self.url.at([&*notification.id()]).expose();
        Ok(Outgoing::json(url, &payload).method(Method::PUT).authorization("Bearer", self.token.expose()))
    }
}
