//! [`Post`]: what makes an entry of a check file an operator's post.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What makes a result an operator's post: the result's [`message`](crate::CheckResult::message) is the text, and its
/// [`maintenance`](crate::CheckResult::maintenance) the window, if the post announces one.
///
/// A post is never changed. Another post with the same [`id`](Self::id) and a later [`at`](Self::at) takes its place, in whatever order the
/// two are read. One with [`ended`](Self::ended) withdraws it.
///
/// ```
/// use checkup_core::summary::Summary;
/// use checkup_core::{CheckResult, Post, Timestamp};
///
/// let now = Timestamp::now();
/// let mut result = CheckResult::of_post("Shop", "https://example.com", Post::new("7f3a", now));
/// result.message = Some("We are on it".into());
/// let mut summary = Summary::new();
/// summary.add(&[result]);
/// assert_eq!(summary.posts().next().map(|post| post.message.text.as_str()), Some("We are on it"));
/// assert!(summary.series.is_empty(), "a post is not a measurement");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Post {
    /// Identifies the post in all of its versions.
    pub id: String,
    /// When this version was written.
    pub at: Timestamp,
    /// When the first version was posted, if this is a later one. Views show this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted: Option<Timestamp>,
    /// Whether it is about all checks, and not only about that of the result.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// The id of the incident that it is about; without one, its time decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// How far the operators are.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known_state")]
    pub state: Option<PostState>,
    /// The group of checks that it is about: there is an entry with the same id for each of them. Views show it once, with this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// When its maintenance recurs, in words for people, such as `0 3 * * sun Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<String>,
    /// The further windows of maintenance that recurs, each from its start to the first moment after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<(Timestamp, Timestamp)>,
    /// Whether the post is withdrawn: neither its text nor its window counts any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// How far the operators are with an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PostState {
    /// The cause is not known yet.
    Investigating,
    /// The cause is known.
    Identified,
    /// It is fixed and being watched.
    Monitoring,
    /// It is over.
    Resolved,
}

impl Post {
    /// The first version of a post about the check of its result.
    pub fn new(id: impl Into<String>, at: Timestamp) -> Self {
        Self {
            id: id.into(),
            at,
            posted: None,
            all: false,
            incident: None,
            state: None,
            group: None,
            recurrence: None,
            windows: Vec::new(),
            ended: false,
        }
    }

    /// When the first version was posted.
    pub fn posted(&self) -> Timestamp {
        self.posted.unwrap_or(self.at)
    }
}

impl PostState {
    /// Its name: `investigating`, `identified`, `monitoring` or `resolved`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }

    /// The state with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Investigating, Self::Identified, Self::Monitoring, Self::Resolved];
        all.into_iter().find(|state| state.as_str() == name)
    }
}

impl std::fmt::Display for PostState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The state, if this version knows it: a later one may have more, and its check files must be readable.
fn known_state<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<PostState>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    Ok(name.as_deref().and_then(PostState::named))
}
