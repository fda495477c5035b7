//! [`Twilio`]: text messages (SMS).
//!
//! Source: Twilio's documentation of the message resource: a body of 1,600 characters. Each segment of 153 characters (67 if one of them
//! is not in the alphabet of GSM) is paid for, so messages are short.

use std::sync::Arc;

use checkup_core::{ConfigError, ConfigProblems, IntoNotifier, Notification, Notifier, NotifyError, Secret, SecretUrl};
use serde::{Deserialize, Serialize};

use crate::channel::{Channel, HttpNotifier};
use crate::http::Outgoing;
use crate::limit::{ELLIPSIS, Limit, Unit};
use crate::secrets::Secrets;
use crate::service::{Known, Said, Service, permanent, temporary};
use crate::settings::{HiddenUrl, required, server, token};

/// The limit of a message.
const MAX_LENGTH: usize = 1600;

/// Two segments.
const DEFAULT_LENGTH: usize = 306;

/// A phone that gets text messages through Twilio, and its JSON object (`"type": "twilio"`).
///
/// A message is one line: what happened, and why. Combine it with `after`, so that it is sent only if nothing else helped.
///
/// ```
/// use checkup_notify::Twilio;
///
/// let twilio = Twilio::new("AC0000", "auth-token", "+15005550006", "+15005550010");
/// # use checkup_core::IntoNotifier;
/// # assert!(twilio.into_notifier().is_ok());
/// ```
///
/// In a config file:
///
/// ```yaml
/// notifiers:
///   - { type: twilio, account_sid: AC0000, auth_token: "${TWILIO_TOKEN}", from: "+15005550006", to: "+15005550010" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Twilio {
    /// The account's SID, which begins with `AC`.
    pub account_sid: String,
    /// The account's auth token.
    pub auth_token: Secret,
    /// The number that messages are from, or the SID of a messaging service, which begins with `MG`.
    pub from: String,
    /// The phone's number, in the form `+15005550010`.
    pub to: String,
    /// How many characters a message has, from 20 to 1600. Default: 306, which is two segments.
    #[serde(default = "default_length", skip_serializing_if = "is_default_length")]
    pub max_length: usize,
    /// The address of the API. Default: `https://api.twilio.com`.
    #[serde(default = "api", skip_serializing_if = "is_api")]
    pub url: SecretUrl,
}

impl Twilio {
    /// Sends messages of this account from one number to another.
    pub fn new(
        account_sid: impl Into<String>,
        auth_token: impl Into<Secret>,
        from: impl Into<String>,
        to: impl Into<String>,
    ) -> Self {
        Self {
            account_sid: account_sid.into(),
            auth_token: auth_token.into(),
            from: from.into(),
            to: to.into(),
            max_length: DEFAULT_LENGTH,
            url: api(),
        }
    }

    /// Sets how many characters a message has, from 20 to 1600. Default: 306.
    #[must_use]
    pub fn max_length(mut self, length: usize) -> Self {
        self.max_length = length;
        self
    }

    /// Sets the address of the API. Default: Twilio's own.
    #[must_use]
    pub fn url(mut self, url: impl Into<SecretUrl>) -> Self {
        self.url = url.into();
        self
    }
}

fn default_length() -> usize {
    DEFAULT_LENGTH
}

fn is_default_length(length: &usize) -> bool {
    *length == DEFAULT_LENGTH
}

fn api() -> SecretUrl {
    SecretUrl::from("https://api.twilio.com")
}

fn is_api(url: &SecretUrl) -> bool {
    *url == api()
}

impl IntoNotifier for Twilio {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let account = required(&mut problems, "account_sid", "the account's SID", &self.account_sid);
        let auth_token = token(&mut problems, "auth_token", "the account's auth token", &self.auth_token);
        let from = required(&mut problems, "from", "the number that messages are from", &self.from);
        let to = required(&mut problems, "to", "the phone's number", &self.to);
        if to.as_deref().is_some_and(|to| {
            !to.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        }) {
            problems.push(ConfigError::reason("to", "expected a number in the form +15005550010"));
        }
        if !(20..=MAX_LENGTH).contains(&self.max_length) {
            problems.push(ConfigError::expected("max_length", "20 to 1600").found(self.max_length));
        }
        let server = server(&mut problems, "url", &self.url);
        let length = Limit::new(self.max_length, Unit::Utf16);
        problems.finish(|| {
            let (account, auth_token, server) = (account?, auth_token?, server?);
            let secrets = server.password().and(auth_token.clone());
            let url = server.at(["2010-04-01", "Accounts", &*account, "Messages.json"]);
            let phone = Phone { url, account, auth_token, from: from?, to: to?, length, secrets };
            Some(Arc::new(HttpNotifier(phone)) as _)
        })
    }
}

/// A phone, and the account that sends to it.
#[derive(Debug)]
struct Phone {
    url: HiddenUrl,
    account: String,
    auth_token: Secret,
    from: String,
    to: String,
    length: Limit,
    secrets: Secrets,
}

static SERVICE: Service =
    Service { name: "Twilio", known: &ERRORS, said: |answer| Said::json(answer, &["/code", "/message"]) };

const ERRORS: [Known; 8] = [
    temporary(0, "20429", "too many messages at the moment", ""),
    permanent(0, "20003", "the credentials are refused", "check `account_sid` and `auth_token`"),
    permanent(0, "21211", "the phone's number is not valid", "check `to`"),
    permanent(0, "21610", "the phone has unsubscribed from this number", "send START from it, or remove this notifier"),
    permanent(0, "21606", "messages cannot be sent from this number", "check `from`"),
    permanent(0, "21608", "a trial account sends to verified numbers only", "verify `to`, or upgrade the account"),
    permanent(401, "", "the credentials are refused", "check `account_sid` and `auth_token`"),
    permanent(404, "", "the account does not exist", "check `account_sid`"),
];

impl Channel for Phone {
    fn service(&self) -> &'static Service {
        &SERVICE
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError> {
        let text = match notification.alerts.as_slice() {
            [alone] => alone.to_string(),
            all => {
                let message = notification.message();
                let titles: Vec<_> = all.iter().map(|alert| alert.title()).take(20).collect();
                format!("{}: {}", message.title, titles.join(", "))
            }
        };
        // The ellipsis is not in the alphabet of GSM, and would make every segment shorter.
        let mut text = text.replace(ELLIPSIS, "...");
        if !self.length.holds(&text) {
            text = Limit::new(self.length.max - 2, self.length.unit).cut(&text).replace(ELLIPSIS, "...");
        }
        let from = if self.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let form = [(from, &*self.from), ("To", &*self.to), ("Body", &*text)];
        Ok(Outgoing::form(self.url.expose(), form).basic(&self.account, self.auth_token.expose()))
    }
}
