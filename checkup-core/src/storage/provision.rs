//! [`StorageProvisioner`]: creates what a storage needs before its first store.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::ConfigProblems;
use crate::{ConfigError, StorageError};

/// Creates what a storage needs before its first store, and lets a status page read it: a bucket, its policy, a table.
///
/// # Contract
///
/// For implementors:
/// - It is idempotent: if everything is as requested, it changes nothing and says so.
/// - It keeps what others have set: it adds its own entries and finds them again by name. It removes nothing, and does
///   not touch settings that the request does not mention.
/// - It reports each step as soon as the step is done, so that the caller knows what was changed even if a later step
///   fails.
/// - With [`Provision::dry_run`] it changes nothing, and reports every step that it would take, with what it would
///   write.
/// - It creates no users and no keys, and no step or error contains a secret.
/// - The provisioner bounds every wait on a network with a timeout.
///
/// For callers: it may be dropped, or fail, at any point. Call it again to continue.
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
    /// Creates what is missing, and passes each step to `report` when it is done.
    ///
    /// # Errors
    ///
    /// If a step fails. The steps before it are done and were reported.
    async fn provision(
        &self,
        request: &Provision,
        report: &mut (dyn FnMut(ProvisionStep) + Send),
    ) -> Result<(), StorageError>;
}

/// A request to a [`StorageProvisioner`].
///
/// ```
/// use std::time::Duration;
/// use checkup_core::Provision;
///
/// let request = Provision::new().website().expire_after(Duration::from_secs(400 * 24 * 3600)).dry_run();
/// assert!(request.page, "a website shows the page, so its files must be readable");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provision {
    /// Whether to change nothing, and only report what would be changed.
    pub dry_run: bool,
    /// Whether the storage also holds the status page: then anyone may read its files.
    pub page: bool,
    /// Whether the storage itself should serve the page as a website, if it can.
    pub website: bool,
    /// The origins whose pages may read the check files, such as `https://status.example.com`. Empty means any (`*`):
    /// the files are public anyway.
    pub cors_origins: Vec<String>,
    /// The age at which the storage itself removes check files. Default: never; retention is the storage's
    /// `check_expiry`.
    pub expire_after: Option<Duration>,
}

impl Provision {
    /// A place for check files that pages from any origin may read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes nothing, and only reports what would be changed.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Lets anyone read the files of the status page as well.
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

    /// Lets pages from this origin read the check files. Call it again to add more. Without it, pages from any origin
    /// may read them.
    #[must_use]
    pub fn cors_origin(mut self, origin: impl Into<String>) -> Self {
        self.cors_origins.push(origin.into());
        self
    }

    /// Makes the storage itself remove check files of this age.
    #[must_use]
    pub fn expire_after(mut self, age: Duration) -> Self {
        self.expire_after = Some(age);
        self
    }

    /// Checks what can be checked without access to the storage.
    ///
    /// # Errors
    ///
    /// If an origin is invalid or the age is zero. All problems are reported together.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = ConfigProblems::new();
        for origin in self.cors_origins.iter().filter(|origin| !is_origin(origin)) {
            problems.push(ConfigError::invalid(
                "cors_origins",
                format!("expected an origin such as \"https://status.example.com\", without a path, or \"*\"; found {origin:?}"),
            ));
        }
        if self.expire_after == Some(Duration::ZERO) {
            problems.push(ConfigError::invalid("expire_after", "expected more than 0, such as 365 days, found 0"));
        }
        problems.into_result()
    }
}

/// One thing that a [`StorageProvisioner`] created, changed, or found to be right. Displays as a line of text.
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
    /// The resulting state, in a few words.
    pub detail: String,
    /// What was written, or would be: JSON for people. `None` if nothing is written.
    pub document: Option<String>,
}

impl ProvisionStep {
    /// A step without a document.
    pub fn new(what: impl Into<String>, change: ProvisionChange, detail: impl Into<String>) -> Self {
        Self { what: what.into(), change, detail: detail.into(), document: None }
    }

    /// Adds the document that was written, or would be.
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
    /// It was missing, and was created.
    Created,
    /// It existed but differed from the request, and was changed.
    Updated,
    /// It was as requested.
    Unchanged,
    /// It is missing; without [`Provision::dry_run`] it would be created.
    WouldCreate,
    /// It differs from the request; without [`Provision::dry_run`] it would be changed.
    WouldUpdate,
    /// The server does not support it, and everything else works without it.
    Unsupported,
}

impl ProvisionChange {
    /// The name of the change: `created`, `updated`, `unchanged`, `would create`, `would update`, `not supported`.
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

/// Whether a browser could send this as `Origin`, or it is a pattern for such values: a scheme, a host and optionally a
/// port.
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
    fn a_request_asks_only_for_what_was_set() {
        let request = Provision::new();
        assert_eq!((request.dry_run, request.page, request.website), (false, false, false));
        assert_eq!((request.cors_origins.len(), request.expire_after), (0, None));
        let request = request.page().cors_origin("https://a.example").cors_origin("https://b.example");
        assert_eq!((request.page, request.website), (true, false));
        assert_eq!(request.cors_origins, ["https://a.example", "https://b.example"]);
    }

    #[test]
    fn invalid_origins_and_ages_are_refused_together() {
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
