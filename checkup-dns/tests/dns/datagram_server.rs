//! A UDP server that answers with the result of a closure.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::{Name, RData, Record};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// Stops when it is dropped.
pub(crate) struct DatagramServer {
    pub(crate) addr: SocketAddr,
    asked: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl DatagramServer {
    /// Sends back what `answer` returns for each query: any number of datagrams.
    pub(crate) async fn start(answer: impl Fn(Message) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
                count.fetch_add(1, Ordering::SeqCst);
                let query = Message::from_vec(&buffer[..length]).unwrap();
                for datagram in answer(query) {
                    socket.send_to(&datagram, client).await.unwrap();
                }
            }
        });
        Self { addr, asked, _task: task }
    }

    /// How many datagrams arrived.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// An answer to `query` with a response code and no records.
pub(crate) fn empty(query: &Message, code: ResponseCode) -> Message {
    let mut answer = Message::new(query.id, MessageType::Response, query.op_code);
    answer.metadata.response_code = code;
    answer.add_queries(query.queries.clone());
    answer
}

/// An answer to `query` with one A record of `owner`.
pub(crate) fn address(query: &Message, owner: &str) -> Message {
    let mut answer = empty(query, ResponseCode::NoError);
    let data = RData::A(Ipv4Addr::new(192, 0, 2, 10).into());
    answer.add_answer(Record::from_rdata(Name::from_ascii(owner).unwrap(), 60, data));
    answer
}

/// The bytes of a message.
pub(crate) fn bytes(message: &Message) -> Vec<u8> {
    message.to_vec().unwrap()
}
