//! [`TcpChecker`]: one attempt of a TCP check.

use std::borrow::Cow;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use checkup_core::{Cause, Checker, Failure, Observation, Phase, Secret, async_trait};
use checkup_net::{HostPort, IpVersion, connect, excerpt, resolve};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::expect::Search;
use crate::tls::Tls;

/// Upstream's.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// How much is read at once.
const CHUNK: usize = 4 << 10;

/// How much of an answer a message shows, in characters.
const MAX_SHOWN: usize = 120;

/// The checker that [`Tcp`](crate::Tcp) becomes.
#[derive(Debug)]
pub struct TcpChecker {
    pub(crate) endpoint: String,
    pub(crate) address: HostPort,
    pub(crate) ip_version: IpVersion,
    pub(crate) tls: Option<Tls>,
    pub(crate) send: Option<Secret>,
    pub(crate) expect: Option<Search>,
    pub(crate) max_read_bytes: usize,
}

#[async_trait]
impl Checker for TcpChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.endpoint)
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        if let Some(tls) = &self.tls {
            tls.load().await?;
        }
        // Reading certificates, which the first attempt does, is not the server's time.
        let start = Instant::now();
        let addresses = resolve(self.address.host(), self.address.port(), self.ip_version).await?;
        let connection = connect(&addresses).await?;
        match &self.tls {
            Some(tls) => self.talk(tls.connect(connection).await?).await?,
            None => self.talk(connection).await?,
        }
        Ok(Observation::new().rtt(start.elapsed()))
    }

    fn default_timeout(&self) -> Duration {
        DEFAULT_TIMEOUT
    }
}

impl TcpChecker {
    /// Sends, reads and closes.
    async fn talk(&self, mut connection: impl AsyncRead + AsyncWrite + Unpin + Send) -> Result<(), Failure> {
        if self.send.is_some() || self.expect.is_some() {
            Phase::FirstByte.begin();
        }
        if let Some(text) = &self.send {
            let sent = async {
                connection.write_all(text.expose().as_bytes()).await?;
                connection.flush().await
            };
            sent.await.map_err(|error| self.broken(error, " before all was sent"))?;
        }
        if let Some(expect) = &self.expect {
            self.read(&mut connection, expect).await?;
        }
        Phase::end();
        // Says goodbye (TLS close_notify) as far as that needs no waiting: the check has its answer.
        poll_fn(|cx| {
            let _ = Pin::new(&mut connection).poll_shutdown(cx);
            Poll::Ready(())
        })
        .await;
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
                // Many servers close without TLS's own goodbye.
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
            // Servers that answer with an error often wait for the next command: then this is all there is to tell.
            Phase::note(format!("it {}{}", expect.missing(), seen(&answer)));
        }
        let (missing, length, seen) = (expect.missing(), answer.len(), seen(&answer));
        Err(Failure::assertion(format!("answer {missing} in its first {length} bytes{seen}")))
    }

    /// The failure of a connection that had been open.
    fn broken(&self, error: io::Error, when: &str) -> Failure {
        // With TLS 1.3, servers refuse a client's certificate only now.
        let tls = self.tls.as_ref().and_then(|tls| tls.failure(&error));
        tls.unwrap_or_else(|| {
            let failure = Failure::from(error);
            Failure::new(failure.cause(), format!("{failure}{when}"))
        })
    }
}

/// Whether a server, instead of an answer, complains in TLS: an alert record of TLS 1.x (RFC 8446, section 5.1).
fn is_tls_alert(answer: &[u8]) -> bool {
    matches!(answer, [0x15, 0x03, 0..=4, ..])
}

/// The failure of an answer that has ended.
fn ended(answer: &[u8], expect: &Search) -> Failure {
    if answer.is_empty() {
        return Failure::new(Cause::Network, "the server closed the connection without an answer");
    }
    Failure::assertion(format!("answer {}{}", expect.missing(), seen(answer)))
}

/// What has come, in brackets, if anything has.
fn seen(answer: &[u8]) -> String {
    if answer.is_empty() { String::new() } else { format!(" (got '{}')", excerpt(answer, MAX_SHOWN)) }
}
