//! Conditions on a response: their settings, and how a response is judged by them.

mod json;
mod number;
mod rule;
mod settings;

pub(crate) use json::Json;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use number::Decimal;
pub use number::JsonNumber;
pub(crate) use rule::{HeaderRule, JsonRule, parse_regex};
pub use settings::{HeaderAssertion, JsonAssertion};
