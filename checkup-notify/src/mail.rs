//! Mail, over SMTP or through Mailgun: one message about everything that is due, as text and as HTML.

mod connection;
mod letter;
mod mailgun;
mod smtp;

pub use mailgun::Mailgun;
pub use smtp::{Mail, Smtp, SmtpSecurity};
