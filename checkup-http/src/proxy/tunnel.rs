//! Opens a tunnel through a proxy, for HTTPS.

use checkup_core::{Cause, Failure};
use checkup_net::excerpt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::environment::Proxy;
use crate::stream::Stream;
use crate::url::Target;

/// The maximum size of a proxy's answer, in bytes.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

impl Proxy {
    /// Asks the proxy for a connection to the target (RFC 9110, section 9.3.6).
    pub(crate) async fn tunnel(&self, mut stream: Stream, target: &Target) -> Result<Stream, Failure> {
        let destination = target.host_and_port();
        let mut request = format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await?;
        stream.flush().await?;

        let mut answer = Vec::new();
        let mut is_open = true;
        let accepted = loop {
            // The first line is enough to recognise a refusal. It is often followed by a page, after which many proxies keep the
            // connection open.
            let line = answer.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
            if !is_open || line.ends_with(b"\n") {
                judge(line, &destination)?;
            }
            if let Some(head) = head_length(&answer) {
                break head;
            }
            if !is_open {
                return Err(Failure::new(Cause::Network, "closed the connection in the middle of its answer"));
            }
            if answer.len() > MAX_ANSWER_BYTES {
                return Err(Failure::protocol("answered with too much before the tunnel"));
            }
            is_open = stream.read_buf(&mut answer).await? > 0;
        };
        // A TLS server waits for its client to speak first, so nothing can arrive with the answer.
        match &answer[accepted..] {
            [] => Ok(stream),
            rest => Err(Failure::protocol(format!(
                "opened a tunnel to {destination} and sent into it \"{}\"",
                excerpt(rest, 80)
            ))),
        }
    }
}

/// Whether the first line of a proxy's answer says that the tunnel is open.
fn judge(line: &[u8], destination: &str) -> Result<(), Failure> {
    if line.is_empty() {
        return Err(Failure::new(Cause::Network, "closed the connection without an answer"));
    }
    let line = line.trim_ascii_end();
    let status = line.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..)).unwrap_or_default();
    match status {
        [b'2', _, _, ..] => Ok(()),
        [b'0'..=b'9', ..] => {
            Err(Failure::new(Cause::Network, format!("refused to connect to {destination}: {}", excerpt(status, 80))))
        }
        _ => Err(Failure::protocol(format!("does not speak HTTP; its answer begins with \"{}\"", excerpt(line, 80)))),
    }
}

/// The length of the answer's head, including the empty line that ends it; `None` if that has not arrived yet.
fn head_length(answer: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    answer.windows(END.len()).position(|part| part == END).map(|at| at + END.len())
}
