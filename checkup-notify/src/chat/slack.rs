//! [`Slack`]: incoming webhooks of Slack, Mattermost and Rocket.Chat.
//!
//! Sources: Slack's documentation of incoming webhooks and of Block Kit (50 blocks, 150 characters in a header, 3,000 in a section); a message
//! of about 13,200 characters in blocks is refused as `msg_blocks_too_long`. Mattermost's limit of a post is 16,383 characters, and
//! Rocket.Chat's default is 5,000.

mod dialect;

use std::sync::Arc;

use checkup_core::{ConfigError, ConfigProblems, IntoNotifier, Message, Notification, Notifier, NotifyError, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::limit::{Limit, Unit};
use crate::render::symbol;
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent, temporary};
use crate::settings::{HiddenUrl, hook};

/// A header block's limit.
const HEADER: Limit = Limit::new(150, Unit::Utf16);

/// A section block's limit.
const SECTION: Limit = Limit::new(3000, Unit::Utf16);

/// The limit of `text`, which notifications show. Slack cuts it at 4,000.
const FALLBACK: Limit = Limit::new(1000, Unit::Utf16);

/// How many blocks a message has.
const MAX_BLOCKS: usize = 50;

/// How much text all blocks have together.
const ALL_BLOCKS: usize = 12_000;

/// The incoming webhook of a Slack channel, and its JSON object (`"type": "slack"`).
///
/// Mattermost and Rocket.Chat have such webhooks too: set [`dialect`](Self::dialect).
///
/// ```
/// use checkup_notify::Slack;
///
/// let slack = Slack::new("https://hooks.slack.com/services/T000/B000/token");
/// # use checkup_core::IntoNotifier;
/// # assert!(slack.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: slack, webhook: "${SLACK_WEBHOOK}" }
///   - { type: slack, webhook: "${MATTERMOST_WEBHOOK}", dialect: mattermost, channel: ops }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Slack {
    /// The webhook's URL. It is a secret: anyone who has it can post.
    pub webhook: Secret,
    /// The program whose webhook it is: `slack`, `mattermost` or `rocketchat`. Default: `slack`.
    #[serde(default, skip_serializing_if = "SlackDialect::is_slack")]
    pub dialect: SlackDialect,
    /// The channel, if it is not the webhook's own. Slack's present webhooks ignore it; Mattermost and Rocket.Chat may refuse it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub channel: String,
    /// The name that the message is from, if it is not the webhook's own. Slack's present webhooks ignore it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
}

/// A program that has incoming webhooks like Slack's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SlackDialect {
    /// Slack: blocks of plain text.
    #[default]
    Slack,
    /// Mattermost: Markdown.
    Mattermost,
    /// Rocket.Chat: its own Markdown.
    RocketChat,
}

impl Slack {
    /// Posts to this webhook.
    pub fn new(webhook: impl Into<Secret>) -> Self {
        Self { webhook: webhook.into(), dialect: SlackDialect::Slack, channel: String::new(), username: String::new() }
    }

    /// Sets the program whose webhook it is. Default: Slack.
    #[must_use]
    pub fn dialect(mut self, dialect: SlackDialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Sets the channel. Default: the webhook's own.
    #[must_use]
    pub fn channel(mut self, channel: impl Into<String>) -> Self {
        self.channel = channel.into();
        self
    }

    /// Sets the name that the message is from. Default: the webhook's own.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = username.into();
        self
    }
}

impl SlackDialect {
    fn is_slack(&self) -> bool {
        *self == Self::Slack
    }
}

impl IntoNotifier for Slack {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let hook = hook(&mut problems, "webhook", &self.webhook);
        problems.finish(|| {
            let hook = hook?;
            let secrets = hook.secrets();
            let Self { dialect, channel, username, .. } = self;
            Some(Arc::new(HttpNotifier(SlackChannel { hook, dialect, channel, username, secrets })) as _)
        })
    }
}

/// A channel with a webhook.
#[derive(Debug)]
struct SlackChannel {
    hook: HiddenUrl,
    dialect: SlackDialect,
    channel: String,
    username: String,
    secrets: Secrets,
}

static SLACK: Service = Service { name: "Slack", known: &ERRORS, said: Said::plain };

const ERRORS: [Known; 10] = [
    permanent(404, "no_service", "the webhook was revoked", "create a new one and set `webhook`"),
    permanent(403, "invalid_token", "the webhook is not valid", "copy its URL again to `webhook`"),
    permanent(404, "channel_not_found", "the channel does not exist", "create a webhook for another channel"),
    permanent(410, "channel_is_archived", "the channel is archived", "create a webhook for another channel"),
    permanent(403, "action_prohibited", "an administrator of the workspace does not allow it", "ask one"),
    permanent(
        403,
        "posting_to_general_channel_denied",
        "this channel allows no messages of apps",
        "use another channel",
    ),
    permanent(404, "user_not_found", "the recipient does not exist", "create a webhook for another one"),
    permanent(400, "too_many_attachments", "the message is too large", ""),
    permanent(400, "invalid_payload", "the message is not accepted", "if it is not Slack's webhook, set `dialect`"),
    temporary(0, "rollup_error", "the service has a problem", ""),
];

impl Channel for SlackChannel {
    fn service(&self) -> &'static Service {
        match self.dialect {
            SlackDialect::Slack => &SLACK,
            SlackDialect::Mattermost => &dialect::MATTERMOST,
            SlackDialect::RocketChat => &dialect::ROCKETCHAT,
        }
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let message = notification.message();
        let mut payload = match self.dialect {
            SlackDialect::Slack => blocks(&message),
            SlackDialect::Mattermost => dialect::mattermost(&message),
            SlackDialect::RocketChat => dialect::rocketchat(&message),
        };
        for (key, value) in [("channel", &self.channel), ("username", &self.username)] {
            if !value.is_empty() {
                payload.insert(key.to_owned(), Value::from(value.as_str()));
            }
        }
        Ok(Outgoing::json(self.hook.expose(), &payload))
    }
}

/// Blocks of plain text, in which nothing is interpreted, with links in blocks that hold nothing else.
fn blocks(message: &Message) -> Map<String, Value> {
    let fewer = (0..=message.sections.len()).rev().map(|count| blocks_of(&message.with_sections(count)));
    // Without any section there are two blocks, which always fit.
    let blocks = { fewer }.find(|blocks| size(blocks) <= ALL_BLOCKS && blocks.len() <= MAX_BLOCKS).unwrap_or_default();
    let text = FALLBACK.cut_written(&message.title, |title| format!("{} {}", symbol(message.severity), escape(title)));
    Map::from_iter([
        ("text".to_owned(), text.into()),
        ("blocks".to_owned(), blocks.into()),
        // Whatever a link leads to is not shown in the channel.
        ("unfurl_links".to_owned(), false.into()),
    ])
}

/// How much text the blocks have.
fn size(blocks: &[Value]) -> usize {
    let texts =
        blocks.iter().filter_map(|block| block.pointer("/text/text").or_else(|| block.pointer("/elements/0/text")));
    texts.filter_map(Value::as_str).map(|text| Unit::Utf16.len(text)).sum()
}

fn blocks_of(message: &Message) -> Vec<Value> {
    let plain = |kind: &str, text: String| json!({ "type": kind, "text": { "type": "plain_text", "text": text, "emoji": false } });
    let header = HEADER.cut(&format!("{} {}", symbol(message.severity), message.title));
    let mut blocks = vec![plain("header", header)];
    let is_alone = matches!(message.sections.as_slice(), [one] if one.title == message.title);
    for section in &message.sections {
        let mut text = String::new();
        if !is_alone {
            text = format!("{} {}\n", symbol(section.severity), section.title);
        }
        text.extend(section.lines.iter().map(|line| format!("{line}\n")));
        if !text.is_empty() {
            blocks.push(plain("section", SECTION.cut(text.trim_end())));
        }
        let links: Vec<_> =
            section.links.iter().map(|link| format!("<{}|{}>", escape_url(&link.url), link.label)).collect();
        if !links.is_empty() {
            blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": links.join("  ·  ") }] }));
        }
    }
    if let Some(more) = message.more() {
        blocks.push(plain("section", SECTION.cut(&more)));
    }
    blocks
}

/// The three characters that Slack interprets everywhere; with them, no mention and no link can be written.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A link's URL ends at `|` or `>`.
fn escape_url(url: &str) -> String {
    escape(url).replace('|', "%7C")
}
