//! Mail, over SMTP or through Mailgun: one message about everything that is due, as text and as HTML.

mod connection;
mod letter;
mod mailer;
mod mailgun;
mod smtp;

pub use mailer::Mail;
pub use mailgun::Mailgun;
pub use smtp::{Smtp, SmtpSecurity};
