//! [`Redirects`]: follows redirects (RFC 9110, section 15.4), and keeps what is meant for one origin from others.

use bytes::Bytes;
use checkup_core::Failure;
use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONNECTION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, COOKIE, HOST, HeaderMap,
    HeaderValue, LOCATION, USER_AGENT,
};
use http::{Method, StatusCode};

use crate::cookies::Cookies;
use crate::url::Target;
use crate::wire::ResponseHead;

/// The request that follows from the redirects so far.
#[derive(Debug)]
pub(crate) struct Redirects {
    pub(crate) target: Target,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The cookies of the settings, for the first origin.
    own_cookies: Option<HeaderValue>,
    cookies: Cookies,
    /// The requests so far, to detect loops.
    seen: Vec<(Method, String, Option<HeaderValue>)>,
    maximum: u8,
    hides_paths: bool,
}

impl Redirects {
    /// Starts with a request that has been sent.
    pub(crate) fn new(target: &Target, method: &Method, headers: HeaderMap, body: Bytes, maximum: u8) -> Self {
        let own_cookies = headers.get(COOKIE).cloned();
        let seen = vec![(method.clone(), target.url().to_owned(), own_cookies.clone())];
        let (target, method, cookies) = (target.clone(), method.clone(), Cookies::default());
        Self { target, method, headers, body, own_cookies, cookies, seen, maximum, hides_paths: false }
    }

    /// Shows where redirects lead without the path, because the path in the settings contains a secret that servers may
    /// repeat.
    pub(crate) fn hiding_paths(mut self, hides: bool) -> Self {
        self.hides_paths = hides;
        self
    }

    /// Where the last redirect led, for messages.
    pub(crate) fn shown(&self) -> String {
        self.show(&self.target)
    }

    fn show(&self, target: &Target) -> String {
        if self.hides_paths { format!("{}/[redacted]", target.origin()) } else { target.shown() }
    }

    /// Moves on to where the response redirects to. Returns `Ok(false)` if it is not a redirect.
    ///
    /// # Errors
    ///
    /// If its target is not an HTTP URL, if it forms a loop, if there are too many, or if it would send a body to another
    /// origin.
    pub(crate) fn follow(&mut self, head: &ResponseHead) -> Result<bool, Failure> {
        let Some(location) = location(head) else { return Ok(false) };
        let next = self.target.join(location).ok_or_else(|| {
            let location = match self.hides_paths {
                true => "[redacted]".to_owned(),
                false => checkup_net::excerpt(before_query(location), 200),
            };
            Failure::protocol(format!("redirected to \"{location}\", which is not an http or https URL"))
        })?;
        if drops_body(head.status, &self.method) {
            self.method = Method::GET;
            self.body.clear();
            for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
                self.headers.remove(name);
            }
        }
        self.cookies.keep(&self.target, &head.headers);
        if !next.same_origin(&self.target) {
            // Browsers send the body. But it may be secret, and the settings name only the first origin.
            if !self.body.is_empty() {
                return Err(Failure::assertion(format!(
                    "redirected ({}) to {}, which is another origin: the request's body is not sent there; \
                     if it is meant for that URL, check it directly",
                    head.status.as_str(),
                    self.show(&next)
                )));
            }
            self.headers = for_other_origin(&self.headers, &next);
            self.own_cookies = None;
        }
        self.cookies.apply(&next, self.own_cookies.as_ref(), &mut self.headers);
        self.target = next;
        let hop = (self.method.clone(), self.target.url().to_owned(), self.headers.get(COOKIE).cloned());
        if self.seen.contains(&hop) {
            return Err(Failure::assertion(format!("redirect loop: redirected back to {}", self.shown())));
        }
        if self.seen.len() > usize::from(self.maximum) {
            let times = if self.maximum == 1 { "once".to_owned() } else { format!("{} times", self.maximum) };
            return Err(Failure::assertion(format!("redirected more than {times}")));
        }
        self.seen.push(hop);
        Ok(true)
    }
}

/// Returns where a response redirects to; `None` if it is not a redirect.
fn location(head: &ResponseHead) -> Option<&[u8]> {
    let redirects = matches!(
        head.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    redirects.then(|| head.headers.get(LOCATION)).flatten().map(|location| location.as_bytes())
}

/// Whether the request becomes a GET without a body, as in every browser (Fetch Standard, HTTP-redirect fetch).
fn drops_body(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        StatusCode::SEE_OTHER => *method != Method::GET && *method != Method::HEAD,
        _ => false,
    }
}

/// Keeps only the headers that identify the client and say what it accepts. All others may be secret (credentials, keys,
/// cookies).
fn for_other_origin(headers: &HeaderMap, target: &Target) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(6);
    kept.insert(HOST, target.host_header());
    for name in [ACCEPT, ACCEPT_LANGUAGE, CONNECTION, USER_AGENT] {
        if let Some(value) = headers.get(&name) {
            kept.insert(name, value.clone());
        }
    }
    kept
}

/// The part of a location that cannot hold a secret.
fn before_query(location: &[u8]) -> &[u8] {
    location.split(|byte| matches!(byte, b'?' | b'#' | b'@')).next().unwrap_or_default()
}
