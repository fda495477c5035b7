//! Checking which host a request is for.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::extract::Request;
use http::header::HOST;
use http::uri::Authority;

/// Whether a request is for one of these hosts, for an IP address or for `localhost`. Another site's page can reach this server only under that
/// site's name, so addresses and `localhost` are always accepted.
pub(crate) fn is_known(request: &Request, hosts: &[String]) -> bool {
    let named = request.uri().authority().cloned().or_else(|| {
        let mut all = request.headers().get_all(HOST).iter();
        let first = all.next()?.to_str().ok()?.parse::<Authority>().ok()?;
        all.next().is_none().then_some(first)
    });
    named.is_some_and(|named| {
        let host = named.host().trim_end_matches('.');
        let is_address = host.parse::<Ipv4Addr>().is_ok()
            || host
                .strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'))
                .is_some_and(|host| host.parse::<Ipv6Addr>().is_ok());
        is_address
            || host.eq_ignore_ascii_case("localhost")
            || hosts.iter().any(|known| known.trim_end_matches('.').eq_ignore_ascii_case(host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_names_addresses_and_localhost_are_known() {
        let hosts = ["status.example.com".to_owned()];
        let known = |values: &[&str]| {
            let mut request = Request::builder().uri("/");
            for value in values {
                request = request.header(HOST, *value);
            }
            is_known(&request.body(axum::body::Body::empty()).unwrap(), &hosts)
        };
        for host in [
            "status.example.com",
            "Status.Example.com:8443",
            "status.example.com.",
            "127.0.0.1:3000",
            "[::1]:3000",
            "localhost",
        ] {
            assert!(known(&[host]), "{host}");
        }
        for host in ["evil.example", "status.example.com.evil.example", "127.0.0.1.evil.example", "x:y", ""] {
            assert!(!known(&[host]), "{host}");
        }
        assert!(!known(&[]) && !known(&["status.example.com", "status.example.com"]));
    }
}
