//! The contracts of [`Storage`], [`StorageReader`](checkup_core::StorageReader) and
//! [`StorageMaintainer`](checkup_core::StorageMaintainer).

mod behaviours;
mod maintainer;
mod reader;
mod reports;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{CheckResult, IntoStorage, Storage};

pub use behaviours::*;
pub use maintainer::*;
pub use reader::*;
pub(super) use reports::{assert_same_results, files, one, report};

use super::Behaviour;
use super::fixture::{self, Guards, KnownSecret, assert_not_offered, offered};

/// Makes one `#[test]` of each behaviour of a [`Storage`], in a module `storage_conformance`.
///
/// The first argument makes a [`StorageFixture`], afresh for each test. `without` lists the capabilities that the storage
/// does not declare, of `reader` and `maintainer`, and what the fixture does not have, of `files`, `failing`, `hanging`
/// and `secret`. There is an example in [`conformance`](crate::conformance).
#[macro_export]
macro_rules! storage_conformance {
    ($factory:expr $(, without: [$($without:ident),* $(,)?])? $(,)?) => {
        $crate::__conformance! {
            storage StorageFixture storage_conformance __storage_behaviours $factory, [$($($without)*)?]
        }
    };
}

/// All behaviours of a storage, with what each needs.
#[doc(hidden)]
#[macro_export]
macro_rules! __storage_behaviours {
    ($callback:ident $arguments:tt) => {
        $crate::$callback! { $arguments
            [] a_stored_report_outlives_its_process,
            [] what_was_stored_never_changes,
            [] stores_at_once_are_all_kept,
            [] a_cancelled_store_is_there_whole_or_not_at_all,
            [] a_cancelled_store_does_not_spoil_the_next,
            [] storing_again_is_safe,
            [] a_store_does_not_block_the_thread,
            [hanging] a_hanging_store_does_not_block_the_thread,
            [hanging] a_silent_network_is_an_error_in_time,
            [failing] what_fails_is_an_error,
            [failing secret] errors_hold_no_secret,
            [secret] debug_holds_no_secret,
            [reader] reading_gives_what_was_stored,
            [reader] listing_is_oldest_first,
            [reader] listing_begins_exactly_at_since,
            [reader files] listing_has_only_check_files,
            [reader] reading_does_not_block_the_thread,
            [reader] an_unknown_file_is_not_found,
            [reader files] a_broken_file_costs_only_itself,
            [maintainer] nothing_is_removed_before_it_expires,
            [maintainer] what_has_expired_is_removed,
            [maintainer] maintaining_again_removes_nothing,
            [maintainer files] only_expired_check_files_are_removed,
            [maintainer files] a_clock_that_is_ahead_removes_nothing,
            [maintainer] maintenance_at_once_loses_nothing,
            [maintainer] maintenance_does_not_block_the_thread,
            [maintainer] a_cancelled_maintenance_loses_nothing,
        }
    };
}

/// All behaviours.
pub const BEHAVIOURS: &[Behaviour<StorageFixture>] = __storage_behaviours!(__behaviour_table[StorageFixture]);

type Open = Box<dyn Fn() -> Arc<dyn Storage>>;
type OpenExpiring = Box<dyn Fn(Duration) -> Arc<dyn Storage>>;
type PutFile = Box<dyn Fn(&str, &[u8])>;
type HasFile = Box<dyn Fn(&str) -> bool>;

/// A storage under test: one place, which is empty at first, and ways to open it.
pub struct StorageFixture {
    open: Open,
    expiring: Option<OpenExpiring>,
    failing: Option<Open>,
    hanging: Option<Open>,
    stored: Option<Box<dyn Fn() -> Vec<CheckResult>>>,
    files: Option<Files>,
    secret: KnownSecret,
    guards: Guards,
}

struct Files {
    put: PutFile,
    has: HasFile,
}

impl StorageFixture {
    /// `open` opens the place: a storage, or settings that become one, which keeps everything forever. Each call represents
    /// another process, and returns a separate instance.
    pub fn new<T: IntoStorage>(open: impl Fn() -> T + 'static) -> Self {
        Self {
            open: opening(open),
            expiring: None,
            failing: None,
            hanging: None,
            stored: None,
            files: None,
            secret: KnownSecret::default(),
            guards: Guards::default(),
        }
    }

    /// Opens the same place with an expiry: maintenance removes check files that are older. Required for a storage with a
    /// maintainer.
    #[must_use]
    pub fn expiring<T: IntoStorage>(mut self, open: impl Fn(Duration) -> T + 'static) -> Self {
        self.expiring = Some(Box::new(move |age| built(open(age))));
        self
    }

    /// Opens a storage that cannot be reached or used: every store fails, and every listing if there is a reader.
    #[must_use]
    pub fn failing<T: IntoStorage>(mut self, open: impl Fn() -> T + 'static) -> Self {
        self.failing = Some(opening(open));
        self
    }

    /// Opens a storage whose other side accepts connections and never answers, such as
    /// [`TcpServer::silent`](crate::TcpServer::silent).
    #[must_use]
    pub fn hanging<T: IntoStorage>(mut self, open: impl Fn() -> T + 'static) -> Self {
        self.hanging = Some(opening(open));
        self
    }

    /// Reads all results that are in the place, without the storage. Required for a storage without a reader.
    #[must_use]
    pub fn stored(mut self, stored: impl Fn() -> Vec<CheckResult> + 'static) -> Self {
        self.stored = Some(Box::new(stored));
        self
    }

    /// For a place that holds named files: `put` puts one there with this name and content, and `has` says whether one
    /// of this name is there, both from outside.
    #[must_use]
    pub fn files(mut self, put: impl Fn(&str, &[u8]) + 'static, has: impl Fn(&str) -> bool + 'static) -> Self {
        self.files = Some(Files { put: Box::new(put), has: Box::new(has) });
        self
    }

    /// A secret in the settings of all instances, which must never be shown.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret.set(secret);
        self
    }

    /// Keeps a directory or a server alive as long as the fixture.
    #[must_use]
    pub fn keep(mut self, guard: impl Any) -> Self {
        self.guards.keep(guard);
        self
    }

    pub(super) fn open(&self) -> Arc<dyn Storage> {
        (self.open)()
    }

    pub(super) fn open_expiring(&self, age: Duration) -> Arc<dyn Storage> {
        offered(self.expiring.as_ref(), "expiring")(age)
    }

    pub(super) fn put(&self, name: &str, content: &[u8]) {
        (offered(self.files.as_ref(), "files").put)(name, content);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        (offered(self.files.as_ref(), "files").has)(name)
    }

    /// All results that are stored, as another process sees them.
    pub(super) async fn results(&self) -> Vec<CheckResult> {
        match &self.stored {
            Some(stored) => stored(),
            None => files(&*self.open()).await.into_iter().flat_map(|(_, results)| results).collect(),
        }
    }
}

impl fmt::Debug for StorageFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("expiring", self.expiring.is_some()),
            ("failing", self.failing.is_some()),
            ("hanging", self.hanging.is_some()),
            ("stored", self.stored.is_some()),
            ("files", self.files.is_some()),
            ("secret", self.secret.is_set()),
        ];
        fixture::debug(f, "StorageFixture", &parts)
    }
}

fn opening<T: IntoStorage>(open: impl Fn() -> T + 'static) -> Open {
    Box::new(move || built(open()))
}

fn built(storage: impl IntoStorage) -> Arc<dyn Storage> {
    storage.into_storage().unwrap_or_else(|error| panic!("the fixture's settings are invalid: {error}"))
}

/// The parts that a storage, or its fixture, may lack.
#[doc(hidden)]
pub mod without {
    use super::{StorageFixture, assert_not_offered};

    pub fn reader(fixture: &StorageFixture) {
        assert!(fixture.open().reader().is_none(), "the storage declares a reader: take it out of `without`");
    }

    pub fn maintainer(fixture: &StorageFixture) {
        assert!(fixture.open().maintainer().is_none(), "the storage declares a maintainer: take it out of `without`");
    }

    pub fn files(fixture: &StorageFixture) {
        assert_not_offered(fixture.files.is_some(), "files");
    }

    pub fn failing(fixture: &StorageFixture) {
        assert_not_offered(fixture.failing.is_some(), "failing");
    }

    pub fn hanging(fixture: &StorageFixture) {
        assert_not_offered(fixture.hanging.is_some(), "hanging");
    }

    pub fn secret(fixture: &StorageFixture) {
        assert_not_offered(fixture.secret.is_set(), "secret");
    }
}
