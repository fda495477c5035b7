//! Which of several nodes this process is: its location, and its share of the checks.
//!
//! Nodes often share one config file, so what differs between them is an option or an environment variable.

use std::env;

use checkup_core::{Checkup, Shard};
use clap::Args;

use crate::exit::Error;
use crate::output::stderr::complain;

/// The variable with the location of this node.
const LOCATION: &str = "CHECKUP_LOCATION";

/// The variable with this node's share of the checks.
const SHARD: &str = "CHECKUP_SHARD";

/// Which of several nodes this is.
#[derive(Debug, Args)]
pub(crate) struct Node {
    /// This node's location, recorded in every result [env: CHECKUP_LOCATION]
    ///
    /// Default: `location` of the config file.
    #[arg(long, value_name = "NAME", value_parser = location)]
    pub(crate) location: Option<String>,
    /// This node's share of the checks, such as `2/8` [env: CHECKUP_SHARD]
    ///
    /// Each check is in exactly one shard, chosen by its name. Default: `shard` of the config file.
    #[arg(long, value_name = "SHARD", value_parser = shard)]
    pub(crate) shard: Option<Shard>,
}

/// The checkup of this node, according to the options, or else the environment, or else the config file.
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

/// The checkup of all nodes, regardless of which share of the checks this one has.
pub(crate) fn whole(checkup: &Checkup) -> Checkup {
    match Shard::new(1, 1) {
        Ok(all) if checkup.shard().is_some() => checkup.with_shard(all),
        _ => checkup.clone(),
    }
}

/// Reports that this node has nothing to do. That is not an error: other nodes have all of the checks.
pub(crate) fn warn_if_idle(checkup: &Checkup) {
    if let Some(shard) = checkup.shard().filter(|_| checkup.checks().len() == 0) {
        complain(&format!("nothing to check: none of the checks is in shard {shard}"));
    }
}

/// A location, by the rules of the config file.
fn location(text: &str) -> Result<String, String> {
    // In the config file it may be empty, which means none.
    let location = if text.is_empty() { " " } else { text };
    match Checkup::builder().location(location).build() {
        Ok(checkup) => Ok(checkup.location().unwrap_or_default().to_owned()),
        Err(error) => Err(error.problems().iter().map(|problem| problem.message.as_str()).collect()),
    }
}

/// A shard such as `2/8`.
fn shard(text: &str) -> Result<Shard, String> {
    text.trim().parse::<Shard>().map_err(|error| error.to_string())
}

/// The value of a variable; `None` if it is unset or empty.
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
