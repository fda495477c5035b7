//! An HTTP/2 server that answers with the result of a closure.

use bytes::Bytes;
use checkup_testkit::{Identity, TlsOptions, TlsServer};
use h2::SendStream;
use h2::server::SendResponse;
use http::Response;

/// Answers requests independently of each other.
pub(crate) fn start<F, Fut>(identity: Identity, answer: F) -> TlsServer
where
    F: Fn(SendResponse<Bytes>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    TlsServer::start(identity, TlsOptions::new().alpn(&["h2"]), move |stream| {
        let answer = answer.clone();
        async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else { return };
            let mut answers = tokio::task::JoinSet::new();
            while let Some(Ok((_, respond))) = connection.accept().await {
                answers.spawn(answer(respond));
            }
        }
    })
}

/// Sends the head of a response.
pub(crate) fn head(respond: &mut SendResponse<Bytes>, status: u16, content_type: &str) -> SendStream<Bytes> {
    let head = Response::builder().status(status).header("content-type", content_type).body(()).unwrap();
    respond.send_response(head, false).unwrap()
}
