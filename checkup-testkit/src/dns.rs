use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// A DNS server on loopback (UDP) that answers from a closure of the requested name. It stops when dropped.
///
/// ```
/// use checkup_testkit::{DnsAnswer, DnsServer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = DnsServer::start(|name| match name {
///     "api.example.test" => DnsAnswer::A(vec![[10, 0, 0, 1].into()]),
///     _ => DnsAnswer::Code(3), // NXDOMAIN
/// });
/// assert!(server.addr().ip().is_loopback());
/// # }
/// ```
pub struct DnsServer {
    addr: SocketAddr,
    queries: Arc<AtomicUsize>,
    answering: JoinHandle<()>,
}

/// What a [`DnsServer`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DnsAnswer {
    /// These addresses for a query for A records, and an empty answer for other queries.
    A(Vec<Ipv4Addr>),
    /// No records and this response code (RFC 1035, section 4.1.1): 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
    Code(u8),
    /// These bytes after the query's transaction number: anything that a hostile server may send.
    Raw(Vec<u8>),
    /// No answer.
    Silence,
}

/// Where the question begins: after the header.
const HEADER: usize = 12;

impl DnsServer {
    /// Starts a server on `127.0.0.1`. The closure gets names in lower case, without the trailing dot.
    ///
    /// # Panics
    ///
    /// If no socket can be bound, or outside of a tokio runtime.
    pub fn start(handler: impl Fn(&str) -> DnsAnswer + Send + Sync + 'static) -> Self {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on 127.0.0.1 can be bound");
        socket.set_nonblocking(true).expect("a socket can be made non-blocking");
        let addr = socket.local_addr().expect("a bound socket has an address");
        let socket = UdpSocket::from_std(socket).expect("a tokio runtime with I/O");
        let queries = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&queries);
        let answering = tokio::spawn(async move {
            let mut query = [0; 4096];
            // An error belongs to an earlier answer (ICMP); the socket is still usable.
            loop {
                let Ok((length, client)) = socket.recv_from(&mut query).await else { continue };
                counter.fetch_add(1, Ordering::SeqCst);
                if let Some(answer) = answer(&query[..length], &handler) {
                    let _ = socket.send_to(&answer, client).await;
                }
            }
        });
        Self { addr, queries, answering }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many datagrams it has received.
    pub fn queries(&self) -> usize {
        self.queries.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for DnsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsServer").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

/// The answer to a query with one question (RFC 1035, section 4); `None` for anything else.
fn answer(query: &[u8], handler: &dyn Fn(&str) -> DnsAnswer) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = query.get(at..at + length)?;
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += length;
    }
    let question = query.get(HEADER..at + 4)?;
    let asks_for_a = query[at..at + 2] == [0, 1];

    let (code, addresses) = match handler(&labels.join(".")) {
        DnsAnswer::A(addresses) => (0, if asks_for_a { addresses } else { Vec::new() }),
        DnsAnswer::Code(code) => (code, Vec::new()),
        DnsAnswer::Raw(bytes) => return Some([&query[..2], &bytes].concat()),
        DnsAnswer::Silence => return None,
    };
    let mut answer = query[..2].to_vec();
    // A response to a standard query, authoritative, with the recursion flag of the query.
    answer.extend([0x84 | (query[2] & 1), 0x80 | (code & 0x0f), 0, 1]);
    answer.extend(u16::try_from(addresses.len()).ok()?.to_be_bytes());
    answer.extend([0, 0, 0, 0]);
    answer.extend(question);
    for address in addresses {
        // The name is a pointer to the question's; A, IN, a TTL of a minute, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A query for the A records of `a.test`.
    const QUERY: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01A\x04tEst\x00\x00\x01\x00\x01";

    #[test]
    fn an_answer_repeats_the_question_and_has_the_addresses() {
        let handler = |name: &str| {
            assert_eq!(name, "a.test");
            DnsAnswer::A(vec![[10, 0, 0, 1].into()])
        };
        let answer = answer(QUERY, &handler).unwrap();
        assert_eq!(answer[..8], [0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1]);
        assert_eq!(answer[12..QUERY.len()], QUERY[12..]);
        assert_eq!(answer[answer.len() - 4..], [10, 0, 0, 1]);
    }

    #[test]
    fn an_invalid_query_gets_no_answer() {
        for length in 0..QUERY.len() {
            assert_eq!(answer(&QUERY[..length], &|_| DnsAnswer::Code(0)), None);
        }
    }
}
