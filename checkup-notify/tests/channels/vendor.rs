//! [`Vendor`]: a server that takes a service's place, and what is tested in the same way for every service.

use std::sync::{Arc, Mutex};

use checkup_core::{Delivery, IntoNotifier, Notifier, NotifyError, NotifyErrorKind};
use checkup_testkit::conformance::NotifierFixture;
use checkup_testkit::{HttpServer, Request, Response, TcpServer};
use serde_json::Value;

use crate::{samples, snapshot};

/// A token in the settings of all notifiers in these tests. (PagerDuty's must have this length.)
pub(crate) const SECRET: &str = "s3cr3ts3cr3ts3cr3ts3cr3ts3cr3t00";

/// What a test knows about a service.
pub(crate) struct Service<T> {
    /// The name of its snapshots.
    pub(crate) name: &'static str,
    /// Settings for the service at this address, `http://host:port`.
    pub(crate) settings: fn(address: &str) -> T,
    /// The service's rules: `Err` says which is broken.
    pub(crate) accept: fn(&Request) -> Result<(), String>,
    /// Its answer to an accepted request.
    pub(crate) accepted: fn() -> Response,
    /// The texts of a request as people see them, without escapes.
    pub(crate) readable: fn(&Request) -> String,
    /// Panics if something in the request is interpreted that should not be.
    pub(crate) escaped: fn(&Request),
}

/// The tests that are the same for every service. They call the function `service` of their module.
macro_rules! tested_as_every_service {
    () => {
        checkup_testkit::notifier_conformance!(|| service().fixture());

        #[tokio::test]
        async fn messages_match_their_snapshots() {
            service().matches_its_snapshots().await;
        }

        #[tokio::test]
        async fn hostile_texts_of_any_length_are_accepted_and_not_interpreted() {
            service().accepts_hostile_texts().await;
        }
    };
}

pub(crate) use tested_as_every_service;

/// A server that accepts requests by a service's rules.
pub(crate) struct Vendor {
    server: HttpServer,
    accepted: Arc<Mutex<Vec<Request>>>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Vendor {
    pub(crate) fn start(accept: fn(&Request) -> Result<(), String>, answer: fn() -> Response) -> Self {
        let (accepted, refused) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (list, reasons) = (Arc::clone(&accepted), Arc::clone(&refused));
        let server = HttpServer::start(move |request| match accept(&request) {
            Ok(()) => {
                list.lock().unwrap().push(request);
                answer()
            }
            Err(reason) => {
                reasons.lock().unwrap().push(reason.clone());
                Response::new(400).body(reason)
            }
        });
        Self { server, accepted, refused }
    }

    pub(crate) fn address(&self) -> String {
        self.server.url("")
    }

    pub(crate) fn accepted(&self) -> Vec<Request> {
        self.accepted.lock().unwrap().clone()
    }
}

impl<T: IntoNotifier + 'static> Service<T> {
    /// A fixture for the conformance suite: a strict server, one that refuses and repeats the whole request, and one that never answers.
    pub(crate) fn fixture(self) -> NotifierFixture {
        let Self { settings, accept, accepted, readable, escaped, .. } = self;
        let vendor = Arc::new(Vendor::start(accept, accepted));
        let parrot = HttpServer::start(|request| {
            let mut echo = format!("{} {:?}", request.target, request.headers).into_bytes();
            echo.extend(&request.body);
            Response::new(403).body(echo)
        });
        let silent = TcpServer::silent();
        let (working, refusing, hanging) = (vendor.address(), parrot.url(""), format!("http://{}", silent.addr()));
        let seen = Arc::clone(&vendor);
        let seen_again = Arc::clone(&vendor);
        NotifierFixture::new(move || settings(&working), move || seen.accepted().iter().map(readable).collect())
            .failing(move || settings(&refusing))
            .hanging(move || settings(&hanging))
            .escaping(move |_| seen_again.accepted().iter().for_each(escaped))
            .secret(SECRET)
            .keep((vendor, parrot, silent))
    }

    /// What is sent is what a person has read: a check is down, it is up again, and three alerts together.
    pub(crate) async fn matches_its_snapshots(self) {
        let vendor = Vendor::start(self.accept, self.accepted);
        let notifier = (self.settings)(&vendor.address()).into_notifier().unwrap();
        let mut samples = vec![("down", samples::down()), ("up", samples::up())];
        if notifier.delivery() == Delivery::Together {
            samples.push(("several", samples::several()));
        }
        for (name, notification) in samples {
            notifier.notify(&notification).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let request = vendor.accepted().pop().unwrap();
            snapshot::assert_matches(&format!("{}-{name}", self.name), &shown(&request));
        }
    }

    /// Hostile texts of any length, and hundreds of alerts, are accepted by the service and not interpreted.
    pub(crate) async fn accepts_hostile_texts(self) {
        let vendor = Vendor::start(self.accept, self.accepted);
        let notifier = (self.settings)(&vendor.address()).into_notifier().unwrap();
        let mut count = 0;
        for notification in samples::all_hostile() {
            let parts = match notifier.delivery() {
                Delivery::Each => notification.alerts.into_iter().take(5).map(samples::alone).collect(),
                _ => vec![notification],
            };
            for part in parts {
                let outcome = notifier.notify(&part).await;
                let refused = vendor.refused.lock().unwrap().clone();
                outcome.unwrap_or_else(|error| panic!("hostile text is not accepted: {error}; {refused:?}"));
                count += 1;
            }
        }
        let accepted = vendor.accepted();
        assert_eq!(accepted.len(), count);
        for request in &accepted {
            (self.escaped)(request);
            let text = (self.readable)(request);
            let misleading =
                text.chars().find(|c| !matches!(c, '\n' | '\u{200b}') && checkup_core::text::is_misleading(*c));
            assert_eq!(misleading, None, "{text}");
        }
    }

    /// The service's documented errors: the answer, what the error is for the next try, and what it says.
    pub(crate) async fn explains(self, answers: &[(Response, Kind, &str)]) {
        for (answer, kind, words) in answers {
            let error = refusal(self.settings, answer.clone()).await;
            let found = match error.kind() {
                NotifyErrorKind::Temporary => Kind::Temporary,
                NotifyErrorKind::RetryAfter(wait) => Kind::After(wait.as_millis()),
                _ => Kind::Permanent,
            };
            assert_eq!(found, *kind, "{error}");
            assert!(error.to_string().contains(words), "expected {words:?} in: {error}");
            assert!(!error.to_string().contains(SECRET), "{error}");
        }
    }
}

/// What an error is for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Permanent,
    Temporary,
    /// After this many milliseconds.
    After(u128),
}

/// The error of a notifier whose service answers like this.
async fn refusal<T: IntoNotifier>(settings: fn(&str) -> T, answer: Response) -> NotifyError {
    let server = HttpServer::start(move |_| answer.clone());
    let notifier = settings(&server.url("")).into_notifier().unwrap();
    let error = notifier.notify(&samples::down()).await.unwrap_err();
    assert_eq!(server.requests(), 1, "a refused message is not sent again by the notifier itself");
    error
}

/// The request as a snapshot shows it.
fn shown(request: &Request) -> String {
    let kept = |name: &str| !matches!(name, "host" | "content-length" | "accept" | "user-agent");
    let headers: String = request
        .headers
        .iter()
        .filter(|(name, _)| kept(name))
        .map(|(name, value)| match name.as_str() {
            // It is that of the body with its keys in another order.
            "x-checkup-signature" => format!("{name}: [signature]\n"),
            _ => format!("{name}: {value}\n"),
        })
        .collect();
    let body = match serde_json::from_slice::<Value>(&request.body) {
        Ok(json) => snapshot::pretty(&json),
        Err(_) => form(request).iter().map(|(name, value)| format!("{name} = {value}\n")).collect(),
    };
    format!("{} {}\n{headers}\n{body}", request.method, request.target).replace(SECRET, "[secret]")
}

/// The JSON body, or an error if it has none or is not sent as JSON.
pub(crate) fn json(request: &Request) -> Result<Value, String> {
    require(request.header("content-type") == Some("application/json"), "the content type is not JSON")?;
    serde_json::from_slice(&request.body).map_err(|error| format!("the body is not JSON: {error}"))
}

/// The JSON body of an accepted request.
pub(crate) fn body(request: &Request) -> Value {
    json(request).unwrap()
}

/// The fields of a form.
pub(crate) fn form(request: &Request) -> Vec<(String, String)> {
    url::form_urlencoded::parse(&request.body).into_owned().collect()
}

/// The first value of a field of a form.
pub(crate) fn field(request: &Request, name: &str) -> Option<String> {
    form(request).into_iter().find(|(own, _)| own == name).map(|(_, value)| value)
}

/// All texts in a JSON value.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        Value::Object(all) => all.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// All texts in the JSON body of a request.
pub(crate) fn all_texts(request: &Request) -> String {
    texts(&body(request)).join("\n")
}

/// A rule of a service.
pub(crate) fn require(holds: bool, broken: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken.to_owned()) }
}

/// A text whose length, in UTF-16, is within a range. (No service counts more.)
pub(crate) fn require_text(value: &Value, what: &str, length: std::ops::RangeInclusive<usize>) -> Result<(), String> {
    let text = value.as_str().ok_or_else(|| format!("{what} is not a text"))?;
    let found = text.encode_utf16().count();
    require(length.contains(&found), &format!("{what} has {found} characters"))
}

/// Only these keys are documented for an object, and the first of them are required.
pub(crate) fn require_keys(value: &Value, what: &str, required: &[&str], optional: &[&str]) -> Result<(), String> {
    let object = value.as_object().ok_or_else(|| format!("{what} is not an object"))?;
    for key in required {
        require(object.contains_key(*key), &format!("{what} has no {key}"))?;
    }
    for key in object.keys() {
        require(
            required.contains(&key.as_str()) || optional.contains(&key.as_str()),
            &format!("{what} has an unknown key {key}"),
        )?;
    }
    Ok(())
}

/// Panics if a text that the service shows as it is has the escapes of a markup, or characters that mislead.
#[track_caller]
pub(crate) fn assert_plain(text: &str) {
    let misleading = text.chars().find(|c| *c != '\n' && checkup_core::text::is_misleading(*c));
    assert_eq!(misleading, None, "{text}");
    for escape in ["&lt;", "&quot;", "\\*", "\\_", "\\<", "\\@"] {
        assert!(!text.contains(escape), "{escape} is shown as it is: {text}");
    }
}

/// Panics if the text interprets HTML: only entities and these tags are allowed.
#[track_caller]
pub(crate) fn assert_html(text: &str, tags: &[&str]) {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>']) {
        let tail = &rest[at..];
        let tag = tags.iter().find(|tag| tail.starts_with(**tag));
        let link = tail
            .strip_prefix("<a href=\"")
            .and_then(|link| link.split_once("\">"))
            .filter(|(url, _)| !url.contains(['<', '>', '"']));
        rest = match (tag, link) {
            (Some(tag), _) => &tail[tag.len()..],
            (None, Some((_, rest))) => rest,
            _ => panic!("markup that was not written by the notifier: {tail:.80}"),
        };
    }
    for (at, _) in text.match_indices('&') {
        let is_entity = ["&amp;", "&lt;", "&gt;", "&quot;"].iter().any(|entity| text[at..].starts_with(entity));
        assert!(is_entity, "a bare ampersand: {:.80}", &text[at..]);
    }
}

/// Removes the escapes of HTML.
pub(crate) fn from_html(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
