//! The whole reference as a Markdown document: `docs/config.md` is made of it.

use std::fmt::Write;

use checkup_core::config::Kind;

use super::{Entry, Reference, Type};

/// What holds for all keys.
const INTRO: &str = "\
# The config file

<!-- `checkup explain --markdown` writes this page. A test compares them. -->

A config file is JSON, YAML or TOML, by its extension. `checkup init` writes one to start from, `checkup validate` reports what is wrong in
one, and `checkup explain http.timeout` shows an entry of this page in the terminal.

- A **duration** is a text such as `500ms`, `10s` or `1m30s`, with the units `ns`, `us`, `ms`, `s`, `m`, `h`, `d` and `w`.
- A **list** with one entry may be written without brackets: `tags: public`.
- In texts, `${VAR}` is the environment variable `VAR`, which must be set. `${VAR:-default}` has a default, and `$${` is a literal
  `${`. Variables keep secrets out of the file. In a URL, their values are percent-encoded as their position requires.
- Relative paths are relative to the folder of the file.
- Root keys that begin with `x-` are ignored. Use them for YAML anchors, for example.
- Settings for all checks of a type go under `defaults`. A check that has the key itself keeps its own value:

```yaml
defaults:
  http:
    timeout: 5s
    tags: public
checkers:
  - type: http
    endpoint_name: Shop
    endpoint_url: https://shop.example.com/
  - type: http
    endpoint_name: Search
    endpoint_url: https://search.example.com/
    timeout: 20s
```

Keys in **bold** are required. *Upstream* is the original Checkup, a Go program.
";

/// How the keys that repeat an attempt differ.
const ATTEMPTS: &str = "
`attempts` and `retries` both repeat an attempt, for opposite reasons:

| | `attempts` | `retries` |
|---|---|---|
| repeats | every attempt | only a failed attempt |
| one failure | makes the check down | does not count if a retry succeeds |
| use it to | measure: the threshold applies to the median round-trip time | tolerate a short interruption, such as a restart |
| pause before each | `attempt_spacing`: 0 unless set | `retry_spacing`: 1 second unless set, doubled each time |

With `attempts: 3` and `retries: 2`, a run makes three to nine attempts, and is up if each of the three succeeds within its retries.
";

/// A key of the root with more keys than this in its object gets its own section.
const MAX_INNER: usize = 6;

pub(super) fn document(reference: &Reference) -> String {
    let mut out = INTRO.to_owned();
    out.push_str("\n## The root\n\n");
    let is_large = |entry: &Entry| entry.entries.len() > MAX_INNER;
    let in_short = |entry: &Entry| {
        let mut entry = entry.clone();
        if is_large(&entry) {
            entry.entries.clear();
            entry.about.truncate(1);
            entry.about.push("See below.".to_owned());
        }
        entry
    };
    table(&mut out, &reference.root.iter().map(in_short).collect::<Vec<_>>());
    for entry in reference.root.iter().filter(|entry| is_large(entry)) {
        // Writing to a `String` does not fail.
        let _ = writeln!(out, "\n## `{}`\n\n{}\n", entry.key, entry.about.join("\n\n"));
        table(&mut out, &entry.entries);
    }
    out.push_str("\n## Every check\n\nEach object in `checkers` has a `type`, the keys of that type, and these:\n\n");
    table(&mut out, &reference.of_checks);
    out.push_str(ATTEMPTS);
    for (kind, place) in [(Kind::Checker, "checkers"), (Kind::Storage, "storage"), (Kind::Notifier, "notifiers")] {
        for found in reference.of_kind(kind) {
            section(&mut out, found, place);
        }
    }
    out
}

fn section(out: &mut String, found: &Type, place: &str) {
    let (name, kind) = (&found.name, found.kind.as_str());
    // Writing to a `String` does not fail.
    let _ = writeln!(out, "\n## {} `{name}`\n\n`type: {name}` in `{place}`.", capitalised(kind));
    let mut is_list = false;
    for paragraph in &found.about {
        let is_entry = paragraph.starts_with("- ");
        let _ = writeln!(out, "{}{paragraph}", if is_entry && is_list { "" } else { "\n" });
        is_list = is_entry;
    }
    out.push('\n');
    table(out, &found.entries);
}

fn table(out: &mut String, entries: &[Entry]) {
    if entries.is_empty() {
        out.push_str("It has no settings.\n");
        return;
    }
    out.push_str("| Key | Value | |\n|---|---|---|\n");
    rows(out, entries, "");
}

fn rows(out: &mut String, entries: &[Entry], prefix: &str) {
    for entry in entries {
        let path = format!("{prefix}{}", entry.key);
        let mark = if entry.is_required { "**" } else { "" };
        let about: Vec<_> = entry.about.iter().map(|paragraph| cell(paragraph)).collect();
        let _ = writeln!(out, "| {mark}`{path}`{mark} | {} | {} |", cell(&entry.values), about.join("<br>"));
        rows(out, &entry.entries, &format!("{path}."));
    }
}

/// The text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}
