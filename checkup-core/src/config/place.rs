//! [`Place`]: where in a config file a value is.

use std::fmt;

pub(super) fn join(place: &str, key: &str) -> String {
    if place.is_empty() || key.is_empty() { format!("{place}{key}") } else { format!("{place}.{key}") }
}

/// Whether a place is inside another.
pub(super) fn is_inside(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| outer.is_empty() || rest.starts_with(['.', '[']))
}

/// Where a value is, without a copy of the path: most values have no problem.
pub(super) enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
    /// A value that counts as a list of one: its place is that of the list.
    Only(&'a Place<'a>),
}

impl Place<'_> {
    pub(super) fn is_in(&self, places: &[String]) -> bool {
        !places.is_empty() && places.contains(&self.to_string())
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => Ok(()),
            Place::Key(Place::Root, key) => f.write_str(key),
            Place::Key(parent, key) => write!(f, "{parent}.{key}"),
            Place::Only(place) | Place::Index(Place::Only(place), _) => place.fmt(f),
            Place::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
