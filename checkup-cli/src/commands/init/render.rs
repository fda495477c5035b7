//! The sample as JSON, YAML or TOML.

use std::fmt::Write;

use checkup_core::config::Format;

use super::sample::{Line, Sample};

/// The sample's text. It names the file with the schema, for editors. JSON has no comments.
pub(super) fn render(sample: &Sample, format: Format, schema: &str) -> String {
    match format {
        Format::Json => json(sample, schema),
        Format::Toml => format!("#:schema ./{schema}\n\n{}", toml(sample)),
        // YAML includes JSON: a future format is most likely to read this.
        _ => format!("# yaml-language-server: $schema=./{schema}\n\n{}", yaml(sample)),
    }
}

fn json(sample: &Sample, schema: &str) -> String {
    let object = |lines: &[Line], indent: &str| {
        let entries: Vec<_> = lines.iter().map(|line| format!("{indent}  \"{}\": {}", line.key, line.value)).collect();
        format!("{{\n{}\n{indent}}}", entries.join(",\n"))
    };
    let checkers: Vec<_> = sample.checkers.iter().map(|lines| format!("    {}", object(lines, "    "))).collect();
    let checkers = if checkers.is_empty() { "[]".to_owned() } else { format!("[\n{}\n  ]", checkers.join(",\n")) };
    let storage =
        sample.storage.as_ref().map_or(String::new(), |lines| format!(",\n  \"storage\": {}", object(lines, "  ")));
    format!("{{\n  \"$schema\": \"./{schema}\",\n  \"checkers\": {checkers}{storage}\n}}\n")
}

fn yaml(sample: &Sample) -> String {
    let mut out = intro(sample);
    out.push_str(if sample.checkers.is_empty() { "checkers: []\n" } else { "checkers:\n" });
    for (index, lines) in sample.checkers.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        entries(&mut out, lines, yaml_entry, |first| if first { "  - " } else { "    " });
    }
    if let Some(lines) = &sample.storage {
        out.push_str("\nstorage:\n");
        entries(&mut out, lines, yaml_entry, |_| "  ");
    }
    out
}

/// The key and its value, without quotes where words need none.
fn yaml_entry(line: &Line) -> String {
    let word = line.value.trim_matches('"');
    let is_plain = word.starts_with(char::is_alphabetic) && word.chars().all(|c| c.is_alphabetic() || c == ' ');
    format!("{}: {}", line.key, if is_plain { word } else { line.value })
}

fn toml(sample: &Sample) -> String {
    let mut out = intro(sample);
    if sample.checkers.is_empty() {
        out.push_str("checkers = []\n");
    }
    for (index, lines) in sample.checkers.iter().enumerate() {
        out.push_str(if index > 0 { "\n[[checkers]]\n" } else { "[[checkers]]\n" });
        entries(&mut out, lines, |line| format!("{} = {}", line.key, line.value), |_| "");
    }
    if let Some(lines) = &sample.storage {
        out.push_str("\n[storage]\n");
        entries(&mut out, lines, |line| format!("{} = {}", line.key, line.value), |_| "");
    }
    out
}

fn intro(sample: &Sample) -> String {
    let mut out = String::new();
    for line in &sample.intro {
        out.push_str(format!("# {line}").trim_end());
        out.push('\n');
    }
    out.push('\n');
    out
}

/// One line per key, with the comments in one column.
fn entries(out: &mut String, lines: &[Line], entry: impl Fn(&Line) -> String, indent: impl Fn(bool) -> &'static str) {
    let texts: Vec<_> = lines.iter().map(entry).collect();
    let commented = lines.iter().zip(&texts).filter(|(line, _)| !line.comment.is_empty());
    let column = commented.map(|(_, text)| text.len()).max().unwrap_or(0);
    for (index, (line, text)) in lines.iter().zip(&texts).enumerate() {
        let indent = indent(index == 0);
        // Writing to a `String` does not fail.
        let _ = if line.comment.is_empty() {
            writeln!(out, "{indent}{text}")
        } else {
            writeln!(out, "{indent}{text:column$}  # {}", line.comment)
        };
    }
}
