//! [`Discord`]: a webhook of a Discord channel.
//!
//! Source: Discord's documentation of "Execute Webhook": 10 embeds of 256 characters in the title and 4,096 in the description, 6,000
//! over all embeds. Without `wait=true` a message that was not saved is no error. 10,000 refused requests in 10 minutes block the sender's
//! address, so a revoked webhook is a permanent error.

use std::sync::Arc;

use checkup_core::{
    ConfigError, ConfigProblems, IntoNotifier, Message, Notification, Notifier, NotifyError, Secret, Section,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::channel::{Channel, HttpNotifier};
use crate::http::{Answer, Outgoing, seconds_to_wait};
use crate::limit::{Limit, Unit};
use crate::render::{Markup, colour, escape_with_backslash};
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent};
use crate::settings::{HiddenUrl, hook};

/// An embed's title.
const TITLE: Limit = Limit::new(256, Unit::Utf16);

/// An embed's description.
const DESCRIPTION: Limit = Limit::new(4096, Unit::Utf16);

/// The message's own text.
const CONTENT: Limit = Limit::new(2000, Unit::Utf16);

/// How much text all embeds have together.
const ALL_EMBEDS: usize = 6000;

/// How many embeds a message has.
const MAX_EMBEDS: usize = 10;

/// The webhook of a Discord channel, and its JSON object (`"type": "discord"`).
///
/// ```
/// use checkup_notify::Discord;
///
/// let discord = Discord::new("https://discord.com/api/webhooks/0000/token");
/// # use checkup_core::IntoNotifier;
/// # assert!(discord.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: discord, webhook: "${DISCORD_WEBHOOK}" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Discord {
    /// The webhook's URL. It is a secret: anyone who has it can post.
    pub webhook: Secret,
}

impl Discord {
    /// Posts to this webhook.
    pub fn new(webhook: impl Into<Secret>) -> Self {
        Self { webhook: webhook.into() }
    }
}

impl IntoNotifier for Discord {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let hook = hook(&mut problems, "webhook", &self.webhook);
        problems.finish(|| {
            let hook = hook?;
            let secrets = hook.secrets();
            // Discord then answers after it has saved the message.
            let hook = hook.with_query("wait", "true");
            Some(Arc::new(HttpNotifier(DiscordChannel { hook, secrets })) as _)
        })
    }
}

/// A channel with a webhook.
#[derive(Debug)]
struct DiscordChannel {
    hook: HiddenUrl,
    secrets: Secrets,
}

static SERVICE: Service = Service { name: "Discord", known: &ERRORS, said };

const REVOKED: &str = "the webhook does not exist or was deleted";
const NEW_ONE: &str = "create a new one and set `webhook`";

const ERRORS: [Known; 3] =
    [permanent(401, "", REVOKED, NEW_ONE), permanent(404, "", REVOKED, NEW_ONE), permanent(403, "", REVOKED, NEW_ONE)];

fn said(answer: &Answer) -> Said {
    let retry_after = answer.json().pointer("/retry_after").and_then(Value::as_f64).and_then(seconds_to_wait);
    Said { retry_after, ..Said::json(answer, &["/message"]) }
}

/// Discord's parser accepts a backslash before all of these.
const MARKUP: Markup = Markup {
    escape: |text| escape_with_backslash(text, "\\`*_{}[]()<>#+-.!|~@:"),
    strong: ["**", "**"],
    link: |label, url| format!("[{label}](<{}>)", url.replace(' ', "%20").replace('>', "%3E").replace('<', "%3C")),
    newline: "\n",
    has_symbols: false,
};

impl Channel for DiscordChannel {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        Ok(Outgoing::json(self.hook.expose(), &payload(&notification.message())))
    }
}

/// An embed for each alert, as many as fit; the title and the number of the rest are the message's own text.
fn payload(message: &Message) -> Value {
    let is_alone = matches!(message.sections.as_slice(), [one] if one.title == message.title);
    let (mut embeds, mut size) = (Vec::new(), 0);
    for section in message.sections.iter().take(MAX_EMBEDS) {
        let (embed, length) = embed(section);
        if size + length > ALL_EMBEDS {
            break;
        }
        size += length;
        embeds.push(embed);
    }
    let mut content = Vec::new();
    if !is_alone || embeds.is_empty() {
        content.push(MARKUP.title(&message.title, message.severity, Limit::new(600, Unit::Utf16)));
    }
    if let Some(more) = message.with_sections(embeds.len()).more() {
        content.push(Limit::new(1300, Unit::Utf16).cut_written(&more, MARKUP.escape));
    }
    let content = content.join("\n");
    debug_assert!(CONTENT.holds(&content));
    json!({ "content": content, "embeds": embeds, "allowed_mentions": { "parse": [] } })
}

/// One alert, and how much it counts.
fn embed(section: &Section) -> (Value, usize) {
    let title = TITLE.cut_written(&section.title, MARKUP.escape);
    let description = MARKUP.section(section, DESCRIPTION);
    let size = Unit::Utf16.len(&title) + Unit::Utf16.len(&description);
    (json!({ "title": title, "description": description, "color": colour(section.severity) }), size)
}
