//! Output formats: JSON, SVG, Atom and metrics, and the compression, tags and caching of content.

pub(crate) mod api;
pub(crate) mod badge;
pub(crate) mod data;
pub(crate) mod feed;
pub(crate) mod metrics;
pub(crate) mod overview;
pub(crate) mod representation;
pub(crate) mod time;
mod xml;
