//! The contract of [`NamedFiles`].

mod failing;
mod finding;
mod putting;

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use checkup_core::archive::{NamedFiles, Put};

pub use failing::*;
pub use finding::*;
pub use putting::*;

use super::Behaviour;
use super::fixture::{self, Guards, KnownSecret, assert_not_offered, offered};

/// Makes one `#[test]` of each behaviour of [`NamedFiles`], in a module `named_files_conformance`.
///
/// The first argument makes a [`NamedFilesFixture`], afresh for each test. `without` lists what the fixture does not have,
/// of `failing`, `hanging` and `secret`.
///
/// ```
/// use checkup_core::archive::MemoryFiles;
/// use checkup_testkit::conformance::NamedFilesFixture;
///
/// fn factory() -> NamedFilesFixture {
///     let files = MemoryFiles::new();
///     NamedFilesFixture::new(move || files.clone())
/// }
///
/// checkup_testkit::named_files_conformance!(factory, without: [failing, hanging, secret]);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! named_files_conformance {
    ($factory:expr $(, without: [$($without:ident),* $(,)?])? $(,)?) => {
        $crate::__conformance! {
            named_files NamedFilesFixture named_files_conformance __named_files_behaviours $factory, [$($($without)*)?]
        }
    };
}

/// All behaviours of named files, with what each needs.
#[doc(hidden)]
#[macro_export]
macro_rules! __named_files_behaviours {
    ($callback:ident $arguments:tt) => {
        $crate::$callback! { $arguments
            [] what_is_put_outlives_its_process,
            [] any_content_is_kept_as_it_is,
            [] putting_if_absent_never_replaces,
            [] of_many_who_put_one_name_one_creates_it,
            [] putting_replaces_whole,
            [] a_cancelled_put_is_there_whole_or_not_at_all,
            [] names_are_listed_in_the_order_of_their_bytes,
            [] a_listing_begins_at_a_name_and_ends_at_its_limit,
            [] deleting_removes_what_it_is_told_to_and_nothing_else,
            [] more_than_a_thousand_are_deleted_at_once,
            [] many_may_delete_the_same,
            [] an_unknown_file_is_not_found,
            [] no_call_blocks_the_thread,
            [hanging] a_hanging_call_does_not_block_the_thread,
            [hanging] a_silent_network_is_an_error_in_time,
            [failing] what_fails_is_an_error,
            [failing secret] errors_hold_no_secret,
            [secret] debug_holds_no_secret,
        }
    };
}

/// All behaviours.
pub const BEHAVIOURS: &[Behaviour<NamedFilesFixture>] = __named_files_behaviours!(__behaviour_table[NamedFilesFixture]);

/// How many callers do the same concurrently.
const MANY: usize = 8;

/// The name of a check file, and that of another file.
const NAMES: [&str; 2] = ["1473318000000000001-conformance-check.json", "conformance.json"];

type Open = Box<dyn Fn() -> Arc<dyn NamedFiles>>;

/// Named files under test: one place, without any file with `conformance` in its name, and ways to open it.
pub struct NamedFilesFixture {
    open: Open,
    failing: Option<Open>,
    hanging: Option<Open>,
    secret: KnownSecret,
    guards: Guards,
}

impl NamedFilesFixture {
    /// `open` makes an instance, as if by a new process; all instances have the same files.
    pub fn new<T: NamedFiles>(open: impl Fn() -> T + 'static) -> Self {
        Self {
            open: opening(open),
            failing: None,
            hanging: None,
            secret: KnownSecret::default(),
            guards: Guards::default(),
        }
    }

    /// Makes an instance whose requests fail, because it lacks permissions or its place cannot exist.
    #[must_use]
    pub fn failing<T: NamedFiles>(mut self, failing: impl Fn() -> T + 'static) -> Self {
        self.failing = Some(opening(failing));
        self
    }

    /// Makes an instance whose other side accepts connections and never answers, such as
    /// [`TcpServer::silent`](crate::TcpServer::silent).
    #[must_use]
    pub fn hanging<T: NamedFiles>(mut self, hanging: impl Fn() -> T + 'static) -> Self {
        self.hanging = Some(opening(hanging));
        self
    }

    /// A secret in the settings of all instances, which must never be shown.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret.set(secret);
        self
    }

    /// Keeps a server or a directory alive as long as the fixture.
    #[must_use]
    pub fn keep(mut self, guard: impl Any) -> Self {
        self.guards.keep(guard);
        self
    }
}

impl fmt::Debug for NamedFilesFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("failing", self.failing.is_some()),
            ("hanging", self.hanging.is_some()),
            ("secret", self.secret.is_set()),
        ];
        fixture::debug(f, "NamedFilesFixture", &parts)
    }
}

fn opening<T: NamedFiles>(open: impl Fn() -> T + 'static) -> Open {
    Box::new(move || Arc::new(open()))
}

fn sorted(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect()
}

async fn create(files: &dyn NamedFiles, name: &str, content: &[u8]) {
    let put = files.put_if_absent(name, content).await.expect("a file can be put");
    assert_eq!(put, Put::Created, "what a free name gives");
}

async fn list(files: &dyn NamedFiles, from: &str, limit: usize) -> Vec<String> {
    files.list(from, limit).await.expect("the files can be listed")
}

/// The names of the files that this suite made. An implementation may have others, such as an index.
async fn ours(files: &dyn NamedFiles) -> Vec<String> {
    let names = list(files, "", 10_000).await;
    names.into_iter().filter(|name| name.contains("conformance")).collect()
}

/// The parts that a fixture may lack.
#[doc(hidden)]
pub mod without {
    use super::{NamedFilesFixture, assert_not_offered};

    pub fn failing(fixture: &NamedFilesFixture) {
        assert_not_offered(fixture.failing.is_some(), "failing");
    }

    pub fn hanging(fixture: &NamedFilesFixture) {
        assert_not_offered(fixture.hanging.is_some(), "hanging");
    }

    pub fn secret(fixture: &NamedFilesFixture) {
        assert_not_offered(fixture.secret.is_set(), "secret");
    }
}
