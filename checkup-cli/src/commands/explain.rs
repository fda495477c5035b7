//! Explains the keys of config files in the terminal.

use std::fmt::Write;

use checkup_core::config::{Kind, Registry, suggest};

use crate::exit::{Error, Exit};
use crate::output::stderr::program;
use crate::output::{Stdout, escape};
use crate::reference::{Entry, Reference, Topic, Type, in_short};

/// The columns of a text if there is no terminal that says otherwise.
const WIDTH: usize = 100;

/// Explain a key of config files, or a type of checks, storages or notifiers
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to explain, such as `http`, `http.must_contain` or `timeout`. Default: lists everything
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
    /// Print everything as a Markdown document
    #[arg(long, conflicts_with = "topic")]
    markdown: bool,
}

pub(crate) fn run(registry: &Registry, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    let reference = Reference::of(registry);
    let width = stdout.width().unwrap_or(WIDTH).min(WIDTH);
    let text = match &args.topic {
        _ if args.markdown => reference.to_markdown(),
        None => overview(&reference, width),
        Some(topic) => explain(&reference, topic.trim().trim_matches('.'), width)?,
    };
    stdout.print(&text)?;
    Ok(Exit::Healthy)
}

fn explain(reference: &Reference, topic: &str, width: usize) -> Result<String, Error> {
    let found = reference.find(topic);
    if found.is_empty() {
        return Err(unknown(reference, topic));
    }
    let texts: Vec<_> = found
        .iter()
        .map(|topic| match topic {
            Topic::Type(found) => of_type(reference, found, width),
            Topic::Entry { path, entry } => of_entry(reference, path, entry, width),
        })
        .collect();
    Ok(texts.join("\n"))
}

fn unknown(reference: &Reference, topic: &str) -> Error {
    let (parent, last) = topic.rsplit_once('.').map_or((None, topic), |(parent, last)| (Some(parent), last));
    let siblings: Vec<&str> = match parent.map(|parent| reference.find(parent)).unwrap_or_default().first() {
        Some(Topic::Type(found)) => {
            let common = if found.kind == Kind::Checker { reference.of_checks.as_slice() } else { &[] };
            found.entries.iter().chain(common).map(|entry| entry.key.as_str()).collect()
        }
        Some(Topic::Entry { entry, .. }) => entry.entries.iter().map(|entry| entry.key.as_str()).collect(),
        None => reference.names().collect(),
    };
    let parent = parent.filter(|parent| !reference.find(parent).is_empty());
    let wanted = if parent.is_some() { last } else { topic };
    let hint = match (suggest::closest(wanted, siblings), parent) {
        (Some(meant), Some(parent)) => format!("; did you mean `{parent}.{meant}`?"),
        (Some(meant), None) => format!("; did you mean `{meant}`?"),
        (None, _) => format!("; `{} explain` lists everything", program()),
    };
    Error::usage(format!("config files have no `{}`{hint}", escape::line(topic)))
}

/// What config files may contain.
fn overview(reference: &Reference, width: usize) -> String {
    let mut out = String::from("Keys of a config file:\n");
    list(&mut out, &reference.root, width);
    out.push_str("\nKeys of every check:\n");
    list(&mut out, &reference.of_checks, width);
    out.push('\n');
    for (kind, place) in [(Kind::Checker, "checks"), (Kind::Storage, "storages"), (Kind::Notifier, "notifiers")] {
        // Writing to a `String` does not fail.
        let _ = writeln!(out, "Types of {place}: {}", names(reference, kind));
    }
    let example = reference.types.first().map_or("attempts", |first| first.name.as_str());
    let _ = writeln!(out, "\n`{} explain {example}` explains one of them.", program());
    out
}

/// The types of one kind.
fn names(reference: &Reference, kind: Kind) -> String {
    let names: Vec<_> = reference.of_kind(kind).map(|found| found.name.as_str()).collect();
    if names.is_empty() { "none in this program".to_owned() } else { names.join(", ") }
}

fn of_type(reference: &Reference, found: &Type, width: usize) -> String {
    let mut out = format!("{} `{}`\n", found.kind.as_str(), found.name);
    paragraphs(&mut out, &found.about, width, "");
    out.push_str("\nKeys:\n");
    list(&mut out, &found.entries, width);
    if found.kind == Kind::Checker {
        out.push_str("\nKeys of every check:\n");
        list(&mut out, &reference.of_checks, width);
    }
    let key = found.entries.first().map_or("type", |entry| entry.key.as_str());
    let _ = writeln!(out, "\n* required. `{} explain {}.{key}` explains a key in full.", program(), found.name);
    out
}

fn of_entry(reference: &Reference, path: &str, entry: &Entry, width: usize) -> String {
    let required = if entry.is_required { ", required" } else { "" };
    let mut out = format!("{path}: {}{required}\n", entry.values);
    paragraphs(&mut out, &entry.about, width, "");
    let of_types = match path {
        "checkers" => Some(Kind::Checker),
        "storage" => Some(Kind::Storage),
        "notifier" | "notifiers" => Some(Kind::Notifier),
        _ => None,
    };
    if let Some(kind) = of_types {
        let _ = writeln!(out, "\nTypes: {}", names(reference, kind));
        if let Some(first) = reference.of_kind(kind).next() {
            let _ = writeln!(out, "\n`{} explain {}` explains one of them.", program(), first.name);
        }
    }
    if !entry.entries.is_empty() {
        out.push_str("\nKeys:\n");
        list(&mut out, &entry.entries, width);
    }
    out
}

/// The keys with what they are in short.
fn list(out: &mut String, entries: &[Entry], width: usize) {
    let column = entries.iter().map(|entry| entry.key.len()).max().unwrap_or(0);
    for entry in entries {
        let mark = if entry.is_required { '*' } else { ' ' };
        let text = format!("{} ({})", in_short(&entry.about), entry.values);
        let start = format!("  {:column$} {mark} ", entry.key);
        fill(out, &text, width, &start, &" ".repeat(start.len()));
    }
}

fn paragraphs(out: &mut String, paragraphs: &[String], width: usize, indent: &str) {
    let mut is_list = false;
    for paragraph in paragraphs {
        let is_entry = paragraph.starts_with("- ");
        if !(is_entry && is_list) {
            out.push('\n');
        }
        fill(out, paragraph, width, indent, &format!("{indent}{}", if is_entry { "  " } else { "" }));
        is_list = is_entry;
    }
}

/// Adds a text in lines of at most `width` columns, unless a word is longer.
fn fill(out: &mut String, text: &str, width: usize, first: &str, others: &str) {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            out.push_str(line.trim_end());
            out.push('\n');
            others.clone_into(&mut line);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_filled_into_lines() {
        let mut out = String::new();
        fill(&mut out, "one two  three four", 12, "  a ", "    ");
        assert_eq!(out, "  a one two\n    three\n    four\n");
    }
}
