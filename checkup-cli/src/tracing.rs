//! Log events of the libraries, on standard error.

use std::env;
use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Write};

use checkup_core::ErrorChain;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt as events, registry};

use crate::exit::Error;
use crate::output::escape;

/// Sets the subscriber of this process, according to `RUST_LOG`, or else to the options.
pub(crate) fn init(verbose: u8, quiet: bool) -> Result<(), Error> {
    let wanted = env::var("RUST_LOG").ok().filter(|directives| !directives.is_empty());
    let times = verbose > 0 || wanted.is_some();
    let targets = match wanted {
        Some(directives) => directives.parse::<Targets>().map_err(|error| {
            Error::usage(format!(
                "RUST_LOG: expected directives such as `checkup_core=debug`, found {directives:?}: {error}"
            ))
        })?,
        None => targets(verbose, quiet),
    };
    let layer = events::layer().with_writer(|| Stderr).with_ansi(false).fmt_fields(Escaped);
    let layer = if times { layer.boxed() } else { layer.without_time().boxed() };
    // An error means that the program has already set its own subscriber, which is fine.
    let _ = registry().with(layer.with_filter(targets)).try_init();
    Ok(())
}

fn targets(verbose: u8, quiet: bool) -> Targets {
    // Targets are prefixes: this is every crate of the project.
    const OURS: &str = "checkup";
    match verbose {
        0 if quiet => Targets::new().with_target(OURS, LevelFilter::ERROR),
        // The command itself prints that checks are down, that a report was not stored, and that a check file cannot be read.
        0 => Targets::new()
            .with_target(OURS, LevelFilter::WARN)
            .with_target("checkup_core::engine", LevelFilter::ERROR)
            .with_target("checkup_core::monitor", LevelFilter::ERROR)
            .with_target("checkup_core::history::read_summary", LevelFilter::ERROR),
        1 => Targets::new().with_default(LevelFilter::INFO).with_target(OURS, LevelFilter::DEBUG),
        _ => Targets::new().with_default(LevelFilter::DEBUG).with_target(OURS, LevelFilter::TRACE),
    }
}

/// Standard error, with failures ignored: if the disk with the log is full, the command must not end.
#[derive(Debug)]
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().lock().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Formats the fields of an event, the message among them, so that an event is one line and cannot control the terminal: names of
/// files, hosts and checks come from outside.
#[derive(Debug)]
struct Escaped;

impl<'writer> FormatFields<'writer> for Escaped {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut fields_of_event = Fields { writer, is_first: true, result: Ok(()) };
        fields.record(&mut fields_of_event);
        fields_of_event.result
    }
}

struct Fields<'writer> {
    writer: Writer<'writer>,
    is_first: bool,
    result: fmt::Result,
}

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: &str) {
        let blank = if std::mem::take(&mut self.is_first) { "" } else { " " };
        let value = escape::line(value);
        let result = match field.name() {
            "message" => write!(self.writer, "{blank}{value}"),
            name => write!(self.writer, "{blank}{name}={value}"),
        };
        self.result = self.result.and(result);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" { self.put(field, value) } else { self.record_debug(field, &value) }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn StdError + 'static)) {
        self.put(field, &ErrorChain(value).to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a subscriber with these fields writes.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_that_cannot_control_the_terminal() {
        let log = Log::default();
        let writer = log.clone();
        let layer =
            events::layer().with_writer(move || writer.clone()).with_ansi(false).without_time().fmt_fields(Escaped);
        let evil = "1-\u{1b}[2J\u{7}\n WARN checkup_core: FORGED";
        let error = io::Error::other(crate::exit::Error::failed(evil));
        ::tracing::subscriber::with_default(registry().with(layer), || {
            ::tracing::warn!(name = %evil, text = evil, debug = ?evil, error = &error as &dyn StdError, "left alone: {evil}");
            let _span = ::tracing::info_span!("span", name = %evil).entered();
            ::tracing::info!("in a span");
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
        let shown = r"1-\u{1b}[2J\u{7}\n WARN checkup_core: FORGED";
        assert!(
            text.contains(&format!(
                "left alone: {shown} name={shown} text=\"{shown}\" debug=\"{shown}\" error={shown}\n"
            )),
            "{text}"
        );
        assert!(text.contains(&format!("span{{name={shown}}}")), "{text}");
    }
}
