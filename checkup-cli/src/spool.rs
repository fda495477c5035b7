//! Where reports wait while their storage cannot be reached, unless the config file says it.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use checkup_core::{Checkup, Spool, StorageError, StorageErrorKind};
use serde_json::Value;

use crate::exit::{Error, complain};
use crate::output::figures::count;

/// The checkup with a spool: that of its config file, else one of its own in the user's folder of state. Without one if the
/// config says `"spool": false`, or if the user has no such folder.
pub(crate) fn with_default(checkup: Checkup) -> Checkup {
    match default_dir(&checkup) {
        Some(dir) => checkup.with_default_spool(Spool::new(dir)),
        None => checkup,
    }
}

/// What becomes of an error of a store.
pub(crate) fn not_stored(error: StorageError) -> Error {
    match error.kind() {
        StorageErrorKind::Spooled => Error::Spooled(error),
        _ => Error::Storage(error),
    }
}

/// The other default spools in which reports wait, and how many: those of other storages, and of this one with other settings.
pub(crate) async fn others(checkup: &Checkup) -> Vec<(PathBuf, usize)> {
    let own = checkup.spool().map(|spool| spool.dir.as_path());
    let folders = folders().filter(|folders| own.is_some_and(|own| own.parent() == Some(folders)));
    let Some(Ok(entries)) = folders.map(std::fs::read_dir) else { return Vec::new() };
    let mut others = Vec::new();
    for entry in entries.flatten().filter(|entry| own != Some(&entry.path())) {
        let waiting = Spool::new(entry.path()).waiting().await.unwrap_or_default();
        if waiting.reports > 0 {
            others.push((entry.path(), waiting.reports));
        }
    }
    others.sort_unstable();
    others
}

/// How many reports wait in the spool, and were stored by a later store.
#[derive(Debug)]
pub(crate) struct Backlog<'a> {
    spool: Option<&'a Spool>,
    reports: usize,
}

impl<'a> Backlog<'a> {
    /// What waits before anything is stored.
    pub(crate) async fn new(checkup: &'a Checkup) -> Self {
        let mut backlog = Self { spool: checkup.spool(), reports: 0 };
        backlog.reports = backlog.waiting().await;
        backlog
    }

    /// Takes in that something was stored, or kept. Tells people, if there are any, when what waited has been stored.
    pub(crate) async fn update(&mut self, is_stored: bool, readers: bool) {
        if is_stored && self.reports == 0 {
            return;
        }
        let before = self.reports;
        self.reports = self.waiting().await;
        let stored = before.saturating_sub(self.reports);
        if stored > 0 && readers {
            complain(&format!("{} that waited in the spool {} stored now", count(stored, "report"), is_or_are(stored)));
        }
    }

    async fn waiting(&self) -> usize {
        let Some(spool) = self.spool else { return 0 };
        // A folder that cannot be read is told by the store, if it is needed.
        spool.waiting().await.map_or(0, |waiting| waiting.reports)
    }
}

fn is_or_are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// The folder of this storage. Two storages must not share one, and relative paths in a storage's settings mean something else in
/// another folder: so it is of the settings and of the folder that the command works in.
fn default_dir(checkup: &Checkup) -> Option<PathBuf> {
    checkup.storage()?;
    // Secrets are redacted in it, so that one that is changed leaves nothing behind.
    let config = serde_json::to_value(checkup).ok()?;
    let settings: BTreeMap<&String, &Value> = config.get("storage")?.as_object()?.iter().collect();
    let settings = serde_json::to_string(&settings).ok()?;
    let here = env::current_dir().ok()?;
    Some(folders()?.join(name(&settings, &here)))
}

/// Where the default spools are.
fn folders() -> Option<PathBuf> {
    // The XDG Base Directory Specification: a relative path is invalid, and ignored.
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state =
        state.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".local/state")));
    state.map(|state| state.join("checkup/spool"))
}

/// A name that is the same for every process and version: FNV-1a.
fn name(settings: &str, here: &Path) -> String {
    let bytes = settings.bytes().chain([b'\n']).chain(here.as_os_str().as_encoded_bytes().iter().copied());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_storage_has_a_spool_of_its_own_wherever_its_paths_begin() {
        let here = Path::new("/srv/a");
        let settings = r#"{"dir":"results","type":"fs"}"#;
        assert_eq!(name(settings, here), name(settings, here));
        assert_eq!(name(settings, here).len(), 16);
        assert_ne!(name(settings, here), name(settings, Path::new("/srv/b")));
        assert_ne!(name(settings, here), name(r#"{"dir":"other","type":"fs"}"#, here));
    }
}
