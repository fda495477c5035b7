//! [`HttpChecker`]: one attempt of an HTTP check.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use checkup_core::{Checker, ConfigError, ConfigProblems, Failure, IntoChecker, Observation, Phase, async_trait};
use checkup_net::{TlsConfig, observe_expiry};
use http::Method;
use http::header::HeaderMap;
use tokio::time::Instant;

use crate::body::BodyReader;
use crate::config::Http;
use crate::connect::Route;
use crate::exchange::Exchange;
use crate::options::Options;
use crate::redirect::Redirects;
use crate::up_status::{StatusLine, StatusSet};
use crate::url::{self, Target};
use crate::{proxy, request, wire};

impl IntoChecker for Http {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let url = problems.take(url::parse(&self.endpoint_url));
        let method = problems.take(request::parse_method(&self));
        let headers = problems.take(request::parse_headers(&self));
        let up_status = problems.take(StatusSet::parse(&self.up_status));
        let options = problems.take(Options::parse(&self));
        if self.resolve.is_none()
            && let Some((target, _)) = &url
            && let Err(problem) = proxy::for_target(target)
        {
            problems.push(ConfigError::reason("endpoint_url", problem.to_string()));
        }
        if self.cert_expiry.is_some()
            && self.follow_redirects == 0
            && url.as_ref().is_some_and(|(target, _)| !target.tls)
        {
            let message =
                "valid only with an https:// URL, or with `follow_redirects`; set one of them, or remove this";
            problems.push(ConfigError::reason("cert_expiry", message));
        }
        problems.finish(|| {
            let (target, authorization) = url?;
            let headers = request::headers(&target, authorization, headers?);
            let endpoint = self.endpoint_url.redacted();
            let endpoint = if endpoint == target.url() { None } else { Some(endpoint.into()) };
            let request = Request { method: method?, headers, up_status: up_status?, options: options? };
            let request = if request.is_default() { None } else { Some(Box::new(request)) };
            Some(Arc::new(HttpChecker { endpoint, target, request, tls_config: TlsConfig::default() })
                as Arc<dyn Checker>)
        })
    }
}

/// The checker that [`Http`] becomes.
///
/// There may be ten thousand: what few of them have is boxed.
pub struct HttpChecker {
    /// `None` if it is the target's URL.
    endpoint: Option<Box<str>>,
    target: Target,
    /// `None` for the default one.
    request: Option<Box<Request>>,
    tls_config: TlsConfig,
}

/// What is sent, and what is expected.
#[derive(Debug, Default)]
struct Request {
    method: Method,
    /// `None` for the default ones; likewise the options.
    headers: Option<Box<HeaderMap>>,
    up_status: StatusSet,
    options: Option<Box<Options>>,
}

#[async_trait]
impl Checker for HttpChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.endpoint.as_deref().unwrap_or(self.target.url()))
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        let options = self.options();
        // Certificates are read at the start and when they change. That must not count as the server's time. Most plain checks
        // need no clock for it.
        let may_need_tls = self.target.tls || options.follow_redirects > 0 || proxy::is_set();
        let start = may_need_tls.then(Instant::now);
        let mut preparing = Duration::ZERO;
        if may_need_tls {
            preparing = Box::pin(self.prepare(&self.target)).await?;
        }
        let request = self.request();
        let headers = request.headers.as_deref();
        let mut exchange = self.send(&self.target, &request.method, headers, &options.body.0).await?;
        let mut is_tls = self.target.tls;
        if options.follow_redirects > 0 {
            (exchange, is_tls) = Box::pin(self.follow(exchange, &mut preparing)).await?;
        }
        // A connection without TLS to a target may have TLS to a proxy, whose certificate is not the target's.
        let expiry = if is_tls { exchange.certificate_expiry() } else { None };
        let mut observation = self.judge(exchange).await?;
        if expiry.is_some() {
            observation = observe_expiry(observation, expiry, options.cert_expiry)?;
        }
        Ok(match start {
            Some(start) => observation.rtt(start.elapsed().saturating_sub(preparing)),
            None => observation,
        })
    }
}

/// With the endpoint as it is shown.
impl fmt::Debug for HttpChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("HttpChecker");
        shown.field("endpoint", &self.endpoint()).field("target", &self.target).field("request", &self.request);
        shown.field("tls_config", &self.tls_config).finish()
    }
}

impl HttpChecker {
    fn request(&self) -> &Request {
        static DEFAULT: LazyLock<Request> = LazyLock::new(Request::default);
        self.request.as_deref().unwrap_or_else(|| &DEFAULT)
    }

    fn options(&self) -> &Options {
        let options = self.request.as_ref().and_then(|request| request.options.as_deref());
        options.unwrap_or_else(|| Options::default_options())
    }

    /// Determines how to reach a target: that of the URL, or one that it redirects to.
    fn route<'a>(&'a self, target: &'a Target) -> Route<'a> {
        let options = self.options();
        let is_host = target.host == self.target.host;
        // The port of the settings replaces the URL's, but not that of a redirect to another scheme.
        let has_port = target.port == self.target.port;
        Route {
            target,
            ip_version: options.ip_version,
            fixed: options.fixed.filter(|_| is_host).map(|(address, port)| (address, port.filter(|_| has_port))),
            tls: &options.tls,
            server_name: options.server_name.as_ref().filter(|_| is_host),
            tls_config: &self.tls_config,
        }
    }

    /// Creates the TLS configuration if a request to this target needs it and it does not exist yet. Returns how long that
    /// took.
    async fn prepare(&self, target: &Target) -> Result<Duration, Failure> {
        let start = Instant::now();
        Ok(if self.route(target).prepare().await? { start.elapsed() } else { Duration::ZERO })
    }

    /// Sends a request on a new connection, and waits for the head of the response.
    async fn send(
        &self,
        target: &Target,
        method: &Method,
        headers: Option<&HeaderMap>,
        body: &[u8],
    ) -> Result<Exchange, Failure> {
        let (stream, form) = self.route(target).open().await?;
        let request = wire::encode(&form, target, method, headers, body);
        Exchange::start(stream, &request, method, &target.host, self.options().lenient).await
    }

    /// Follows redirects, starting with this response. Returns the first response that is not a redirect, and whether its
    /// target uses TLS. Adds the time of [`prepare`](Self::prepare) to `preparing`.
    async fn follow(&self, mut exchange: Exchange, preparing: &mut Duration) -> Result<(Exchange, bool), Failure> {
        let options = self.options();
        let Request { method, headers, .. } = self.request();
        let headers = headers.as_deref().cloned().unwrap_or_else(|| wire::default_headers(&self.target));
        let mut redirects =
            Redirects::new(&self.target, method, headers, options.body.0.clone(), options.follow_redirects)
                .hiding_paths(self.endpoint().contains("[redacted]"));
        while redirects.follow(exchange.head())? {
            let response = async {
                *preparing += self.prepare(&redirects.target).await?;
                self.send(&redirects.target, &redirects.method, Some(&redirects.headers), &redirects.body).await
            };
            // This closes the connection of the previous response.
            exchange = response
                .await
                .map_err(|failure| failure.context(format_args!("redirected to {}", redirects.shown())))?;
        }
        Ok((exchange, redirects.target.tls))
    }

    async fn judge(&self, mut exchange: Exchange) -> Result<Observation, Failure> {
        let head = exchange.head();
        let request = self.request();
        if !request.up_status.contains(head.status.as_u16()) {
            return Err(Failure::assertion(format!("response status {}", StatusLine(head.status, &head.reason))));
        }
        let Some(options) = &request.options else { return Ok(Observation::new()) };
        options.header_rules.iter().try_for_each(|rule| rule.check(&head.headers))?;
        if !options.body_rules.is_empty() {
            Phase::Transfer.begin();
            let (codings, length) = (exchange.transfer_codings(), exchange.body_length());
            let mut reader = BodyReader::new(&options.body_rules, head, codings, length, options.lenient)?;
            while let Some(part) = exchange.chunk().await? {
                if reader.feed(&part)? {
                    return Ok(Observation::new());
                }
            }
            Phase::end();
            reader.finish()?;
        }
        Ok(Observation::new())
    }
}

impl Request {
    fn is_default(&self) -> bool {
        self.method == Method::GET
            && self.headers.is_none()
            && self.up_status == StatusSet::default()
            && self.options.is_none()
    }
}
