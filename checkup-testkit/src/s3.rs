//! [`S3Server`]: buckets in memory on loopback.

mod backend;
mod dialect;
mod faults;
mod serve;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Sub;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use backend::Backend;
pub use dialect::{S3Cause, S3Dialect, S3Refusal};
use faults::Faults;
use serve::State;

/// The access key that an [`S3Server`] knows.
const ACCESS_KEY: (&str, &str) = ("AKIACHECKUPTESTKIT00", "the+secret/of+the+testkit0123456789");

/// A server that speaks the protocol of S3, on loopback, with its buckets in memory. It verifies signatures.
///
/// It has its own thread, so it can be used from any runtime, even one with a paused clock. It stops when it is dropped. Needs the feature `s3`.
///
/// ```
/// use checkup_testkit::S3Server;
///
/// let server = S3Server::start();
/// server.create_bucket("status");
/// assert!(server.endpoint().starts_with("http://127.0.0.1:"));
/// // … the code under test puts, lists, gets and deletes with the server's access key …
/// assert_eq!(server.requests().put, 0);
/// assert!(server.keys("status").is_empty());
/// ```
///
/// It can misbehave like real servers: be down ([`stop`](Self::stop)), be slow, refuse requests, lose an answer, lack a part of the protocol, or
/// answer in another [dialect](Self::dialect).
pub struct S3Server {
    addr: SocketAddr,
    state: Arc<State>,
    running: Mutex<Option<Running>>,
}

/// The thread that serves.
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// An object, as [`S3Server::object`] returns it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct S3Object {
    /// Its content.
    pub content: Vec<u8>,
    /// `Content-Type`, if it was put with one.
    pub content_type: Option<String>,
    /// `Content-Encoding`, if it was put with one.
    pub content_encoding: Option<String>,
    /// `Cache-Control`, if it was put with one.
    pub cache_control: Option<String>,
    /// The storage class, if it was put with one.
    pub storage_class: Option<String>,
    /// The tags in the form of a query, if it was put with any.
    pub tagging: Option<String>,
}

/// How many requests there were, by kind, whether they succeeded or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct S3Requests {
    /// Objects put.
    pub put: usize,
    /// Objects read.
    pub get: usize,
    /// Objects whose metadata was read.
    pub head: usize,
    /// Pages of listings.
    pub list: usize,
    /// Deletions, of one object or of many with one request.
    pub delete: usize,
    /// Everything else.
    pub other: usize,
    /// How many keys all pages of listings contained in total.
    pub listed_keys: usize,
}

impl S3Server {
    /// Starts a server without buckets on `127.0.0.1`.
    ///
    /// # Panics
    ///
    /// If no socket can be bound.
    pub fn start() -> Self {
        let (addr, state) = ((Ipv4Addr::LOCALHOST, 0).into(), Arc::new(State::new(ACCESS_KEY)));
        let (addr, running) = run(addr, &state);
        Self { addr, state, running: Mutex::new(Some(running)) }
    }

    /// Where it listens, as a URL: `http://127.0.0.1:12345`. Buckets are in the path.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The id of the access key that it knows.
    pub fn access_key_id(&self) -> &'static str {
        ACCESS_KEY.0
    }

    /// The secret of the access key that it knows.
    pub fn secret_access_key(&self) -> &'static str {
        ACCESS_KEY.1
    }

    /// Creates a bucket, unless it exists.
    pub fn create_bucket(&self, bucket: &str) {
        self.backend().create(bucket);
    }

    /// The keys in a bucket, in the order of their bytes. Empty if there is no such bucket.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.backend().keys(bucket)
    }

    /// An object, if it exists.
    pub fn object(&self, bucket: &str, key: &str) -> Option<S3Object> {
        self.backend().object(bucket, key)
    }

    /// Puts an object into a bucket without a request, and creates the bucket if it is missing.
    pub fn put(&self, bucket: &str, key: &str, content: impl Into<Vec<u8>>) {
        self.backend().put(bucket, key, S3Object { content: content.into(), ..S3Object::default() });
    }

    /// Removes an object without a request, if it exists.
    pub fn remove(&self, bucket: &str, key: &str) {
        self.backend().remove(bucket, key);
    }

    /// How many requests there were.
    pub fn requests(&self) -> S3Requests {
        *self.state.requests()
    }

    /// Ends all connections, and refuses new ones. The contents of the buckets are kept.
    pub fn stop(&self) {
        if let Some(running) = self.running().take() {
            running.stop();
        }
    }

    /// Listens again, on the same port, after [`stop`](Self::stop).
    ///
    /// # Panics
    ///
    /// If another program has the port now.
    pub fn start_again(&self) {
        let mut running = self.running();
        if running.is_none() {
            *running = Some(run(self.addr, &self.state).1);
        }
    }

    /// Whether everything that changes a bucket is denied, as for a key that may only read. Default: false.
    pub fn read_only(&self, read_only: bool) {
        self.faults().read_only = read_only;
    }

    /// Whether anyone may list and get, without a signature. Default: false.
    pub fn anyone_may_read(&self, anyone_may_read: bool) {
        self.faults().anyone_may_read = anyone_may_read;
    }

    /// Whether `If-None-Match` of a put is ignored, as by servers that do not know it. Default: false.
    pub fn ignore_put_conditions(&self, ignore: bool) {
        self.faults().ignore_put_conditions = ignore;
    }

    /// Whether a put with `If-None-Match` is answered with 501, as by servers that know the condition but do not support it. Default: false.
    pub fn refuse_put_conditions(&self, refuse: bool) {
        self.faults().refuse_put_conditions = refuse;
    }

    /// Whether deleting many objects with one request is answered with 501. Default: false.
    pub fn refuse_bulk_deletes(&self, refuse: bool) {
        self.faults().refuse_bulk_deletes = refuse;
    }

    /// Whether everything is answered with 503. Default: false.
    pub fn unavailable(&self, unavailable: bool) {
        self.faults().unavailable = unavailable;
    }

    /// How long every answer is delayed. Default: not at all.
    pub fn delay(&self, delay: Duration) {
        self.faults().delay = delay;
    }

    /// How far its clock is ahead. If that is more than 15 minutes, it refuses signed requests. Default: not at all.
    pub fn clock_ahead(&self, ahead: Duration) {
        self.faults().clock_ahead = ahead;
    }

    /// Handles the next requests, and closes their connections without an answer.
    pub fn lose_answers(&self, count: usize) {
        self.faults().lose_answers = count;
    }

    /// Which server it imitates. Default: Amazon's.
    pub fn dialect(&self, dialect: S3Dialect) {
        self.faults().dialect = dialect;
    }

    /// Answers every request with this refusal from now on; `None` ends that.
    pub fn refuse_all(&self, refusal: Option<&'static S3Refusal>) {
        self.faults().refuse_all = refusal;
    }

    /// Whether deleting is denied, one object or many. Default: false.
    pub fn deny_deletes(&self, deny: bool) {
        self.faults().deny_deletes = deny;
    }

    /// Whether listing is denied. Default: false.
    pub fn deny_listing(&self, deny: bool) {
        self.faults().deny_listing = deny;
    }

    fn backend(&self) -> &Backend {
        &self.state.backend
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.state.faults()
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for S3Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Server").field("addr", &self.addr).field("requests", &self.requests()).finish_non_exhaustive()
    }
}

impl Running {
    fn stop(self) {
        // An error means that it has already ended.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

impl Sub for S3Requests {
    type Output = Self;

    /// The requests since the other was taken.
    fn sub(self, before: Self) -> Self {
        Self {
            put: self.put - before.put,
            get: self.get - before.get,
            head: self.head - before.head,
            list: self.list - before.list,
            delete: self.delete - before.delete,
            other: self.other - before.other,
            listed_keys: self.listed_keys - before.listed_keys,
        }
    }
}

/// Listens, then serves on a separate thread.
fn run(addr: SocketAddr, state: &Arc<State>) -> (SocketAddr, Running) {
    let listener = TcpListener::bind(addr).expect("a port on 127.0.0.1 can be bound");
    let addr = listener.local_addr().expect("a socket that is bound has an address");
    let (stop, stopped) = oneshot::channel();
    let state = Arc::clone(state);
    let thread = std::thread::Builder::new().name("S3Server".to_owned());
    let thread = thread.spawn(move || serve::serve(listener, state, stopped)).expect("a thread can be made");
    (addr, Running { stop, thread })
}
