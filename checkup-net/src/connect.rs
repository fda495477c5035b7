//! [`connect()`]: opens a TCP connection to the first address that answers.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use checkup_core::{Cause, Failure, Phase};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// How long to wait for an address before the next one is tried as well, as recommended by RFC 8305, section 5.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of the addresses that answers, with `TCP_NODELAY`.
///
/// Tries them in the given order. The next attempt starts when the previous one has failed, or has had no answer for 250 ms. In
/// the second case both continue (RFC 8305), so an address that drops packets does not make the others unreachable.
///
/// Marks [`Phase::Connect`].
///
/// # Errors
///
/// The failure of the last address, and how many were tried. Without any address, a failure of [`Cause::Dns`].
pub async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    Phase::Connect.begin();
    let connection = match *addresses {
        // The usual case needs no race, which costs a tenth of a whole HTTP check.
        [address] => TcpStream::connect(address).await.map_err(|error| failure(address, error, 1)),
        _ => Box::pin(race(addresses)).await,
    }?;
    // Checks send little and wait for the answer. If this call fails, so will the reads and writes that follow, which report it.
    let _ = connection.set_nodelay(true);
    Phase::end();
    Ok(connection)
}

async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut waiting = addresses.iter();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Failures::default();
    loop {
        match waiting.next() {
            Some(&address) => attempts.push(async move { (address, TcpStream::connect(address).await) }),
            None if attempts.is_empty() => break,
            None => {}
        }
        let more = waiting.len() > 0;
        let mut head_start = pin!(sleep(HEAD_START));
        let outcome = tokio::select! {
            outcome = attempts.next() => outcome,
            () = head_start.as_mut(), if more => None,
        };
        match outcome {
            Some((_, Ok(connection))) => return Ok(connection),
            Some((address, Err(error))) => failures.add(error.kind(), failure(address, error, addresses.len())),
            None => {}
        }
    }
    Err(failures.decisive().unwrap_or_else(|| Failure::new(Cause::Dns, "no address to connect to")))
}

/// The failures of several addresses, of which one is reported.
#[derive(Default)]
struct Failures {
    /// The monitor ran out of a resource and could not try an address that might have accepted.
    own_trouble: Option<Failure>,
    /// The last failure of any other kind.
    last: Option<Failure>,
    /// This machine has no local address to connect from, such as an IPv6 address.
    no_source: Option<Failure>,
}

impl Failures {
    fn add(&mut self, kind: io::ErrorKind, failure: Failure) {
        let slot = match failure.cause() {
            _ if kind == io::ErrorKind::AddrNotAvailable => &mut self.no_source,
            Cause::Monitor => &mut self.own_trouble,
            _ => &mut self.last,
        };
        *slot = Some(failure);
    }

    fn decisive(self) -> Option<Failure> {
        self.own_trouble.or(self.last).or(self.no_source)
    }
}

fn failure(address: SocketAddr, error: io::Error, tried: usize) -> Failure {
    let refused = error.kind() == io::ErrorKind::ConnectionRefused;
    let failure = Failure::from(error);
    let message = if refused {
        format!("connection to {address} refused")
    } else {
        format!("cannot connect to {address}: {failure}")
    };
    let others = if tried > 1 { format!(" (the last of {tried} addresses tried)") } else { String::new() };
    Failure::new(failure.cause(), format!("{message}{others}"))
}

#[cfg(test)]
mod tests {
    use checkup_testkit::{TcpServer, closed_port};

    use super::*;

    #[tokio::test]
    async fn a_closed_port_refuses() {
        let address = closed_port();
        let failure = connect(&[address]).await.unwrap_err();
        assert_eq!(failure, Failure::new(Cause::Refused, format!("connection to {address} refused")));
    }

    #[tokio::test]
    async fn addresses_that_fail_are_skipped() {
        let server = TcpServer::silent();
        let connection = connect(&[closed_port(), closed_port(), server.addr()]).await.unwrap();
        assert_eq!(connection.peer_addr().unwrap(), server.addr());
        assert!(connection.nodelay().unwrap());
    }

    #[test]
    fn an_address_that_could_not_be_tried_decides() {
        let failure = |cause: Cause| Failure::new(cause, cause.as_str());
        let decisive = |kinds: &[(io::ErrorKind, Cause)]| {
            let mut failures = Failures::default();
            kinds.iter().for_each(|(kind, cause)| failures.add(*kind, failure(*cause)));
            failures.decisive().map(|failure| failure.cause())
        };
        let (no_ipv6, no_files) = (io::ErrorKind::AddrNotAvailable, io::ErrorKind::Other);
        let refused = (io::ErrorKind::ConnectionRefused, Cause::Refused);
        assert_eq!(decisive(&[(no_ipv6, Cause::Monitor), refused]), Some(Cause::Refused));
        assert_eq!(decisive(&[refused, (no_ipv6, Cause::Monitor)]), Some(Cause::Refused));
        assert_eq!(decisive(&[(no_ipv6, Cause::Monitor)]), Some(Cause::Monitor));
        assert_eq!(decisive(&[(no_files, Cause::Monitor), refused]), Some(Cause::Monitor));
        assert_eq!(decisive(&[]), None);
    }

    #[tokio::test]
    async fn the_failure_says_how_many_were_tried() {
        let address = closed_port();
        let failure = connect(&[address, address]).await.unwrap_err();
        assert_eq!(failure.message(), format!("connection to {address} refused (the last of 2 addresses tried)"));
        assert_eq!(connect(&[]).await.unwrap_err().cause(), Cause::Dns);
    }

    /// A port that does not answer: it listens, but its queue is full and no connection is accepted. Linux drops further packets;
    /// other systems may refuse them instead.
    #[cfg(target_os = "linux")]
    fn dropping_port() -> (tokio::net::TcpListener, Vec<std::net::TcpStream>) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100));
        let queued = std::iter::from_fn(|| connect().ok()).collect();
        (listener, queued)
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_that_drops_packets_does_not_hide_the_next() {
        let (listener, _queued) = dropping_port();
        let server = TcpServer::silent();
        let connection = connect(&[listener.local_addr().unwrap(), server.addr()]).await.unwrap();
        assert_eq!(connection.peer_addr().unwrap(), server.addr());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_timeout_says_that_it_was_connecting() {
        use checkup_core::{Check, Checkup, check_fn};

        let (listener, _queued) = dropping_port();
        let address = listener.local_addr().unwrap();
        let check: Check = check_fn("dropped", move || async move { connect(&[address]).await.map(drop) });
        let checkup = Checkup::builder().check(check.timeout(Duration::from_millis(300))).build().unwrap();
        let report = checkup.check().await;
        assert_eq!(report.results[0].reason().unwrap(), "timed out after 300ms connecting");
    }
}
