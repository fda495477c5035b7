//! [`Channel`]: what differs between notifiers that make one HTTP request, and [`HttpNotifier`], which does the rest.

use std::fmt;

use checkup_core::{Delivery, Notification, Notifier, NotifyError, async_trait};

use crate::http::{Answer, Outgoing};
use crate::secrets::Secrets;
use crate::service::Service;

/// A service that takes a message as one HTTP request.
pub(crate) trait Channel: fmt::Debug + Send + Sync + 'static {
    /// The service, with its errors in words.
    fn service(&self) -> &'static Service;

    /// What must not be in any text.
    fn secrets(&self) -> &Secrets;

    /// The request that delivers the notification.
    fn request(&self, notification: &Notification) -> Result<Outgoing, NotifyError>;

    /// How the notifier wants to be called.
    fn delivery(&self) -> Delivery {
        Delivery::Together
    }

    /// How often open alerts are sent again.
    fn keep_alive(&self) -> Option<std::time::Duration> {
        None
    }

    /// The only status of a successful answer. `None` is any of 2xx.
    fn expected_status(&self) -> Option<u16> {
        None
    }

    /// Another request for a message that was refused, if the answer says where it should go. It is sent once.
    fn instead(&self, _notification: &Notification, _refusal: &Answer) -> Option<Outgoing> {
        None
    }
}

/// The notifier of a channel.
pub(crate) struct HttpNotifier<C>(pub(crate) C);

impl<C: Channel> fmt::Debug for HttpNotifier<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Any of its settings may come from an environment variable.
        f.debug_struct(self.0.service().name).finish_non_exhaustive()
    }
}

#[async_trait]
impl<C: Channel> Notifier for HttpNotifier<C> {
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        let Self(channel) = self;
        let (service, secrets) = (channel.service(), channel.secrets());
        let mut answer = service.exchange(channel.request(notification)?, secrets).await?;
        if let Some(other) = channel.instead(notification, &answer) {
            answer = service.exchange(other, secrets).await?;
        }
        service.judge(&answer, channel.expected_status(), secrets)
    }

    fn delivery(&self) -> Delivery {
        self.0.delivery()
    }

    fn keep_alive(&self) -> Option<std::time::Duration> {
        self.0.keep_alive()
    }
}
