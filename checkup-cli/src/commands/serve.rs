//! Serves the status page, and runs the checks too if asked to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use checkup_core::config::Registry;
use checkup_core::{Monitor, Runs};
use checkup_statuspage::{Site, StatusPage};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::needs_storage;
use super::outcome::Outcome;
use super::signal::Signals;
use crate::args::{Global, Serve};
use crate::config;
use crate::exit::{Error, Exit, complain};
use crate::listen;
use crate::node;
use crate::output::Stdout;

pub(super) async fn run(
    registry: &Registry,
    global: &Global,
    args: &Serve,
    stdout: &mut Stdout,
) -> Result<Exit, Error> {
    let address = args.address();
    if args.demo {
        let mut signals = Signals::new()?;
        let server = Server::open(address, global, stdout).await?;
        return server.run(&checkup_statuspage::demo()?, &mut signals, async {}).await.map(|()| Exit::Healthy);
    }
    let checkup = node::place(config::load(registry, global)?, &args.node)?;
    // Whatever share of the checks this node has: the page is of all.
    let whole = node::whole(&checkup);
    let page = checkup.section::<StatusPage>().cloned().unwrap_or_default();
    let Some(interval) = args.every else {
        let storage = needs_storage(&checkup, "a page without --every")?;
        let site = Site::of_storage(Arc::clone(storage)).checkup(&whole).page(page).build()?;
        let mut signals = Signals::new()?;
        let server = Server::open(address, global, stdout).await?;
        return server.run(&site, &mut signals, async {}).await.map(|()| Exit::Healthy);
    };

    if checkup.storage().is_none() && !global.quiet {
        complain("nothing is stored: the config file has no `storage`; the page shows what this process has seen");
    }
    if !global.quiet {
        node::warn_if_idle(&checkup);
    }
    // Before the first check, so that no signal can end the process in the middle of one.
    let mut signals = Signals::new()?;
    // And before anything is checked for a page that cannot be served.
    let server = Server::open(address, global, stdout).await?;
    let (monitor, runs) = Monitor::builder(checkup.clone()).interval(interval).start_and_subscribe()?;
    let monitor = Arc::new(monitor);
    let site = Site::of_monitor(Arc::clone(&monitor)).checkup(&whole).page(page).build()?;
    let outcome = Outcome::new(&checkup, global.quiet).await;
    // The checks go on while the server is told to stop: what is in flight is finished and stored.
    let stopped = async { monitor.shutdown().await };
    let (served, stored) = tokio::join!(server.run(&site, &mut signals, stopped), watch(runs, outcome));
    served.and(stored).map(|()| Exit::Healthy)
}

/// Tells what goes wrong with the runs of a monitor, until it has stopped.
async fn watch(mut runs: Runs, mut outcome: Outcome<'_>) -> Result<(), Error> {
    while let Some(run) = runs.next().await {
        outcome.take(&run).await;
    }
    outcome.last()
}

/// A socket that is listened at.
struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens, and tells where.
    async fn open(address: SocketAddr, global: &Global, stdout: &mut Stdout) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Listen(address, why(&error));
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        if !global.quiet {
            stdout.print(&format!("status page at {}\n", listen::place(address)))?;
        }
        Ok(Self { listener })
    }

    /// Serves the site until a signal comes; then what is being answered is, and `stopped` has ended. A second signal ends the
    /// process at once.
    async fn run(self, site: &Site, signals: &mut Signals, stopped: impl Future<Output = ()>) -> Result<(), Error> {
        let (stop, stopping) = oneshot::channel::<()>();
        let serve = checkup_statuspage::serve(self.listener, site.router(), async { drop(stopping.await) });
        let mut serve = std::pin::pin!(serve);
        tokio::select! {
            served = serve.as_mut() => return served.map_err(|error| Error::Internal("cannot serve", Some(error))),
            () = signals.next() => drop(stop),
        }
        let end = async { tokio::join!(serve, stopped).0 };
        tokio::select! {
            served = end => served.map_err(|error| Error::Internal("cannot serve", Some(error))),
            () = signals.next() => signals.exit(),
        }
    }
}

/// Why an address cannot be listened at, and what to do.
fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "something else listens there; name another port with --listen, 0 for any that is free".into()
        }
        io::ErrorKind::PermissionDenied => "only root may, below port 1024; name another port with --listen".into(),
        io::ErrorKind::AddrNotAvailable => "it is no address of this machine; name another with --listen".into(),
        _ => error.to_string(),
    }
}
