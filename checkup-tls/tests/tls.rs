//! Checks of real servers on loopback, through the engine.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

mod support;

use std::time::SystemTime;

use checkup_core::{Cause, CheckResult, Phase, Status, Timestamp};
use checkup_testkit::{Ca, Identity, TlsOptions, TlsServer, TlsVersion};
use checkup_tls::{Tls, TlsSettings, TlsVersion as MinVersion};
use support::{DAY, PATIENCE, Trusted, ending, in_days, run};

fn reason(result: &CheckResult) -> String {
    result.reason().unwrap_or_default().into_owned()
}

fn assert_healthy(result: &CheckResult) {
    assert_eq!(result.status, Status::Healthy, "{result:?}");
}

#[tokio::test]
async fn a_valid_certificate_is_healthy_and_its_expiry_is_a_fact() {
    let trusted = Trusted::new();
    let end = in_days(20);
    let identity = trusted.ca.server_valid(&["127.0.0.1"], SystemTime::now() - DAY, end);
    let server = TlsServer::silent(identity, TlsOptions::new());
    let result = run(trusted.check(&server), PATIENCE).await;
    assert_healthy(&result);
    assert_eq!(result.endpoint, server.addr().to_string());
    let seconds = |moment: Timestamp| moment.unix_nanos() / 1_000_000_000;
    assert_eq!(result.facts().certificate_expiry.map(seconds), Some(seconds(end.into())));
    assert!(result.phases().unwrap().get(Phase::Tls).is_some());
    server.tcp().wait_idle().await;
}

#[tokio::test]
async fn a_certificate_that_expires_soon_is_degraded_in_upstreams_words() {
    let trusted = Trusted::new();
    let result = trusted.run(ending(&trusted.ca, 10), |tls| tls).await;
    assert_eq!(result.status, Status::Degraded, "{result:?}");
    let reason = reason(&result);
    assert!(reason.starts_with("certificate expiring soon (245h59m"), "{reason}");
    assert!(reason.ends_with("; presented: 127.0.0.1 (10 days left)"), "{reason}");
    assert!(result.facts().certificate_expiry.is_some());
    assert_healthy(&trusted.run(ending(&trusted.ca, 10), |tls| tls.cert_expiry_threshold(9 * DAY)).await);
}

#[tokio::test]
async fn an_invalid_chain_is_shown_whole() {
    let trusted = Trusted::new();
    let other = Ca::new();
    let intermediate = other.intermediate(in_days(100) + DAY / 4);
    let chain = || ending(&intermediate, 20).followed_by(&intermediate.pem()).followed_by(&other.pem());
    let result = trusted.run(chain(), |tls| tls).await;
    assert_eq!((result.status, result.attempts[0].cause), (Status::Down, Some(Cause::Tls)));
    let text = reason(&result);
    assert!(text.starts_with("the certificate of 127.0.0.1 is not trusted"), "{text}");
    assert!(text.contains("; presented: 127.0.0.1 (20 days left), Checkup test CA "), "{text}");
    assert!(text.contains(" (100 days left), Checkup test CA ") && text.ends_with(" (29 days left)"), "{text}");

    let expired = trusted.ca.server_valid(&["127.0.0.1"], SystemTime::now() - 30 * DAY, SystemTime::now() - 3 * DAY);
    let text = reason(&trusted.run(expired.clone(), |tls| tls).await);
    assert!(text.starts_with("the certificate of 127.0.0.1 expired 72h0m"), "{text}");
    assert!(text.ends_with("; presented: 127.0.0.1 (expired 3 days ago)"), "{text}");
    // Unverified, in upstream's words.
    let text = reason(
        &trusted.run(expired, |tls| tls.trusted_roots::<&str>([]).tls(TlsSettings::new().skip_verify(true))).await,
    );
    assert!(text.starts_with("certificate expired 72h0m"), "{text}");
}

#[tokio::test]
async fn an_intermediate_that_expires_soon_is_named() {
    let trusted = Trusted::new();
    let intermediate = trusted.ca.intermediate(in_days(5));
    let result = trusted.run(ending(&intermediate, 200).followed_by(&intermediate.pem()), |tls| tls).await;
    let reason = reason(&result);
    assert_eq!(result.status, Status::Degraded, "{reason}");
    assert!(reason.starts_with("certificate expiring soon (119h59m"), "{reason}");
    assert!(reason.contains("), that of the authority Checkup test CA "), "{reason}");
    assert!(reason.contains("; presented: 127.0.0.1 (200 days left), Checkup test CA "), "{reason}");
}

#[tokio::test]
async fn certificates_that_are_not_needed_cause_no_alarm() {
    let trusted = Trusted::new();
    let intermediate = trusted.ca.intermediate(in_days(200));
    // As some servers send old roots for old clients: one has expired, the other soon will.
    let (expired, soon) =
        (Ca::new().intermediate(SystemTime::now() - 9 * DAY), Ca::new().intermediate(in_days(3) + DAY / 4));
    let identity = |days| {
        let own = ending(&intermediate, days).followed_by(&intermediate.pem());
        own.followed_by(&expired.pem()).followed_by(&soon.pem())
    };
    let result = trusted.run(identity(100), |tls| tls).await;
    assert_healthy(&result);
    let left = result.facts().certificate_expiry.unwrap().since(Timestamp::now());
    assert!(left > 99 * DAY, "{left:?}");
    let reason = reason(&trusted.run(identity(4), |tls| tls).await);
    assert!(
        reason.contains("(expired 9 days ago, not needed)") && reason.contains("(3 days left, not needed)"),
        "{reason}"
    );
    assert!(!reason.contains("199 days left, not needed"), "{reason}");
}

#[tokio::test]
async fn names_that_the_certificate_must_have() {
    let trusted = Trusted::new();
    let identity = || trusted.ca.server(&["127.0.0.1", "mail.example", "*.shop.example"]);
    assert_healthy(&trusted.run(identity(), |tls| tls.names(["mail.example", "www.shop.example"])).await);
    let result = trusted.run(identity(), |tls| tls.names(["mail.example", "imap.example"])).await;
    let text = reason(&result);
    assert_eq!(result.attempts[0].cause, Some(Cause::Tls));
    assert!(text.starts_with("the certificate is not valid for imap.example, only for "), "{text}");
    // The host itself is not among its names.
    let text = reason(&trusted.run(trusted.ca.server(&["mail.example"]), |tls| tls).await);
    assert!(text.starts_with("the certificate is not valid for 127.0.0.1, only for mail.example"), "{text}");
    let named = |tls: Tls| tls.tls(TlsSettings::new().server_name("mail.example"));
    assert_healthy(&trusted.run(trusted.ca.server(&["mail.example"]), named).await);
}

#[tokio::test]
async fn the_issuer_and_the_fingerprint_that_the_certificate_must_have() {
    let trusted = Trusted::new();
    assert_healthy(&trusted.run(ending(&trusted.ca, 20), |tls| tls.issuer("Checkup test CA")).await);
    let text = reason(&trusted.run(ending(&trusted.ca, 20), |tls| tls.issuer("Let's Encrypt")).await);
    assert!(text.starts_with("the certificate was issued by 'CN=Checkup test CA "), "{text}");
    assert!(text.contains("', not by 'Let's Encrypt'; presented: "), "{text}");

    // The failure says which fingerprint to set.
    let identity = Identity::self_signed(&["127.0.0.1"]);
    let unverified = |tls: Tls| tls.trusted_roots::<&str>([]).tls(TlsSettings::new().skip_verify(true));
    let result = trusted.run(identity.clone(), |tls| unverified(tls).fingerprint("00".repeat(32))).await;
    assert_eq!(result.attempts[0].cause, Some(Cause::Assertion));
    let text = reason(&result);
    let pin = text.strip_prefix("the certificate has the fingerprint ").unwrap().split(',').next().unwrap().to_owned();
    assert_healthy(
        &trusted.run(identity.clone(), |tls| unverified(tls).fingerprint("00".repeat(32)).fingerprint(&pin)).await,
    );
    // A pin does not replace verification.
    let text = reason(&trusted.run(identity, |tls| tls.fingerprint(&pin)).await);
    assert!(text.contains("is not trusted"), "{text}");
}

#[tokio::test]
async fn several_trusted_roots_replace_those_of_the_system() {
    let (first, second) = (Trusted::new(), Trusted::new());
    for trusted in [&first, &second] {
        let both = |tls: Tls| tls.trusted_roots([first.file(), second.file()]);
        assert_healthy(&trusted.run(ending(&trusted.ca, 20), both).await);
    }
    let text = reason(&first.run(ending(&second.ca, 20), |tls| tls).await);
    assert!(text.contains("is not trusted"), "{text}");
    // A file that is replaced is read again.
    std::fs::write(first.file(), second.ca.pem()).unwrap();
    assert_healthy(&first.run(ending(&second.ca, 20), |tls| tls).await);
    let text = reason(
        &first.run(ending(&second.ca, 20), |tls| tls.trusted_roots([second.file(), "/no/such/file".into()])).await,
    );
    assert_eq!(text, "cannot read /no/such/file: there is no such file");
}

#[tokio::test]
async fn the_oldest_version_of_tls_and_client_certificates() {
    let trusted = Trusted::new();
    let server = TlsServer::silent(ending(&trusted.ca, 20), TlsOptions::new().only(TlsVersion::Tls12));
    assert_healthy(&run(trusted.check(&server), PATIENCE).await);
    let strict = trusted.check(&server).tls(TlsSettings::new().min_version(MinVersion::Tls13));
    let result = run(strict, PATIENCE).await;
    assert_eq!((result.status, result.attempts[0].cause), (Status::Down, Some(Cause::Tls)), "{result:?}");

    let client = trusted.ca.client("monitor");
    let folder = tempfile::tempdir().unwrap();
    let [cert, key] = [("cert.pem", &client.cert_pem), ("key.pem", &client.key_pem)].map(|(name, content)| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file
    });
    let options = TlsOptions::new().only(TlsVersion::Tls12).client_ca(&trusted.ca);
    let server = TlsServer::silent(ending(&trusted.ca, 20), options);
    assert_healthy(&run(trusted.check(&server).tls(TlsSettings::new().client_cert(cert, key)), PATIENCE).await);
    assert_eq!(run(trusted.check(&server), PATIENCE).await.attempts[0].cause, Some(Cause::Tls));
}
