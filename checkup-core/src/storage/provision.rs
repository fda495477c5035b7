//! [`StorageProvisioner`]: making what a storage needs before its first store.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::ConfigProblems;
use crate::{ConfigError, StorageError};

/// Makes what a storage needs before its first store, and lets a status page read it: a bucket, its policy, a table.
///
/// # Contract
///
/// For whoever implements it:
/// - It is idempotent: where all is as asked, it changes nothing and tells that.
/// - What others have set is kept: it adds what is its own and finds it again by name. It removes nothing, and what the request does
///   not ask for it leaves as it is.
/// - It tells each step as soon as that is done, so that what was changed is known also if a later step fails.
/// - With [`Provision::dry_run`] it changes nothing, and tells every step that it would do, with what it would write.
/// - It makes no users and no keys, and no step and no error holds a secret.
/// - Every wait on a network is bounded by a timeout of its own.
///
/// For whoever calls it: it may be dropped, or fail, at any point, and be called again; it goes on where it was.
///
/// # Example
///
/// ```
/// use checkup_core::{Provision, Storage, StorageError};
///
/// async fn prepare(storage: &dyn Storage) -> Result<(), StorageError> {
///     let Some(provisioner) = storage.provisioner() else { return Ok(()) };
///     let request = Provision::new().cors_origin("https://status.example.com");
///     provisioner.provision(&request, &mut |step| println!("{step}")).await
/// }
/// ```
#[async_trait]
pub trait StorageProvisioner: Send + Sync {
    /// Makes what is missing, and hands each step to `tell` when it is done.
    ///
    /// # Errors
    ///
    /// If a step fails. Those before it are done, and were told.
    async fn provision(
        &self,
        request: &Provision,
        tell: &mut (dyn FnMut(ProvisionStep) + Send),
    ) -> Result<(), StorageError>;
}

/// What a [`StorageProvisioner`] is asked for.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::Provision;
///
/// let request = Provision::new().website().expire_after(Duration::from_secs(400 * 24 * 3600)).dry_run();
/// assert!(request.page, "a website shows the page, so that its files must be readable");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provision {
    /// Whether nothing is changed, and only told what would be.
    pub dry_run: bool,
    /// Whether the status page lies in the storage too: then anyone may read its files.
    pub page: bool,
    /// Whether the storage itself serves the page as a website, if it can.
    pub website: bool,
    /// The origins whose pages may read the check files, such as `https://status.example.com`. Empty means any (`*`): what they read
    /// is public anyway.
    pub cors_origins: Vec<String>,
    /// When the storage itself removes check files, by their age. Default: never; retention is the storage's `check_expiry`.
    pub expire_after: Option<Duration>,
}

impl Provision {
    /// A place for check files that pages of any origin may read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes nothing, and only tells what would be changed.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Lets anyone read the files of the status page too.
    #[must_use]
    pub fn page(mut self) -> Self {
        self.page = true;
        self
    }

    /// Serves the status page as a website, and lets anyone read its files.
    #[must_use]
    pub fn website(mut self) -> Self {
        self.website = true;
        self.page()
    }

    /// Lets pages of this origin read the check files. May be called again for more; without any, pages of all origins may.
    #[must_use]
    pub fn cors_origin(mut self, origin: impl Into<String>) -> Self {
        self.cors_origins.push(origin.into());
        self
    }

    /// Lets the storage itself remove check files of this age.
    #[must_use]
    pub fn expire_after(mut self, age: Duration) -> Self {
        self.expire_after = Some(age);
        self
    }

    /// Checks what can be checked without a storage.
    ///
    /// # Errors
    ///
    /// If an origin is none, or the age is zero; all problems at once.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = ConfigProblems::new();
        for origin in self.cors_origins.iter().filter(|origin| !is_origin(origin)) {
            problems.push(ConfigError::invalid(
                "cors_origins",
                format!("expected an origin such as \"https://status.example.com\", without a path, or \"*\"; found {origin:?}"),
            ));
        }
        if self.expire_after == Some(Duration::ZERO) {
            problems.push(ConfigError::invalid("expire_after", "expected more than 0, such as 365 days"));
        }
        problems.into_result()
    }
}

/// One thing that a [`StorageProvisioner`] made, changed, or found to be right. Displays as a line of text.
///
/// ```
/// use checkup_core::{ProvisionChange, ProvisionStep};
///
/// let step = ProvisionStep::new("bucket", ProvisionChange::Created, "status in eu-west-1");
/// assert_eq!(step.to_string(), "created bucket: status in eu-west-1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvisionStep {
    /// What it is about, such as `bucket policy`.
    pub what: String,
    /// What was done.
    pub change: ProvisionChange,
    /// What is so now, in a few words.
    pub detail: String,
    /// What was written, or would be: JSON for people. There is none where nothing is written.
    pub document: Option<String>,
}

impl ProvisionStep {
    /// A step without a document.
    pub fn new(what: impl Into<String>, change: ProvisionChange, detail: impl Into<String>) -> Self {
        Self { what: what.into(), change, detail: detail.into(), document: None }
    }

    /// The same step with the document that was written, or would be.
    #[must_use]
    pub fn document(mut self, document: impl Into<String>) -> Self {
        self.document = Some(document.into());
        self
    }
}

impl fmt::Display for ProvisionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, change, detail, .. } = self;
        write!(f, "{change} {what}")?;
        if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProvisionChange {
    /// It was missing, and was made.
    Created,
    /// It was there but not as asked, and was changed.
    Updated,
    /// It was as asked.
    Unchanged,
    /// It is missing: without [`Provision::dry_run`] it would be made.
    WouldCreate,
    /// It is not as asked: without [`Provision::dry_run`] it would be changed.
    WouldUpdate,
    /// The server does not have such a thing, and the rest works without.
    Unsupported,
}

impl ProvisionChange {
    /// The change in words: `created`, `updated`, `unchanged`, `would create`, `would update`, `not supported`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::WouldCreate => "would create",
            Self::WouldUpdate => "would update",
            Self::Unsupported => "not supported",
        }
    }
}

impl fmt::Display for ProvisionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a browser may send this as `Origin`, or it is a pattern of such: a scheme, a host and perhaps a port.
///
/// <https://www.rfc-editor.org/rfc/rfc6454#section-6.2>
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '*');
    text == "*" || host.is_some_and(|host| !host.is_empty() && host.chars().all(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_asks_for_no_more_than_it_says() {
        let request = Provision::new();
        assert_eq!((request.dry_run, request.page, request.website), (false, false, false));
        assert_eq!((request.cors_origins.len(), request.expire_after), (0, None));
        let request = request.page().cors_origin("https://a.example").cors_origin("https://b.example");
        assert_eq!((request.page, request.website), (true, false));
        assert_eq!(request.cors_origins, ["https://a.example", "https://b.example"]);
    }

    #[test]
    fn what_is_no_origin_and_no_age_is_refused_all_at_once() {
        for origin in
            ["*", "https://status.example.com", "http://localhost:8080", "https://*.example.com", "http://[::1]:80"]
        {
            assert_eq!(Provision::new().cors_origin(origin).validate(), Ok(()), "{origin}");
        }
        for origin in [
            "",
            "status.example.com",
            "https://",
            "https://a/b",
            "https://a/",
            "https://u:p@a",
            "file:///a",
            "https://a b",
        ] {
            assert!(Provision::new().cors_origin(origin).validate().is_err(), "{origin}");
        }
        let request = Provision::new().cors_origin("a").cors_origin("b").expire_after(Duration::ZERO);
        assert_eq!(request.validate().unwrap_err().problems().len(), 3);
    }

    #[test]
    fn a_step_is_a_line_of_text() {
        let step = ProvisionStep::new("CORS", ProvisionChange::WouldUpdate, "").document("{}");
        assert_eq!(step.to_string(), "would update CORS");
        assert_eq!(step.document.as_deref(), Some("{}"));
        assert_eq!(format!("{:13}|", ProvisionChange::Unsupported), "not supported|");
    }
}
