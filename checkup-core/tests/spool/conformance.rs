//! A storage with a spool in front of it passes the conformance suite for storages.

use checkup_core::{Checkup, Spool, Storage};
use checkup_testkit::MemoryStorage;
use checkup_testkit::conformance::StorageFixture;
use std::path::Path;
use std::sync::Arc;

use crate::fickle::{Fickle, Mood};
use crate::temporary;

fn spooled(storage: impl Storage, dir: &Path) -> Arc<dyn Storage> {
    let checkup = Checkup::builder().storage(storage).spool(Spool::new(dir)).build().unwrap();
    Arc::clone(checkup.storage().unwrap())
}

fn factory() -> StorageFixture {
    let (temporary, storage) = (temporary(), MemoryStorage::new());
    let dir = temporary.path().join("spool");
    let broken = MemoryStorage::new();
    broken.break_down("the network is down");
    let [open, expiring, failing, silent] = [(); 4].map(|()| dir.clone());
    let expiring_storage = storage.clone();
    StorageFixture::new(move || spooled(storage.clone(), &open))
        .expiring(move |age| spooled(expiring_storage.clone().check_expiry(age), &expiring))
        .failing(move || spooled(broken.clone(), &failing))
        .hanging(move || spooled(Fickle::new(Mood::Hangs), &silent))
        .keep(temporary)
}

// In memory there are no files for others to put, and no secrets.
checkup_testkit::storage_conformance!(factory, without: [files, secret]);
