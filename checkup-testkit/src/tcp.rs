use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// A TCP server on loopback whose behaviour is a closure. It stops, and closes all its connections, when dropped.
///
/// ```
/// use checkup_testkit::TcpServer;
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = TcpServer::start(|mut connection| async move {
/// // A banner, then the connection is closed.
///     let _ = connection.write_all(b"+OK\r\n").await;
/// });
/// assert!(server.addr().ip().is_loopback());
/// # }
/// ```
pub struct TcpServer {
    addr: SocketAddr,
    counts: watch::Receiver<Counts>,
    accepting: JoinHandle<()>,
}

/// The chunk size of an endless answer.
const ENDLESS_CHUNK: usize = 16 << 10;

/// Where an endless answer stops.
const ENDLESS_BYTES: usize = 64 << 20;

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    accepted: usize,
    open: usize,
}

impl TcpServer {
    /// Starts a server on `127.0.0.1` that runs `handler` in a separate task for each connection.
    ///
    /// # Panics
    ///
    /// If no socket can be bound, or outside of a tokio runtime.
    pub fn start<F, Fut>(handler: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::start_on((Ipv4Addr::LOCALHOST, 0).into(), handler).expect("a port on 127.0.0.1 can be bound")
    }

    /// Starts a server on this address, for `[::1]` or a given port; port 0 is any free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound: not every machine has IPv6.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start_on<F, Fut>(addr: SocketAddr, handler: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let addr = listener.local_addr()?;
        let (sender, counts) = watch::channel(Counts::default());
        let accepting = tokio::spawn(accept(listener, Arc::new(sender), handler));
        Ok(Self { addr, counts, accepting })
    }

    /// A server that accepts, reads what it is sent, and never answers. The connection stays open until the client
    /// closes it.
    pub fn silent() -> Self {
        Self::start(async |mut connection: TcpStream| {
            let mut sink = [0; 1024];
            while connection.read(&mut sink).await.is_ok_and(|length| length > 0) {}
        })
    }

    /// A server that resets each connection as soon as it has accepted it.
    pub fn reset() -> Self {
        Self::start(async |connection| reset(connection))
    }

    /// A server whose answer has no end: `head`, then `filler` repeatedly, as fast as it is read. After 64 MiB, which is more than
    /// any client should read, it only keeps the connection open, so that a client that buffers everything does not exhaust the
    /// memory.
    ///
    /// # Panics
    ///
    /// If `filler` is empty.
    pub fn endless(head: impl Into<Vec<u8>>, filler: impl AsRef<[u8]>) -> Self {
        let head: Arc<[u8]> = head.into().into();
        let filler: Arc<[u8]> = filler.as_ref().repeat(ENDLESS_CHUNK.div_ceil(filler.as_ref().len())).into();
        Self::start(move |mut connection| {
            let (head, filler) = (Arc::clone(&head), Arc::clone(&filler));
            async move {
                let mut sent = connection.write_all(&head).await;
                for _ in 0..ENDLESS_BYTES / filler.len() {
                    if sent.is_err() {
                        return;
                    }
                    sent = connection.write_all(&filler).await;
                }
                let mut sink = [0; 1024];
                while connection.read(&mut sink).await.is_ok_and(|length| length > 0) {}
            }
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections it has accepted.
    pub fn accepted(&self) -> usize {
        self.counts.borrow().accepted
    }

    /// How many connections are open: their handler has not ended.
    pub fn open(&self) -> usize {
        self.counts.borrow().open
    }

    /// Waits until it has accepted `count` connections since its start.
    pub async fn wait_accepted(&self, count: usize) {
        self.wait(|counts| counts.accepted >= count).await;
    }

    /// Waits until no connection is open. If the handler reads to the end, this means that the clients have closed theirs.
    pub async fn wait_idle(&self) {
        self.wait(|counts| counts.open == 0).await;
    }

    async fn wait(&self, reached: impl FnMut(&Counts) -> bool) {
        // The sender lives as long as the task, which ends only when this is dropped or a handler panicked.
        self.counts.clone().wait_for(reached).await.expect("the server runs");
    }
}

impl Drop for TcpServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for TcpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpServer").field("addr", &self.addr).field("counts", &*self.counts.borrow()).finish()
    }
}

/// The address of a closed port: connections to it are refused. It is the same for the whole process, which keeps it bound, so
/// that no other program (or test) can listen on it.
///
/// # Panics
///
/// If no socket can be bound.
pub fn closed_port() -> SocketAddr {
    static BOUND: OnceLock<TcpSocket> = OnceLock::new();
    let socket = BOUND.get_or_init(|| {
        let socket = TcpSocket::new_v4().expect("a socket can be opened");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port on 127.0.0.1 can be bound");
        socket
    });
    socket.local_addr().expect("a bound socket has an address")
}

/// Ends a connection with a reset (RST) instead of a normal close (FIN), like a server that crashes midway.
///
/// # Panics
///
/// If the system does not support `SO_LINGER`.
pub fn reset(connection: TcpStream) {
    connection.set_zero_linger().expect("an open socket has the option");
}

/// Counts a connection as open until this is dropped, even if its handler is aborted or panics.
struct Open(Arc<watch::Sender<Counts>>);

impl Open {
    fn new(counts: Arc<watch::Sender<Counts>>) -> Self {
        counts.send_modify(|counts| {
            counts.accepted += 1;
            counts.open += 1;
        });
        Self(counts)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|counts| counts.open -= 1);
    }
}

async fn accept<F, Fut>(listener: TcpListener, counts: Arc<watch::Sender<Counts>>, handler: F)
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    // Dropped when this task is aborted: that aborts the connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // The connection is already gone, or too many files are open: both are temporary.
                let Ok((connection, _)) = accepted else {
                    tokio::task::yield_now().await;
                    continue;
                };
                let open = Open::new(Arc::clone(&counts));
                let handled = handler(connection);
                connections.spawn(async move {
                    let _open = open;
                    handled.await;
                });
            }
            // Removes finished connections from the set.
            Some(_) = connections.join_next() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dropping_the_server_closes_its_connections_and_its_port() {
        let server = TcpServer::silent();
        let addr = server.addr();
        let mut connection = TcpStream::connect(addr).await.unwrap();
        server.wait_accepted(1).await;
        assert_eq!((server.accepted(), server.open()), (1, 1));
        drop(server);
        let mut byte = [0];
        assert_eq!(connection.read(&mut byte).await.unwrap(), 0);
        let refused = TcpStream::connect(addr).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_silent_server_is_idle_once_its_client_is_gone() {
        let server = TcpServer::silent();
        let connection = TcpStream::connect(server.addr()).await.unwrap();
        server.wait_accepted(1).await;
        drop(connection);
        server.wait_idle().await;
        assert_eq!((server.accepted(), server.open()), (1, 0));
    }

    #[tokio::test]
    async fn a_resetting_server_resets() {
        let server = TcpServer::reset();
        let mut connection = TcpStream::connect(server.addr()).await.unwrap();
        let error = connection.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn an_endless_answer_stops_at_its_limit() {
        let server = TcpServer::endless("head ", "0123456789");
        let mut connection = TcpStream::connect(server.addr()).await.unwrap();
        let mut start = [0; 20];
        connection.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"head 012345678901234");
        let mut rest = connection.take(ENDLESS_BYTES as u64 - 2 * ENDLESS_CHUNK as u64);
        assert!(tokio::io::copy(&mut rest, &mut tokio::io::sink()).await.unwrap() > ENDLESS_BYTES as u64 / 2);
    }

    #[tokio::test]
    async fn a_closed_port_refuses_connections() {
        let refused = TcpStream::connect(closed_port()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(closed_port(), closed_port());
    }
}
