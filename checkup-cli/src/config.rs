//! Loads the config file that the command line means, and selects checks of it.

use std::collections::{HashMap, HashSet};
use std::env;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use checkup_core::config::{Format, Registry};
use checkup_core::{Check, Checkup, ConfigError, ConfigErrorKind};

use crate::args::{Global, Selection};
use crate::discover;
use crate::exit::{Error, complain};
use crate::{descriptors, node, spool};

/// How many names an error lists.
const LISTED: usize = 20;

/// How a config from standard input is called in messages.
const STDIN: &str = "standard input";

/// A config file, found but not read.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    /// What it is called in messages.
    pub(crate) label: String,
}

impl Source {
    /// The file that `config` names, or the one that is found. In the latter case the process goes to the folder where it is,
    /// so that relative paths in it mean the same from everywhere below.
    pub(crate) fn find(config: Option<&Path>) -> Result<Self, Error> {
        if let Some(path) = config {
            return Ok(Self::named(path));
        }
        let start =
            env::current_dir().map_err(|error| Error::usage(format!("the current folder cannot be found: {error}")))?;
        let path = discover::config_file(&start)?;
        let label = label(&start, &path);
        if let Some(folder) = path.parent().filter(|folder| *folder != start) {
            env::set_current_dir(folder)
                .map_err(|error| Error::usage(format!("cannot go to {}: {error}", folder.display())))?;
        }
        Ok(Self { path, label })
    }

    /// The file with this name; `-` is standard input.
    pub(crate) fn named(path: &Path) -> Self {
        let label = if path == Path::new("-") { STDIN.to_owned() } else { path.display().to_string() };
        Self { path: path.to_owned(), label }
    }

    /// Reads it and builds its checks, of which there is at least one: what is left of a truncated file must not pass
    /// as healthy.
    pub(crate) fn load(&self, registry: &Registry) -> Result<Checkup, ConfigError> {
        self.read()
            .and_then(|(text, format)| registry.parse(&text, format))
            .and_then(not_empty)
            .map_err(|error| error.in_file(&self.label))
    }

    /// Tells on standard error what is allowed in its checks, but seldom meant.
    pub(crate) fn warn(&self, checkup: &Checkup) {
        for (name, count) in shared_names(checkup) {
            complain(&format!(
                "{}: warning: {count} checks are named {name:?}; `--only` and `depends_on` mean all of them, `message --about` the first",
                self.label
            ));
        }
    }

    fn read(&self) -> Result<(String, Format), ConfigError> {
        let unreadable = |error| ConfigError::new(ConfigErrorKind::Io, "", format!("cannot be read: {error}"));
        if self.path == Path::new("-") {
            let text = io::read_to_string(io::stdin().lock()).map_err(unreadable)?;
            // What does not look like JSON is YAML; and JSON's own parser has the better messages.
            let format = if text.trim_start().starts_with('{') { Format::Json } else { Format::Yaml };
            return Ok((text, format));
        }
        let format = Format::of(&self.path)?;
        let mut text = String::new();
        std::fs::File::open(&self.path).and_then(|mut file| file.read_to_string(&mut text)).map_err(unreadable)?;
        Ok((text, format))
    }
}

/// Loads the config that the command line names, or that is found, and warns of what is doubtful in it. What it cannot store is kept
/// in a spool.
pub(crate) fn load(registry: &Registry, global: &Global) -> Result<Checkup, Error> {
    load_for(registry, global, true)
}

/// As [`load`], with warnings only if there is somebody to read them.
pub(crate) fn load_for(registry: &Registry, global: &Global, readers: bool) -> Result<Checkup, Error> {
    let source = Source::find(global.config.as_deref())?;
    let checkup = source.load(registry)?;
    if readers && !global.quiet {
        source.warn(&checkup);
    }
    Ok(descriptors::bounded(spool::with_default(checkup, &source.path)))
}

/// Only the checks of this node that are selected; all of them if nothing is.
///
/// It may have none of those that there are: others have them then.
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

/// An error that asks for a name, with those that there are.
pub(crate) fn which(checkup: &Checkup, request: &str) -> Error {
    Error::usage(format!("{request}{}", there_are("checks", "", &names(checkup))))
}

fn not_empty(checkup: Checkup) -> Result<Checkup, ConfigError> {
    if node::whole(&checkup).checks().len() == 0 {
        return Err(ConfigError::invalid("", "the config file has no checks; expected at least one in `checkers`"));
    }
    Ok(checkup)
}

fn is_selected(check: &Check, wanted: &str) -> bool {
    is_named(check, wanted) || wanted.strip_prefix("tag:").is_some_and(|tag| check.has_tag(tag))
}

fn is_named(check: &Check, name: &str) -> bool {
    check.name().to_lowercase() == name.to_lowercase()
}

/// An error that says that no check has this name, of all that there are, or this tag.
pub(crate) fn nothing_is(checkup: &Checkup, names: impl Iterator<Item = String>, wanted: &str) -> Error {
    match wanted.strip_prefix("tag:") {
        Some(tag) => {
            let tags = distinct(checkup.checks().flat_map(|check| check.policy().tags.clone()));
            Error::usage(format!("no check has the tag {tag:?}{}", there_are("tags", tag, &tags)))
        }
        None => no_check(&distinct(names), wanted),
    }
}

fn no_check(names: &[String], name: &str) -> Error {
    Error::usage(format!("there is no check {name:?}{}", there_are("checks", name, names)))
}

fn names(checkup: &Checkup) -> Vec<String> {
    distinct(checkup.checks().map(|check| check.name().into_owned()))
}

/// The names of more than one check, in the order of the first of each, with how many checks have it.
fn shared_names(checkup: &Checkup) -> Vec<(String, usize)> {
    let mut counts = HashMap::<_, usize>::new();
    for check in checkup.checks() {
        *counts.entry(check.name()).or_default() += 1;
    }
    let shared = names(checkup).into_iter().filter_map(|name| {
        let count = *counts.get(name.as_str())?;
        (count > 1).then_some((name, count))
    });
    shared.collect()
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

/// `; did you mean "x"? (checks: "x", "y" and 3 more)`
fn there_are(what: &str, wanted: &str, names: &[String]) -> String {
    if names.is_empty() {
        return format!("; the config has no {what}");
    }
    let likeness = |name: &String| strsim::normalized_damerau_levenshtein(&wanted.to_lowercase(), &name.to_lowercase());
    let closest = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let hint =
        closest.filter(|name| likeness(name) >= 0.6).map_or(String::new(), |name| format!("; did you mean {name:?}?"));
    let listed: Vec<_> = names.iter().take(LISTED).map(|name| format!("{name:?}")).collect();
    let more = match names.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{hint} ({what}: {}{more})", listed.join(", "))
}

/// The path from `start` to a file in it or in a parent of it.
fn label(start: &Path, path: &Path) -> String {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return path.display().to_string() };
    let up = start.strip_prefix(folder).map_or(0, |below| below.components().count());
    let mut label = PathBuf::new();
    label.extend(std::iter::repeat_n("..", up));
    label.push(name);
    label.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_a_parent_is_named_relative_to_where_the_user_is() {
        assert_eq!(label(Path::new("/a/b/c"), Path::new("/a/checkup.json")), "../../checkup.json");
        assert_eq!(label(Path::new("/a"), Path::new("/a/checkup.json")), "checkup.json");
    }

    #[test]
    fn what_there_is_not_brings_what_there_is() {
        let names = ["API".to_owned(), "Database".to_owned()];
        assert_eq!(
            there_are("checks", "databse", &names),
            "; did you mean \"Database\"? (checks: \"API\", \"Database\")"
        );
        assert_eq!(there_are("tags", "x", &[]), "; the config has no tags");
        let many: Vec<_> = (0..25).map(|n| format!("check number {n}")).collect();
        assert!(there_are("checks", "zzz", &many).ends_with("\"check number 19\" and 5 more)"));
    }
}
