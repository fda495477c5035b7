//! Reads what a message says about certificates: their names, issuers and the days that they have left.

use checkup_core::Timestamp;
use checkup_core::text::excerpt;
use checkup_net::certificate_expiry;
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::x509::X509Name;

/// How many certificates of a chain a message lists.
const MAX_LISTED: usize = 8;

/// How much of a name a message shows, in characters.
const MAX_NAME: usize = 100;

const DAY_SECONDS: u64 = 24 * 3600;

/// Lists the certificates that a server presented, each with the days that it has left. With a path, says which are not needed.
pub(crate) fn list(chain: &[CertificateDer<'_>], path: Option<&[CertificateDer<'_>]>, now: Timestamp) -> String {
    let mut listed: Vec<_> = chain
        .iter()
        .take(MAX_LISTED)
        .map(|certificate| {
            let is_extra = path.is_some_and(|path| !path.contains(certificate));
            let extra = if is_extra { ", not needed" } else { "" };
            format!("{} ({}{extra})", name(certificate), left(certificate, now))
        })
        .collect();
    if chain.len() > MAX_LISTED {
        listed.push(format!("and {} more", chain.len() - MAX_LISTED));
    }
    listed.join(", ")
}

/// The name of a certificate: its common name, or its first other name.
pub(crate) fn name(certificate: &CertificateDer<'_>) -> String {
    let name = parse_x509_certificate(certificate).ok().and_then(|(_, certificate)| {
        let common = text_of(certificate.subject());
        common.or_else(|| {
            let names = certificate.subject_alternative_name().ok()??;
            names.value.general_names.iter().find_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            })
        })
    });
    match name {
        Some(name) if !name.trim().is_empty() => excerpt(name.as_bytes(), MAX_NAME),
        _ => "a certificate without a name".to_owned(),
    }
}

/// The whole name of the issuer: `C=US, O=Let's Encrypt, CN=R11`. Empty if it cannot be read.
pub(crate) fn issuer(certificate: &CertificateDer<'_>) -> String {
    parse_x509_certificate(certificate).map(|(_, certificate)| certificate.issuer().to_string()).unwrap_or_default()
}

/// The issuer as a message shows it.
pub(crate) fn shown_issuer(certificate: &CertificateDer<'_>) -> String {
    match issuer(certificate) {
        issuer if issuer.is_empty() => "an issuer without a name".to_owned(),
        issuer => format!("'{}'", excerpt(issuer.as_bytes(), MAX_NAME)),
    }
}

/// The common name, or the organisation.
fn text_of(name: &X509Name<'_>) -> Option<String> {
    let mut parts = name.iter_common_name().chain(name.iter_organization());
    parts.find_map(|part| part.as_str().ok().map(str::to_owned))
}

fn left(certificate: &CertificateDer<'_>, now: Timestamp) -> String {
    let Some(expiry) = certificate_expiry(std::slice::from_ref(certificate)) else {
        return "malformed".to_owned();
    };
    let days = |duration: std::time::Duration| match duration.as_secs() / DAY_SECONDS {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    match expiry > now {
        true => format!("{} left", days(expiry.since(now))),
        false => format!("expired {} ago", days(now.since(expiry))),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use checkup_testkit::Ca;
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::*;

    fn ending(name: &str, days: u64) -> CertificateDer<'static> {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(days * DAY_SECONDS);
        let identity = Ca::new().server_valid(&[name], SystemTime::UNIX_EPOCH, end);
        CertificateDer::from_pem_slice(identity.cert_pem.as_bytes()).unwrap()
    }

    fn day(day: i64) -> Timestamp {
        Timestamp::from_unix_nanos(day * 24 * 3600 * 1_000_000_000)
    }

    #[test]
    fn a_chain_is_listed_with_the_days_left_and_what_is_not_needed() {
        let chain = [ending("a.test", 1000), ending("b.test", 401), ending("c.test", 398)];
        let listed = list(&chain, Some(&chain[..2]), day(400));
        assert_eq!(listed, "a.test (600 days left), b.test (1 day left), c.test (expired 2 days ago, not needed)");
        assert!(list(&chain, None, day(400)).ends_with("c.test (expired 2 days ago)"));
        assert!(issuer(&chain[0]).contains("CN=Checkup test CA"), "{}", issuer(&chain[0]));
    }

    #[test]
    fn hostile_certificates_are_bounded_and_cannot_mislead() {
        let chain = vec![ending(&"x".repeat(200), 2); 100];
        let listed = list(&chain, None, day(1));
        assert!(listed.ends_with("and 92 more") && listed.len() < 1500, "{listed}");
        let garbage = CertificateDer::from(vec![0x30, 0x82, 0xff]);
        assert_eq!(list(std::slice::from_ref(&garbage), None, day(1)), "a certificate without a name (malformed)");
        assert_eq!(shown_issuer(&garbage), "an issuer without a name");
    }
}
