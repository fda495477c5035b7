//! [`Exchange`]: the queries of one attempt, and the messages that answer them.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use checkup_core::{Cause, Failure, Phase, Timestamp};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use tokio::net::UdpSocket;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Transport;
use crate::connection::Connection;
use crate::server::Server;

/// The longest answer that we ask a server to send over UDP: one that fits into a single packet on any path (DNS Flag Day
/// 2020).
const UDP_PAYLOAD: u16 = 1232;

/// The longest answer over UDP that we accept. Some servers ignore the limit in the query and send up to this many bytes.
const MAX_DATAGRAM: usize = 4096;

/// How long to wait for the answer to a query with EDNS before it is sent without EDNS, too: some servers drop queries with EDNS.
///
/// An attempt does not know its timeout. This is about a third of the default, so the second query still has time to be
/// answered. It is longer than a recursive server usually needs, and a server that is merely slow can still answer the first
/// query.
const EDNS_PATIENCE: Duration = Duration::from_millis(300);

/// The length of a message's header.
const HEADER: usize = 12;

/// Queries the server during one attempt. Once a connection is open, it is used for all queries of the attempt.
#[derive(Debug)]
pub(crate) struct Exchange {
    server: Arc<Server>,
    addresses: Vec<SocketAddr>,
    connection: Mutex<Option<Connection>>,
    expiry: Arc<OnceLock<Timestamp>>,
}

impl Exchange {
    pub(crate) fn new(server: Arc<Server>, addresses: Vec<SocketAddr>) -> Self {
        Self { server, addresses, connection: Mutex::new(None), expiry: Arc::default() }
    }

    /// When the certificate of the server expires: set by the first connection with TLS.
    pub(crate) fn expiry(&self) -> Arc<OnceLock<Timestamp>> {
        Arc::clone(&self.expiry)
    }

    /// Sends a query and returns the answer, without judging it.
    ///
    /// Old servers refuse or drop queries with EDNS. Those queries are repeated without it (RFC 6891, section 7).
    pub(crate) async fn ask(&self, mut query: Message) -> Result<Message, Failure> {
        if self.server.transport == Transport::Https {
            // With id 0, equal queries are identical, so HTTP caches can answer them (RFC 8484, section 4.1).
            query.metadata.id = 0;
        }
        // A query that already has EDNS needs it, as those for DNSSEC do.
        let without = query.edns.is_none().then(|| query.clone());
        query.edns.get_or_insert_with(Edns::new).set_max_payload(UDP_PAYLOAD);
        let answer = self.ask_once(&query, without.as_ref()).await?;
        match without {
            Some(without) if refuses_edns(&answer) => self.ask_once(&without, None).await,
            _ => Ok(answer),
        }
    }

    /// Sends a query once. `without` is the same query without EDNS.
    async fn ask_once(&self, query: &Message, without: Option<&Message>) -> Result<Message, Failure> {
        let mut bytes = encode(query)?;
        let mut without = without.map(encode).transpose()?;
        if self.server.transport == Transport::Udp {
            let answer = self.ask_datagram(&bytes, without.as_deref()).await?;
            if !is_truncated(&answer) {
                return read(&answer, query);
            }
            if !has_additional_records(&answer)
                && let Some(without) = without.take()
            {
                bytes = without;
            }
            let retried = self
                .ask_connected(&bytes, without.as_deref())
                .await
                .map_err(|failure| failure.context("the answer over UDP is truncated, and asking over TCP fails"))?;
            return read(&retried, query);
        }
        let answer = self.ask_connected(&bytes, without.as_deref()).await?;
        read(&answer, query)
    }

    /// Sends a query over a connection, which is the open one if there is one.
    async fn ask_connected(&self, query: &[u8], without: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
        let mut slot = self.connection.lock().await;
        // Taken out during the query, so that a connection that is left in the middle of one is not used again.
        if let Some(mut connection) = slot.take() {
            // A server may close a connection after any answer (RFC 7766, section 6.2.4), in which case a new one is opened.
            if let Ok(answer) = connection.ask(query).await {
                *slot = Some(connection);
                return Ok(answer);
            }
        }
        let mut connection = Connection::open(&self.server, &self.addresses, &self.expiry).await?;
        let Some(without) = without else {
            let answer = connection.ask(query).await?;
            *slot = Some(connection);
            return Ok(answer);
        };
        match self.ask_patiently(&mut connection, query, without).await? {
            (answer, true) => {
                *slot = Some(connection);
                Ok(answer)
            }
            (answer, false) => Ok(answer),
        }
    }

    /// Sends a query over a connection. If there is no answer for a while, or the server fails, it also sends the query
    /// `without` EDNS over another connection, and takes whichever answer comes first. Returns that answer, and whether the first connection
    /// can be used again.
    async fn ask_patiently(
        &self,
        connection: &mut Connection,
        query: &[u8],
        without: &[u8],
    ) -> Result<(Vec<u8>, bool), Failure> {
        let mut first = pin!(connection.ask(query));
        let closed = tokio::select! {
            biased;
            answer = first.as_mut() => match answer {
                // Some servers close the connection in response to EDNS. Over HTTPS, they also reset the request or answer with an
                // error status.
                Err(failure) if failure.cause() == Cause::Network || self.server.transport == Transport::Https => {
                    Some(failure)
                }
                answer => return answer.map(|answer| (answer, true)),
            },
            () = sleep(EDNS_PATIENCE) => None,
        };
        let mut second = self.ask_apart(without.to_vec());
        if let Some(failure) = closed {
            return second.answer().await.map(|answer| (answer, false)).map_err(|_| failure);
        }
        tokio::select! {
            biased;
            answer = first.as_mut() => match answer {
                Ok(answer) => Ok((answer, true)),
                Err(failure) => second.answer().await.map(|answer| (answer, false)).map_err(|_| failure),
            },
            answer = second.answer() => match answer {
                Ok(answer) => Ok((answer, false)),
                Err(_) => first.await.map(|answer| (answer, true)),
            },
        }
    }

    /// Sends a query over another connection in a separate task, so that the phases of the attempt remain those of the first query.
    fn ask_apart(&self, query: Vec<u8>) -> Apart {
        let (server, addresses) = (Arc::clone(&self.server), self.addresses.clone());
        let mut task = JoinSet::new();
        let expiry = self.expiry();
        task.spawn(async move { Connection::open(&server, &addresses, &expiry).await?.ask(&query).await });
        Apart(task)
    }

    /// Sends a query over UDP to the first address, and to the next one if that is unreachable.
    async fn ask_datagram(&self, query: &[u8], without: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
        Phase::FirstByte.begin();
        let mut last = None;
        for address in &self.addresses {
            match datagram(*address, query, without).await {
                Err(failure) if matches!(failure.cause(), Cause::Refused | Cause::Network) => last = Some(failure),
                outcome => return outcome,
            }
        }
        Err(last.unwrap_or_else(|| Failure::new(Cause::Dns, "the server has no address")))
    }
}

/// A query in another task, which is aborted when this is dropped.
struct Apart(JoinSet<Result<Vec<u8>, Failure>>);

impl Apart {
    async fn answer(&mut self) -> Result<Vec<u8>, Failure> {
        match self.0.join_next().await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => Err(Failure::from_error(error)),
            None => Err(Failure::other("the query has been answered")),
        }
    }
}

/// Sends a query from a new socket on a random port, and waits for the answer with the same id.
///
/// After a while without an answer, it sends the query `without` EDNS as well, and takes whichever answer comes first.
async fn datagram(address: SocketAddr, query: &[u8], mut without: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let failure = |error: io::Error| match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Failure::new(Cause::Refused, format!("nothing listens on UDP port {} of {}", address.port(), address.ip()))
        }
        _ => Failure::from(error).context(address),
    };
    let socket = UdpSocket::bind(any).await.map_err(failure)?;
    // The socket is connected, so it receives no datagrams from other addresses, but the ICMP errors for this one.
    socket.connect(address).await.map_err(failure)?;
    socket.send(query).await.map_err(failure)?;
    let mut buffer = vec![0; MAX_DATAGRAM + 1];
    let mut patience = pin!(sleep(EDNS_PATIENCE));
    loop {
        let length = tokio::select! {
            biased;
            received = socket.recv(&mut buffer) => received.map_err(failure)?,
            () = patience.as_mut(), if without.is_some() => {
                if let Some(without) = without.take() {
                    socket.send(without).await.map_err(failure)?;
                }
                continue;
            }
        };
        // A wrong id means a forged answer (RFC 5452, section 9.1). The real one may still arrive.
        if length < 2 || buffer[..2] != query[..2] {
            tracing::debug!(%address, length, "ignored a datagram that does not answer the query");
            continue;
        }
        if length > MAX_DATAGRAM {
            return Err(Failure::protocol(format!("the answer over UDP is longer than {MAX_DATAGRAM} bytes")));
        }
        buffer.truncate(length);
        return Ok(buffer);
    }
}

fn encode(query: &Message) -> Result<Vec<u8>, Failure> {
    query.to_vec().map_err(|error| Failure::other(format!("cannot encode the query: {error}")))
}

/// Whether a server may have refused a query only because of EDNS. Servers that support EDNS use it in their answers; others may answer with
/// one of these codes (RFC 2671, section 5.3).
pub(crate) fn refuses_edns(answer: &Message) -> bool {
    let code = answer.metadata.response_code;
    answer.edns.is_none() && matches!(code, ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::ServFail)
}

/// Whether an answer has records in its additional section, which is where the EDNS record is.
fn has_additional_records(answer: &[u8]) -> bool {
    answer.len() >= HEADER && answer[10..HEADER] != [0, 0]
}

/// Whether the TC bit is set. It is read from the bytes, because some servers cut off the rest anywhere.
fn is_truncated(answer: &[u8]) -> bool {
    answer.len() >= HEADER && answer[2] & 0x02 != 0
}

/// Reads a message, which must be an answer to this query.
pub(crate) fn read(answer: &[u8], query: &Message) -> Result<Message, Failure> {
    if answer.len() < HEADER {
        return Err(Failure::protocol(format!(
            "the answer is cut off after {} bytes; its header alone has 12",
            answer.len()
        )));
    }
    let message = Message::from_vec(answer).map_err(|error| {
        let error = checkup_net::excerpt(error.to_string().as_bytes(), 120);
        Failure::protocol(format!("the answer is not a valid DNS message: {error}"))
    })?;
    if message.metadata.message_type != MessageType::Response || message.metadata.op_code != OpCode::Query {
        return Err(Failure::protocol("the answer is a DNS message, but not an answer to a query"));
    }
    if message.metadata.id != query.metadata.id {
        return Err(Failure::protocol("the answer does not have the id of the query"));
    }
    // Error answers may omit the question; all others must repeat it (RFC 5452, section 9.1).
    let without = message.queries.is_empty() && message.metadata.response_code != ResponseCode::NoError;
    if !without && message.queries != query.queries {
        let other = message
            .queries
            .first()
            .map_or("none".to_owned(), |other| format!("{} {}", crate::answer::shown(&other.name), other.query_type));
        return Err(Failure::protocol(format!("the answer is for another question: {other}")));
    }
    Ok(message)
}
