//! Errors in the syntax of JSON, YAML and TOML, in words that help a person, instead of those of the parsers.
//!
//! They have the position and never a line of the file, which may contain secrets.

use crate::{ConfigError, ConfigErrorKind};

/// A format, as messages name it.
const JSON: &str = "JSON";
const YAML: &str = "YAML";
const TOML: &str = "TOML";

/// What is said about a file that seems to be in another format.
const OTHER_FORMAT: &str =
    "this looks like another format; the name of the file says which one it is: .json, .yaml or .toml";

/// The message if none of the known ones applies.
const UNKNOWN: &str = "this cannot be read; see whether quotes, brackets and indentation match";

/// Parts of the YAML parser's messages, each with the words for it.
const YAML_WORDS: [(&str, &str); 31] = [
    ("simple key expect", "expected `key: value`; a colon is missing, or the space after it"),
    ("simple key is no longer valid", "expected `key: value` on one line"),
    (
        "mapping values are not allowed",
        "a colon is not possible here; indent the keys of an object alike, and put a text that contains `: ` in quotes",
    ),
    ("mapping keys are not allowed", "a key is not possible here; indent the keys of an object alike"),
    (
        "did not find expected '-' indicator",
        "expected an entry that begins with `- `; indent the lines of an entry alike",
    ),
    ("did not find expected key", "expected a key; indent the keys of an object alike"),
    ("invalid indentation in multiline quoted scalar", "the quote of an earlier line is not closed"),
    ("invalid indentation in flow construct", "the bracket of an earlier line is not closed"),
    ("unclosed quote", "a quote is not closed"),
    ("quoted scalar, found unexpected", "a quote is not closed"),
    ("illegal placement of ':'", "a colon is not possible here; is the bracket of an earlier line closed?"),
    ("misplaced bracket", "a bracket is closed that was not opened; put a text that begins with a bracket in quotes"),
    ("did not find expected ',' or", "a comma or a closing bracket is missing"),
    ("expected ',' or ']'", "a comma or a closing bracket is missing"),
    ("unknown anchor", "no anchor has this name; put a text that begins with `*` in quotes"),
    ("unknown escape character", "unknown escape; write a backslash as `\\\\`, or use single quotes"),
    ("hexadecimal number", "an escape is incomplete; write a backslash as `\\\\`, or use single quotes"),
    ("surrogate", "an escape is incomplete; write a backslash as `\\\\`, or use single quotes"),
    ("block sequence entries are not allowed", "a list begins below its key, each entry on its own line"),
    ("plain scalar cannot start with", "a text cannot begin with `-` and a comma or a bracket; put it in quotes"),
    ("invalid trailing content after", "there is text after the closing quote; put all of it into the quotes"),
    ("merge value must be", "`<<` needs the anchor of an object, such as `*defaults`"),
    ("expected string scalar", "a key must be a text"),
    ("cannot deserialize null into string", "a key is missing in front of the colon"),
    ("non-finite float", "`.nan` and `.inf` are not possible in a config"),
    ("block scalar", "a text below `|` or `>` must be indented alike, with spaces"),
    ("did not find expected <document start>", OTHER_FORMAT),
    ("budget", "the file is too large or nested too deeply"),
    ("recursion", "the file is nested too deeply"),
    ("unexpected EOF", "a value cannot begin like this; put the text in quotes"),
    ("did not find expected node content", "a value cannot begin like this; put the text in quotes"),
];

/// Parts of the TOML parser's messages, each with the words for it.
const TOML_WORDS: [(&str, &str); 16] = [
    ("key with no value", "expected `key = value`"),
    ("missing assignment", "expected `key = value`"),
    ("string values must be quoted", "expected a value; a text needs quotes, and entries of a list need commas"),
    ("invalid basic string", "a quote is not closed on its line"),
    ("invalid literal string", "a quote is not closed on its line"),
    ("multi-line", "the quotes of a text with several lines are not closed"),
    ("unclosed array table", "the heading has no closing brackets `]]`"),
    ("unclosed table", "the heading has no closing bracket `]`"),
    ("unclosed array", "the list has no closing bracket `]`"),
    ("unclosed inline table", "the object has no closing bracket `}`"),
    ("leading zero", "a number cannot begin with 0"),
    ("invalid boolean", "expected `true` or `false`"),
    ("duplicate key", "this key is in one object twice"),
    ("unexpected key or value", "expected one `key = value` on a line"),
    ("missing escaped value", "unknown escape; write a backslash as `\\\\`, or use single quotes"),
    ("unquoted keys cannot be empty", "a key is missing in front of `=`"),
];

/// A syntax error of JSON.
pub(super) fn json(text: &str, error: &serde_json::Error) -> ConfigError {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let (line, column) = (error.line().max(1), error.column().max(1));
    // Columns count bytes.
    let content = text.lines().nth(line - 1).unwrap_or_default();
    let rest = content.as_bytes().get(column - 1..).map(String::from_utf8_lossy).unwrap_or_default();
    let rest = rest.trim_start();
    let is_comment = |rest: &str| ["//", "/*", "#"].iter().any(|start| rest.starts_with(start));
    let words = match message {
        _ if is_comment(rest) || is_comment(content.trim_start()) => {
            "JSON has no comments; name the file .yaml, which has them (`#`)"
        }
        "EOF while parsing a value" if text.trim().is_empty() => "the file is empty",
        "expected value"
            if text.trim_start().starts_with(|c: char| c.is_alphabetic() || "-[".contains(c)) && line == 1 =>
        {
            OTHER_FORMAT
        }
        "expected value" | "expected ident" => value_words(rest),
        "EOF while parsing a value" => "the file ends where a value is expected",
        "EOF while parsing an object" => "the file ends too early: a `}` is missing",
        "EOF while parsing a list" => "the file ends too early: a `]` is missing",
        "EOF while parsing a string" => "the file ends too early: a closing quote is missing",
        "key must be a string" => "a key must be in double quotes",
        "expected `:`" => "a colon is missing after the key",
        "expected `,` or `}`" => "a comma or a closing `}` is missing",
        "expected `,` or `]`" => "a comma or a closing `]` is missing",
        "trailing comma" => "the comma after the last entry is one too many; remove it",
        "trailing characters" => "there is text after the end of the object",
        "invalid number" if is_octal(content, column) => "a number cannot begin with 0",
        "invalid number" => "this is not a number",
        "number out of range" => "the number is too large",
        "invalid escape" => "unknown escape; write a backslash as `\\\\`",
        "recursion limit exceeded" => "the file is nested too deeply",
        message if message.starts_with("control character") => {
            "a text must end on its line; write a line break as `\\n`, and a tab as `\\t`"
        }
        message if message.contains("hex escape") || message.contains("code point") => {
            "an escape is incomplete; write a backslash as `\\\\`"
        }
        message if is_ours(message) => message,
        _ => UNKNOWN,
    };
    // A line break belongs to the line that it ends.
    let (line, column) = match error.column() {
        0 if line > 1 => (line - 1, text.lines().nth(line - 2).map_or(1, |line| line.len() + 1)),
        _ => (line, column),
    };
    at(JSON, Some((line, column)), words)
}

/// What is wrong with the beginning of a JSON value.
fn value_words(rest: &str) -> &'static str {
    let word: String = rest.chars().take_while(|c| c.is_ascii_alphabetic()).collect::<String>().to_ascii_lowercase();
    match rest.chars().next() {
        Some('\'') => "a text must be in double quotes",
        Some('+' | '.') => "a number cannot begin with `+` or `.`",
        Some(']' | '}' | ',') | None => "a value is missing",
        _ if ["true", "false", "null"].contains(&word.as_str()) => "`true`, `false` and `null` are in lower case",
        _ => "a value must be a number, `true`, `false`, or a text in double quotes",
    }
}

/// Whether the digit at this column comes after a zero that begins a number.
fn is_octal(line: &str, column: usize) -> bool {
    let before = line.get(..column).unwrap_or(line).trim_end_matches(|c: char| c.is_ascii_digit());
    line[before.len()..].starts_with('0')
}

/// A syntax error of YAML.
pub(super) fn yaml(text: &str, error: &serde_saphyr::Error) -> ConfigError {
    let place = error.location().map(|at| {
        let number = |count| usize::try_from(count).unwrap_or(usize::MAX);
        (number(at.line()), number(at.column()))
    });
    // Parsers would also show the lines around the error, and give advice to programmers.
    let full = error.without_snippet().to_string();
    let line = full.lines().next().unwrap_or_default();
    let message = line[..line.find(" at line ").unwrap_or(line.len())].trim_end_matches(':');
    if message.contains("tab")
        && let Some(tab) = indenting_tab(text, place.map_or(1, |(line, _)| line))
    {
        return at(YAML, Some(tab), "a tab cannot indent YAML; use spaces");
    }
    if let Some(key) = message.strip_prefix("duplicate mapping key: ").and_then(|rest| rest.split(", set ").next()) {
        return at(YAML, place, &format!("the key `{key}` is in one object twice"));
    }
    if message.starts_with("multiple YAML documents") {
        return at(YAML, place, "expected one document; remove the line `---`, and what is before or after it");
    }
    let quoted = |start: &str| message.strip_prefix(start)?.chars().next();
    if let Some(character) = quoted("unexpected character: `") {
        return at(YAML, place, &format!("a text cannot begin with {character:?}; put it in quotes"));
    }
    if let Some(open) = quoted("unclosed bracket '") {
        return at(YAML, place, &format!("the bracket `{open}` is not closed"));
    }
    if let (Some(open), Some(close)) = (quoted("mismatched bracket '"), message.rsplit('\'').nth(1)) {
        return at(YAML, place, &format!("the bracket `{open}` is closed by `{close}`"));
    }
    let words = YAML_WORDS.iter().find(|(part, _)| message.contains(part)).map(|(_, words)| *words);
    at(YAML, place, words.unwrap_or(if is_ours(message) { message } else { UNKNOWN }))
}

/// The first tab in the indentation of a line, from the one before `line` on.
fn indenting_tab(text: &str, line: usize) -> Option<(usize, usize)> {
    let lines = text.lines().enumerate().skip(line.saturating_sub(2));
    lines
        .map(|(index, line)| (index, &line[..line.len() - line.trim_start().len()]))
        .find_map(|(index, indentation)| indentation.find('\t').map(|tab| (index + 1, tab + 1)))
}

/// A syntax error of TOML.
pub(super) fn toml(text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let place = (before.matches('\n').count() + 1, before[start..].chars().count() + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let message = error.message();
    let words = match message {
        _ if line.trim_start().starts_with("//") => "a comment begins with `#`",
        _ if text.trim_start().starts_with('{') => OTHER_FORMAT,
        message if message.contains("key with no value") && line.contains(':') => {
            "expected `key = value`; TOML has no colons"
        }
        message if message.contains("must be quoted") && line.trim_end().ends_with('=') => {
            "a value is missing after `=`"
        }
        message => {
            let words = TOML_WORDS.iter().find(|(part, _)| message.contains(part)).map(|(_, words)| *words);
            words.unwrap_or(if message.starts_with("invalid date") || message.starts_with("invalid time") {
                "this is not a date or time"
            } else if message.starts_with("invalid") {
                "this is not a number, a date, or a text in quotes"
            } else {
                UNKNOWN
            })
        }
    };
    at(TOML, Some(place), words)
}

/// Whether a message comes from this crate's reader of values, rather than from a parser.
fn is_ours(message: &str) -> bool {
    message.ends_with("is in one object twice")
}

fn at(format: &str, place: Option<(usize, usize)>, words: &str) -> ConfigError {
    let place = place.map_or(String::new(), |(line, column)| format!(" at line {line} column {column}"));
    ConfigError::new(ConfigErrorKind::Syntax, "", format!("not valid {format}{place}: {words}"))
}
