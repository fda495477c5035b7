//! Attaches a message of an operator's to a check's result: to the latest that is stored, or to one of a run for it.

mod latest;
mod window;

use checkup_core::config::Registry;
use checkup_core::{Check, CheckResult, Checkup, MaintenanceWindow, Report, Storage, Timestamp};

use super::{needs_storage, store};
use crate::args::{Global, Message};
use crate::config;
use crate::exit::{Error, Exit};
use crate::node;
use crate::output::{Stdout, progress};

pub(crate) use window::Window;

pub(super) async fn run(
    registry: &Registry,
    global: &Global,
    args: &Message,
    stdout: &mut Stdout,
) -> Result<Exit, Error> {
    let checkup = node::place(config::load(registry, global)?, &args.node)?;
    // Whatever share of the checks this node has: a message may be about any.
    let whole = node::whole(&checkup);
    let storage = needs_storage(&whole, "a message")?;
    let attached = Attached::of(&whole, args)?;
    let report = match attached.latest(&whole, storage.as_ref()).await {
        Some(result) => Report::new(vec![attached.to(result)]),
        None => attached.to_a_run(&checkup, &whole, global).await,
    };
    store(&checkup, &report, !global.quiet).await?;
    if !global.quiet {
        stdout.print("Message posted\n")?;
    }
    Ok(Exit::Healthy)
}

/// What is attached, and to what.
struct Attached<'a> {
    text: &'a str,
    maintenance: Option<MaintenanceWindow>,
    /// The place of the check that it is about; `None` for all of them.
    about: Option<usize>,
}

impl<'a> Attached<'a> {
    fn of(checkup: &Checkup, args: &'a Message) -> Result<Self, Error> {
        let about = match &args.about {
            Some(name) => Some(config::position(checkup, name)?),
            None if args.maintenance.is_some() => None,
            None if checkup.checks().len() == 1 => Some(0),
            None => return Err(config::which(checkup, "name the check that the message is about with --about")),
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
        // A result has one time of maintenance, and its message says what for: anything else needs another result.
        let is_free = result.maintenance.is_none() && (self.maintenance.is_none() || result.message.is_none());
        is_free.then_some(result)
    }

    /// The report of a run that has it: of this node's checks, if the check is one of them, else of that alone.
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

    /// The result with it. Readers join it with the same result that is stored already, messages included.
    fn to(&self, mut result: CheckResult) -> CheckResult {
        result.message = Some(self.text.to_owned());
        result.maintenance = self.maintenance.or(result.maintenance);
        result
    }
}

fn is_same(one: &Check, other: &Check) -> bool {
    one.name() == other.name() && one.endpoint() == other.endpoint()
}
