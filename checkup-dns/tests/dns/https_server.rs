//! An HTTP/2 server that answers with the result of a closure.

use bytes::Bytes;
use checkup_testkit::{Identity, TlsOptions, TlsServer};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use hickory_proto::op::Message;
use http::Response;

use crate::datagram_server::bytes;

/// Answers requests independently of each other.
pub(crate) fn start<F, Fut>(identity: Identity, answer: F) -> TlsServer
where
    F: Fn(SendResponse<Bytes>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    start_reading(identity, move |_, respond| answer(respond))
}

/// What a server does with a query.
pub(crate) enum Reply {
    Answer(Message),
    Status(u16),
    Reset,
    Never,
}

/// Replies to each query.
pub(crate) fn replying<F>(identity: Identity, reply: F) -> TlsServer
where
    F: Fn(Message) -> Reply + Clone + Send + Sync + 'static,
{
    start_reading(identity, move |mut request, mut respond| {
        let reply = reply.clone();
        async move {
            let mut query = Vec::new();
            while let Some(Ok(part)) = request.data().await {
                query.extend_from_slice(&part);
            }
            match reply(Message::from_vec(&query).unwrap()) {
                Reply::Answer(message) => {
                    let mut body = head(&mut respond, 200, "application/dns-message");
                    let _ = body.send_data(bytes(&message).into(), true);
                }
                Reply::Status(status) => {
                    let _ = head(&mut respond, status, "text/plain").send_data(Bytes::new(), true);
                }
                Reply::Reset => respond.send_reset(Reason::REFUSED_STREAM),
                Reply::Never => std::future::pending().await,
            }
        }
    })
}

/// Gives each request's body to `answer`.
fn start_reading<F, Fut>(identity: Identity, answer: F) -> TlsServer
where
    F: Fn(RecvStream, SendResponse<Bytes>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    TlsServer::start(identity, TlsOptions::new().alpn(&["h2"]), move |stream| {
        let answer = answer.clone();
        async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else { return };
            let mut answers = tokio::task::JoinSet::new();
            while let Some(Ok((request, respond))) = connection.accept().await {
                answers.spawn(answer(request.into_body(), respond));
            }
        }
    })
}

/// Sends the head of a response.
pub(crate) fn head(respond: &mut SendResponse<Bytes>, status: u16, content_type: &str) -> SendStream<Bytes> {
    let head = Response::builder().status(status).header("content-type", content_type).body(()).unwrap();
    respond.send_response(head, false).unwrap()
}
