//! Diagnostics for people, on standard error.

use std::io::{self, Write};
use std::sync::OnceLock;

use super::escape;

/// How long a diagnostic may be before the list at its end gets its own lines, in characters.
const LONGEST: usize = 120;

/// The longest line of such a list, in characters.
const LIST_WIDTH: usize = 96;

/// How the lists at the end of messages begin.
const LISTS: [&str; 2] = [" (expected one of ", " (available: "];

/// The name of the program, which begins every diagnostic. Standard error is one per process, and so is this.
static PROGRAM: OnceLock<&'static str> = OnceLock::new();

/// Sets the name of the program. Only the first call counts.
pub(crate) fn name_program(name: &'static str) {
    let _ = PROGRAM.set(name);
}

/// The name of the program, to show people what to type.
pub(crate) fn program() -> &'static str {
    PROGRAM.get().copied().unwrap_or("checkup")
}

/// Writes a diagnostic as one line. Line breaks and control characters in it are escaped, so that text from outside can
/// neither control the terminal nor forge another diagnostic.
pub(crate) fn complain(message: &str) {
    write(&escape::line(message));
}

/// Writes a diagnostic that may have several lines, such as a problem of a config file. A long list at its end gets its own lines. All
/// lines but the first are indented, so that none of them looks like another diagnostic.
pub(crate) fn complain_in_lines(message: &str) {
    write(&indented(&with_list_in_lines(message)));
}

/// Writes lines as they are, except for characters that could control the terminal.
pub(crate) fn write_lines(text: &str) {
    let lines: Vec<_> = text.lines().map(escape::line).collect();
    let _ = writeln!(io::stderr().lock(), "{}", lines.join("\n"));
}

fn write(text: &str) {
    // If this fails, there is no other place to report it.
    let _ = writeln!(io::stderr().lock(), "{}: {text}", program());
}

fn indented(message: &str) -> String {
    let lines: Vec<_> = message.lines().map(escape::line).collect();
    lines.join("\n    ")
}

/// The message with the list at its end in lines of its own, if it is too long for one.
fn with_list_in_lines(message: &str) -> String {
    let is_short = message.chars().count() <= LONGEST;
    let list = LISTS.iter().find_map(|start| message.strip_suffix(')')?.split_once(start).map(|parts| (start, parts)));
    let Some((start, (head, list))) = list.filter(|_| !is_short) else { return message.to_owned() };
    let mut out = format!("{head};{}", start.replacen(" (", " ", 1).trim_end());
    let mut column = usize::MAX;
    for name in list.split_inclusive(", ") {
        let width = name.chars().count();
        if column.saturating_add(width) > LIST_WIDTH {
            out.truncate(out.trim_end().len());
            out.push('\n');
            column = 0;
        }
        out.push_str(name);
        column += width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_gets_its_own_lines() {
        let names: Vec<_> = (10..40).map(|number| format!("`key_{number}`")).collect();
        let message = format!("a.yaml: x: unknown key (expected one of {})", names.join(", "));
        let lines = with_list_in_lines(&message);
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines[0], "a.yaml: x: unknown key; expected one of");
        assert!(lines[1].starts_with("`key_10`, ") && lines[lines.len() - 1].ends_with("`key_39`"), "{lines:?}");
        assert!(lines.len() > 3 && lines.iter().all(|line| line.len() <= LIST_WIDTH), "{lines:?}");
        let short = "x: unknown key (expected one of `a`, `b`)";
        assert_eq!(with_list_in_lines(short), short);
    }

    #[test]
    fn only_the_first_line_begins_at_the_margin() {
        assert_eq!(
            indented("a.toml: no value\n  |\n1 | x =\ncheckup: forged\u{1b}[2J"),
            "a.toml: no value\n      |\n    1 | x =\n    checkup: forged\\u{1b}[2J"
        );
    }
}
