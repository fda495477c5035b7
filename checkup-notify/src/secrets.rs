//! [`Secrets`]: removes a notifier's secrets from texts that people read.

use checkup_core::Secret;

/// What is shown in place of a secret.
const REDACTED: &str = "[redacted]";

/// Shorter texts are not replaced: they occur by accident, and are no protection as a secret.
const SHORTEST: usize = 4;

/// The secrets of one notifier. A service may repeat them in its errors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(Vec<Secret>);

impl Secrets {
    /// No secrets.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The same secrets and one more.
    #[must_use]
    pub(crate) fn and(mut self, secret: impl Into<Secret>) -> Self {
        let secret = secret.into();
        if secret.expose().len() >= SHORTEST {
            self.0.push(secret);
            // A secret may contain another one, which must not be replaced first.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        }
        self
    }

    /// The text without the secrets.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), REDACTED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_is_replaced_wherever_it_occurs() {
        let secrets = Secrets::new().and("t0ken").and("https://hooks.example/t0ken").and("");
        let text = secrets.hide("no t0ken at https://hooks.example/t0ken: t0ken");
        assert_eq!(text, "no [redacted] at [redacted]: [redacted]");
        assert_eq!(format!("{secrets:?}"), "Secrets([[redacted], [redacted]])");
    }
}
