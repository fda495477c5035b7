//! [`GoogleChat`]: the webhook of a Google Chat space.
//!
//! Source: Google's documentation of `spaces.messages.create`: a message has at most 32,000 bytes, and a second request with the same
//! `requestId` returns the first message instead of creating another. Texts are in cards, whose HTML subset needs only `& < >` escaped; the
//! markup of plain messages has no escapes.

use std::sync::Arc;

use checkup_core::{ConfigError, ConfigProblems, IntoNotifier, Message, Notification, Notifier, NotifyError, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::limit::{Limit, Unit};
use crate::render::{HTML, Markup, symbol};
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent};
use crate::settings::{HiddenUrl, hook};

/// The card's text, which leaves room for the rest of the message.
const TEXT: Limit = Limit::new(24_000, Unit::JsonBytes);

const TITLE: Limit = Limit::new(200, Unit::Utf16);

/// The webhook of a Google Chat space, and its JSON object (`"type": "googlechat"`).
///
/// The messages about one incident are in one thread.
///
/// ```
/// use checkup_notify::GoogleChat;
///
/// let chat = GoogleChat::new("https://chat.googleapis.com/v1/spaces/space/messages?key=key&token=token");
/// # use checkup_core::IntoNotifier;
/// # assert!(chat.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: googlechat, webhook: "${GOOGLE_CHAT_WEBHOOK}" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GoogleChat {
    /// The webhook's URL, with its `key` and `token`. It is a secret: anyone who has it can post.
    pub webhook: Secret,
}

impl GoogleChat {
    /// Posts to this webhook.
    pub fn new(webhook: impl Into<Secret>) -> Self {
        Self { webhook: webhook.into() }
    }
}

impl IntoNotifier for GoogleChat {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let hook = hook(&mut problems, "webhook", &self.webhook);
        problems.finish(|| {
            let hook = hook?;
            let secrets = hook.secrets();
            let hook = hook.with_query("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
            Some(Arc::new(HttpNotifier(Space { hook, secrets })) as _)
        })
    }
}

/// A space with a webhook.
#[derive(Debug)]
struct Space {
    hook: HiddenUrl,
    secrets: Secrets,
}

static SERVICE: Service = Service {
    name: "Google Chat",
    known: &ERRORS,
    said: |answer| Said::json(answer, &["/error/status", "/error/message"]),
};

const REVOKED: &str = "the webhook does not exist or was deleted";
const NEW_ONE: &str = "create a new one and set `webhook`";

const ERRORS: [Known; 4] = [
    permanent(
        400,
        "INVALID_ARGUMENT",
        "the message or the webhook's key is not accepted",
        "copy the URL again to `webhook`",
    ),
    permanent(401, "", REVOKED, NEW_ONE),
    permanent(403, "", "the space allows no messages of webhooks", "ask the space's manager"),
    permanent(404, "", REVOKED, NEW_ONE),
];

/// The links are buttons.
const MARKUP: Markup = Markup { newline: "\n", link: |_, _| String::new(), ..HTML };

impl Channel for Space {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let mut url = self.hook.expose();
        url.query_pairs_mut().append_pair("requestId", &notification.id());
        let mut payload = payload(&notification.message());
        if let [alone] = notification.alerts.as_slice() {
            payload["thread"] = json!({ "threadKey": format!("{}-{}", alone.key, alone.id) });
        }
        Ok(Outgoing::json(url, &payload))
    }
}

fn payload(message: &Message) -> Value {
    let title = TITLE.cut(&format!("{} {}", symbol(message.severity), message.title));
    let mut widgets = vec![json!({ "textParagraph": { "text": MARKUP.body(message, TEXT) } })];
    let mut buttons: Vec<Value> = Vec::new();
    // Google Chat refuses messages with links to anything but https.
    for link in
        message.sections.iter().flat_map(|section| &section.links).filter(|link| link.url.starts_with("https://"))
    {
        let button = json!({ "text": link.label, "onClick": { "openLink": { "url": link.url } } });
        if buttons.len() < 4 && !buttons.contains(&button) {
            buttons.push(button);
        }
    }
    if !buttons.is_empty() {
        widgets.push(json!({ "buttonList": { "buttons": buttons } }));
    }
    json!({
        "fallbackText": title,
        "cardsV2": [{ "cardId": "alert", "card": { "header": { "title": title }, "sections": [{ "widgets": widgets }] } }],
    })
}
