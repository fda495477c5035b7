//! [`TcpChecker`]: one attempt of a TCP check.

use std::borrow::Cow;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use checkup_core::{
    Cause, Checker, ConfigError, ConfigProblems, Failure, IntoChecker, Observation, Phase, Secret, async_trait,
};
use checkup_net::{HostPort, IpVersion, StartTls, TlsClient, TlsSettings, connect, excerpt, observe_expiry, resolve};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::Tcp;
use crate::config::MAX_READ_BYTES;
use crate::expect::Search;

/// As in upstream: the original Checkup, a Go program.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// How much is read at once.
const CHUNK: usize = 4 << 10;

/// How much of an answer a message shows, in characters.
const MAX_SHOWN: usize = 120;

impl IntoChecker for Tcp {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let address = problems.take(parse_address(&self));
        let tls = problems.take(parse_tls(self.tls.as_ref(), address.as_ref()));
        if self.cert_expiry.is_some() && self.tls.is_none() {
            problems.push(ConfigError::reason("cert_expiry", "valid only with `tls`; set `tls`, or remove this"));
        }
        if self.starttls.is_some() && self.tls.is_none() {
            problems.push(ConfigError::reason("starttls", "valid only with `tls`; set `tls`, or remove this"));
        }
        let expect = problems.take(self.expect.as_ref().map(Search::new).transpose());
        if !(1..=MAX_READ_BYTES).contains(&self.max_read_bytes) {
            let message = format!("expected 1 to {MAX_READ_BYTES}, found {}", self.max_read_bytes);
            problems.push(ConfigError::invalid("max_read_bytes", message));
        }
        problems.finish(|| {
            let endpoint = Endpoint::new(self.endpoint_url, &address?, self.ip_version);
            let talk = Talk {
                tls: tls?,
                starttls: self.starttls,
                cert_expiry: self.cert_expiry,
                send: self.send.filter(|text| !text.is_empty()),
                expect: expect?,
                max_read_bytes: self.max_read_bytes,
            };
            let talk = talk.is_needed().then(|| Box::new(talk));
            Some(Arc::new(TcpChecker { endpoint, talk }) as Arc<dyn Checker>)
        })
    }
}

/// The checker that [`Tcp`] becomes.
///
/// There may be a hundred thousand of these, so what few of them need is boxed.
#[derive(Debug)]
pub struct TcpChecker {
    endpoint: Endpoint,
    /// `None` if the check only connects.
    talk: Option<Box<Talk>>,
}

/// `host:port` as it was written, and which part of it is the host, so that the text is kept only once.
#[derive(Debug)]
struct Endpoint {
    text: Box<str>,
    /// Empty means this machine.
    host: Range<u32>,
    port: u16,
    ip_version: IpVersion,
}

/// What a check does after connecting.
#[derive(Debug)]
struct Talk {
    tls: Option<TlsClient>,
    starttls: Option<StartTls>,
    cert_expiry: Option<Duration>,
    send: Option<Secret>,
    expect: Option<Search>,
    max_read_bytes: usize,
}

#[async_trait]
impl Checker for TcpChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.endpoint.text)
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        let tls = self.talk.as_ref().and_then(|talk| talk.tls.as_ref());
        if let Some(tls) = tls {
            tls.prepare().await?;
        }
        // Certificates are read at the start and when they change. That must not count as the server's time.
        let start = Instant::now();
        let addresses = resolve(self.endpoint.host(), self.endpoint.port, self.endpoint.ip_version).await?;
        let mut connection = connect(&addresses).await?;
        let mut observation = Observation::new();
        match (&self.talk, tls) {
            (Some(talk), Some(tls)) => {
                if let Some(protocol) = talk.starttls {
                    protocol.ask(&mut connection, &tls.server_name()).await?;
                }
                let connection = tls.connect(connection).await?;
                let expiry = TlsClient::certificate_expiry(&connection);
                talk.over(connection).await?;
                observation = observe_expiry(observation, expiry, talk.cert_expiry)?;
            }
            (Some(talk), None) => talk.over(connection).await?,
            (None, _) => close(&mut connection).await,
        }
        Ok(observation.rtt(start.elapsed()))
    }

    fn default_timeout(&self) -> Duration {
        DEFAULT_TIMEOUT
    }
}

impl Endpoint {
    fn new(text: String, address: &HostPort, ip_version: IpVersion) -> Self {
        let host = text.find(address.host()).map_or(0..0, |start| start..start + address.host().len());
        // No host is 4 GiB long.
        let host = u32::try_from(host.start).unwrap_or_default()..u32::try_from(host.end).unwrap_or_default();
        Self { text: text.into(), host, port: address.port(), ip_version }
    }

    fn host(&self) -> &str {
        match &self.text[self.host.start as usize..self.host.end as usize] {
            "" => "localhost",
            host => host,
        }
    }
}

impl Talk {
    fn is_needed(&self) -> bool {
        self.tls.is_some() || self.send.is_some() || self.expect.is_some()
    }

    /// Sends, reads and closes.
    async fn over(&self, mut connection: impl AsyncRead + AsyncWrite + Unpin + Send) -> Result<(), Failure> {
        if self.send.is_some() || self.expect.is_some() {
            Phase::FirstByte.begin();
        }
        if let Some(text) = &self.send {
            let sent = async {
                connection.write_all(text.expose().as_bytes()).await?;
                connection.flush().await
            };
            sent.await.map_err(|error| self.broken(error, " before everything was sent"))?;
        }
        if let Some(expect) = &self.expect {
            self.read(&mut connection, expect).await?;
        }
        close(&mut connection).await;
        Ok(())
    }

    /// Reads until the expectation is met.
    async fn read(&self, connection: &mut (impl AsyncRead + Unpin), expect: &Search) -> Result<(), Failure> {
        let mut answer = Vec::new();
        while answer.len() < self.max_read_bytes {
            let searched = answer.len();
            let limit = CHUNK.min(self.max_read_bytes - searched);
            answer.reserve(limit);
            match (&mut *connection).take(limit as u64).read_buf(&mut answer).await {
                Ok(0) => return Err(ended(&answer, expect)),
                Ok(_) if searched == 0 => Phase::Transfer.begin(),
                Ok(_) => {}
                // Many servers close without the `close_notify` of TLS.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(ended(&answer, expect)),
                Err(error) => {
                    return Err(self.broken(error, &format!(" before the answer was complete{}", seen(&answer))));
                }
            }
            if expect.is_in(&answer, searched) {
                return Ok(());
            }
            if self.tls.is_none() && is_tls_alert(&answer) {
                return Err(Failure::protocol("the server speaks TLS on this port: set `tls`"));
            }
            // Servers that answer with an error often wait for the next command. The timeout's message then shows what
            // has arrived.
            Phase::note(format!("it {}{}", expect.missing(), seen(&answer)));
        }
        let (missing, length, seen) = (expect.missing(), answer.len(), seen(&answer));
        Err(Failure::assertion(format!("answer {missing} in its first {length} bytes{seen}")))
    }

    /// The failure of an open connection.
    fn broken(&self, error: io::Error, when: &str) -> Failure {
        // With TLS 1.3, servers refuse a client's certificate only now.
        let tls = self.tls.as_ref().and_then(|tls| tls.failure(&error));
        tls.unwrap_or_else(|| {
            let failure = Failure::from(error);
            Failure::new(failure.cause(), format!("{failure}{when}"))
        })
    }
}

/// Closes a connection properly (TLS `close_notify`), but does not wait for that: the check has its answer.
async fn close(connection: &mut (impl AsyncWrite + Unpin)) {
    Phase::end();
    poll_fn(|cx| {
        let _ = Pin::new(&mut *connection).poll_shutdown(cx);
        Poll::Ready(())
    })
    .await;
}

fn parse_address(tcp: &Tcp) -> Result<HostPort, ConfigError> {
    let address: HostPort =
        tcp.endpoint_url.parse().map_err(|error| ConfigError::invalid("endpoint_url", format!("{error}")))?;
    match address.host().parse::<IpAddr>() {
        Ok(literal) if !tcp.ip_version.allows(literal) => Err(ConfigError::invalid(
            "ip_version",
            format!("expected the version of {literal}, found {}; remove it", tcp.ip_version),
        )),
        _ => Ok(address),
    }
}

/// Builds the TLS that the settings ask for, if any. Without an address, it only looks for problems in the settings.
fn parse_tls(settings: Option<&TlsSettings>, address: Option<&HostPort>) -> Result<Option<TlsClient>, ConfigError> {
    let Some(settings) = settings else { return Ok(None) };
    if cfg!(not(feature = "tls")) {
        let message = "TLS is not compiled in; enable the feature `tcp-tls` of the crate `checkup-rs`";
        return Err(ConfigError::invalid("tls", message));
    }
    let host = address.map_or("localhost", HostPort::host);
    TlsClient::new(settings, host, "endpoint_url").map(Some)
}

/// Whether an answer is a TLS server's error: an alert record of TLS 1.x (RFC 8446, section 5.1).
fn is_tls_alert(answer: &[u8]) -> bool {
    matches!(answer, [0x15, 0x03, 0..=4, ..])
}

/// The failure when an answer has ended too early.
fn ended(answer: &[u8], expect: &Search) -> Failure {
    if answer.is_empty() {
        return Failure::new(Cause::Network, "the server closed the connection without an answer");
    }
    Failure::assertion(format!("answer {}{}", expect.missing(), seen(answer)))
}

/// Formats what has arrived, in brackets, if anything has.
fn seen(answer: &[u8]) -> String {
    if answer.is_empty() { String::new() } else { format!(" (got '{}')", excerpt(answer, MAX_SHOWN)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_shown_as_it_was_written() {
        for (text, host, port) in [
            (":5432", "localhost", 5432),
            ("localhost:1", "localhost", 1),
            ("1:1", "1", 1),
            ("db.internal:05432", "db.internal", 5432),
            ("[::1]:5432", "::1", 5432),
            ("[fe80::1%eth0]:5432", "fe80::1%eth0", 5432),
        ] {
            let endpoint = Endpoint::new(text.to_owned(), &text.parse().unwrap(), IpVersion::Any);
            assert_eq!((&*endpoint.text, endpoint.host(), endpoint.port), (text, host, port));
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn settings_that_ask_for_tls_are_refused_with_the_feature_to_enable() {
        let error = Tcp::new("db:1").tls(TlsSettings::new()).into_checker().unwrap_err().to_string();
        assert!(error.starts_with("tls: TLS is not compiled in; enable the feature `tcp-tls`"), "{error}");
        assert!(Tcp::new("db:1").into_checker().is_ok());
    }
}
