//! Tests the contracts of `Storage`, `StorageReader` and `StorageMaintainer`.

use checkup_sqlite::Sqlite;
use checkup_testkit::conformance::StorageFixture;

fn factory() -> StorageFixture {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("checks.db");
    let (expiring, in_a_file) = (file.clone(), file.join("below-a-file.db"));
    StorageFixture::new(move || Sqlite::new(&file))
        .expiring(move |age| Sqlite::new(&expiring).check_expiry(age))
        .failing(move || Sqlite::new(&in_a_file))
        .keep(dir)
}

checkup_testkit::storage_conformance!(factory, without: [files, silent, secret]);
