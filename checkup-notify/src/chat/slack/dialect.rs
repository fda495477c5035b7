//! The dialects of Mattermost and Rocket.Chat: one text in Markdown.

use checkup_core::Message;
use serde_json::{Map, Value};

use crate::limit::{Limit, Unit};
use crate::render::{Markup, escape_with_backslash};
use crate::service::{Known, Said, Service, permanent};

pub(super) static MATTERMOST: Service =
    Service { name: "Mattermost", known: &MATTERMOST_ERRORS, said: |answer| Said::json(answer, &["/id", "/message"]) };

pub(super) static ROCKETCHAT: Service = Service {
    name: "Rocket.Chat",
    known: &ROCKETCHAT_ERRORS,
    said: |answer| Said::json(answer, &["/error", "/message"]),
};

const MATTERMOST_ERRORS: [Known; 5] = [
    permanent(0, "web.incoming_webhook.channel_locked", "the webhook is locked to its channel", "remove `channel`"),
    permanent(0, "web.incoming_webhook.channel", "the channel does not exist", "check `channel`"),
    permanent(0, "web.incoming_webhook.permissions", "the webhook's owner may not post there", "check `channel`"),
    permanent(0, "web.incoming_webhook.disabled", "webhooks are disabled", "enable them in the system console"),
    permanent(0, "web.incoming_webhook.invalid", "the webhook does not exist", "create a new one and set `webhook`"),
];

const ROCKETCHAT_ERRORS: [Known; 3] = [
    permanent(0, "invalid integration", "the webhook does not exist", "create a new one and set `webhook`"),
    permanent(0, "integration disabled", "the webhook is disabled", "enable it in the administration"),
    permanent(0, "invalid-channel", "the channel does not exist", "check `channel`"),
];

/// Mattermost's limit of a post is 16,383 characters.
const MATTERMOST_TEXT: Limit = Limit::new(16_000, Unit::Utf16);

/// Rocket.Chat's `Message_MaxAllowedSize` is 5,000 by default.
const ROCKETCHAT_TEXT: Limit = Limit::new(4900, Unit::Utf16);

/// What Mattermost's parser accepts after a backslash.
const MATTERMOST_MARKUP: Markup = Markup {
    escape: |text| break_names(&escape_with_backslash(&break_urls(text), "\\`*_{}[]()#+-.!|~><$")),
    strong: ["**", "**"],
    link: |label, url| format!("[{label}]({})", escape_url(url)),
    newline: "\n",
    has_symbols: true,
};

/// What Rocket.Chat's parser accepts after a backslash. Links are `[text](url)`: what is between `]` and `(` breaks one.
const ROCKETCHAT_MARKUP: Markup = Markup {
    escape: |text| {
        break_names(
            &escape_with_backslash(text, "*_~`#").replace("](", "]\u{200b}(").replace('<', "‹").replace('>', "›"),
        )
    },
    strong: ["*", "*"],
    link: |label, url| format!("[{label}]({})", escape_url(url)),
    newline: "\n",
    has_symbols: true,
};

pub(super) fn mattermost(message: &Message) -> Map<String, Value> {
    text(MATTERMOST_MARKUP.message(message, MATTERMOST_TEXT))
}

pub(super) fn rocketchat(message: &Message) -> Map<String, Value> {
    text(ROCKETCHAT_MARKUP.message(message, ROCKETCHAT_TEXT))
}

fn text(text: String) -> Map<String, Value> {
    Map::from_iter([("text".to_owned(), Value::from(text))])
}

/// What looks like a URL becomes a link before its backslashes are removed, and they would be a part of its address. A space without width
/// keeps it text.
fn break_urls(text: &str) -> String {
    text.replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}

/// A mention and the name of an emoji are recognised even after a backslash. A space without width breaks them: after `@`, and after a `:`
/// that another one follows after a name.
fn break_names(text: &str) -> String {
    let mut broken = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        broken.push(character);
        let rest = &text[at + character.len_utf8()..];
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '\\');
        let is_emoji = || rest.find(|c: char| !is_name(c)).is_some_and(|end| end > 0 && rest[end..].starts_with(':'));
        if character == '@' || (character == ':' && is_emoji()) {
            broken.push('\u{200b}');
        }
    }
    broken
}

/// A link's URL ends at white space or a bracket.
fn escape_url(url: &str) -> String {
    url.replace(' ', "%20").replace('(', "%28").replace(')', "%29").replace('>', "%3E").replace('<', "%3C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_a_text_is_no_link_to_another_host() {
        let escaped = (MATTERMOST_MARKUP.escape)("https://shop.example.com/health-check, www.example.com");
        assert_eq!(escaped, "https:\u{200b}//shop\\.example\\.com/health\\-check, www\u{200b}\\.example\\.com");
    }
}
