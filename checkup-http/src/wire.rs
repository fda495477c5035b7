//! HTTP/1.1 on the wire: the request as bytes, the head of the response, and where its body ends.
//!
//! Pure functions over bytes. Responses are read as browsers and curl read them, which is more than the standard allows:
//! decision 1 in `docs/decisions/` says why.

mod framing;
mod head;
mod request;

pub(crate) use framing::{Framing, Step};
pub(crate) use head::{ResponseHead, has_http_start, head_end};
pub(crate) use request::{default_headers, encode};
