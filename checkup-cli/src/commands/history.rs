//! Shows the history of checks, from any storage that can be read.

use std::time::Duration;

use checkup_core::config::Registry;
use checkup_core::{Checkup, Timestamp, duration, history as stored};
use clap::ValueEnum;

use crate::args::Global;
use crate::config::{self, needs_storage};
use crate::exit::{Error, Exit};
use crate::history::{CheckHistory, History, Period};
use crate::output::figures::count;
use crate::output::stderr::complain;
use crate::output::{Stdout, history, progress, text};
use crate::{node, selection};

/// Show the history of the checks: state, uptime, days, round-trip times, incidents, messages
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The checks with this name, or `tag:TAG` for all checks with a tag; default: all
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// How much history to show, such as `24h`, `7d` or `90d`
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = period)]
    since: Duration,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Like NAME; may be repeated
    #[arg(long, value_name = "NAME|tag:TAG")]
    only: Vec<String>,
}

/// How a history is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Human-readable bars and figures
    Text,
    /// One document, with times as in RFC 3339 and round-trip times in nanoseconds
    Json,
}

/// How many of the unreadable files are named.
const NAMED: usize = 3;

pub(crate) async fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    // The history covers all checks, not only this node's share.
    let checkup = node::whole(&config::load(registry, global)?);
    let storage = needs_storage(&checkup, "the history")?;
    let reader = storage.reader().ok_or_else(|| {
        Error::usage(
            "this storage cannot be read, because it only forwards results; look at the history where it sends them",
        )
    })?;
    let period = Period { length: args.since, now: Timestamp::now() };
    let since = period.start().min(period.since());
    let reading = stored::read_summary(reader, since);
    let summary = progress::spin("reading the history", reading, global)
        .await
        .map_err(|error| Error::because("cannot read the storage", error))?;
    let mut history = History::new(&checkup, &summary, period);
    select(&mut history.checks, &checkup, args)?;
    if !summary.unread.is_empty() && !global.quiet {
        complain(&unread(summary.unread.iter().map(String::as_str)));
    }
    if !global.quiet {
        summary.problems.iter().for_each(|problem| complain(problem));
        match args.format {
            Format::Text => stdout.print(&text::history(&history, text::Layout::new(stdout, false)))?,
            Format::Json => history::print(&history, stdout)?,
        }
    }
    Ok(Exit::Healthy)
}

/// Keeps only the checks that were asked for; all of them if none were.
fn select(checks: &mut Vec<CheckHistory<'_>>, checkup: &Checkup, args: &Args) -> Result<(), Error> {
    let wanted: Vec<_> = args.name.iter().chain(&args.only).collect();
    let is_wanted = |check: &CheckHistory<'_>, wanted: &str| {
        let has_tag = |tag: &str| check.tags.iter().any(|own| own == tag);
        check.name.to_lowercase() == wanted.to_lowercase() || wanted.strip_prefix("tag:").is_some_and(has_tag)
    };
    for wanted in &wanted {
        if !checks.iter().any(|check| is_wanted(check, wanted)) {
            return Err(selection::nothing_is(checkup, checks.iter().map(|check| check.name.clone()), wanted));
        }
    }
    if !wanted.is_empty() {
        checks.retain(|check| wanted.iter().any(|wanted| is_wanted(check, wanted)));
    }
    Ok(())
}

/// `2 check files cannot be read and are left out: a, b`
fn unread<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let total = names.len();
    let are = if total == 1 { "is" } else { "are" };
    let named: Vec<_> = names.take(NAMED).collect();
    let more = match total - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} cannot be read and {are} left out: {}{more}", count(total, "check file"), named.join(", "))
}

fn period(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);
    let period = duration::parse(text).map_err(|error| error.to_string())?;
    if period.is_zero() || period > LONGEST {
        return Err("expected more than 0, and at most ten years".into());
    }
    Ok(period)
}
