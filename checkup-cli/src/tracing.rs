//! Diagnostics of the libraries, to standard error.

use std::env;
use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

use crate::exit::Error;

/// Sets the subscriber of this process: what `RUST_LOG` asks for, else what the command line does.
pub(crate) fn init(verbose: u8, quiet: bool) -> Result<(), Error> {
    let wanted = env::var("RUST_LOG").ok().filter(|directives| !directives.is_empty());
    let times = verbose > 0 || wanted.is_some();
    let targets = match wanted {
        Some(directives) => directives.parse::<Targets>().map_err(|error| {
            Error::usage(format!("RUST_LOG: expected such as `checkup_core=debug`, found {directives:?}: {error}"))
        })?,
        None => targets(verbose, quiet),
    };
    let layer = fmt::layer().with_writer(io::stderr).with_ansi(false);
    let layer = if times { layer.boxed() } else { layer.without_time().boxed() };
    // An error says that the program has set a subscriber of its own, which is as good.
    let _ = registry().with(layer.with_filter(targets)).try_init();
    Ok(())
}

fn targets(verbose: u8, quiet: bool) -> Targets {
    // Targets are prefixes: this is every crate of the project.
    const OURS: &str = "checkup";
    match verbose {
        0 if quiet => Targets::new().with_target(OURS, LevelFilter::ERROR),
        // What the command prints itself is not said twice: that checks are down, that a report was not stored, and that a check
        // file cannot be read.
        0 => Targets::new()
            .with_target(OURS, LevelFilter::WARN)
            .with_target("checkup_core::engine", LevelFilter::ERROR)
            .with_target("checkup_core::monitor", LevelFilter::ERROR)
            .with_target("checkup_core::summary", LevelFilter::ERROR),
        1 => Targets::new().with_default(LevelFilter::INFO).with_target(OURS, LevelFilter::DEBUG),
        _ => Targets::new().with_default(LevelFilter::DEBUG).with_target(OURS, LevelFilter::TRACE),
    }
}
