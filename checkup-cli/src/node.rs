//! Which of many nodes this process is: where it is, and which share of the checks it has.
//!
//! Nodes often have one config file for all of them, so that what differs is a flag or an environment variable.

use std::env;

use checkup_core::{Checkup, Shard};

use crate::args::Node;
use crate::exit::{Error, complain};

/// The variable that says where this node is.
const LOCATION: &str = "CHECKUP_LOCATION";

/// The variable that says which share of the checks this node has.
const SHARD: &str = "CHECKUP_SHARD";

/// The checkup of this node: what the flags say, else the environment, else the config file.
pub(crate) fn place(checkup: Checkup, node: &Node) -> Result<Checkup, Error> {
    let named = match &node.location {
        Some(location) => Some(location.clone()),
        None => variable(LOCATION, location)?,
    };
    let checkup = named.map_or(checkup.clone(), |location| checkup.with_location(&location));
    let share = match node.shard {
        Some(shard) => Some(shard),
        None => variable(SHARD, shard)?,
    };
    Ok(share.map_or(checkup.clone(), |shard| checkup.with_shard(shard)))
}

/// The checkup of all nodes, whatever share of the checks this one has.
pub(crate) fn whole(checkup: &Checkup) -> Checkup {
    match Shard::new(1, 1) {
        Ok(all) if checkup.shard().is_some() => checkup.with_shard(all),
        _ => checkup.clone(),
    }
}

/// Tells that this node has nothing to do, which is no error: the other nodes have it all.
pub(crate) fn warn_if_idle(checkup: &Checkup) {
    if let Some(shard) = checkup.shard().filter(|_| checkup.checks().len() == 0) {
        complain(&format!("nothing to check: none of the checks is in shard {shard}"));
    }
}

/// A location as people may name it, by the same rules as in the config file.
pub(crate) fn location(text: &str) -> Result<String, String> {
    // The config file's may be empty, for none.
    let location = if text.is_empty() { " " } else { text };
    match Checkup::builder().location(location).build() {
        Ok(checkup) => Ok(checkup.location().unwrap_or_default().to_owned()),
        Err(error) => Err(error.problems().iter().map(|problem| problem.message.as_str()).collect()),
    }
}

/// A shard as people name it.
pub(crate) fn shard(text: &str) -> Result<Shard, String> {
    text.trim().parse::<Shard>().map_err(|error| error.to_string())
}

/// What a variable says; nothing if it is not set, or empty.
fn variable<T>(name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Error> {
    match env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => parse(&text).map(Some).map_err(|error| Error::usage(format!("{name}: {error}"))),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Error::usage(format!("{name}: expected UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_short_line() {
        assert_eq!(location(" eu-west "), Ok("eu-west".to_owned()));
        assert_eq!(location("São Paulo"), Ok("São Paulo".to_owned()));
        assert_eq!(location(""), location(" "));
        assert_eq!(location(" "), Err("expected the name of a place, such as `eu-west`".to_owned()));
        assert_eq!(location("eu\nwest"), Err("expected no control characters, found \"eu\\nwest\"".to_owned()));
        assert_eq!(location(&"x".repeat(65)), Err("expected at most 64 characters, found 65".to_owned()));
    }
}
