//! Runs the checks repeatedly until all are healthy, or the time is up.

use std::cell::RefCell;
use std::time::Duration;

use checkup_core::Wait;
use checkup_core::config::Registry;
use checkup_core::duration::{self, GoDuration};
use tokio::time::Instant;

use super::signal::Signals;
use crate::args::{Global, OutputFormat, interval};
use crate::config;
use crate::exit::{Error, Exit};
use crate::node::{self, Node};
use crate::output::stderr::complain;
use crate::output::{self, Stdout, Waiting};
use crate::selection::{self, Selection};
use crate::urls::Urls;

/// Run the checks repeatedly until all are healthy, then print the last report
///
/// Exits with 0 as soon as all are healthy, or with 1 when the time is up. Stores nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    urls: Urls,
    /// The maximum time to wait, such as `30s` or `1m30s`
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = limit)]
    timeout: Duration,
    /// The pause between two runs. Default: 50 ms after the first, doubled up to 2 s
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    interval: Option<Duration>,
    /// How to print the last report; default: text
    #[arg(long, value_name = "FORMAT")]
    format: Option<OutputFormat>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    node: Node,
}

pub(crate) async fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    let checkup = match args.urls.is_empty() {
        true => config::load(registry, global)?,
        false => args.urls.checkup(registry)?,
    };
    let checkup = selection::select(node::place(checkup, &args.node)?, &args.selection)?;
    if !global.quiet {
        node::warn_if_idle(&checkup);
    }
    let mut wait = Wait::up_to(args.timeout);
    wait.interval = args.interval;
    let mut signals = Signals::new()?;
    let begin = Instant::now();
    let waiting = RefCell::new(Waiting::new(global, args.timeout));
    let report = tokio::select! {
        waited = checkup.wait(wait, |report| waiting.borrow_mut().update(report)) => {
            waited.unwrap_or_else(|not_healthy| not_healthy.report)
        },
        never = Waiting::show(&waiting) => match never {},
        () = signals.any() => signals.exit(),
    };
    let healthy = report.is_healthy();
    // If the first run was healthy, there was no wait to report.
    if !global.quiet && (!healthy || waiting.into_inner().has_waited()) {
        complain(&if healthy {
            format!("healthy after {}", GoDuration::rounded(begin.elapsed()))
        } else {
            format!("not healthy within {}", GoDuration(args.timeout))
        });
    }
    if !global.quiet {
        output::print(&checkup, &report, args.format, false, stdout)?;
    }
    Ok(if healthy { Exit::Healthy } else { Exit::Unhealthy })
}

impl Args {
    pub(crate) fn without_effect(&self, global: &Global) -> Option<String> {
        self.urls.without_effect(global, &self.selection)
    }
}

fn limit(text: &str) -> Result<Duration, String> {
    let limit = duration::parse(text).map_err(|error| error.to_string())?;
    if limit.is_zero() {
        return Err("expected more than 0; without a command, the checks run once".into());
    }
    Ok(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_duration_above_zero() {
        assert_eq!(limit("1m30s"), Ok(Duration::from_secs(90)));
        assert!(limit("0s").unwrap_err().starts_with("expected more than 0"));
    }
}
