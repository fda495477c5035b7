use std::fmt;
use std::sync::Arc;

use checkup_core::{Notification, Notifier, NotifyError, async_trait};
use tokio::sync::watch;

/// A notifier that keeps what it is told. Clones share it.
///
/// ```
/// use checkup_core::{Check, Checkup, Monitor, Status};
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
/// let told = notifier.wait(1).await;
/// assert_eq!(told[0].changes[0].result.status, Status::Down);
/// monitor.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RecordingNotifier {
    ending: Ending,
    told: Arc<watch::Sender<Vec<Notification>>>,
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

    /// What it was told, in order.
    pub fn notifications(&self) -> Vec<Notification> {
        self.told.borrow().clone()
    }

    /// Waits until it was told this many times since it was made, and gives it all.
    pub async fn wait(&self, count: usize) -> Vec<Notification> {
        // The sender is `self`'s, so that there is no error.
        let _ = self.told.subscribe().wait_for(|told| told.len() >= count).await;
        self.notifications()
    }

    fn ending(ending: Ending) -> Self {
        Self { ending, told: Arc::new(watch::Sender::new(Vec::new())) }
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
        self.told.send_modify(|told| told.push(notification.clone()));
        match &self.ending {
            Ending::Well => Ok(()),
            Ending::Fails(message) => Err(NotifyError::new(&**message)),
            Ending::Panics => panic!("the notifier was told to panic"),
            Ending::Hangs => std::future::pending().await,
        }
    }
}

impl fmt::Debug for RecordingNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingNotifier")
            .field("ending", &self.ending)
            .field("calls", &self.told.borrow().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::{Check, Checkup, Report};

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
            let report: Arc<Report> = Arc::new(checkup.check().await);
            checkup.notify(&Notification::between(|_| None, &report).unwrap()).await
        });
        assert_eq!(errors.len(), 3);
        assert!(notifiers.iter().all(|notifier| notifier.notifications().len() == 1));
    }
}
