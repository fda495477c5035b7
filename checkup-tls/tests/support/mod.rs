//! What the tests of checks against real servers share.
#![allow(dead_code, reason = "each test uses a part")]

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use checkup_core::{Check, CheckResult, Checkup};
use checkup_testkit::{Ca, Identity, TlsOptions, TlsServer};
use checkup_tls::Tls;
use tempfile::TempDir;

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Long enough that only a server that hangs exceeds it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// In so many days, but half a minute earlier: texts with the minutes that are left then hold for a slow machine too.
pub(crate) fn in_days(days: u32) -> SystemTime {
    SystemTime::now() + days * DAY - Duration::from_secs(30)
}

/// A server certificate for the loopback address that ends in so many days and some hours.
pub(crate) fn ending(ca: &Ca, days: u32) -> Identity {
    ca.server_valid(&["127.0.0.1"], SystemTime::now() - 10 * DAY, in_days(days) + DAY / 4)
}

/// An authority that the checks trust.
pub(crate) struct Trusted {
    pub(crate) ca: Ca,
    folder: TempDir,
}

impl Trusted {
    pub(crate) fn new() -> Self {
        let trusted =
            Self { ca: Ca::new(), folder: tempfile::tempdir().expect("there is a folder for temporary files") };
        std::fs::write(trusted.file(), trusted.ca.pem()).expect("it can be written");
        trusted
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A check of a server, which trusts the authority.
    pub(crate) fn check(&self, server: &TlsServer) -> Tls {
        Tls::new(server.addr().to_string()).trusted_roots([self.file()])
    }

    /// Runs a check of a server with this certificate.
    pub(crate) async fn run(&self, identity: Identity, settings: impl FnOnce(Tls) -> Tls) -> CheckResult {
        let server = TlsServer::silent(identity, TlsOptions::new());
        run(settings(self.check(&server)), PATIENCE).await
    }
}

pub(crate) async fn run(tls: Tls, limit: Duration) -> CheckResult {
    let checkup =
        Checkup::builder().check(Check::new("tls", tls).timeout(limit)).build().expect("the settings are valid");
    // Far longer than any of these checks takes, so that one that hangs fails the test instead of hanging it.
    let report = tokio::time::timeout(3 * PATIENCE, checkup.check()).await.expect("the check ends");
    report.results.into_iter().next().expect("there is one check")
}
