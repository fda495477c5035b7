//! Proxies that the environment names: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case.

use std::fmt;
use std::net::IpAddr;
use std::sync::OnceLock;

use checkup_core::{Cause, Failure};
use checkup_net::excerpt;
use http::Uri;
use http::header::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connect::Stream;
use crate::endpoint::{Target, TargetHost};

/// The most bytes that a proxy may answer with before the tunnel.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// A proxy for one target.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) tls: bool,
    pub(crate) host: TargetHost,
    pub(crate) port: u16,
    pub(crate) authorization: Option<HeaderValue>,
}

/// The proxy through which this target is to be reached, if any. As in Go, and so upstream, none for this machine.
pub(crate) fn of(target: &Target) -> Result<Option<Proxy>, Failure> {
    let Some(matcher) = environment() else { return Ok(None) };
    if is_loopback(&target.host) {
        return Ok(None);
    }
    let Some(found) = target.absolute_form().and_then(|uri| matcher.intercept(&uri)) else { return Ok(None) };
    let scheme = found.uri().scheme_str().unwrap_or("http");
    if !matches!(scheme, "http" | "https") {
        let scheme = excerpt(scheme.as_bytes(), 20);
        return Err(Failure::other(format!(
            "the proxy of the environment is a {scheme} proxy, which is not supported; set NO_PROXY for this host"
        )));
    }
    let (host, port) = host_and_port(found.uri(), scheme).ok_or_else(|| {
        Failure::other("the proxy of the environment has no host; set HTTP_PROXY to http://host:port")
    })?;
    Ok(Some(Proxy { tls: scheme == "https", host, port, authorization: found.basic_auth().cloned() }))
}

/// Whether the environment names any proxy.
pub(crate) fn is_set() -> bool {
    environment().is_some()
}

/// The proxies of the environment, as it was at the first use.
fn environment() -> Option<&'static Matcher> {
    static MATCHER: OnceLock<Option<Matcher>> = OnceLock::new();
    MATCHER.get_or_init(from_environment).as_ref()
}

fn from_environment() -> Option<Matcher> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
        .into_iter()
        .any(set)
        .then(Matcher::from_env)
}

fn is_loopback(host: &TargetHost) -> bool {
    match host {
        TargetHost::Name(name) => &**name == "localhost",
        TargetHost::Address(address) => address.is_loopback(),
    }
}

fn host_and_port(uri: &Uri, scheme: &str) -> Option<(TargetHost, u16)> {
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let host = host.parse::<IpAddr>().map_or_else(|_| TargetHost::Name(host.into()), TargetHost::Address);
    Some((host, uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 })))
}

impl Proxy {
    /// Asks for a connection to the target (RFC 9110, section 9.3.6).
    pub(crate) async fn tunnel(&self, mut stream: Stream, target: &Target) -> Result<Stream, Failure> {
        let destination = target.host_and_port();
        let mut request = format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await?;
        stream.flush().await?;

        let mut answer = Vec::new();
        let mut is_open = true;
        let accepted = loop {
            // A refusal is one from its first line on, whatever follows: often a page for people, and rarely the end.
            let line = answer.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
            if !is_open || line.ends_with(b"\n") {
                judge(line, &destination)?;
            }
            if let Some(head) = head_length(&answer) {
                break head;
            }
            if !is_open {
                return Err(Failure::new(Cause::Network, "closed the connection in the middle of its answer"));
            }
            if answer.len() > MAX_ANSWER_BYTES {
                return Err(Failure::protocol("answered with too much before the tunnel"));
            }
            is_open = stream.read_buf(&mut answer).await? > 0;
        };
        // A server speaks TLS only after its client, so that nothing of it can come with the answer.
        match &answer[accepted..] {
            [] => Ok(stream),
            rest => Err(Failure::protocol(format!(
                "opened a tunnel to {destination} and sent into it \"{}\"",
                excerpt(rest, 80)
            ))),
        }
    }
}

/// Whether the first line of a proxy's answer says that the tunnel is open.
fn judge(line: &[u8], destination: &str) -> Result<(), Failure> {
    if line.is_empty() {
        return Err(Failure::new(Cause::Network, "closed the connection without an answer"));
    }
    let line = line.trim_ascii_end();
    let status = line.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..)).unwrap_or_default();
    match status {
        [b'2', _, _, ..] => Ok(()),
        [b'0'..=b'9', ..] => {
            Err(Failure::new(Cause::Network, format!("refused to connect to {destination}: {}", excerpt(status, 80))))
        }
        _ => Err(Failure::protocol(format!("does not speak HTTP; its answer begins with \"{}\"", excerpt(line, 80)))),
    }
}

/// How long the head of an answer is, with the empty line that ends it; `None` if that is not there yet.
fn head_length(answer: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    answer.windows(END.len()).position(|part| part == END).map(|at| at + END.len())
}

/// For messages: without credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        match host {
            TargetHost::Address(IpAddr::V6(address)) => write!(f, "proxy [{address}]:{port}"),
            TargetHost::Address(address) => write!(f, "proxy {address}:{port}"),
            TargetHost::Name(name) => write!(f, "proxy {}:{port}", excerpt(name.as_bytes(), 255)),
        }
    }
}
