//! The contract of [`Notifier`].

mod behaviours;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use checkup_core::{IntoNotifier, Notifier};

pub use behaviours::*;

use super::Behaviour;
use super::fixture::{self, Guards, KnownSecret, assert_not_offered, offered};

/// Makes one `#[test]` of each behaviour of a [`Notifier`], in a module `notifier_conformance`.
///
/// The first argument makes a [`NotifierFixture`], afresh for each test. `without` lists what the fixture does not have,
/// of `failing`, `hanging`, `secret` and `escaping`.
///
/// ```
/// use std::fs::{self, OpenOptions};
/// use std::io::Write;
/// use std::path::PathBuf;
/// use checkup_core::{Notification, Notifier, NotifyError, async_trait};
/// use checkup_testkit::conformance::NotifierFixture;
///
/// /// Appends a line for each notification.
/// #[derive(Debug)]
/// struct LogFile(PathBuf);
///
/// #[async_trait]
/// impl Notifier for LogFile {
///     async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
///         let alerts: Vec<_> = notification.alerts.iter().map(ToString::to_string).collect();
///         let written = OpenOptions::new().create(true).append(true).open(&self.0).and_then(|mut file| {
///             // `Debug` escapes quotes and ends of lines.
///             file.write_all(format!("{alerts:?}\n").as_bytes())
///         });
///         written.map_err(|error| NotifyError::new("cannot write the log").with_source(error))
///     }
/// }
///
/// fn factory() -> NotifierFixture {
///     let dir = std::env::temp_dir().join("not-there");
///     NotifierFixture::new(|| LogFile("alerts.log".into()), || {
///         fs::read_to_string("alerts.log").unwrap_or_default().lines().map(str::to_owned).collect()
///     })
///     .failing(move || LogFile(dir.join("alerts.log")))
///     .escaping(|line| assert!(!line.contains(['\n', '\r'])))
/// }
///
/// checkup_testkit::notifier_conformance!(factory, without: [hanging, secret]);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! notifier_conformance {
    ($factory:expr $(, without: [$($without:ident),* $(,)?])? $(,)?) => {
        $crate::__conformance! {
            notifier NotifierFixture notifier_conformance __notifier_behaviours $factory, [$($($without)*)?]
        }
    };
}

/// All behaviours of a notifier, with what each needs.
#[doc(hidden)]
#[macro_export]
macro_rules! __notifier_behaviours {
    ($callback:ident $arguments:tt) => {
        $crate::$callback! { $arguments
            [] every_alert_is_delivered,
            [] every_step_is_delivered,
            [] one_call_is_one_delivery,
            [] hundreds_of_alerts_are_delivered,
            [] calls_at_once_are_all_delivered,
            [] a_cancelled_call_does_not_spoil_the_next,
            [escaping] text_from_outside_is_escaped,
            [failing] what_is_not_delivered_is_an_error,
            [] a_call_does_not_block_the_thread,
            [hanging] a_hanging_call_does_not_block_the_thread,
            [hanging] a_silent_network_is_an_error_in_time,
            [secret] debug_holds_no_secret,
            [failing secret] errors_hold_no_secret,
        }
    };
}

/// All behaviours.
pub const BEHAVIOURS: &[Behaviour<NotifierFixture>] = __notifier_behaviours!(__behaviour_table[NotifierFixture]);

type Make = Box<dyn Fn() -> Arc<dyn Notifier>>;
type IsEscaped = Box<dyn Fn(&str)>;

/// A notifier under test, and the place where its deliveries arrive.
pub struct NotifierFixture {
    notifier: Make,
    deliveries: Box<dyn Fn() -> Vec<String>>,
    failing: Option<Make>,
    hanging: Option<Make>,
    escaping: Option<IsEscaped>,
    secret: KnownSecret,
    guards: Guards,
}

impl NotifierFixture {
    /// `notifier` makes an instance (a notifier, or settings that become one) whose deliveries arrive; `deliveries` gives the
    /// text of each that has arrived.
    pub fn new<T: IntoNotifier>(
        notifier: impl Fn() -> T + 'static,
        deliveries: impl Fn() -> Vec<String> + 'static,
    ) -> Self {
        Self {
            notifier: make(notifier),
            deliveries: Box::new(deliveries),
            failing: None,
            hanging: None,
            escaping: None,
            secret: KnownSecret::default(),
            guards: Guards::default(),
        }
    }

    /// Makes an instance whose deliveries are refused, or cannot be made.
    #[must_use]
    pub fn failing<T: IntoNotifier>(mut self, failing: impl Fn() -> T + 'static) -> Self {
        self.failing = Some(make(failing));
        self
    }

    /// Makes an instance whose other side accepts connections and never answers, such as
    /// [`TcpServer::silent`](crate::TcpServer::silent).
    #[must_use]
    pub fn hanging<T: IntoNotifier>(mut self, hanging: impl Fn() -> T + 'static) -> Self {
        self.hanging = Some(make(hanging));
        self
    }

    /// Panics if the text of a delivery is not escaped for its medium. It is called with deliveries of alerts whose
    /// names, endpoints and reasons are [`HOSTILE`].
    #[must_use]
    pub fn escaping(mut self, is_escaped: impl Fn(&str) + 'static) -> Self {
        self.escaping = Some(Box::new(is_escaped));
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

impl fmt::Debug for NotifierFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("failing", self.failing.is_some()),
            ("hanging", self.hanging.is_some()),
            ("escaping", self.escaping.is_some()),
            ("secret", self.secret.is_set()),
        ];
        fixture::debug(f, "NotifierFixture", &parts)
    }
}

fn make<T: IntoNotifier>(make: impl Fn() -> T + 'static) -> Make {
    Box::new(move || {
        make().into_notifier().unwrap_or_else(|error| panic!("the fixture's settings are invalid: {error}"))
    })
}

/// The parts that a fixture may lack.
#[doc(hidden)]
pub mod without {
    use super::{NotifierFixture, assert_not_offered};

    pub fn failing(fixture: &NotifierFixture) {
        assert_not_offered(fixture.failing.is_some(), "failing");
    }

    pub fn hanging(fixture: &NotifierFixture) {
        assert_not_offered(fixture.hanging.is_some(), "hanging");
    }

    pub fn escaping(fixture: &NotifierFixture) {
        assert_not_offered(fixture.escaping.is_some(), "escaping");
    }

    pub fn secret(fixture: &NotifierFixture) {
        assert_not_offered(fixture.secret.is_set(), "secret");
    }
}
