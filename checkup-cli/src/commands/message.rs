//! Attaches an operator's message to a result: to the latest that is stored, or to one of a run for it.

mod latest;
mod window;

use checkup_core::config::Registry;
use checkup_core::{Check, CheckResult, Checkup, MaintenanceWindow, Report, Storage, Timestamp};

use crate::args::Global;
use crate::config::{self, needs_storage};
use crate::exit::{Error, Exit};
use crate::node::{self, Node};
use crate::output::{Stdout, progress};
use crate::{selection, spool};
use window::Window;

/// Post a message or announce a maintenance window on the status page
///
/// It is stored with the latest result of the check. If that is too old, the checks run first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The message
    #[arg(value_parser = text)]
    text: String,
    /// The name of the check that it is about, in any case; required unless there is only one check
    #[arg(short, long, value_name = "NAME")]
    about: Option<String>,
    /// When failures are expected and do not count; for all checks unless --about is set
    ///
    /// A side is a time such as 2026-11-20T22:00Z or 2026-11-20T23:00+01:00, `now`, or relative.
    ///
    /// `-30m` is before now. `+2h` is after now; as the end, it is after the start.
    #[arg(long, value_name = "FROM..TO", value_parser = Window::parse, allow_hyphen_values = true)]
    maintenance: Option<Window>,
    #[command(flatten)]
    node: Node,
}

pub(crate) async fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    let checkup = node::place(config::load(registry, global)?, &args.node)?;
    // A message may be about any check, not only this node's share.
    let whole = node::whole(&checkup);
    let storage = needs_storage(&whole, "a message")?;
    let attached = Attached::of(&whole, args)?;
    let report = match attached.latest(&whole, storage.as_ref()).await {
        Some(result) => Report::new(vec![attached.to(result)]),
        None => attached.to_a_run(&checkup, &whole, global).await,
    };
    spool::store(&checkup, &report, !global.quiet).await?;
    if !global.quiet {
        stdout.print("Message posted\n")?;
    }
    Ok(Exit::Healthy)
}

/// What is attached to which check.
struct Attached<'a> {
    text: &'a str,
    maintenance: Option<MaintenanceWindow>,
    /// The place of the check that it is about; `None` for all checks.
    about: Option<usize>,
}

impl<'a> Attached<'a> {
    fn of(checkup: &Checkup, args: &'a Args) -> Result<Self, Error> {
        let about = match &args.about {
            Some(name) => Some(selection::position(checkup, name)?),
            None if args.maintenance.is_some() => None,
            None if checkup.checks().len() == 1 => Some(0),
            None => return Err(selection::which(checkup, "choose the check that the message is about with --about")),
        };
        let window = args.maintenance.map(|window| window.at(Timestamp::now())).transpose();
        let window = window.map_err(|error| Error::usage(format!("--maintenance: {error}")))?;
        let maintenance = window.map(|window| if about.is_none() { window.of_all_checks() } else { window });
        Ok(Self { text: &args.text, maintenance, about })
    }

    /// The latest stored result to attach it to, if there is a fresh one.
    async fn latest(&self, checkup: &Checkup, storage: &dyn Storage) -> Option<CheckResult> {
        let reader = storage.reader()?;
        let is_about = |place| self.about.is_none_or(|about| about == place);
        let checks: Vec<&Check> =
            checkup.checks().enumerate().filter(|(place, _)| is_about(*place)).map(|(_, check)| check).collect();
        let result = latest::fresh(reader, &checks, Timestamp::now()).await?;
        // A result has one maintenance window, and its message describes it: anything else needs another result.
        let is_free = result.maintenance.is_none() && (self.maintenance.is_none() || result.message.is_none());
        is_free.then_some(result)
    }

    /// The report of a run that has it: a run of this node's checks if the check is one of them, or else of that check alone.
    async fn to_a_run(&self, checkup: &Checkup, whole: &Checkup, global: &Global) -> Report {
        let about = whole.checks().nth(self.about.unwrap_or(0));
        let is_about = |check: &Check| about.is_some_and(|about| is_same(about, check));
        let own = match self.about {
            None => (checkup.checks().len() > 0).then_some(0),
            Some(_) => checkup.checks().position(is_about),
        };
        let (checkup, place) = match own {
            Some(place) => (checkup.clone(), place),
            None => (whole.only(is_about), 0),
        };
        let mut report = progress::check(&checkup, global.quiet).await;
        if let Some(result) = report.results.get_mut(place) {
            *result = self.to(result.clone());
        }
        report
    }

    /// The result with it. Readers join it with the copy of the result that is stored already, messages included.
    fn to(&self, mut result: CheckResult) -> CheckResult {
        result.message = Some(self.text.to_owned());
        result.maintenance = self.maintenance.or(result.maintenance);
        result
    }
}

fn is_same(one: &Check, other: &Check) -> bool {
    one.name() == other.name() && one.endpoint() == other.endpoint()
}

fn text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected some text".into()),
        text => Ok(text.to_owned()),
    }
}
