//! [`Telegram`]: a bot that writes to a chat.
//!
//! Source: Telegram's documentation of `sendMessage`: 4,096 characters after the markup is parsed. This module counts the markup too, and
//! in UTF-16, which is never less. The markup is HTML, in which only `& < >` are special.

use std::sync::Arc;

use checkup_core::{ConfigError, ConfigProblems, IntoNotifier, Notification, Notifier, NotifyError, Secret, SecretUrl};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::channel::{Channel, HttpNotifier};
use crate::http::{Answer, Outgoing, seconds_to_wait};
use crate::limit::{Limit, Unit};
use crate::render::{HTML, Markup};
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent};
use crate::settings::{HiddenUrl, required, server, token};

const TEXT: Limit = Limit::new(4096, Unit::Utf16);

/// A Telegram bot and the chat that it writes to, and its JSON object (`"type": "telegram"`).
///
/// Create a bot with *@BotFather*, add it to the chat, and find the chat's id with the bot's method `getUpdates`.
///
/// ```
/// use checkup_notify::Telegram;
///
/// let telegram = Telegram::new("123456:ABC-DEF", "-1001234567890");
/// # use checkup_core::IntoNotifier;
/// # assert!(telegram.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: telegram, token: "${TELEGRAM_TOKEN}", chat_id: "-1001234567890" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Telegram {
    /// The bot's token.
    pub token: Secret,
    /// The chat's id, in quotes, or the `@name` of a public channel.
    pub chat_id: String,
    /// The id of a topic of the chat. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_thread_id: Option<i64>,
    /// The address of a Bot API server. Default: `https://api.telegram.org`.
    #[serde(default = "api", skip_serializing_if = "is_api")]
    pub url: SecretUrl,
}

impl Telegram {
    /// Writes to this chat as this bot.
    pub fn new(token: impl Into<Secret>, chat_id: impl Into<String>) -> Self {
        Self { token: token.into(), chat_id: chat_id.into(), message_thread_id: None, url: api() }
    }

    /// Writes to this topic of the chat. Default: none.
    #[must_use]
    pub fn message_thread_id(mut self, id: i64) -> Self {
        self.message_thread_id = Some(id);
        self
    }

    /// Sets the address of the Bot API server. Default: Telegram's own.
    #[must_use]
    pub fn url(mut self, url: impl Into<SecretUrl>) -> Self {
        self.url = url.into();
        self
    }
}

fn api() -> SecretUrl {
    SecretUrl::from("https://api.telegram.org")
}

fn is_api(url: &SecretUrl) -> bool {
    *url == api()
}

impl IntoNotifier for Telegram {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let token = token(&mut problems, "token", "the bot's token", &self.token);
        let chat_id = required(&mut problems, "chat_id", "the chat's id", &self.chat_id);
        let server = server(&mut problems, "url", &self.url);
        problems.finish(|| {
            let token = token?;
            let server = server?;
            let url = server.at([&*format!("bot{}", token.expose()), "sendMessage"]);
            let secrets = server.password().and(token);
            let chat = Chat { url, chat_id: chat_id?, message_thread_id: self.message_thread_id, secrets };
            Some(Arc::new(HttpNotifier(chat)) as _)
        })
    }
}

/// A chat that the bot is in.
#[derive(Debug)]
struct Chat {
    /// With the token.
    url: HiddenUrl,
    chat_id: String,
    message_thread_id: Option<i64>,
    secrets: Secrets,
}

static SERVICE: Service = Service { name: "Telegram", known: &ERRORS, said };

const ERRORS: [Known; 10] = [
    permanent(401, "", "the token is refused", "copy it again from @BotFather to `token`"),
    permanent(404, "", "the token is refused", "copy it again from @BotFather to `token`"),
    permanent(
        0,
        "chat not found",
        "the chat does not exist, or the bot is not in it",
        "check `chat_id` and add the bot",
    ),
    permanent(0, "bot was blocked", "the user has blocked the bot", "unblock it, or remove this notifier"),
    permanent(0, "bot was kicked", "the bot was removed from the chat", "add it again"),
    permanent(0, "bot is not a member", "the bot is not in the chat", "add it"),
    permanent(0, "group chat was deleted", "the group was deleted", "set another `chat_id`"),
    permanent(0, "user is deactivated", "the user's account was deleted", "set another `chat_id`"),
    permanent(0, "message thread not found", "the topic does not exist", "check `message_thread_id`"),
    permanent(0, "have no rights to send", "the bot may not write to the chat", "make it an administrator"),
];

fn said(answer: &Answer) -> Said {
    let json = answer.json();
    let retry_after = json.pointer("/parameters/retry_after").and_then(Value::as_f64).and_then(seconds_to_wait);
    Said { retry_after, is_refusal: json["ok"] == false, ..Said::json(answer, &["/description"]) }
}

/// Telegram's subset of HTML has no tag for line breaks.
const MARKUP: Markup = Markup { newline: "\n", ..HTML };

impl Chat {
    fn message(&self, notification: &Notification, chat_id: &str) -> Outgoing {
        let message = notification.message();
        let mut payload = json!({
            "chat_id": chat_id,
            "text": MARKUP.message(&message, TEXT),
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
        });
        if let Some(id) = self.message_thread_id {
            payload["message_thread_id"] = id.into();
        }
        Outgoing::json(self.url.expose(), &payload)
    }
}

impl Channel for Chat {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        Ok(self.message(notification, &self.chat_id))
    }

    /// A group that became a supergroup has a new id, which the refusal names.
    fn instead(&self, notification: &Notification, refusal: &Answer) -> Option<Outgoing> {
        let id = refusal.json().pointer("/parameters/migrate_to_chat_id")?.as_i64()?;
        Some(self.message(notification, &id.to_string()))
    }
}
