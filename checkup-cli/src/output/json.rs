//! A report as JSON: the array of results, as in a check file.

use std::io;

use checkup_core::Report;

use super::{Parts, Stdout, escape};

/// Prints the report as one document, with line breaks on a terminal.
pub(crate) fn print(report: &Report, stdout: &mut Stdout) -> io::Result<()> {
    if !stdout.is_terminal() {
        return print_line(report, Parts::new(&mut |part| stdout.print(&escape::json(part))));
    }
    let text = serde_json::to_string_pretty(report)?;
    stdout.print(&escape::json(&(text + "\n")))
}

/// The report as one line.
pub(crate) fn line(report: &Report) -> io::Result<String> {
    let mut line = String::new();
    let mut add = |part: &str| {
        line.push_str(&escape::json(part));
        Ok(())
    };
    print_line(report, Parts::new(&mut add))?;
    Ok(line)
}

fn print_line(report: &Report, mut parts: Parts<'_>) -> io::Result<()> {
    let mut separator = '[';
    for result in &report.results {
        parts.text.push(separator);
        parts.text.push_str(&serde_json::to_string(result)?);
        parts.print_if_long()?;
        separator = ',';
    }
    parts.text.push_str(if report.results.is_empty() { "[]\n" } else { "]\n" });
    parts.finish()
}

#[cfg(test)]
mod tests {
    use checkup_core::CheckResult;

    use super::*;

    #[test]
    fn a_line_is_the_array_of_results_however_many_parts_it_has() {
        for count in [0, 1, 1000] {
            let report =
                Report::new((0..count).map(|index| CheckResult::new(format!("{index}\u{202e}"), "x")).collect());
            let line = line(&report).unwrap();
            assert!(line.ends_with("]\n") && !line.contains('\u{202e}'), "{line}");
            assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), report);
        }
    }
}
