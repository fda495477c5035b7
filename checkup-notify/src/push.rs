//! Push: short messages to phones.

mod gotify;
mod ntfy;
mod pushover;
mod twilio;

pub use gotify::Gotify;
pub use ntfy::Ntfy;
pub use pushover::Pushover;
pub use twilio::Twilio;
