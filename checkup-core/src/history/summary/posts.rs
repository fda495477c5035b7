//! What operators have announced: posts, and the maintenance windows in force.
//!
//! Only the newest version of each post is kept, by its time and then by its content, so that the order in which files are read does not
//! matter. A post that ended is kept too: the file of the version that it withdraws may arrive later, or be read again.

use super::{LONGEST_WINDOW, MAX_WINDOWS, Posted, Series, Summary};
use crate::history::point::{shortened, to_millis};
use crate::history::sweep::joined;
use crate::{CheckResult, Timestamp};

/// How many posts are kept: those that were written last.
const MAX_POSTS: usize = 2000;

/// How many characters of a text are kept.
const MAX_TEXT: usize = 2000;

/// How long an id may be, in bytes.
const MAX_ID: usize = 64;

const IMPLAUSIBLE: &str = "maintenance that ends before it begins, or lasts more than 400 days, was left out";

/// The newest version of a post.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct CurrentPost {
    /// When this version was written.
    pub revised: Timestamp,
    /// Whether it was withdrawn.
    pub ended: bool,
    /// The name and endpoint of the check that it is about; `None` for all checks.
    pub check: Option<(String, String)>,
    /// What it says.
    pub message: Posted,
    /// The maintenance that it announces: the start, and the first moment after it.
    pub window: Option<(Timestamp, Timestamp)>,
}

/// What identifies a post: its id, and the name of the check. Messages of the original format have ids that are unique for a check.
pub(crate) type PostKey = (String, Option<String>);

/// A maintenance window that an operator announced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Window {
    /// When it begins.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// The check that it applies to; `None` for all checks.
    pub name: Option<String>,
    /// The operator's text.
    pub text: String,
    /// Identifies it, to edit or withdraw it: the id of its post, or one of its times if it has no post.
    pub id: String,
}

impl Window {
    /// Whether it applies to this check at this time.
    pub fn covers(&self, name: &str, time: Timestamp) -> bool {
        self.from <= time && time < self.to && self.name.as_deref().is_none_or(|own| own == name)
    }

    /// The id of a window without a post.
    pub(crate) fn plain_id(from: Timestamp, to: Timestamp) -> String {
        let millis = |time: Timestamp| time.unix_nanos().div_euclid(1_000_000);
        format!("w{}-{}", millis(from), millis(to))
    }

    fn key(&self) -> PostKey {
        (self.id.clone(), self.name.clone())
    }
}

impl CurrentPost {
    /// The post that a result is; `None` if it is not a post or has impossible values.
    fn of(result: &CheckResult) -> Option<Self> {
        let post = result.post.as_deref()?;
        let text = shortened(result.message.as_deref().unwrap_or_default(), MAX_TEXT);
        let current = Self {
            revised: to_millis(post.at),
            ended: post.ended,
            check: (!post.all).then(|| (result.name.clone(), result.endpoint.clone())),
            message: Posted {
                at: to_millis(post.posted()),
                id: post.id.clone(),
                text: if post.ended { String::new() } else { text },
                state: post.state,
                incident: post.incident.clone().filter(|id| id.len() <= MAX_ID),
            },
            window: result
                .maintenance
                .as_deref()
                .filter(|_| !post.ended)
                .map(|window| (to_millis(window.from), to_millis(window.to))),
        };
        current.is_possible().then_some(current)
    }

    pub(crate) fn key(&self) -> PostKey {
        (self.message.id.clone(), self.check.as_ref().map(|(name, _)| name.clone()))
    }

    /// Whether it can be a post.
    pub(crate) fn is_possible(&self) -> bool {
        let id = &self.message.id;
        !id.is_empty()
            && id.len() <= MAX_ID
            && id.chars().all(|c| c.is_ascii_graphic())
            && self.message.at >= Timestamp::default()
            && self.revised >= Timestamp::default()
    }

    /// Its maintenance window, if it is in force.
    fn window(&self) -> Option<Window> {
        let (from, to) = self.window.filter(|_| !self.ended)?;
        let (id, name) = self.key();
        Some(Window { from, to, name, text: self.message.text.clone(), id })
    }

    /// The last time at which it matters. What it withdraws may last as long as a window that was announced at that time.
    fn matters_until(&self) -> Timestamp {
        match self.window {
            Some((_, to)) => to.max(self.revised),
            None if self.ended => self.revised.saturating_add(2 * LONGEST_WINDOW),
            None => self.revised,
        }
    }
}

impl Summary {
    /// The posts that were not withdrawn, in no particular order, without the messages and windows in results of the original format.
    pub fn posts(&self) -> impl Iterator<Item = &CurrentPost> {
        self.posts.values().filter(|post| !post.ended)
    }

    /// What was posted to all checks, oldest first, without the texts of maintenance windows.
    pub fn announcements(&self) -> Vec<&Posted> {
        let of_all = self.posts().filter(|post| post.check.is_none() && post.window.is_none());
        let mut messages: Vec<_> = of_all.map(|post| &post.message).collect();
        messages.sort();
        messages
    }

    /// What was posted about the check of these series, oldest first: posts without a maintenance window, and messages in results.
    pub fn messages<'a>(&'a self, series: impl IntoIterator<Item = &'a Series>) -> Vec<&'a Posted> {
        let mut messages = Vec::new();
        let mut check = None;
        for series in series {
            check = Some((series.name.as_str(), series.endpoint.as_str()));
            messages.extend(series.messages.iter().filter(|message| !self.is_replaced(message, &series.name)));
        }
        let is_about = |post: &&CurrentPost| {
            post.window.is_none()
                && post.check.as_ref().is_some_and(|(name, endpoint)| Some((name.as_str(), endpoint.as_str())) == check)
        };
        messages.extend(self.posts().filter(is_about).map(|post| &post.message));
        messages.sort();
        messages.dedup();
        messages
    }

    /// Whether a message in a result was edited or withdrawn.
    fn is_replaced(&self, message: &Posted, name: &str) -> bool {
        !self.posts.is_empty() && self.posts.contains_key(&(message.id.clone(), Some(name.to_owned())))
    }

    /// Adds what an operator attached to a result.
    pub(crate) fn add_announced(&mut self, result: &CheckResult) {
        if result.post.is_some() {
            match CurrentPost::of(result) {
                Some(post) => self.take_post(post),
                None => self.report("posts without a valid id or time were left out"),
            }
            return;
        }
        if let Some(window) = result.maintenance.as_deref() {
            let text = result.message.as_deref().unwrap_or_default().to_owned();
            let name = (!window.all).then(|| result.name.clone());
            let (from, to) = (to_millis(window.from), to_millis(window.to));
            if window.from > result.timestamp.saturating_add(LONGEST_WINDOW) {
                self.report("maintenance that is announced more than 400 days ahead was left out");
            } else {
                self.announce(Window { from, to, name, text, id: Window::plain_id(from, to) });
            }
        }
    }

    /// Adds a version of a post. The newest counts, whatever the order.
    pub(crate) fn take_post(&mut self, mut post: CurrentPost) {
        let is_near = |post: &CurrentPost| {
            post.window.is_none_or(|(from, _)| from <= post.revised.saturating_add(LONGEST_WINDOW))
        };
        if !is_near(&post) {
            self.report("maintenance that is announced more than 400 days ahead was left out");
            post.window = None;
        }
        if post.window.is_some_and(|(from, to)| !is_plausible(from, to)) {
            self.report(IMPLAUSIBLE);
            post.window = None;
        }
        let key = post.key();
        if self.posts.get(&key).is_some_and(|known| *known >= post) {
            return;
        }
        let window = post.window();
        self.posts.insert(key.clone(), post);
        let changed = &mut self.changed_windows;
        self.windows.retain(|known| {
            let stays = (&known.id, &known.name) != (&key.0, &key.1) || Some(known) == window.as_ref();
            if !stays {
                changed.push((known.from, known.to));
            }
            stays
        });
        if let Some(window) = window {
            self.announce(window);
        }
        if self.posts.len() > MAX_POSTS {
            self.report("there are more than 2,000 posts: the oldest were left out");
            let oldest = self.posts.iter().min_by_key(|(_, post)| *post).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.posts.remove(&oldest);
            }
        }
    }

    /// Takes the posts and windows of another summary.
    pub(crate) fn take_announced(&mut self, other: &mut Summary) {
        for post in std::mem::take(&mut other.posts).into_values() {
            self.take_post(post);
        }
        for window in std::mem::take(&mut other.windows) {
            self.announce(window);
        }
    }

    /// Adds a maintenance window, if it is plausible and no post has replaced it. If there are too many, the latest are kept.
    pub(crate) fn announce(&mut self, window: Window) {
        if !is_plausible(window.from, window.to) {
            self.report(IMPLAUSIBLE);
            return;
        }
        if self.posts.get(&window.key()).is_some_and(|post| post.window().as_ref() != Some(&window)) {
            return;
        }
        if let Err(place) = self.windows.binary_search(&window) {
            self.changed_windows.push((window.from, window.to));
            self.windows.insert(place, window);
            if self.windows.len() > MAX_WINDOWS {
                self.windows.remove(0);
            }
        }
    }

    /// The maintenance of a check, in order and without overlaps.
    pub(crate) fn windows_of(&self, name: &str) -> Vec<(Timestamp, Timestamp)> {
        let of = self.windows.iter().filter(|window| window.name.as_deref().is_none_or(|own| own == name));
        joined(of.map(|window| (window.from, window.to)).collect())
    }

    /// Removes what no longer matters.
    pub(crate) fn expire_announced(&mut self, before: Timestamp) {
        self.windows.retain(|window| window.to >= before);
        self.posts.retain(|_, post| post.matters_until() >= before);
    }
}

/// Whether this can be a maintenance window.
fn is_plausible(from: Timestamp, to: Timestamp) -> bool {
    from < to && to.since(from) <= LONGEST_WINDOW && from >= Timestamp::default()
}
