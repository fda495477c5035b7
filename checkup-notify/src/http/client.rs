//! The HTTP client that all notifiers of a process share.

use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;

use crate::blocking::blocking;

/// How long one delivery may take, from resolving the name to the end of the answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// The client. It is made by the first delivery, because it loads the system's root certificates.
static CLIENT: OnceCell<Client> = OnceCell::const_new();

/// Returns the client, and makes it if this is the first delivery of the process.
pub(super) async fn shared() -> Result<&'static Client, reqwest::Error> {
    CLIENT.get_or_try_init(|| blocking(build)).await
}

fn build() -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("checkup/", env!("CARGO_PKG_VERSION")))
        // A redirect would carry the message, and the tokens in its headers, to another server.
        .redirect(Policy::none())
        .timeout(TIMEOUT)
        .connect_timeout(TIMEOUT)
        // Messages are rare. A connection that is kept is closed by the server when it is needed, and belongs to one runtime.
        .pool_max_idle_per_host(0)
        .http1_only()
        .build()
}
