#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// What channels share is compiled for each of them, and not all of them use all of it.
#![cfg_attr(
    not(all(
        feature = "chat",
        feature = "exec",
        feature = "mail",
        feature = "pager",
        feature = "push",
        feature = "webhook"
    )),
    allow(dead_code)
)]

#[cfg(feature = "http")]
mod blocking;
#[cfg(feature = "http")]
mod channel;
#[cfg(feature = "chat")]
mod chat;
#[cfg(any(feature = "exec", feature = "webhook"))]
mod document;
#[cfg(feature = "exec")]
mod exec;
#[cfg(feature = "http")]
mod http;
#[cfg(any(feature = "exec", feature = "http"))]
mod limit;
#[cfg(feature = "mail")]
mod mail;
#[cfg(feature = "pager")]
mod pager;
#[cfg(feature = "push")]
mod push;
#[cfg(feature = "http")]
mod render;
#[cfg(feature = "http")]
mod secrets;
#[cfg(feature = "http")]
mod service;
#[cfg(feature = "http")]
mod settings;
#[cfg(feature = "webhook")]
mod webhook;

#[cfg(feature = "chat")]
#[cfg_attr(docsrs, doc(cfg(feature = "chat")))]
pub use chat::{Discord, GoogleChat, Matrix, Slack, SlackDialect, Teams, Telegram};
#[cfg(feature = "exec")]
#[cfg_attr(docsrs, doc(cfg(feature = "exec")))]
pub use exec::Exec;
#[cfg(feature = "mail")]
#[cfg_attr(docsrs, doc(cfg(feature = "mail")))]
pub use mail::{Mail, Mailgun, Smtp, SmtpSecurity};
#[cfg(feature = "pager")]
#[cfg_attr(docsrs, doc(cfg(feature = "pager")))]
pub use pager::{Alertmanager, Jsm, PagerDuty};
#[cfg(feature = "push")]
#[cfg_attr(docsrs, doc(cfg(feature = "push")))]
pub use push::{Gotify, Ntfy, Pushover, Twilio};
#[cfg(feature = "webhook")]
#[cfg_attr(docsrs, doc(cfg(feature = "webhook")))]
pub use webhook::Webhook;

/// Registers the notifiers of the enabled features for config files.
#[cfg(feature = "config")]
#[allow(unused_variables, reason = "without any of the features, there is nothing to register")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    #[cfg(feature = "chat")]
    registry
        .notifier::<Slack>("slack")
        .notifier::<Discord>("discord")
        .notifier::<Teams>("teams")
        .notifier::<Telegram>("telegram")
        .notifier::<GoogleChat>("googlechat")
        .notifier::<Matrix>("matrix");
    #[cfg(feature = "webhook")]
    registry.notifier::<Webhook>("webhook");
    #[cfg(feature = "exec")]
    registry.notifier::<Exec>("exec");
    #[cfg(feature = "pager")]
    registry.notifier::<PagerDuty>("pagerduty").notifier::<Jsm>("jsm").notifier::<Alertmanager>("alertmanager");
    #[cfg(feature = "push")]
    registry
        .notifier::<Ntfy>("ntfy")
        .notifier::<Pushover>("pushover")
        .notifier::<Gotify>("gotify")
        .notifier::<Twilio>("twilio");
    #[cfg(feature = "mail")]
    registry.notifier::<Mail>("mail").notifier::<Mailgun>("mailgun");
}
