//! Shows the history of checks, from any storage that can be read.

use checkup_core::config::Registry;
use checkup_core::{Checkup, Timestamp, history as stored};

use super::needs_storage;
use crate::args::{Global, History as Args, HistoryFormat};
use crate::config;
use crate::exit::{Error, Exit, complain};
use crate::history::{CheckHistory, History, Period};
use crate::node;
use crate::output::figures::count;
use crate::output::{Stdout, history, progress, text};

/// How many of the files are named that cannot be read.
const NAMED: usize = 3;

pub(super) async fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    // Whatever share of the checks this node has: the history is of all.
    let checkup = node::whole(&config::load(registry, global)?);
    let storage = needs_storage(&checkup, "the history")?;
    let reader = storage.reader().ok_or_else(|| {
        Error::usage("this storage cannot be read: it only sends results on; see its own pages for the history")
    })?;
    let period = Period { length: args.since, now: Timestamp::now() };
    let since = period.start().min(period.since());
    let reading = stored::read_summary(reader, since);
    let summary = progress::spin("reading the history", reading, global).await.map_err(Error::Read)?;
    let mut history = History::new(&checkup, &summary, period);
    select(&mut history.checks, &checkup, args)?;
    if !summary.unread.is_empty() && !global.quiet {
        complain(&unread(summary.unread.iter().map(String::as_str)));
    }
    if !global.quiet {
        match args.format {
            HistoryFormat::Text => stdout.print(&text::history(&history, text::Layout::new(stdout, false)))?,
            HistoryFormat::Json => history::print(&history, stdout)?,
        }
    }
    Ok(Exit::Healthy)
}

/// Keeps only the checks that were asked for. All of them, if none was.
fn select(checks: &mut Vec<CheckHistory<'_>>, checkup: &Checkup, args: &Args) -> Result<(), Error> {
    let wanted: Vec<_> = args.name.iter().chain(&args.only).collect();
    let is_wanted = |check: &CheckHistory<'_>, wanted: &str| {
        let has_tag = |tag: &str| check.tags.iter().any(|own| own == tag);
        check.name.to_lowercase() == wanted.to_lowercase() || wanted.strip_prefix("tag:").is_some_and(has_tag)
    };
    for wanted in &wanted {
        if !checks.iter().any(|check| is_wanted(check, wanted)) {
            return Err(config::nothing_is(checkup, checks.iter().map(|check| check.name.clone()), wanted));
        }
    }
    if !wanted.is_empty() {
        checks.retain(|check| wanted.iter().any(|wanted| is_wanted(check, wanted)));
    }
    Ok(())
}

/// `2 check files cannot be read, and are left out: a, b`
fn unread<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let total = names.len();
    let are = if total == 1 { "is" } else { "are" };
    let named: Vec<_> = names.take(NAMED).collect();
    let more = match total - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} cannot be read, and {are} left out: {}{more}", count(total, "check file"), named.join(", "))
}
