//! URLs: parsed from the settings, and in the forms that requests need.

mod credentials;
mod parse;
mod target;

pub(crate) use credentials::basic_credentials;
pub(crate) use parse::parse;
pub(crate) use target::{Target, TargetHost};
