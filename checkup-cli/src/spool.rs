//! Where reports wait while their storage cannot be reached, unless the config file says it.

use std::env;
use std::path::{Path, PathBuf};

use checkup_core::{Checkup, Spool, StorageError, StorageErrorKind};
use serde_json::Value;

use crate::exit::{Error, complain};
use crate::output::figures::count;

/// What a storage is by its settings, the same however it is reached.
const IDENTITY: [&str; 4] = ["type", "bucket", "prefix", "dir"];

/// The checkup of this config file with a spool: that of its config file, else one of its own in the user's folder of state.
/// Without one if the config says `"spool": false`, or if the user has no such folder.
pub(crate) fn with_default(checkup: Checkup, file: &Path) -> Checkup {
    match default_dir(&checkup, file) {
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

/// The other default spools in which reports wait, and how many: those of other config files.
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

/// The spool, and how many reports are set aside in it, if any are.
pub(crate) async fn set_aside(checkup: &Checkup) -> Option<(&Path, usize)> {
    let spool = checkup.spool()?;
    let waiting = spool.waiting().await.ok().filter(|waiting| waiting.broken > 0)?;
    Some((&spool.dir, waiting.broken))
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

/// The folder of this config file, or else of this storage.
fn default_dir(checkup: &Checkup, file: &Path) -> Option<PathBuf> {
    checkup.storage()?;
    let config = serde_json::to_value(checkup).ok()?;
    let here = env::current_dir().ok()?;
    Some(folders()?.join(name(&key(config.get("storage")?, file, &here)?)))
}

/// What the folder is of. A mistake in the storage's settings is often why reports wait, so that they are not in it where there
/// is a file: who mends them stores what waits.
fn key(storage: &Value, file: &Path, here: &Path) -> Option<Vec<u8>> {
    let settings = storage.as_object()?;
    let dir = settings.get("dir").and_then(Value::as_str).map(Path::new);
    // It means another storage in another folder.
    let is_relative = dir.is_some_and(Path::is_relative);
    let mut key = Vec::new();
    match real(file) {
        Some(file) => {
            key.extend(file.as_os_str().as_encoded_bytes());
            if is_relative && file.parent() != Some(here) {
                key.push(b'\n');
                key.extend(here.as_os_str().as_encoded_bytes());
            }
        }
        None => {
            for (name, value) in IDENTITY.iter().filter_map(|name| settings.get(*name).map(|value| (name, value))) {
                key.extend(format!("{name}={value}\n").bytes());
            }
            if is_relative {
                key.extend(here.as_os_str().as_encoded_bytes());
            }
        }
    }
    Some(key)
}

/// The path of a config file by which everybody names it; `None` for what is no file, as standard input. The links of its folder
/// are followed, and it is not one itself: who deploys a new version often points a link to it.
fn real(file: &Path) -> Option<PathBuf> {
    if file == Path::new("-") || !file.metadata().ok()?.is_file() {
        return None;
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(file.file_name()?))
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
fn name(key: &[u8]) -> String {
    let hash = key
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_config_file_has_a_spool_of_its_own_whatever_its_storage_is_set_to() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().canonicalize().unwrap();
        let (one, other) = (here.join("one.json"), here.join("other.json"));
        for file in [&one, &other] {
            std::fs::write(file, "").unwrap();
        }
        let wrong = json!({ "type": "s3", "bucket": "stauts", "endpoint": "http://minoi:9000" });
        let right = json!({ "type": "s3", "bucket": "status", "endpoint": "http://minio:9000" });
        assert_eq!(key(&wrong, &one, &here), key(&right, &one, &here));
        assert_ne!(key(&right, &one, &here), key(&right, &other, &here));
        // However it is named, and from wherever.
        std::fs::create_dir(here.join("sub")).unwrap();
        assert_eq!(key(&right, &one, &here), key(&right, &here.join("sub/../one.json"), Path::new("/srv")));
        // But a relative path is another one elsewhere.
        let relative = json!({ "type": "fs", "dir": "results" });
        assert_eq!(key(&relative, &one, &here), key(&json!({ "type": "fs", "dir": "/srv" }), &one, &here));
        assert_ne!(key(&relative, &one, &here), key(&relative, &one, Path::new("/srv")));
        assert_eq!(name(b"").len(), 16);
    }

    #[cfg(unix)]
    #[test]
    fn a_config_file_that_is_a_link_keeps_its_spool_when_the_link_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, here) = (folder.path().join("checkup.json"), Path::new("/"));
        let keys = ["1", "2"].map(|version| {
            std::fs::write(folder.path().join(version), "").unwrap();
            let _ = std::fs::remove_file(&file);
            std::os::unix::fs::symlink(version, &file).unwrap();
            key(&json!({ "type": "s3", "bucket": "status" }), &file, here).unwrap()
        });
        assert_eq!(keys[0], keys[1]);
    }

    #[test]
    fn a_config_from_standard_input_has_the_spool_of_its_storage() {
        let key = |storage: &Value, here: &str| key(storage, Path::new("-"), Path::new(here)).unwrap();
        let wrong = json!({ "type": "s3", "bucket": "status", "endpoint": "http://minoi:9000" });
        let right = json!({ "bucket": "status", "endpoint": "http://minio:9000", "type": "s3", "region": "eu" });
        assert_eq!(key(&wrong, "/srv/a"), key(&right, "/srv/b"));
        assert_ne!(key(&right, "/"), key(&json!({ "type": "s3", "bucket": "other" }), "/"));
        assert_ne!(key(&right, "/"), key(&json!({ "type": "s3", "bucket": "status", "prefix": "a/" }), "/"));
        let relative = json!({ "type": "fs", "dir": "results" });
        assert_ne!(key(&relative, "/srv/a"), key(&relative, "/srv/b"));
    }
}
