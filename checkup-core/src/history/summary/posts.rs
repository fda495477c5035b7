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

/// How many characters the name of a group, or a rule of recurrence, has at most.
const MAX_GROUP: usize = 200;

/// How many further windows of maintenance that recurs are kept.
const MAX_RECURRING: usize = 400;

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
    /// When the maintenance recurs, in words, and the further windows.
    pub recurrence: Option<(String, Vec<(Timestamp, Timestamp)>)>,
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
    /// Identifies it, to edit or withdraw it: the id of its post, or one of its times if it has no post. Windows of maintenance that recurs have
    /// the same.
    pub id: String,
    /// The group of checks that it was announced for.
    pub group: Option<String>,
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
                group: post.group.as_deref().map(|group| shortened(group, MAX_GROUP)),
            },
            window: result
                .maintenance
                .as_deref()
                .filter(|_| !post.ended)
                .map(|window| (to_millis(window.from), to_millis(window.to))),
            recurrence: post.recurrence.as_deref().filter(|_| !post.ended).map(|rule| {
                let windows =
                    post.windows.iter().take(MAX_RECURRING).map(|(from, to)| (to_millis(*from), to_millis(*to)));
                (shortened(rule, MAX_GROUP), windows.collect())
            }),
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

    /// Its maintenance windows, if they are in force.
    fn windows(&self) -> impl Iterator<Item = Window> {
        let further = self.recurrence.iter().flat_map(|(_, windows)| windows).copied();
        let times = self.window.into_iter().chain(further).filter(|_| !self.ended);
        times.map(|(from, to)| {
            let (id, name) = self.key();
            let Posted { text, group, .. } = self.message.clone();
            Window { from, to, name, text, id, group }
        })
    }

    /// The last time at which it matters. What it withdraws may last as long as a window that was announced at that time.
    fn matters_until(&self) -> Timestamp {
        match self.window {
            Some((_, to)) => {
                let further = self.recurrence.iter().flat_map(|(_, windows)| windows).map(|(_, to)| *to);
                further.chain([to, self.revised]).max().unwrap_or(to)
            }
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
                self.announce(Window { from, to, name, text, id: Window::plain_id(from, to), group: None });
            }
        }
    }

    /// Adds a version of a post. The newest counts, whatever the order.
    pub(crate) fn take_post(&mut self, mut post: CurrentPost) {
        let horizon = post.revised.saturating_add(LONGEST_WINDOW);
        let is_far = |window: &(Timestamp, Timestamp)| window.0 > horizon;
        let further =
            post.recurrence.as_mut().map(|(_, windows)| windows.extract_if(.., |window| is_far(window)).count());
        if post.window.take_if(|window| is_far(window)).is_some() || further.is_some_and(|count| count > 0) {
            self.report("maintenance that is announced more than 400 days ahead was left out");
        }
        if post.window.is_some_and(|(from, to)| !is_plausible(from, to)) {
            self.report(IMPLAUSIBLE);
            post.window = None;
        }
        let key = post.key();
        if self.posts.get(&key).is_some_and(|known| *known >= post) {
            return;
        }
        let windows: Vec<_> = post.windows().collect();
        self.posts.insert(key.clone(), post);
        let changed = &mut self.changed_windows;
        self.windows.retain(|known| {
            let stays = (&known.id, &known.name) != (&key.0, &key.1) || windows.contains(known);
            if !stays {
                changed.push((known.from, known.to));
            }
            stays
        });
        for window in windows {
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
        if self.posts.get(&window.key()).is_some_and(|post| post.windows().all(|own| own != window)) {
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
