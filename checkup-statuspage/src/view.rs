//! What is true at a moment, and what happened: the facts behind every page, format and answer. Nothing of HTTP.

pub(crate) mod badge_value;
pub(crate) mod overview;
pub(crate) mod timeline;
