use std::fmt;
use std::sync::Arc;

use checkup_core::{Notification, Notifier, NotifyError, async_trait};
use tokio::sync::watch;

/// A notifier that records its notifications. Clones share them.
///
/// ```
/// use checkup_core::{Check, Checkup, Monitor};
/// use checkup_testkit::{RecordingNotifier, StubChecker};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), checkup_core::ConfigError> {
/// let notifier = RecordingNotifier::new();
/// let checkup = Checkup::builder()
///     .check(Check::new("queue", StubChecker::fails("17 messages are stuck")))
///     .notifier(notifier.clone())
///     .build()?;
/// let monitor = Monitor::builder(checkup).start()?;
///
/// let calls = notifier.wait(1).await;
/// assert_eq!(calls[0].alerts[0].to_string(), "queue is down: 17 messages are stuck");
/// monitor.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RecordingNotifier {
    ending: Ending,
    calls: Arc<watch::Sender<Vec<Notification>>>,
}

/// How a call ends after it was recorded.
#[derive(Clone, Debug)]
enum Ending {
    Well,
    Fails(Arc<str>),
    Panics,
    Hangs,
}

impl RecordingNotifier {
    /// Every call succeeds.
    pub fn new() -> Self {
        Self::ending(Ending::Well)
    }

    /// Every call is recorded, and fails with this message.
    pub fn fails(message: &str) -> Self {
        Self::ending(Ending::Fails(message.into()))
    }

    /// Every call is recorded, and panics.
    pub fn panics() -> Self {
        Self::ending(Ending::Panics)
    }

    /// Every call is recorded, and never ends.
    pub fn hangs() -> Self {
        Self::ending(Ending::Hangs)
    }

    /// The notifications that it received, in order.
    pub fn notifications(&self) -> Vec<Notification> {
        self.calls.borrow().clone()
    }

    /// Waits until it has been called this many times in all, and returns the notifications.
    pub async fn wait(&self, count: usize) -> Vec<Notification> {
        // `self` owns the sender, so this cannot fail.
        let _ = self.calls.subscribe().wait_for(|calls| calls.len() >= count).await;
        self.notifications()
    }

    fn ending(ending: Ending) -> Self {
        Self { ending, calls: Arc::new(watch::Sender::new(Vec::new())) }
    }
}

impl Default for RecordingNotifier {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Notifier for RecordingNotifier {
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        self.calls.send_modify(|calls| calls.push(notification.clone()));
        match &self.ending {
            Ending::Well => Ok(()),
            Ending::Fails(message) => Err(NotifyError::new(&**message)),
            Ending::Panics => panic!("the notifier is scripted to panic"),
            Ending::Hangs => std::future::pending().await,
        }
    }
}

impl fmt::Debug for RecordingNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingNotifier")
            .field("ending", &self.ending)
            .field("calls", &self.calls.borrow().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::{Alert, AlertStep, Check, Checkup, Timestamp};

    use super::*;
    use crate::{StubChecker, paused};

    #[test]
    fn calls_are_recorded_however_they_end() {
        let notifiers = [
            RecordingNotifier::fails("no"),
            RecordingNotifier::panics(),
            RecordingNotifier::hangs(),
            Default::default(),
        ];
        let mut builder = Checkup::builder().check(Check::new("stub", StubChecker::fails("broken")));
        for notifier in &notifiers {
            builder = builder.notifier(notifier.clone());
        }
        let checkup = builder.build().unwrap();
        let errors = paused(async {
            let alert = Alert::new(AlertStep::Down, "stub", "", Timestamp::now());
            checkup.notify(&Notification::new(vec![alert])).await
        });
        assert_eq!(errors.len(), 3);
        assert!(notifiers.iter().all(|notifier| notifier.notifications().len() == 1));
    }
}
