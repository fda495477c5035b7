//! The current state and past events: the facts behind every page, format and response. Nothing about HTTP.

pub(crate) mod badge_value;
pub(crate) mod hiding;
pub(crate) mod overview;
pub(crate) mod timeline;
