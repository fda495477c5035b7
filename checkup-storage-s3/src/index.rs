//! `index.json`: the names of the latest check files, for servers that let anyone read files but not list them.
//!
//! The format is that of the original Checkup: `{"<file name>": <nanoseconds>}`. The index is made from a listing. After it is written, the
//! files are listed again, and the index is made again if one is missing. So the last index that is written has every file that was stored
//! before its second listing, and a node that stores a file later writes an index later, too.

use std::fmt::Write as _;
use std::time::Duration;

use checkup_core::archive::NamedFiles;
use checkup_core::check_file::FileName;
use checkup_core::{ErrorChain, StorageError, Timestamp};
use tokio::time::timeout;

/// The name of the index.
const NAME: &str = "index.json";

/// How far back the index goes: older check files are in `summary.json`. A shorter span is used where there are too many files.
const SPANS: [Duration; 3] =
    [Duration::from_secs(2 * 24 * 3600), Duration::from_secs(6 * 3600), Duration::from_secs(3600)];

/// How many files an index lists at most: 600 kB of text, which compress to some 100 kB.
const MAX_FILES: usize = 10_000;

/// How often an index is made again because other nodes store at the same time. The last of these nodes to write has them all.
const MAX_ROUNDS: usize = 5;

/// Renews the index. A failure is only logged, since the check file has been stored.
pub(crate) async fn renew<F: NamedFiles>(files: &F, limit: Duration) {
    let failed = match timeout(limit, write(files)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => ErrorChain(&error).to_string(),
        Err(_) => format!("it took longer than {limit:?}"),
    };
    tracing::warn!(error = %failed, "index.json is not renewed; the next store tries again");
}

/// Writes an index that has every check file of the last two days.
pub(crate) async fn write<F: NamedFiles>(files: &F) -> Result<(), StorageError> {
    let mut names = latest(files).await?;
    for _ in 0..MAX_ROUNDS {
        files.put(NAME, text(&names).as_bytes()).await?;
        let now = latest(files).await?;
        // A file that was removed in the meantime is no reason to repeat: readers skip it.
        if now.iter().all(|name| names.binary_search(name).is_ok()) {
            return Ok(());
        }
        names = now;
    }
    Ok(())
}

/// Lists the latest check files, in the order of their names.
async fn latest<F: NamedFiles>(files: &F) -> Result<Vec<FileName>, StorageError> {
    let mut names = Vec::new();
    for span in SPANS {
        let from = Timestamp::now().saturating_sub(span).unix_nanos().max(0);
        names = files.list_before(&format!("{from:019}"), ":", MAX_FILES + 1).await?;
        if names.len() <= MAX_FILES {
            break;
        }
    }
    let mut names: Vec<_> = names.iter().take(MAX_FILES).filter_map(|name| FileName::parse(name)).collect();
    names.sort_unstable();
    Ok(names)
}

fn text(names: &[FileName]) -> String {
    let mut text = String::from("{");
    for (index, name) in names.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(text, "{comma}\n{}:{}", quoted(name.as_str()), name.timestamp().unix_nanos());
    }
    text.push_str("\n}\n");
    text
}

/// A JSON string. Names have no control characters.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_the_original_checkups() {
        let names =
            ["7-check.json", "42-eu-check.json", "43-\"x\"-check.json"].map(|name| FileName::parse(name).unwrap());
        let found: serde_json::Value = serde_json::from_str(&text(&names)).unwrap();
        assert_eq!(found, serde_json::json!({"7-check.json": 7, "42-eu-check.json": 42, "43-\"x\"-check.json": 43}));
        assert_eq!(text(&[]), "{\n}\n");
    }
}
