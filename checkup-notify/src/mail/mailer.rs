//! [`Mail`]: mail through an SMTP server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{ConfigError, ConfigProblems, IntoNotifier, Notification, Notifier, NotifyError, async_trait};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncTransport, Message};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::connection::Connection;
use super::letter::{Letter, address, addresses};
use super::smtp::Smtp;

/// How long a delivery may take. Each of its steps may take ten seconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Mail through an SMTP server, and its JSON object (`"type": "mail"`).
///
/// All messages about an incident are in one thread.
///
/// ```
/// use checkup_notify::{Mail, Smtp};
///
/// let smtp = Smtp::new("smtp.example.com").port(587).credentials("checkup", "hunter2");
/// let mail = Mail::new("Checkup <checkup@example.com>", ["ops@example.com"], smtp);
/// # use checkup_core::IntoNotifier;
/// # assert!(mail.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - type: mail
///     from: Checkup <checkup@example.com>
///     to: [ops@example.com]
///     smtp: { server: smtp.example.com, port: 587, username: checkup, password: "${SMTP_PASSWORD}" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Mail {
    /// The sender: `checkup@example.com` or `Checkup <checkup@example.com>`.
    pub from: String,
    /// The recipients, who all see each other.
    pub to: Vec<String>,
    /// A text before each title in the subject. Default: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The server that mail is handed to.
    pub smtp: Smtp,
}

impl Mail {
    /// Sends mail from this address to these, through this server.
    pub fn new(from: impl Into<String>, to: impl IntoIterator<Item = impl Into<String>>, smtp: Smtp) -> Self {
        Self { from: from.into(), to: to.into_iter().map(Into::into).collect(), subject: String::new(), smtp }
    }

    /// Sets a text before each title in the subject. Default: none.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }
}

impl IntoNotifier for Mail {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let from = address(&mut problems, "from", &self.from);
        let to = addresses(&mut problems, "to", &self.to);
        let connection = problems.take(Connection::new(self.smtp).map_err(|error| error.at("smtp")));
        problems.finish(|| {
            Some(Arc::new(Mailer { from: from?, to: to?, subject: self.subject, connection: connection? }) as _)
        })
    }
}

/// A sender, recipients, and the server between them.
struct Mailer {
    from: Mailbox,
    to: Vec<Mailbox>,
    subject: String,
    connection: Connection,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Any of its settings may come from an environment variable.
        f.debug_struct("Mailer").field("connection", &self.connection).finish_non_exhaustive()
    }
}

#[async_trait]
impl Notifier for Mailer {
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        let message = self.message(notification)?;
        let transport = self.connection.transport().await?;
        match timeout(TIMEOUT, transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.connection.explain(&error)),
            Err(_) => Err(self.connection.too_slow(TIMEOUT)),
        }
    }
}

impl Mailer {
    fn message(&self, notification: &Notification) -> Result<Message, NotifyError> {
        let Letter { subject, text, html } = Letter::new(notification, &self.subject);
        let domain = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(subject)
            .message_id(Some(format!("<{}@{domain}>", notification.id())))
            // Neither auto-replies nor mailing list loops (RFC 3834).
            .raw_header(raw("Auto-Submitted", "auto-generated"));
        for recipient in &self.to {
            builder = builder.to(recipient.clone());
        }
        if let Some(first) = first_of_thread(notification) {
            let first = format!("<{first}@{domain}>");
            builder = builder.in_reply_to(first.clone()).references(first);
        }
        builder
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| NotifyError::permanent("mail: the message cannot be written").with_source(error))
    }
}

/// The id of the message that an incident began with, for later ones about it.
fn first_of_thread(notification: &Notification) -> Option<String> {
    let [alone] = notification.alerts.as_slice() else { return None };
    let mut first = alone.clone();
    (first.step, first.reminder) = (checkup_core::AlertStep::Down, 0);
    let id = first.delivery_id();
    (id != alone.delivery_id()).then_some(id)
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
