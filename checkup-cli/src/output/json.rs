//! A report as JSON: the array of results, as in a check file.

use std::io;

use checkup_core::Report;

use super::{Stdout, escape};

/// Prints the report as one document, with line breaks on a terminal.
pub(crate) fn print(report: &Report, stdout: &mut Stdout) -> io::Result<()> {
    let mut text =
        if stdout.is_terminal() { serde_json::to_string_pretty(report)? } else { serde_json::to_string(report)? };
    text.push('\n');
    stdout.print(&escape::json(&text))
}
