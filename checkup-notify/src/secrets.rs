//! [`Secrets`]: removes a notifier's secrets from texts that people read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use checkup_core::Secret;
use percent_encoding::percent_decode_str;
use url::Url;

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

    /// The same secrets and those of a header such as `Authorization`: all of it, each of its words, and the name and the password that are
    /// encoded in it.
    #[must_use]
    pub(crate) fn and_header(self, value: &str) -> Self {
        let decoded = |word: &str| String::from_utf8(STANDARD.decode(word).ok()?).ok();
        // The names of schemes are no secrets.
        let is_secret =
            |word: &&str| !["basic", "bearer", "digest", "token"].contains(&word.to_ascii_lowercase().as_str());
        value.split_whitespace().filter(is_secret).fold(self.and(value), |secrets, word| {
            let pair = decoded(word).unwrap_or_default();
            let password = pair.split_once(':').map(|(_, password)| password).unwrap_or_default();
            secrets.and(word).and(password).and(pair.as_str())
        })
    }

    /// The same secrets and the name and the password in a URL, as they are written there, decoded, and as a header has them.
    #[must_use]
    pub(crate) fn and_user_of(self, url: &Url) -> Self {
        let Some(password) = url.password() else { return self.and_part(url.username()) };
        let pair = format!("{}:{}", decoded(url.username()), decoded(password));
        self.and_part(password).and(STANDARD.encode(pair))
    }

    /// The same secrets and a part of a URL, as it is written there and decoded.
    #[must_use]
    pub(crate) fn and_part(self, part: &str) -> Self {
        self.and(part).and(decoded(part))
    }

    /// The text without the secrets.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), REDACTED))
    }
}

fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
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

    #[test]
    fn what_is_encoded_is_hidden_in_each_form() {
        let secrets = Secrets::new().and_header("Bearer t0ken").and_header("Basic dXNlcjpwYXNzd29yZA==");
        let text = secrets.hide("Bearer of t0ken: user:password, password, dXNlcjpwYXNzd29yZA==");
        assert_eq!(text, "Bearer of [redacted]: [redacted], [redacted], [redacted]");
        let secrets = Secrets::new().and_user_of(&Url::parse("https://ops:p%40ssword@example.com").unwrap());
        assert_eq!(secrets.hide("p@ssword p%40ssword b3BzOnBAc3N3b3Jk"), "[redacted] [redacted] [redacted]");
    }
}
