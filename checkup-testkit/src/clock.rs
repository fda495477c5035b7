use std::future::Future;

use tokio::runtime::{Builder, Runtime};

/// Runs a future on a paused clock: whenever everything waits, the clock jumps to the next timer. Hours of timeouts, intervals
/// and back-off pass in no time, and their durations are exact.
///
/// The engine and the monitor use tokio's clock, so nothing else is needed. It does what `#[tokio::test(start_paused = true)]`
/// does, without tokio's macros. The clock does not wait for sockets: against real servers, timeouts come before answers.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{Check, Checkup};
/// use checkup_testkit::{StubChecker, paused};
///
/// let checkup = Checkup::builder()
///     .check(Check::new("slow", StubChecker::slow(Duration::from_secs(3600))).timeout(Duration::from_secs(7200)))
///     .build()?;
/// let report = paused(async { checkup.check().await });
/// assert_eq!(report.elapsed, Duration::from_secs(3600));
/// # Ok::<(), checkup_core::ConfigError>(())
/// ```
///
/// # Panics
///
/// Within another runtime, and if the future panics.
pub fn paused<T>(future: impl Future<Output = T>) -> T {
    runtime(Builder::new_current_thread().start_paused(true)).block_on(future)
}

pub(crate) fn runtime(builder: &mut Builder) -> Runtime {
    builder.enable_all().build().expect("the system provides what a runtime needs")
}
