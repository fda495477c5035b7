//! [`Teams`]: a workflow of Microsoft Teams that posts what it receives.
//!
//! Sources: Microsoft's documentation of the workflow "Post to a channel when a webhook request is received" and of Adaptive Cards. A
//! message has at most 28 KB, but smaller ones have been refused, so this module stops at 20 KB. Cards are of version 1.4, since Teams
//! does not show later ones. All texts are in `TextRun`s, which have no markup. The answer 202 means that the workflow has accepted the
//! message; whether it then appears in the channel is only in the workflow's own history.

use std::sync::Arc;

use checkup_core::{
    ConfigError, ConfigProblems, IntoNotifier, Message, Notification, Notifier, NotifyError, Secret, Severity,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::limit::{Limit, Unit};
use crate::render::symbol;
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent};
use crate::settings::{HiddenUrl, hook};

/// How large a message is, as JSON.
const MAX_BYTES: usize = 20 << 10;

/// How long one text is, if the message does not fit otherwise.
const SHORT: Limit = Limit::new(300, Unit::JsonBytes);

/// How many buttons a card shows.
const MAX_ACTIONS: usize = 6;

/// The workflow of a Microsoft Teams channel, and its JSON object (`"type": "teams"`).
///
/// In Teams, open the channel's menu, choose *Workflows*, then *Post to a channel when a webhook request is received*, and copy the URL.
/// The older *Incoming Webhook* connectors no longer exist.
///
/// ```
/// use checkup_notify::Teams;
///
/// let teams = Teams::new("https://prod-00.westeurope.logic.azure.com/workflows/0000/triggers/manual/paths/invoke?sig=signature");
/// # use checkup_core::IntoNotifier;
/// # assert!(teams.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: teams, webhook: "${TEAMS_WEBHOOK}" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Teams {
    /// The workflow's URL, with its `sig`. It is a secret: anyone who has it can post.
    pub webhook: Secret,
}

impl Teams {
    /// Posts through this workflow.
    pub fn new(webhook: impl Into<Secret>) -> Self {
        Self { webhook: webhook.into() }
    }
}

impl IntoNotifier for Teams {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let hook = hook(&mut problems, "webhook", &self.webhook);
        problems.finish(|| {
            let hook = hook?;
            let secrets = hook.secrets();
            Some(Arc::new(HttpNotifier(TeamsChannel { hook, secrets })) as _)
        })
    }
}

/// A channel with a workflow.
#[derive(Debug)]
struct TeamsChannel {
    hook: HiddenUrl,
    secrets: Secrets,
}

static SERVICE: Service =
    Service { name: "Teams", known: &ERRORS, said: |answer| Said::json(answer, &["/error/code", "/error/message"]) };

const NEW_ONE: &str = "open the workflow in Teams and copy its URL to `webhook`";

const ERRORS: [Known; 7] = [
    permanent(0, "WorkflowTriggerIsNotEnabled", "the workflow is turned off", "turn it on in Teams"),
    permanent(0, "WorkflowNotFound", "the workflow was deleted", "create a new one and set `webhook`"),
    permanent(401, "", "the `sig` of the URL is refused", NEW_ONE),
    permanent(403, "", "the `sig` of the URL is refused", NEW_ONE),
    permanent(404, "", "the workflow does not exist", "create a new one and set `webhook`"),
    permanent(
        400,
        "TriggerInputSchemaMismatch",
        "the workflow expects another message",
        "use the template for webhook requests",
    ),
    permanent(413, "", "the message is larger than the workflow accepts", ""),
];

impl Channel for TeamsChannel {
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

/// The largest card that fits: with all texts in full, then with fewer alerts, then with shorter texts.
fn payload(message: &Message) -> Value {
    let whole = (1..=message.sections.len()).rev().map(|count| (message.with_sections(count), false));
    let shorter = (0..=1).rev().map(|count| (message.with_sections(count), true));
    let cards = whole.chain(shorter).map(|(message, is_short)| card(&message, is_short));
    let mut last = Value::Null;
    for card in cards {
        last = card;
        if last.to_string().len() <= MAX_BYTES {
            break;
        }
    }
    last
}

fn card(message: &Message, is_short: bool) -> Value {
    let text = |text: &str| if is_short { SHORT.cut(text) } else { text.to_owned() };
    let block = |runs: Value, spacing: &str| json!({ "type": "RichTextBlock", "spacing": spacing, "inlines": runs });
    let title = |title: &str, severity: Severity, size: &str| {
        let run = json!({
            "type": "TextRun", "text": format!("{} {}", symbol(severity), text(title)),
            "weight": "bolder", "size": size, "color": colour(severity),
        });
        block(json!([run]), "medium")
    };
    let mut body = vec![title(&message.title, message.severity, "large")];
    let mut actions: Vec<Value> = Vec::new();
    let is_alone = matches!(message.sections.as_slice(), [one] if one.title == message.title);
    for section in &message.sections {
        if !is_alone {
            body.push(title(&section.title, section.severity, "default"));
        }
        for line in &section.lines {
            let runs = json!([
                { "type": "TextRun", "text": format!("{}: ", line.label), "isSubtle": true },
                { "type": "TextRun", "text": text(&line.text) },
            ]);
            body.push(block(runs, "none"));
        }
        for link in &section.links {
            let action = json!({ "type": "Action.OpenUrl", "title": link.label, "url": link.url });
            let fits = actions.len() < MAX_ACTIONS && is_web(&link.url) && !actions.contains(&action);
            if fits {
                actions.push(action);
            }
        }
    }
    if let Some(more) = message.more() {
        body.push(block(json!([{ "type": "TextRun", "text": text(&more) }]), "medium"));
    }
    let content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "msteams": { "width": "Full" }, "body": body, "actions": actions,
    });
    json!({
        "type": "message",
        "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": content }],
    })
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// The name of the severity's colour in a card.
fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "attention",
        Severity::Resolved => "good",
        _ => "warning",
    }
}
