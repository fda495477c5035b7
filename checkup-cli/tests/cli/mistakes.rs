//! What a person reads after a mistake in a config file: the whole message, for each row of `mistakes.txt`.

use std::fmt::Write;
use std::path::Path;

use checkup_core::config::Format;

/// Words of parsers and of Rust, which help nobody.
const JARGON: [&str; 27] = [
    "EOF",
    "Option",
    "Policy",
    "borrowed",
    "deserialize",
    "document start",
    "enum",
    "expected u",
    "flow",
    "identifier",
    "indicator",
    "ident at",
    "jp_query",
    "mapping",
    "nonzero",
    "policy",
    "scalar",
    "selector",
    "seq",
    "sequence",
    "struct",
    "surrogate",
    "token",
    "tuple",
    "untagged",
    "usize",
    "variant",
];

struct Mistake<'a> {
    format: &'a str,
    text: &'a str,
    message: &'a str,
}

/// Rows begin with `=== FORMAT`; the message follows after `>>>`.
fn rows(table: &str) -> Vec<Mistake<'_>> {
    let rows = table.split("\n=== ").skip(1);
    rows.map(|row| {
        let (format, rest) = row.split_once('\n').unwrap();
        let (text, message) = rest.split_once("\n>>>\n").unwrap();
        Mistake { format, text, message: message.trim_end() }
    })
    .collect()
}

/// The lines in one order: that of the keys of an object depends on whether another crate enables `serde_json/preserve_order`.
fn sorted(message: &str) -> Vec<&str> {
    let mut lines: Vec<_> = message.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn every_mistake_is_answered_with_its_place_and_a_remedy() {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/mistakes.txt")).unwrap();
    let registry = checkup::default_registry();
    let mut actual = table.split("\n=== ").next().unwrap().to_owned();
    let mut differences = String::new();
    for mistake in rows(&table) {
        let format = match mistake.format {
            "json" => Format::Json,
            "yaml" => Format::Yaml,
            "toml" => Format::Toml,
            other => panic!("{other}"),
        };
        let outcome = registry.parse_with(mistake.text, format, |_| None);
        let message = outcome.map_or_else(|error| error.to_string(), |_| "no problem".to_owned());
        write!(actual, "\n=== {}\n{}\n>>>\n{message}\n", mistake.format, mistake.text).unwrap();
        if sorted(&message) != sorted(mistake.message) {
            write!(differences, "\n{}\nexpected:\n{}\nfound:\n{message}\n", mistake.text, mistake.message).unwrap();
        }
        let plain: String = message.split('`').step_by(2).collect();
        for word in JARGON.iter().filter(|word| plain.contains(**word)) {
            writeln!(differences, "\njargon, {word:?}: {message}").unwrap();
        }
    }
    // To compare with, and to copy from.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mistakes.txt");
    std::fs::write(&path, actual).unwrap();
    assert!(differences.is_empty(), "{differences}\nThe table with what was found is in {}", path.display());
}
