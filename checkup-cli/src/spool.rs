//! The spool: the folder in which reports wait while their storage cannot be reached.

use std::env;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use checkup_core::{Checkup, Report, Spool, Storage};
use fnv::FnvHasher;

use crate::exit::Error;
use crate::output::figures::count;
use crate::output::stderr::complain;

/// The checkup with a spool: the one in its config file, or else a separate one in the user's state folder. It has no spool if the
/// config says `"spool": false`, or if the user has no state folder.
pub(crate) fn with_default(checkup: Checkup, file: &Path) -> Checkup {
    match default_dir(&checkup, file) {
        Some(dir) => checkup.with_default_spool(Spool::new(dir)),
        None => checkup,
    }
}

/// Stores a report. If `readers` is set, it also reports that what waited in the spool was stored with it.
pub(crate) async fn store(checkup: &Checkup, report: &Report, readers: bool) -> Result<(), Error> {
    // A node may have no checks in its share.
    if report.results.is_empty() {
        return Ok(());
    }
    let mut backlog = Backlog::new(checkup).await;
    let stored = checkup.store(report).await;
    backlog.update(stored.is_ok(), readers).await;
    stored.map_err(Error::not_stored)
}

/// The default spools of other config files that hold reports, and how many.
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

/// How many reports wait in the spool, to report it when they are stored.
#[derive(Debug)]
pub(crate) struct Backlog {
    spool: Option<Spool>,
    reports: usize,
}

impl Backlog {
    /// What waits before anything is stored.
    pub(crate) async fn new(checkup: &Checkup) -> Self {
        let mut backlog = Self { spool: checkup.spool().cloned(), reports: 0 };
        backlog.reports = backlog.waiting().await;
        backlog
    }

    /// Called after a store or a spooled report. If `readers` is set, it says so if waiting reports were stored.
    pub(crate) async fn update(&mut self, is_stored: bool, readers: bool) {
        if is_stored && self.reports == 0 {
            return;
        }
        let before = self.reports;
        self.reports = self.waiting().await;
        let stored = before.saturating_sub(self.reports);
        if stored > 0 && readers {
            let are = if stored == 1 { "is" } else { "are" };
            complain(&format!("{} that waited in the spool {are} now stored", count(stored, "report")));
        }
    }

    async fn waiting(&self) -> usize {
        let Some(spool) = &self.spool else { return 0 };
        // A folder that cannot be read is reported by the store, if the store needs it.
        spool.waiting().await.map_or(0, |waiting| waiting.reports)
    }
}

/// The default folder for this config file, or else for this storage.
fn default_dir(checkup: &Checkup, file: &Path) -> Option<PathBuf> {
    let storage = checkup.storage()?;
    Some(folders()?.join(name(&key(storage.as_ref(), file)?)))
}

/// What the folder is named after. For a config file that is its path, not its storage: invalid settings of the storage are often the
/// reason why reports wait, and once they are fixed, the waiting reports must be found.
fn key(storage: &dyn Storage, file: &Path) -> Option<Vec<u8>> {
    match real(file) {
        Some(file) => Some(file.into_os_string().into_encoded_bytes()),
        None => storage.identity().map(String::into_bytes),
    }
}

/// One path for all names of a config file; `None` if it is not a file, such as standard input. Links in the path of its folder
/// are resolved. The file itself may be a link and is not resolved: deployments often switch such a link to a new version.
fn real(file: &Path) -> Option<PathBuf> {
    if file == Path::new("-") || !file.metadata().ok()?.is_file() {
        return None;
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(file.file_name()?))
}

/// The folder with the default spools.
fn folders() -> Option<PathBuf> {
    // The XDG Base Directory Specification: a relative path is invalid, and ignored.
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state =
        state.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".local/state")));
    state.map(|state| state.join("checkup/spool"))
}

/// A name that is the same in every process and version: FNV-1a.
fn name(key: &[u8]) -> String {
    let mut hasher = FnvHasher::default();
    hasher.write(key);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use checkup_core::archive::{Archive, MemoryFiles};
    use checkup_core::{StorageError, async_trait};

    use super::*;

    /// A storage with this identity.
    #[derive(Debug)]
    struct Named(Option<&'static str>);

    #[async_trait]
    impl Storage for Named {
        async fn store(&self, report: &Report) -> Result<(), StorageError> {
            Archive::new(MemoryFiles::new()).store(report).await
        }

        fn identity(&self) -> Option<String> {
            self.0.map(str::to_owned)
        }
    }

    #[test]
    fn each_config_file_has_its_own_spool_whatever_the_settings_of_its_storage() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().canonicalize().unwrap();
        let (one, other) = (here.join("one.json"), here.join("other.json"));
        for file in [&one, &other] {
            std::fs::write(file, "").unwrap();
        }
        let (wrong, right) = (Named(Some("s3://stauts")), Named(Some("s3://status")));
        assert_eq!(key(&wrong, &one), key(&right, &one));
        assert_eq!(key(&Named(None), &one), key(&right, &one));
        assert_ne!(key(&right, &one), key(&right, &other));
        // However it is named.
        std::fs::create_dir(here.join("sub")).unwrap();
        assert_eq!(key(&right, &one), key(&right, &here.join("sub/../one.json")));
        assert_eq!(name(b"").len(), 16);
        // Waiting reports must be found by later versions.
        assert_eq!(name(b"/etc/checkup.json"), "28ee0a28c4e858ba");
    }

    #[cfg(unix)]
    #[test]
    fn a_config_file_that_is_a_link_keeps_its_spool_when_the_link_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("checkup.json");
        let keys = ["1", "2"].map(|version| {
            std::fs::write(folder.path().join(version), "").unwrap();
            let _ = std::fs::remove_file(&file);
            std::os::unix::fs::symlink(version, &file).unwrap();
            key(&Named(None), &file).unwrap()
        });
        assert_eq!(keys[0], keys[1]);
    }

    #[test]
    fn a_config_from_standard_input_has_the_spool_of_its_storage() {
        let key = |identity| key(&Named(identity), Path::new("-"));
        assert_eq!(key(Some("s3://status")), Some(b"s3://status".to_vec()));
        assert_eq!(key(None), None);
    }
}
