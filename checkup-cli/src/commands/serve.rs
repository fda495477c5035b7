//! Serves the status page, and runs the checks too if asked to.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request as HttpRequest;
use checkup_core::config::Registry;
use checkup_core::{Checkup, ConfigError};
use checkup_statuspage::{Site, StatusPage};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt;

use super::jobs;
use super::monitors::Monitors;
use super::outcome::Outcome;
use super::signal::{Request, Signals};
use crate::args::{Global, interval};
use crate::config::{Source, needs_storage};
use crate::exit::{Error, Exit};
use crate::listen::{self, Listen};
use crate::node::{self, Node};
use crate::output::Stdout;
use crate::output::stderr::complain;

/// The port of the original Checkup.
const DEFAULT_PORT: u16 = 3000;

/// Serve the status page; with --every, run the checks too
///
/// SIGINT (Ctrl-C) or SIGTERM stops it gracefully, as does closing the terminal.
///
/// Without a terminal, SIGHUP reads the config file again.
///
/// It also serves check files, /api/v1/, /feed.atom, /badge/, /healthz, /readyz, /health and /metrics.
///
/// With --metrics-listen, the last four are only there.
///
/// Jobs of `heartbeat` checks with a `token` report with POST /beat/TOKEN; /begin or /fail may follow.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen: an address with a port, or a port; 0 for any free one [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDRESS", value_parser = listen::parse)]
    listen: Option<Listen>,
    /// Listen on all interfaces, so that other machines can connect
    #[arg(long)]
    public: bool,
    /// Serve /metrics, /readyz, /health and /healthz there, and not with the page
    #[arg(long, value_name = "ADDRESS", value_parser = listen::parse)]
    metrics_listen: Option<Listen>,
    /// Run the checks too and store every report: the time from run to run, as for `every`
    #[arg(long, value_name = "INTERVAL", value_parser = interval)]
    every: Option<Duration>,
    /// Show the page with made-up data and check nothing; needs no config file
    #[arg(long, conflicts_with_all = ["every", "location", "shard", "config"])]
    demo: bool,
    #[command(flatten)]
    node: Node,
}

pub(crate) async fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    if args.demo {
        let mut signals = Signals::new()?;
        let server = Server::open(args, global, stdout).await?;
        server.show(&Content { site: checkup_statuspage::demo()?, jobs: Router::new() });
        server.run(&mut signals, &mut Nothing).await?;
        return Ok(Exit::Healthy);
    }
    let source = Source::find(global.config.as_deref())?;
    let place = |checkup| args.place(checkup, global);
    let checkup = place(source.load_with_spool(registry, global)?)?;
    // Before the first check, so that no signal can end the process in the middle of a check.
    let mut signals = Signals::new()?;
    let reload = || source.reload(registry, global, place);
    match args.every {
        None => {
            let content = stored(&checkup)?;
            let server = Server::open(args, global, stdout).await?;
            server.show(&content);
            server.run(&mut signals, &mut Stored { reload }).await?;
        }
        Some(interval) => {
            // Listens before the first check, so that nothing is checked for a page that cannot be served.
            let server = Server::open(args, global, stdout).await?;
            let outcome = Outcome::new(&checkup, global.quiet).await;
            let monitors = Monitors::start(checkup.clone(), interval)?;
            server.show(&watched(&monitors, &checkup)?);
            let mut watched = Watched { reload, monitors, outcome, next: None };
            server.run(&mut signals, &mut watched).await?;
            watched.outcome.last()?;
        }
    }
    Ok(Exit::Healthy)
}

impl Args {
    pub(crate) fn without_effect(&self) -> Option<String> {
        if self.public && self.listen.is_some_and(Listen::has_address) {
            return Some("--public has no effect next to the address of --listen; pass only the port there".into());
        }
        let node = [("--location", self.node.location.is_some()), ("--shard", self.node.shard.is_some())];
        let (option, _) = node.into_iter().find(|(_, given)| *given && self.every.is_none())?;
        Some(format!("{option} has no effect without --every: nothing is checked"))
    }

    /// Where to listen: on loopback only, unless the options allow other machines.
    fn address(&self) -> SocketAddr {
        let default = if self.public { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        self.listen.unwrap_or(Listen::port(DEFAULT_PORT)).or(default)
    }

    /// The checkup of this node, with notes for people.
    fn place(&self, checkup: Checkup, global: &Global) -> Result<Checkup, Error> {
        let checkup = node::place(checkup, &self.node)?;
        if self.every.is_none() {
            needs_storage(&checkup, "a page without --every")?;
        } else if !global.quiet {
            if checkup.storage().is_none() {
                complain(
                    "nothing is stored: the config file has no `storage`; the page shows what this process has seen",
                );
            }
            node::warn_if_idle(&checkup);
        }
        Ok(checkup)
    }
}

/// What is served.
struct Content {
    site: Site,
    /// Where jobs report.
    jobs: Router,
}

/// The page over a storage. It shows all checks, not only this node's share.
fn stored(checkup: &Checkup) -> Result<Content, Error> {
    let storage = needs_storage(checkup, "a page without --every")?;
    let site = Site::of_storage(Arc::clone(storage)).checkup(&node::whole(checkup)).page(page(checkup)).build()?;
    Ok(Content { site, jobs: jobs::router(checkup) })
}

/// The page over the current monitor. It shows all checks, not only this node's share.
fn watched(monitors: &Monitors, checkup: &Checkup) -> Result<Content, ConfigError> {
    let monitor = Arc::clone(monitors.current());
    let site = Site::of_monitor(monitor).checkup(&node::whole(checkup)).page(page(checkup)).build()?;
    Ok(Content { site, jobs: jobs::router(checkup) })
}

fn page(checkup: &Checkup) -> StatusPage {
    checkup.section::<StatusPage>().cloned().unwrap_or_default()
}

/// The work in the background while the page is served.
trait Background {
    /// Works until there is a new page to show, which may be never. Cancel-safe.
    async fn next_page(&mut self) -> Result<Content, Error>;

    /// Reads the configuration again. Returns a new page if it is to be shown immediately.
    async fn reload(&mut self) -> Option<Content>;

    /// Finishes the work.
    async fn finish(&mut self) -> Result<(), Error>;
}

/// No work: the page is a demo.
struct Nothing;

/// The page shows what is stored.
struct Stored<R> {
    reload: R,
}

/// The checks run.
struct Watched<R> {
    reload: R,
    monitors: Monitors,
    outcome: Outcome,
    /// The page of a configuration whose first run has not finished. Until then, the previous page is shown, which has results.
    next: Option<Content>,
}

impl Background for Nothing {
    async fn next_page(&mut self) -> Result<Content, Error> {
        std::future::pending().await
    }

    async fn reload(&mut self) -> Option<Content> {
        None
    }

    async fn finish(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl<R: Fn() -> Option<Checkup>> Background for Stored<R> {
    async fn next_page(&mut self) -> Result<Content, Error> {
        std::future::pending().await
    }

    async fn reload(&mut self) -> Option<Content> {
        let built = stored(&(self.reload)()?);
        built.map_err(|error| keep_old(&error)).ok()
    }

    async fn finish(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl<R: Fn() -> Option<Checkup>> Background for Watched<R> {
    async fn next_page(&mut self) -> Result<Content, Error> {
        loop {
            match self.monitors.next().await? {
                Some(run) => self.outcome.take(&run).await,
                None => std::future::pending().await,
            }
            if self.monitors.current().latest().is_some()
                && let Some(page) = self.next.take()
            {
                return Ok(page);
            }
        }
    }

    async fn reload(&mut self) -> Option<Content> {
        let checkup = (self.reload)()?;
        if let Err(error) = self.monitors.replace(checkup.clone()) {
            keep_old(&error);
            return None;
        }
        self.outcome.reload(&checkup).await;
        match watched(&self.monitors, &checkup) {
            Ok(page) => self.next = Some(page),
            Err(error) => keep_old(&error.into()),
        }
        None
    }

    async fn finish(&mut self) -> Result<(), Error> {
        self.monitors.stop();
        while let Some(run) = self.monitors.next().await? {
            self.outcome.take(&run).await;
        }
        Ok(())
    }
}

fn keep_old(error: &Error) {
    error.print();
    complain("the status page stays as it was");
}

/// The sockets, and what is served on them, which a reload replaces.
struct Server {
    page: Served,
    /// Where metrics and health are, if that is not with the page.
    operations: Option<Served>,
}

/// A socket, and what is served on it.
struct Served {
    listener: TcpListener,
    shown: Arc<RwLock<Router>>,
}

impl Served {
    /// Listens, and prints where.
    async fn open(address: SocketAddr, what: &str, global: &Global, stdout: &mut Stdout) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::failed(format!("cannot listen on {address}: {}", why(&error)));
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let place = listen::place(listener.local_addr().map_err(failed)?);
        if !global.quiet
            && let Err(error) = stdout.print(&format!("{what} at {place}\n"))
        {
            complain(&format!("cannot write to standard output: {error}; the {what} is at {place}"));
        }
        Ok(Self { listener, shown: Arc::default() })
    }

    /// Serves until `stop` completes.
    async fn serve(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let shown = self.shown;
        let router = Router::new().fallback(move |request: HttpRequest| answer(Arc::clone(&shown), request));
        checkup_statuspage::serve(self.listener, router, stop).await
    }
}

impl Server {
    /// Listens, and prints where. Nothing is shown yet.
    async fn open(args: &Args, global: &Global, stdout: &mut Stdout) -> Result<Self, Error> {
        let page = Served::open(args.address(), "status page", global, stdout).await?;
        let operations = match args.metrics_listen {
            Some(address) => {
                let address = address.or(Ipv4Addr::LOCALHOST);
                Some(Served::open(address, "metrics and health", global, stdout).await?)
            }
            None => None,
        };
        Ok(Self { page, operations })
    }

    fn show(&self, content: &Content) {
        let operations = self.operations.as_ref().map(|served| &served.shown);
        show(&self.page.shown, operations, content);
    }

    /// Serves the page until a signal comes. Then open requests are answered, and the background finishes. A second signal
    /// ends the process immediately.
    async fn run(self, signals: &mut Signals, background: &mut impl Background) -> Result<(), Error> {
        let cannot_serve = |error| Error::because("cannot serve", error);
        let (stop, stopping) = watch::channel(());
        let page = Arc::clone(&self.page.shown);
        let operations = self.operations.as_ref().map(|served| Arc::clone(&served.shown));
        let stopped = || {
            let mut stopping = stopping.clone();
            async move { while stopping.changed().await.is_ok() {} }
        };
        let of_operations = async {
            match self.operations {
                Some(served) => served.serve(stopped()).await,
                None => Ok(()),
            }
        };
        let mut serve = pin!(async { tokio::try_join!(self.page.serve(stopped()), of_operations).map(drop) });
        loop {
            tokio::select! {
                served = serve.as_mut() => return served.map_err(cannot_serve),
                content = background.next_page() => show(&page, operations.as_ref(), &content?),
                request = signals.next() => match request {
                    Request::End => break,
                    Request::Reload => {
                        if let Some(content) = background.reload().await {
                            show(&page, operations.as_ref(), &content);
                        }
                    }
                },
            }
        }
        drop(stop);
        let end = async { tokio::join!(serve, background.finish()) };
        tokio::select! {
            (served, finished) = end => served.map_err(cannot_serve).and(finished),
            () = signals.end() => signals.exit(),
        }
    }
}

fn show(page: &RwLock<Router>, operations: Option<&Arc<RwLock<Router>>>, Content { site, jobs }: &Content) {
    let set = |shown: &RwLock<Router>, router| *shown.write().unwrap_or_else(PoisonError::into_inner) = router;
    match operations {
        Some(operations) => {
            set(page, site.page_router().merge(jobs.clone()));
            set(operations, site.operations_router());
        }
        None => set(page, site.router().merge(jobs.clone())),
    }
}

async fn answer(shown: Arc<RwLock<Router>>, request: HttpRequest) -> Result<axum::response::Response, Infallible> {
    let page = shown.read().unwrap_or_else(PoisonError::into_inner).clone();
    page.oneshot(request).await
}

/// Why listening on the address failed, and what to do.
fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; choose another port with --listen, or 0 for any free one".into()
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need special permission; choose another one with --listen".into()
        }
        io::ErrorKind::AddrNotAvailable => {
            "it is not an address of this machine; choose another one with --listen".into()
        }
        _ => error.to_string(),
    }
}
