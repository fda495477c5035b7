//! The server that the nodes store into: the testkit's, or the one that `.ci/garage` has started.

use std::env;
use std::net::SocketAddr;
use std::sync::Mutex;

use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::{S3Server, TcpServer};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::place::BUCKET;

pub(crate) enum Server {
    Testkit(S3Server),
    Real(Front),
}

/// A port in front of a real server. It can refuse connections, like a server that is down.
pub(crate) struct Front {
    runtime: Runtime,
    addr: SocketAddr,
    behind: SocketAddr,
    key: (String, String),
    forwarding: Mutex<Option<TcpServer>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        if let (Ok(endpoint), Ok(key)) = (env::var("CHECKUP_GARAGE"), env::var("CHECKUP_GARAGE_KEY")) {
            return Self::Real(Front::start(&endpoint, &key));
        }
        let server = S3Server::start();
        server.create_bucket(BUCKET);
        Self::Testkit(server)
    }

    pub(crate) fn endpoint(&self) -> String {
        match self {
            Self::Testkit(server) => server.endpoint(),
            Self::Real(front) => format!("http://{}", front.addr),
        }
    }

    pub(crate) fn key(&self) -> (String, String) {
        match self {
            Self::Testkit(server) => (server.access_key_id().to_owned(), server.secret_access_key().to_owned()),
            Self::Real(front) => front.key.clone(),
        }
    }

    pub(crate) fn stop(&self) {
        match self {
            Self::Testkit(server) => server.stop(),
            Self::Real(front) => drop(front.forwarding.lock().unwrap().take()),
        }
    }

    pub(crate) fn start_again(&self) {
        match self {
            Self::Testkit(server) => server.start_again(),
            Self::Real(front) => front.forward(),
        }
    }

    pub(crate) fn check_files(&self) -> usize {
        let names = match self {
            Self::Testkit(server) => server.keys(BUCKET),
            Self::Real(front) => {
                let (id, secret) = self.key();
                let files =
                    S3Storage::new(S3::new(BUCKET).endpoint(self.endpoint()).access_key(id, secret)).unwrap().files();
                front.runtime.block_on(files.list("", usize::MAX)).unwrap()
            }
        };
        names.iter().filter(|key| key.ends_with("-check.json")).count()
    }

    /// The requests so far, where they are counted.
    pub(crate) fn requests(&self) -> String {
        match self {
            Self::Testkit(server) => format!("{:?}", server.requests()),
            Self::Real(_) => "requests are not counted".to_owned(),
        }
    }
}

impl Front {
    fn start(endpoint: &str, key: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let behind = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
        let (id, secret) = key.split_once(':').unwrap();
        let forwarding = runtime.block_on(async { TcpServer::start(move |connection| forward(connection, behind)) });
        let addr = forwarding.addr();
        let key = (id.to_owned(), secret.to_owned());
        Self { runtime, addr, behind, key, forwarding: Mutex::new(Some(forwarding)) }
    }

    fn forward(&self) {
        let behind = self.behind;
        let start = async { TcpServer::start_on(self.addr, move |connection| forward(connection, behind)) };
        *self.forwarding.lock().unwrap() = Some(self.runtime.block_on(start).unwrap());
    }
}

async fn forward(mut connection: TcpStream, behind: SocketAddr) {
    if let Ok(mut server) = TcpStream::connect(behind).await {
        // Either side may close the connection.
        let _ = copy_bidirectional(&mut connection, &mut server).await;
    }
}
