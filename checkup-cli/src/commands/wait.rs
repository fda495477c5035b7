//! Runs the checks again and again until all are healthy, or the time is over.

use std::cell::RefCell;

use checkup_core::Wait;
use checkup_core::config::Registry;
use checkup_core::duration::Human;
use tokio::time::Instant;

use super::signal::Signals;
use crate::args::{self, Global};
use crate::config;
use crate::exit::{Error, Exit, complain};
use crate::node;
use crate::output::{self, Stdout, Waiting};

pub(super) async fn run(
    registry: &Registry,
    global: &Global,
    args: &args::Wait,
    stdout: &mut Stdout,
) -> Result<Exit, Error> {
    let checkup = config::load(registry, global)?;
    let checkup = config::select(node::place(checkup, &args.node)?, &args.selection)?;
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
        () = signals.next() => signals.exit(),
    };
    let healthy = report.is_healthy();
    // What was healthy at once was not waited for.
    if !global.quiet && (!healthy || waiting.into_inner().has_waited()) {
        complain(&if healthy {
            format!("healthy after {}", Human::rounded(begin.elapsed()))
        } else {
            format!("not healthy within {}", Human(args.timeout))
        });
    }
    if !global.quiet {
        output::print(&checkup, &report, args.format, false, stdout)?;
    }
    Ok(if healthy { Exit::Healthy } else { Exit::Unhealthy })
}
