//! The contract of [`Checker`].

mod behaviours;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use checkup_core::{Checker, IntoChecker};

pub use behaviours::*;

use super::Behaviour;
use super::fixture::{self, Guards, KnownSecret, assert_not_offered, offered};

/// Makes one `#[test]` of each behaviour of a [`Checker`], in a module `checker_conformance`.
///
/// The first argument makes a [`CheckerFixture`], afresh for each test. `without` lists what the fixture does not have,
/// of `failing`, `hanging`, `endless`, `tries`, `open` and `secret`.
///
/// ```
/// use checkup_testkit::StubChecker;
/// use checkup_testkit::conformance::CheckerFixture;
///
/// fn factory() -> CheckerFixture {
///     let (hanging, failing) = (StubChecker::hangs(), StubChecker::fails("broken"));
///     let open = hanging.clone();
///     CheckerFixture::new(StubChecker::healthy)
///         .failing(move || failing.clone())
///         .hanging(move || hanging.clone())
///         .open(move || open.running())
/// }
///
/// checkup_testkit::checker_conformance!(factory, without: [tries, endless, secret]);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! checker_conformance {
    ($factory:expr $(, without: [$($without:ident),* $(,)?])? $(,)?) => {
        $crate::__conformance! {
            checker CheckerFixture checker_conformance __checker_behaviours $factory, [$($($without)*)?]
        }
    };
}

/// All behaviours of a checker, with what each needs.
#[doc(hidden)]
#[macro_export]
macro_rules! __checker_behaviours {
    ($callback:ident $arguments:tt) => {
        $crate::$callback! { $arguments
            [] a_healthy_attempt_succeeds,
            [failing] a_failing_attempt_fails_with_a_reason,
            [hanging] a_hanging_attempt_times_out_in_the_engine,
            [tries] an_attempt_tries_once,
            [failing tries] a_failed_attempt_is_not_repeated,
            [hanging open] a_cancelled_attempt_releases_what_it_opened,
            [] a_cancelled_attempt_does_not_change_the_next,
            [] attempts_run_at_once,
            [hanging tries] a_hanging_attempt_holds_up_no_other,
            [failing] an_attempt_does_not_change_the_next,
            [] an_attempt_does_not_block_the_thread,
            [hanging] a_hanging_attempt_does_not_block_the_thread,
            [endless] an_endless_answer_ends_the_attempt,
            [] the_endpoint_stays_the_same,
            [] the_default_timeout_is_more_than_zero,
            [secret] debug_and_endpoint_hold_no_secret,
            [secret failing] outcomes_hold_no_secret,
        }
    };
}

/// All behaviours.
pub const BEHAVIOURS: &[Behaviour<CheckerFixture>] = __checker_behaviours!(__behaviour_table[CheckerFixture]);

type Make = Box<dyn Fn() -> Arc<dyn Checker>>;
type Count = Arc<dyn Fn() -> usize + Send + Sync>;

/// A checker under test, in the situations that its contract is about.
pub struct CheckerFixture {
    healthy: Make,
    failing: Option<Make>,
    hanging: Option<Make>,
    endless: Option<Make>,
    tries: Option<Count>,
    open: Option<Count>,
    secret: KnownSecret,
    guards: Guards,
}

impl CheckerFixture {
    /// `healthy` makes an instance whose attempts succeed: a checker, or settings that become one.
    pub fn new<T: IntoChecker>(healthy: impl Fn() -> T + 'static) -> Self {
        Self {
            healthy: make(healthy),
            failing: None,
            hanging: None,
            endless: None,
            tries: None,
            open: None,
            secret: KnownSecret::default(),
            guards: Guards::default(),
        }
    }

    /// Makes an instance whose attempts fail. If the fixture has [`tries`](Self::tries), they must be counted.
    #[must_use]
    pub fn failing<T: IntoChecker>(mut self, failing: impl Fn() -> T + 'static) -> Self {
        self.failing = Some(make(failing));
        self
    }

    /// Makes an instance whose attempts wait forever: its target accepts connections and never answers.
    #[must_use]
    pub fn hanging<T: IntoChecker>(mut self, hanging: impl Fn() -> T + 'static) -> Self {
        self.hanging = Some(make(hanging));
        self
    }

    /// Makes an instance whose target sends an endless answer; see [`TcpServer::endless`](crate::TcpServer::endless).
    #[must_use]
    pub fn endless<T: IntoChecker>(mut self, endless: impl Fn() -> T + 'static) -> Self {
        self.endless = Some(make(endless));
        self
    }

    /// Counts the tries that have reached the target, from all healthy, failing and hanging instances: accepted
    /// connections, queries, calls.
    #[must_use]
    pub fn tries(mut self, tries: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        self.tries = Some(Arc::new(tries));
        self
    }

    /// Counts what hanging attempts currently hold: open connections, running processes.
    #[must_use]
    pub fn open(mut self, open: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        self.open = Some(Arc::new(open));
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

    fn make_failing(&self) -> Arc<dyn Checker> {
        offered(self.failing.as_ref(), "failing")()
    }

    fn make_hanging(&self) -> Arc<dyn Checker> {
        offered(self.hanging.as_ref(), "hanging")()
    }

    fn count_tries(&self) -> Count {
        Arc::clone(offered(self.tries.as_ref(), "tries"))
    }

    fn count_open(&self) -> Count {
        Arc::clone(offered(self.open.as_ref(), "open"))
    }
}

impl fmt::Debug for CheckerFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("failing", self.failing.is_some()),
            ("hanging", self.hanging.is_some()),
            ("endless", self.endless.is_some()),
            ("tries", self.tries.is_some()),
            ("open", self.open.is_some()),
            ("secret", self.secret.is_set()),
        ];
        fixture::debug(f, "CheckerFixture", &parts)
    }
}

fn make<T: IntoChecker>(make: impl Fn() -> T + 'static) -> Make {
    Box::new(move || {
        make().into_checker().unwrap_or_else(|error| panic!("the fixture's settings are invalid: {error}"))
    })
}

/// The parts that a fixture may lack.
#[doc(hidden)]
pub mod without {
    use super::{CheckerFixture, assert_not_offered};

    pub fn failing(fixture: &CheckerFixture) {
        assert_not_offered(fixture.failing.is_some(), "failing");
    }

    pub fn hanging(fixture: &CheckerFixture) {
        assert_not_offered(fixture.hanging.is_some(), "hanging");
    }

    pub fn endless(fixture: &CheckerFixture) {
        assert_not_offered(fixture.endless.is_some(), "endless");
    }

    pub fn tries(fixture: &CheckerFixture) {
        assert_not_offered(fixture.tries.is_some(), "tries");
    }

    pub fn open(fixture: &CheckerFixture) {
        assert_not_offered(fixture.open.is_some(), "open");
    }

    pub fn secret(fixture: &CheckerFixture) {
        assert_not_offered(fixture.secret.is_set(), "secret");
    }
}
