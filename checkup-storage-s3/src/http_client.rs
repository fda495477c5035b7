//! The HTTP client of both S3 clients: it follows no redirect, and resolves names as the rest of Checkup does.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use checkup_net::IpVersion;
use object_store::client::{ClientConfigKey, HttpClient, HttpConnector};
use object_store::{ClientOptions, Error};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;

use crate::wire::Watched;

/// How long an idle connection is kept: less than servers keep one, so that few requests meet a connection that was just closed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Makes HTTP clients whose answers are [watched](crate::wire::watch).
///
/// It takes the place of `object_store`'s own connector, whose clients follow ten redirects and send the session token along. A
/// redirect from S3 means a wrong region or endpoint; no AWS SDK follows one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    /// How long one attempt of a request may take.
    pub(crate) attempt: Duration,
    /// How long connecting may take.
    pub(crate) connect: Duration,
    /// Whether there is no certificate to verify. Loading the system's roots takes milliseconds.
    pub(crate) is_plain: bool,
}

impl HttpConnector for Wire {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // The metadata services of instances and containers answer over plain HTTP.
        let allows_http = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("checkup/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .dns_resolver(Arc::new(SystemResolver))
            .timeout(self.attempt)
            .connect_timeout(self.connect)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .http1_only()
            .https_only(!allows_http);
        if self.is_plain {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| Error::Generic { store: "S3", source: error.into() })?;
        Ok(HttpClient::new(Watched::new(HttpClient::new(client))))
    }
}

/// Resolves names with the system's resolver, with readable errors.
#[derive(Debug)]
struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = checkup_net::resolve(name.as_str(), 0, IpVersion::Any).await?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
