//! A report as JSON: the array of results, as in a check file.

use std::io;

use checkup_core::Report;

use super::{Stdout, escape};

/// Prints the report as one document, with line breaks on a terminal.
pub(crate) fn print(report: &Report, stdout: &mut Stdout) -> io::Result<()> {
    if !stdout.is_terminal() {
        return stdout.print(&line(report)?);
    }
    let text = serde_json::to_string_pretty(report)?;
    stdout.print(&escape::json(&(text + "\n")))
}

/// The report as one line.
pub(crate) fn line(report: &Report) -> io::Result<String> {
    Ok(escape::json(&serde_json::to_string(report)?).into_owned() + "\n")
}
