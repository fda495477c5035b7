//! Which checks a command is about: `--only`, `--about` and their like.

use std::collections::HashSet;

use checkup_core::config::suggest;
use checkup_core::{Check, Checkup};
use clap::Args;

use crate::exit::Error;
use crate::node;

/// How many names an error lists.
const LISTED: usize = 20;

/// Which checks to run.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Only checks with this name, or `tag:TAG` for all checks with a tag; may be repeated
    #[arg(long, value_name = "NAME|tag:TAG")]
    pub(crate) only: Vec<String>,
}

/// Only the checks of this node that are selected; all of them if nothing is.
///
/// There may be none, if other nodes have all of the selected checks.
pub(crate) fn select(checkup: Checkup, selection: &Selection) -> Result<Checkup, Error> {
    if selection.only.is_empty() {
        return Ok(checkup);
    }
    let whole = node::whole(&checkup);
    for wanted in &selection.only {
        if !whole.checks().any(|check| is_selected(check, wanted)) {
            return Err(nothing_is(&whole, names(&whole).into_iter(), wanted));
        }
    }
    Ok(checkup.only(|check| selection.only.iter().any(|wanted| is_selected(check, wanted))))
}

/// The place of the first check with this name, regardless of case.
pub(crate) fn position(checkup: &Checkup, name: &str) -> Result<usize, Error> {
    checkup.checks().position(|check| is_named(check, name)).ok_or_else(|| no_check(&names(checkup), name))
}

fn is_selected(check: &Check, wanted: &str) -> bool {
    is_named(check, wanted) || wanted.strip_prefix("tag:").is_some_and(|tag| check.has_tag(tag))
}

fn is_named(check: &Check, name: &str) -> bool {
    check.name().to_lowercase() == name.to_lowercase()
}

/// An error for a name that no check has, or a tag.
pub(crate) fn nothing_is(checkup: &Checkup, names: impl Iterator<Item = String>, wanted: &str) -> Error {
    match wanted.strip_prefix("tag:") {
        Some(tag) => {
            let tags = distinct(checkup.checks().flat_map(|check| check.policy().tags.clone()));
            Error::usage(format!("no check has the tag {tag:?}{}", available("tags", tag, &tags)))
        }
        None => no_check(&distinct(names), wanted),
    }
}

fn no_check(names: &[String], name: &str) -> Error {
    Error::usage(format!("no check is named {name:?}{}", available("checks", name, names)))
}

pub(crate) fn names(checkup: &Checkup) -> Vec<String> {
    distinct(checkup.checks().map(|check| check.name().into_owned()))
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

/// `; did you mean "x"? (checks: "x", "y" and 3 more)`
fn available(what: &str, wanted: &str, names: &[String]) -> String {
    if names.is_empty() {
        return format!("; the config has no {what}");
    }
    let closest = suggest::closest(wanted, names.iter().map(String::as_str));
    let hint = closest.filter(|_| !wanted.is_empty()).map_or(String::new(), |name| format!("; did you mean {name:?}?"));
    let listed: Vec<_> = names.iter().take(LISTED).map(|name| format!("{name:?}")).collect();
    let more = match names.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{hint} ({what}: {}{more})", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let names = ["API".to_owned(), "Database".to_owned()];
        assert_eq!(
            available("checks", "databse", &names),
            "; did you mean \"Database\"? (checks: \"API\", \"Database\")"
        );
        assert_eq!(available("tags", "x", &[]), "; the config has no tags");
        let many: Vec<_> = (0..25).map(|n| format!("check number {n}")).collect();
        assert!(available("checks", "zzz", &many).ends_with("\"check number 19\" and 5 more)"));
    }
}
