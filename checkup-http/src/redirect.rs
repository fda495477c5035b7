//! Follows redirects (RFC 9110, section 15.4), and takes to another origin nothing that is meant for the first.

use std::time::Duration;

use checkup_core::Failure;
use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONNECTION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, HOST, HeaderMap, LOCATION,
    USER_AGENT,
};
use http::response::Parts;
use http::{Method, StatusCode};

use crate::HttpChecker;
use crate::endpoint::Target;
use crate::exchange::Exchange;

impl HttpChecker {
    /// Follows the redirects from this response on, and gives the first that is none. Adds to `preparing` what it
    /// took to [prepare](Self::prepare).
    pub(crate) async fn follow(&self, mut exchange: Exchange, preparing: &mut Duration) -> Result<Exchange, Failure> {
        let maximum = usize::from(self.options().follow_redirects);
        let mut target = self.target().clone();
        let mut method = self.method().clone();
        let mut headers = self.headers();
        let mut body = self.options().body.0.clone();
        let mut seen = vec![(method.clone(), target.url())];
        while let Some(location) = location(exchange.head()) {
            let next = target.join(location).ok_or_else(|| {
                let location = checkup_net::excerpt(before_query(location), 200);
                Failure::protocol(format!("redirected to \"{location}\", which is no http or https URL"))
            })?;
            if drops_body(exchange.head().status, &method) {
                method = Method::GET;
                body.clear();
                for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
                    headers.remove(name);
                }
            }
            let hop = (method.clone(), next.url());
            if seen.contains(&hop) {
                return Err(Failure::assertion(format!("redirect loop: redirected back to {}", next.shown())));
            }
            if seen.len() > maximum {
                let times = if maximum == 1 { "once".to_owned() } else { format!("{maximum} times") };
                return Err(Failure::assertion(format!("redirected more than {times}")));
            }
            seen.push(hop);
            if !next.same_origin(&target) {
                headers = for_other_origin(&headers, &next);
            }
            target = next;
            let response = async {
                *preparing += self.prepare(&target).await?;
                self.send(&target, method.clone(), headers.clone(), body.clone()).await
            };
            // The connection of the response before is closed by this.
            exchange =
                response.await.map_err(|failure| failure.context(format_args!("redirected to {}", target.shown())))?;
        }
        Ok(exchange)
    }
}

/// Where a response redirects to; `None` if it is no redirect.
fn location(head: &Parts) -> Option<&[u8]> {
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

/// Whether the request becomes a GET without a body, as with every browser (Fetch Standard, HTTP-redirect fetch).
fn drops_body(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        StatusCode::SEE_OTHER => *method != Method::GET && *method != Method::HEAD,
        _ => false,
    }
}

/// The headers that say nothing but who asks, and for what: all others may be secret (credentials, keys, cookies).
fn for_other_origin(headers: &HeaderMap, target: &Target) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(6);
    for name in [ACCEPT, ACCEPT_LANGUAGE, CONNECTION, CONTENT_TYPE, USER_AGENT] {
        if let Some(value) = headers.get(&name) {
            kept.insert(name, value.clone());
        }
    }
    kept.insert(HOST, target.authority.clone());
    kept
}

/// A location as far as it can hold no secret.
fn before_query(location: &[u8]) -> &[u8] {
    location.split(|byte| matches!(byte, b'?' | b'#' | b'@')).next().unwrap_or_default()
}
