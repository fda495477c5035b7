//! Posts an operator's message: with the latest result of its check, if that is fresh, or else as an entry of its own.

mod existing;
mod group;
mod latest;
mod recurrence;
mod window;

use std::hash::{BuildHasher, RandomState};

use checkup_core::config::Registry;
use checkup_core::{Check, CheckResult, Checkup, MaintenanceWindow, Post, PostState, Report, Timestamp};
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;

use crate::args::Global;
use crate::config::{self, needs_storage};
use crate::exit::{Error, Exit};
use crate::node::{self, Node};
use crate::output::Stdout;
use crate::{selection, spool};
use existing::Existing;
use recurrence::Recurrence;
use window::Window;

/// Post a message or announce a maintenance window on the status page
///
/// It needs no results and runs no checks.
///
/// `list` shows the ids of what was posted; `edit` and `end` change and withdraw it.
///
/// Stored files are never rewritten.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    /// The message
    #[arg(value_parser = text, required = true)]
    text: Option<String>,
    /// The name of the check that it is about, regardless of case; default: the only check, or all checks
    #[arg(short, long, value_name = "NAME")]
    about: Option<String>,
    /// The group of checks that it is about, by their `group` or a group of the status page
    #[arg(short, long, value_name = "GROUP", conflicts_with = "about")]
    group: Option<String>,
    #[command(flatten)]
    details: Details,
    #[command(flatten)]
    node: Node,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Args)]
struct Details {
    /// When failures are expected and do not count
    ///
    /// FROM and TO are times such as 2026-11-20T22:00Z or 2026-11-20T23:00+01:00, `now`, or relative.
    ///
    /// `-30m` is before now. `+2h` is after now; as TO, it is after FROM.
    #[arg(long, value_name = "FROM..TO", value_parser = Window::parse, allow_hyphen_values = true)]
    maintenance: Option<Window>,
    /// When the maintenance recurs, for 400 days, as in cron: "0 3 * * sun" is each Sunday at three
    #[arg(long, value_name = "RULE", value_parser = Recurrence::parse, requires = "maintenance")]
    repeat: Option<Recurrence>,
    /// The time zone of --repeat, such as Europe/Berlin; default: UTC
    #[arg(long, value_name = "ZONE", value_parser = recurrence::zone, requires = "repeat")]
    zone: Option<jiff::tz::TimeZone>,
    /// The progress of the work on an incident
    #[arg(long, value_name = "STATE", value_parser = states())]
    state: Option<PostState>,
    /// The id of the incident that it is about, from `checkup history --format json`
    ///
    /// Default: the incident at the time of the message.
    #[arg(long, value_name = "ID")]
    incident: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Change the text, the maintenance window or the state of what was posted
    Edit {
        /// The id, from `checkup message list`
        id: String,
        /// The new text; default: the current one
        #[arg(value_parser = text)]
        text: Option<String>,
        #[command(flatten)]
        details: Box<Details>,
    },
    /// Withdraw a message or a maintenance window, as if it had never been posted
    ///
    /// To end maintenance early, change its window: `checkup message edit ID --maintenance FROM..now`.
    End {
        /// The id, from `checkup message list`
        id: String,
    },
    /// List the messages of the last 90 days and all maintenance windows, the latest first, with their ids
    List,
}

pub(crate) async fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    let checkup = node::place(config::load(registry, global)?, &args.node)?;
    // A message may be about any check, not only this node's share.
    let whole = node::whole(&checkup);
    let storage = needs_storage(&whole, "a message")?;
    let (entries, id, done) = match &args.action {
        None => {
            let drafts = Draft::all(&whole, args)?;
            let id = drafts.first().map(|draft| draft.post.id.clone()).unwrap_or_default();
            (drafts, id, "posted")
        }
        Some(Action::List) => {
            let existing = Existing::read(storage.as_ref(), global).await?;
            if !global.quiet {
                stdout.print(&existing.listed())?;
            }
            return Ok(Exit::Healthy);
        }
        Some(Action::Edit { id, text, details }) => {
            if text.is_none() && details.is_empty() {
                return Err(Error::usage("nothing to change; add a text, --maintenance, --state or --incident"));
            }
            let window = details.window()?;
            let recurring = details.recurring(window)?;
            let existing = Existing::read(storage.as_ref(), global).await?;
            let mut drafts = existing.drafts(&whole, id)?;
            for draft in &mut drafts {
                draft.text = text.clone().or(draft.text.take());
                if window.is_some() {
                    (draft.window, draft.post.recurrence, draft.post.windows) = (window, None, Vec::new());
                }
                if let Some((rule, windows)) = recurring.clone() {
                    (draft.post.recurrence, draft.post.windows) = (Some(rule), windows);
                }
                draft.post.state = details.state.or(draft.post.state);
                draft.post.incident = details.incident.clone().or(draft.post.incident.take());
            }
            (drafts, id.clone(), "edited")
        }
        Some(Action::End { id }) => {
            let existing = Existing::read(storage.as_ref(), global).await?;
            let mut drafts = existing.drafts(&whole, id)?;
            for draft in &mut drafts {
                draft.post.ended = true;
                (draft.text, draft.window) = (None, None);
                (draft.post.recurrence, draft.post.windows) = (None, Vec::new());
            }
            (drafts, id.clone(), "ended")
        }
    };
    let mut results = Vec::new();
    for draft in entries {
        results.push(draft.into_result(&whole, storage.as_ref()).await);
    }
    spool::store(&checkup, &Report::new(results), !global.quiet).await?;
    if !global.quiet {
        stdout.print(&format!("Message {id} {done}\n"))?;
    }
    Ok(Exit::Healthy)
}

/// Maintenance windows, each from its start to the first moment after it.
type Windows = Vec<(Timestamp, Timestamp)>;

/// The post to store.
struct Draft {
    /// The name and endpoint of its check; for all checks, those of any check.
    check: (String, String),
    text: Option<String>,
    window: Option<MaintenanceWindow>,
    post: Post,
}

impl Draft {
    /// One for each check of a group, else one.
    fn all(checkup: &Checkup, args: &Args) -> Result<Vec<Self>, Error> {
        let draft = Self::new(checkup, args)?;
        let Some(group) = &args.group else { return Ok(vec![draft]) };
        let (group, checks) = group::checks(checkup, group)?;
        let of = |check| {
            let mut post = draft.post.clone();
            (post.all, post.group) = (false, Some(group.clone()));
            Self { check, text: draft.text.clone(), window: draft.window, post }
        };
        Ok(checks.into_iter().map(of).collect())
    }

    fn new(checkup: &Checkup, args: &Args) -> Result<Self, Error> {
        let place = match &args.about {
            Some(name) => Some(selection::position(checkup, name)?),
            None if args.group.is_none() && args.details.maintenance.is_none() && checkup.checks().len() == 1 => {
                Some(0)
            }
            None => None,
        };
        let mut post = Post::new(new_id(), Timestamp::now());
        post.all = place.is_none();
        post.state = args.details.state;
        post.incident.clone_from(&args.details.incident);
        let check = checkup.checks().nth(place.unwrap_or(0)).map(of_check).unwrap_or_default();
        let window = args.details.window()?;
        if let Some((rule, windows)) = args.details.recurring(window)? {
            (post.recurrence, post.windows) = (Some(rule), windows);
        }
        Ok(Self { check, text: args.text.clone(), window, post })
    }

    /// The entry of a check file: a copy of the latest result, if that is fresh, so that the page of the original shows the message with
    /// the state that the check is in.
    async fn into_result(self, checkup: &Checkup, storage: &dyn checkup_core::Storage) -> CheckResult {
        let check = checkup.checks().find(|check| of_check(check) == self.check);
        let latest = match (storage.reader(), check) {
            (Some(reader), Some(check)) => latest::fresh(reader, &[check], Timestamp::now()).await,
            _ => None,
        };
        let mut result = match latest {
            Some(result) => result,
            None => CheckResult::of_post(self.check.0, self.check.1, self.post.clone()),
        };
        let is_of_all = self.post.all;
        result.post = Some(Box::new(self.post));
        result.message = self.text.map(Into::into);
        let window = self.window.map(|window| if is_of_all { window.of_all_checks() } else { window });
        result.maintenance = window.map(Box::new);
        result
    }
}

impl Details {
    fn is_empty(&self) -> bool {
        self.maintenance.is_none() && self.state.is_none() && self.incident.is_none()
    }

    fn window(&self) -> Result<Option<MaintenanceWindow>, Error> {
        let window = self.maintenance.map(|window| window.at(Timestamp::now())).transpose();
        window.map_err(|error| Error::usage(format!("--maintenance: {error}")))
    }

    /// When the maintenance recurs, in words, and the further windows.
    fn recurring(&self, window: Option<MaintenanceWindow>) -> Result<Option<(String, Windows)>, Error> {
        let (Some(rule), Some(first)) = (&self.repeat, window) else { return Ok(None) };
        let zone = self.zone.clone().unwrap_or(jiff::tz::TimeZone::UTC);
        let windows = rule.after(first, &zone).map_err(|error| Error::usage(format!("--repeat: {error}")))?;
        Ok(Some((rule.shown(&zone), windows)))
    }
}

fn of_check(check: &Check) -> (String, String) {
    (check.name().into_owned(), check.shown_endpoint().into_owned())
}

/// An id that is short enough to type. Two nodes are unlikely to choose the same one.
fn new_id() -> String {
    let hash = RandomState::new().hash_one((Timestamp::now().unix_nanos(), std::process::id()));
    format!("{:010x}", hash >> 24)
}

fn states() -> impl clap::builder::TypedValueParser<Value = PostState> {
    use PostState::{Identified, Investigating, Monitoring, Resolved};
    let all = [Investigating, Identified, Monitoring, Resolved];
    PossibleValuesParser::new(all.map(PostState::as_str))
        .map(move |name| all.into_iter().find(|state| state.as_str() == name).unwrap_or(Investigating))
}

fn text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected some text".into()),
        text => Ok(text.to_owned()),
    }
}
