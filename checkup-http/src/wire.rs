//! HTTP/1.1 on the wire: the bytes of a request, the head of a response, and where its body ends.
//!
//! Everything here is a pure function over bytes. Responses are read as browsers and curl read them, which is more
//! lenient than the standard: decision 1 in `docs/decisions/` explains why.

mod framing;
mod head;
mod request;

pub(crate) use framing::{Framing, Step};
pub(crate) use head::{ResponseHead, has_http_start, head_end};
pub(crate) use request::{default_headers, encode};
