//! Proxies named by the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case.
//! (CGI programs ignore `HTTP_PROXY`.)

mod environment;
mod no_proxy;
mod tunnel;

pub(crate) use environment::{Proxy, for_target, is_set};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use no_proxy::NoProxy;
