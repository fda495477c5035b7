//! [`Service`]: sends a request, and puts what a service answers into words.

use std::time::{Duration, SystemTime};

use checkup_core::NotifyError;
use checkup_core::text::excerpt;

use crate::http::{Answer, NoAnswer, Outgoing};
use crate::secrets::Secrets;

/// How much of a service's own words an error shows.
const MAX_SAID: usize = 200;

/// A service, with the errors that it documents.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its name in errors: `Slack`.
    pub(crate) name: &'static str,
    /// The errors that it documents, the most specific first. Others are explained by their status.
    pub(crate) known: &'static [Known],
    /// Finds what it says in an answer.
    pub(crate) said: fn(&Answer) -> Said,
}

/// An error that a service documents, in words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The status, or 0 for any.
    pub(crate) status: u16,
    /// The service's code, or a part of its text if it has no codes. Empty for any.
    pub(crate) sign: &'static str,
    /// What it means for the next try.
    pub(crate) lasting: Lasting,
    /// What is wrong.
    pub(crate) words: &'static str,
    /// What to do about it. Empty if there is nothing to do but wait.
    pub(crate) remedy: &'static str,
}

/// Whether another try is worthwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// Later.
    Temporary,
    /// Not until a person changes something.
    Permanent,
}

/// What a service says in an answer.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Its code or text for an error.
    pub(crate) text: String,
    /// How long to wait, if it is not in `Retry-After`.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the message was refused although the status is 2xx.
    pub(crate) is_refusal: bool,
}

/// An error that lasts until a person changes something.
pub(crate) const fn permanent(status: u16, sign: &'static str, words: &'static str, remedy: &'static str) -> Known {
    Known { status, sign, lasting: Lasting::Permanent, words, remedy }
}

/// An error that passes.
pub(crate) const fn temporary(status: u16, sign: &'static str, words: &'static str, remedy: &'static str) -> Known {
    Known { status, sign, lasting: Lasting::Temporary, words, remedy }
}

/// What a status means if the service documents nothing else, in the order of precedence.
const BY_STATUS: [Known; 10] = [
    permanent(400, "", "the message is not accepted", "check the settings"),
    permanent(401, "", "the credentials are refused", "check the token or key"),
    permanent(403, "", "access is refused", "check the token and its permissions"),
    permanent(404, "", "the address does not exist", "check the URL"),
    temporary(408, "", "the server waited too long for the request", ""),
    permanent(410, "", "the address no longer exists", "create a new one"),
    permanent(413, "", "the message is too large", ""),
    temporary(425, "", "the server is not ready", ""),
    temporary(429, "", "too many messages at the moment", ""),
    temporary(503, "", "the service is unavailable", ""),
];

impl Service {
    /// Sends the request, and returns the answer whatever it is.
    pub(crate) async fn exchange(&self, request: Outgoing, secrets: &Secrets) -> Result<Answer, NotifyError> {
        let failed = |NoAnswer(why)| NotifyError::temporary(secrets.hide(&format!("{}: {why}", self.name)));
        request.send().await.map_err(failed)
    }

    /// The error that an answer is, if it is one.
    /// If `expected` is set, no other status is a success.
    pub(crate) fn judge(&self, answer: &Answer, expected: Option<u16>, secrets: &Secrets) -> Result<(), NotifyError> {
        let said = (self.said)(answer);
        let is_success = expected.map_or_else(|| answer.is_success(), |status| answer.status == status);
        if is_success && !said.is_refusal {
            return Ok(());
        }
        Err(self.error(answer, &said, secrets))
    }

    fn error(&self, answer: &Answer, said: &Said, secrets: &Secrets) -> NotifyError {
        let status = answer.status;
        let known = self.known.iter().chain(&BY_STATUS).find(|known| known.is(status, &said.text));
        let (lasting, words, remedy) = match known {
            Some(known) => (known.lasting, known.words, known.remedy),
            None if status >= 500 => (Lasting::Temporary, "the service has a problem", ""),
            None if (300..400).contains(&status) => {
                (Lasting::Permanent, "the address redirects, which is not followed", "set the final URL")
            }
            None => (Lasting::Permanent, "unexpected answer", "check the settings"),
        };
        // The whole text is searched for secrets before it is cut: half a secret would not be found.
        let quoted = excerpt(secrets.hide(said.text.trim()).as_bytes(), MAX_SAID);
        let space = if quoted.is_empty() { "" } else { ": " };
        let semicolon = if remedy.is_empty() { "" } else { "; " };
        let message = format!("{}: {words} (HTTP {status}{space}{quoted}){semicolon}{remedy}", self.name);
        let wait = said.retry_after.or_else(|| answer.retry_after(SystemTime::now()));
        match (lasting, wait) {
            (Lasting::Permanent, _) => NotifyError::permanent(message),
            (Lasting::Temporary, Some(wait)) => NotifyError::retry_after(message, wait),
            (Lasting::Temporary, None) => NotifyError::temporary(message),
        }
    }
}

impl Known {
    fn is(&self, status: u16, said: &str) -> bool {
        (self.status == 0 || self.status == status)
            && (self.sign.is_empty() || said.to_ascii_lowercase().contains(&self.sign.to_ascii_lowercase()))
    }
}

impl Said {
    /// The body as text, for services that answer with one.
    pub(crate) fn plain(answer: &Answer) -> Self {
        Self { text: String::from_utf8_lossy(&answer.body).into_owned(), ..Self::default() }
    }

    /// The text at the first of these places (JSON pointers) of a JSON body that has one, or the whole body.
    pub(crate) fn json(answer: &Answer, pointers: &[&str]) -> Self {
        let json = answer.json();
        let found: Vec<_> = pointers
            .iter()
            .filter_map(|pointer| json.pointer(pointer))
            .filter_map(|value| match value {
                serde_json::Value::String(text) => Some(text.clone()),
                serde_json::Value::Number(number) => Some(number.to_string()),
                serde_json::Value::Array(all) => {
                    let texts: Vec<_> = all.iter().filter_map(|item| item.as_str()).collect();
                    Some(texts.join(", "))
                }
                _ => None,
            })
            .filter(|text| !text.is_empty())
            .collect();
        if found.is_empty() { Self::plain(answer) } else { Self { text: found.join(" "), ..Self::default() } }
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::NotifyErrorKind;
    use reqwest::header::HeaderMap;

    use super::*;

    const SERVICE: Service = Service {
        name: "Example",
        known: &[permanent(404, "no_service", "the webhook was revoked", "create a new one")],
        said: Said::plain,
    };

    fn refused(status: u16, body: &str) -> NotifyError {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
        SERVICE.judge(&answer, None, &Secrets::new().and("t0ken")).unwrap_err()
    }

    #[test]
    fn a_documented_error_is_in_words_with_its_remedy() {
        let error = refused(404, "no_service\n");
        assert_eq!(error.to_string(), "Example: the webhook was revoked (HTTP 404: no_service); create a new one");
        assert_eq!(error.kind(), NotifyErrorKind::Permanent);
    }

    #[test]
    fn another_error_is_explained_by_its_status() {
        let cases = [
            (400, NotifyErrorKind::Permanent),
            (401, NotifyErrorKind::Permanent),
            (404, NotifyErrorKind::Permanent),
            (408, NotifyErrorKind::Temporary),
            (418, NotifyErrorKind::Permanent),
            (429, NotifyErrorKind::Temporary),
            (500, NotifyErrorKind::Temporary),
            (503, NotifyErrorKind::Temporary),
            (307, NotifyErrorKind::Permanent),
        ];
        for (status, kind) in cases {
            let error = refused(status, "why");
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(&format!("(HTTP {status}: why)")), "{error}");
        }
    }

    #[test]
    fn what_a_service_says_is_one_short_line_without_secrets() {
        let error = refused(500, &format!("{}t0ken\r\n{}", "x".repeat(190), "y".repeat(100_000))).to_string();
        assert!(!error.contains("t0k") && !error.contains('\n') && error.len() < 400, "{error}");
    }
}
