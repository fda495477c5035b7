//! The body of a response: decoded, then searched. No more of it is read than the rules need.

mod charset;
mod decode;
mod reader;
mod search;

pub(crate) use reader::BodyReader;
pub(crate) use search::BodyRules;
