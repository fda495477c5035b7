//! The forms that facts are sent in: JSON, SVG, Atom, metrics; and how content is compressed, tagged and cached.

pub(crate) mod api;
pub(crate) mod badge;
pub(crate) mod data;
pub(crate) mod feed;
pub(crate) mod metrics;
pub(crate) mod representation;
pub(crate) mod time;
mod xml;
