//! What was posted: to find it by its id, and to list it.

use std::collections::BTreeSet;
use std::time::Duration;

use checkup_core::summary::{Posted, Summary};
use checkup_core::{Checkup, MaintenanceWindow, Post, Storage, Timestamp, history};

use super::{Draft, of_check};
use crate::args::Global;
use crate::exit::Error;
use crate::output::times::{minute, span};
use crate::output::{escape, progress};

/// How far back messages are looked for.
const PERIOD: Duration = Duration::from_secs(90 * 86_400);

/// What was posted and not withdrawn, the latest first.
pub(super) struct Existing {
    items: Vec<Item>,
}

/// A message or a maintenance window.
struct Item {
    /// What identifies it for people. The text of a window that was attached to results belongs to the window.
    id: String,
    /// The check; `None` for all checks. Windows that were attached to a result have no endpoint.
    check: Option<(String, Option<String>)>,
    message: Posted,
    /// The start and the end of its maintenance.
    window: Option<(Timestamp, Timestamp)>,
    /// When it recurs, in words, and the further windows.
    recurrence: Option<(String, Vec<(Timestamp, Timestamp)>)>,
    /// When its newest version was written.
    revised: Timestamp,
}

impl Existing {
    pub(super) async fn read(storage: &dyn Storage, global: &Global) -> Result<Self, Error> {
        let reader = storage.reader().ok_or_else(|| {
            Error::usage(
                "this storage cannot be read, because it only forwards results; find the message where it sends them",
            )
        })?;
        let reading = history::read_summary(reader, Timestamp::now().saturating_sub(PERIOD));
        let summary = progress::spin("reading the history", reading, global)
            .await
            .map_err(|error| Error::because("cannot read the storage", error))?;
        Ok(Self::of(&summary))
    }

    fn of(summary: &Summary) -> Self {
        let mut items: Vec<Item> = summary
            .posts()
            .map(|post| Item {
                id: post.message.id.clone(),
                check: post.check.clone().map(|(name, endpoint)| (name, Some(endpoint))),
                message: post.message.clone(),
                window: post.window,
                recurrence: post.recurrence.clone(),
                revised: post.revised,
            })
            .collect();
        let in_posts = items.len();
        for series in summary.checks() {
            let Some(first) = series.first() else { continue };
            for message in summary.messages(series) {
                let is_known = |item: &Item| {
                    item.message == *message && item.check.as_ref().is_some_and(|(name, _)| *name == first.name)
                };
                if !items[..in_posts].iter().any(is_known) {
                    let check = Some((first.name.clone(), Some(first.endpoint.clone())));
                    items.push(Item {
                        id: message.id.clone(),
                        check,
                        message: message.clone(),
                        window: None,
                        recurrence: None,
                        revised: message.at,
                    });
                }
            }
        }
        for window in &summary.windows {
            let is_known = |item: &Item| {
                item.message.id == window.id && item.check.as_ref().map(|(name, _)| name) == window.name.as_ref()
            };
            if items[..in_posts].iter().any(is_known) {
                continue;
            }
            // It was attached to results, together with its text.
            let is_its_text = |item: &Item| {
                item.window.is_none()
                    && item.message.text == window.text
                    && (window.name.is_none() || item.check.as_ref().map(|(name, _)| name) == window.name.as_ref())
            };
            let texts: Vec<_> = (in_posts..items.len()).filter(|place| is_its_text(&items[*place])).collect();
            let Some(mut message) = texts.first().map(|place| items[*place].message.clone()) else { continue };
            for place in texts {
                items[place].id.clone_from(&window.id);
            }
            message.id.clone_from(&window.id);
            let check = window.name.clone().map(|name| (name, None));
            let (id, window) = (window.id.clone(), Some((window.from, window.to)));
            items.push(Item { id, check, revised: message.at, message, window, recurrence: None });
        }
        items.sort_by(|a, b| b.message.cmp(&a.message));
        Self { items }
    }

    /// A new version of everything with this id.
    pub(super) fn drafts(&self, checkup: &Checkup, id: &str) -> Result<Vec<Draft>, Error> {
        let found: Vec<_> = self.items.iter().filter(|item| item.id == id).map(|item| item.draft(checkup)).collect();
        if found.is_empty() {
            return Err(Error::usage(format!("no message has the id {id:?}; `checkup message list` shows all ids")));
        }
        Ok(found)
    }

    /// `7f3a91c0de  2026-11-20 03:12  Shop  We are on it`
    pub(super) fn listed(&self) -> String {
        let mut lines = String::new();
        let mut groups = BTreeSet::new();
        for item in self.items.iter().filter(|item| item.id == item.message.id) {
            let group = item.message.group.as_deref();
            if group.is_some() && !groups.insert(&item.id) {
                continue;
            }
            let about = item.check.as_ref().map_or("all checks", |(name, _)| name);
            let about = group.map_or_else(|| about.to_owned(), |group| format!("group {group}"));
            let window =
                item.window.map(|(from, to)| format!("  maintenance {}", span(from, Some(to)))).unwrap_or_default();
            let rule =
                item.recurrence.as_ref().map(|(rule, _)| format!(", then {}", escape::line(rule))).unwrap_or_default();
            let state = item.message.state.map(|state| format!("  {state}")).unwrap_or_default();
            let (id, time) = (escape::line(&item.message.id), minute(item.message.at));
            let (about, text) = (escape::line(&about), escape::line(&item.message.text));
            lines.push_str(&format!("{id}  {time}  {about}{window}{rule}{state}  {text}\n"));
        }
        if lines.is_empty() { "nothing was posted in the last 90 days\n".to_owned() } else { lines }
    }
}

impl Item {
    fn draft(&self, checkup: &Checkup) -> Draft {
        let mut post = Post::new(self.message.id.clone(), Timestamp::now());
        // Later than the version that it replaces, even if the clock of that version's node is ahead.
        post.at = post.at.max(self.revised.saturating_add(Duration::from_millis(1)));
        post.posted = Some(self.message.at);
        post.all = self.check.is_none();
        post.state = self.message.state;
        post.incident.clone_from(&self.message.incident);
        post.group.clone_from(&self.message.group);
        (post.recurrence, post.windows) =
            self.recurrence.clone().map(|(rule, of)| (Some(rule), of)).unwrap_or_default();
        let named = |name: &str| checkup.checks().map(of_check).find(|(own, _)| own == name);
        let check = match &self.check {
            Some((name, Some(endpoint))) => (name.clone(), endpoint.clone()),
            Some((name, None)) => named(name).unwrap_or_else(|| (name.clone(), String::new())),
            None => checkup.checks().next().map(of_check).unwrap_or_default(),
        };
        let window = self.window.map(|(from, to)| MaintenanceWindow::new(from, to));
        Draft { check, text: Some(self.message.text.clone()).filter(|text| !text.is_empty()), window, post }
    }
}
