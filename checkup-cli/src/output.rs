//! What the command prints: data to standard output in several formats, diagnostics to standard error.

pub(crate) mod escape;
pub(crate) mod figures;
mod github;
pub(crate) mod history;
pub(crate) mod json;
mod junit;
mod maintaining;
mod parts;
pub(crate) mod progress;
pub(crate) mod stderr;
mod stdout;
pub(crate) mod text;
pub(crate) mod times;
mod waiting;

use std::io;

use checkup_core::{Checkup, Report};

use crate::args::OutputFormat;

pub(crate) use maintaining::Maintaining;
pub(crate) use parts::Parts;
pub(crate) use stdout::Stdout;
pub(crate) use waiting::Waiting;

/// Prints a report of a checkup in the requested format; `stats` applies to text.
pub(crate) fn print(
    checkup: &Checkup,
    report: &Report,
    format: Option<OutputFormat>,
    stats: bool,
    stdout: &mut Stdout,
) -> io::Result<()> {
    match format.unwrap_or(OutputFormat::Text) {
        OutputFormat::Text => {
            let layout = text::Layout::new(stdout, stats);
            text::report(checkup, report, layout, Parts::new(&mut |part| stdout.print(part)))
        }
        OutputFormat::Json => json::print(report, stdout),
        OutputFormat::Junit => stdout.print(&junit::document(checkup, report, &junit::hostname())?),
        OutputFormat::Github => stdout.print(&github::annotations(report)),
    }
}
