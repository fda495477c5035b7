//! A custom checker, used from a config file like the built-in ones.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::borrow::Cow;
use std::path::PathBuf;

use checkup::config::Format;
use checkup::{Checker, Failure, Observation, async_trait};
use serde::{Deserialize, Serialize};

/// A directory must not hold too many files, which would mean that a queue is not being processed.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Spool {
    /// The directory.
    dir: PathBuf,
    /// The maximum number of files. The check is degraded from half of it on.
    max_files: usize,
}

#[async_trait]
impl Checker for Spool {
    fn endpoint(&self) -> Cow<'_, str> {
        self.dir.to_string_lossy()
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        let dir = self.dir.clone();
        // Reading a directory blocks, so it is done on a thread for blocking work.
        let files = tokio::task::spawn_blocking(move || std::fs::read_dir(dir).map(Iterator::count)).await;
        match files.map_err(Failure::from_error)?? {
            files if files > self.max_files => Err(Failure::assertion(format!("{files} files wait"))),
            files if files > self.max_files / 2 => Ok(Observation::new().degraded(format!("{files} files wait"))),
            _ => Ok(Observation::new()),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut registry = checkup::default_registry();
    registry.checker::<Spool>("spool");

    let spool = tempfile::tempdir()?;
    for message in 0..3 {
        std::fs::write(spool.path().join(format!("message-{message}")), "hello")?;
    }
    // In your own program: `registry.load("checkup.yaml")`, or `checkup_cli::main(registry)` for every command.
    let config = "
checkers:
  - { type: spool, endpoint_name: outbox, dir: '${SPOOL}', max_files: 10 }
  - { type: spool, endpoint_name: inbox, dir: '${SPOOL}', max_files: 4 }
  - { type: spool, endpoint_name: bounces, dir: '${SPOOL}', max_files: 2 }
";
    let path = spool.path().to_string_lossy().into_owned();
    let lookup = |variable: &str| (variable == "SPOOL").then(|| path.clone());
    let checkup = registry.parse_with(config, Format::Yaml, lookup)?;
    println!("{}", checkup.check().await);

    // Mistakes are reported with their place and a suggestion.
    let mistake = "checkers: [{ type: spool, dir: /tmp, max_file: 3 }]";
    if let Err(error) = registry.parse(mistake, Format::Yaml) {
        println!("{error}");
    }
    Ok(())
}
