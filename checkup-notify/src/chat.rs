//! Chat: one message about everything that is due.

mod discord;
mod googlechat;
mod matrix;
mod slack;
mod teams;
mod telegram;

pub use discord::Discord;
pub use googlechat::GoogleChat;
pub use matrix::Matrix;
pub use slack::{Slack, SlackDialect};
pub use teams::Teams;
pub use telegram::Telegram;
