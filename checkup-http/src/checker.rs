use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use checkup_core::{Checker, Failure, Observation, Phase, async_trait};
use checkup_net::{ClientTls, IpVersion};
use http::header::{CONNECTION, HOST, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use http_body_util::Full;
use hyper::ext::ReasonPhrase;
use tokio::time::Instant;
use tokio_rustls::rustls::ClientConfig;

use crate::body::{BodyRules, Search};
use crate::connect::{Form, open, through_tls};
use crate::endpoint::Target;
use crate::exchange::Exchange;
use crate::proxy;
use crate::rules::HeaderRule;
use crate::status::{StatusLine, StatusSet};

/// The checker that [`Http`](crate::Http) becomes.
#[derive(Debug)]
pub struct HttpChecker {
    endpoint: Box<str>,
    target: Target,
    method: Method,
    /// `None` for the default ones; likewise the options. Most of ten thousand checks have these.
    headers: Option<Box<HeaderMap>>,
    up_status: StatusSet,
    options: Option<Box<Options>>,
    tls: OnceLock<Arc<ClientConfig>>,
}

/// What most checks leave as it is.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) body: RequestBody,
    pub(crate) follow_redirects: u8,
    pub(crate) ip_version: IpVersion,
    /// The address to connect to, and the port unless it is the URL's.
    pub(crate) fixed: Option<(IpAddr, Option<u16>)>,
    pub(crate) tls: ClientTls,
    pub(crate) body_rules: BodyRules,
    pub(crate) header_rules: Vec<HeaderRule>,
}

/// The request's body, which may hold credentials: `Debug` does not show it.
#[derive(Clone, Default)]
pub(crate) struct RequestBody(pub(crate) Bytes);

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl Options {
    fn default_options() -> &'static Self {
        static DEFAULT: OnceLock<Options> = OnceLock::new();
        DEFAULT.get_or_init(Self::default)
    }
}

impl HttpChecker {
    pub(crate) fn new(
        endpoint: Box<str>,
        target: Target,
        method: Method,
        headers: Option<Box<HeaderMap>>,
        up_status: StatusSet,
        options: Option<Box<Options>>,
    ) -> Self {
        Self { endpoint, target, method, headers, up_status, options, tls: OnceLock::new() }
    }

    pub(crate) fn options(&self) -> &Options {
        self.options.as_deref().unwrap_or_else(|| Options::default_options())
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// The headers of the first request.
    pub(crate) fn headers(&self) -> HeaderMap {
        match &self.headers {
            Some(headers) => (**headers).clone(),
            None => default_headers(&self.target),
        }
    }

    /// The TLS configuration, made at the first use. One that cannot be made is tried again at the next attempt.
    pub(crate) async fn tls(&self) -> Result<&Arc<ClientConfig>, Failure> {
        if let Some(config) = self.tls.get() {
            return Ok(config);
        }
        // HTTP/2 is not offered: a check sends one request on a connection, so that it would only cost.
        let config = self.options().tls.client_config(&[b"http/1.1"]).await?;
        Ok(self.tls.get_or_init(|| config))
    }

    /// Makes the TLS configuration if a request to this target needs it and there is none yet. How long that took.
    pub(crate) async fn prepare(&self, target: &Target) -> Result<Duration, Failure> {
        if self.tls.get().is_some() || !(target.tls || through_tls(self, target)) {
            return Ok(Duration::ZERO);
        }
        let start = Instant::now();
        self.tls().await?;
        Ok(start.elapsed())
    }

    /// Sends a request on a new connection, and waits for the head of the response.
    pub(crate) async fn send(
        &self,
        target: &Target,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Exchange, Failure> {
        let (stream, form) = open(self, target).await?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        *request.uri_mut() = match form {
            Form::Origin => target.origin_form(),
            Form::Absolute(authorization) => {
                let headers = request.headers_mut();
                authorization.map(|authorization| headers.insert(http::header::PROXY_AUTHORIZATION, authorization));
                target.absolute_form().map_or_else(|| target.origin_form(), Uri::from)
            }
        };
        Exchange::start(stream, request, target).await
    }

    async fn judge(&self, mut exchange: Exchange) -> Result<Observation, Failure> {
        let head = exchange.head();
        if !self.up_status.contains(head.status.as_u16()) {
            let reason = head.extensions.get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
            return Err(Failure::assertion(format!("response status {}", StatusLine(head.status, reason))));
        }
        let Some(options) = &self.options else { return Ok(Observation::new()) };
        options.header_rules.iter().try_for_each(|rule| rule.check(&head.headers))?;
        if !options.body_rules.is_empty() {
            Phase::Transfer.begin();
            let mut search = Search::new(&options.body_rules, exchange.body_length())?;
            while let Some(chunk) = exchange.chunk().await? {
                if search.feed(&chunk)? {
                    return Ok(Observation::new());
                }
            }
            Phase::end();
            search.finish()?;
        }
        Ok(Observation::new())
    }
}

#[async_trait]
impl Checker for HttpChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.endpoint)
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        let options = self.options();
        // Reading certificates, which happens once, is not the server's time. Most plain checks have no use for a clock.
        let may_need_tls = self.target.tls || options.follow_redirects > 0 || proxy::is_set();
        let start = may_need_tls.then(Instant::now);
        let mut preparing = Duration::ZERO;
        if may_need_tls {
            preparing = Box::pin(self.prepare(&self.target)).await?;
        }
        let mut exchange = self.send(&self.target, self.method.clone(), self.headers(), options.body.0.clone()).await?;
        if options.follow_redirects > 0 {
            exchange = Box::pin(self.follow(exchange, &mut preparing)).await?;
        }
        let observation = self.judge(exchange).await?;
        Ok(match start {
            Some(start) => observation.rtt(start.elapsed().saturating_sub(preparing)),
            None => observation,
        })
    }
}

/// The headers of every request, unless the settings have others. As upstream, a connection serves one request.
pub(crate) fn default_headers(target: &Target) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(3);
    headers.insert(HOST, target.authority.clone());
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("checkup/", env!("CARGO_PKG_VERSION"))));
    headers
}
