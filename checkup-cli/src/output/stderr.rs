//! Diagnostics for people, on standard error.

use std::io::{self, Write};
use std::sync::OnceLock;

use super::escape;

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

/// Writes a diagnostic that may have several lines, such as a syntax error with the place in the file. All lines but the
/// first are indented, so that none of them looks like another diagnostic.
pub(crate) fn complain_in_lines(message: &str) {
    write(&indented(message));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_begins_at_the_margin() {
        assert_eq!(
            indented("a.toml: no value\n  |\n1 | x =\ncheckup: forged\u{1b}[2J"),
            "a.toml: no value\n      |\n    1 | x =\n    checkup: forged\\u{1b}[2J"
        );
    }
}
