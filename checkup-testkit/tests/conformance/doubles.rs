//! The kit's own doubles pass the conformance suites, and the macros work.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::{Report, Storage, StorageError, async_trait};
use checkup_testkit::conformance::{CheckerFixture, NamedFilesFixture, NotifierFixture, StorageFixture};
use checkup_testkit::{MemoryStorage, RecordingNotifier, StubChecker};

mod memory_storage {
    use super::*;

    fn factory() -> StorageFixture {
        let storage = MemoryStorage::new();
        let expiring = storage.clone();
        StorageFixture::new(move || storage.clone()).expiring(move |age| expiring.clone().check_expiry(age)).failing(
            || {
                let broken = MemoryStorage::new();
                broken.break_down("the disk is full");
                broken
            },
        )
    }

    checkup_testkit::storage_conformance!(factory, without: [files, hanging, secret]);
}

mod memory_files {
    use super::*;

    fn factory() -> NamedFilesFixture {
        let files = MemoryFiles::new();
        NamedFilesFixture::new(move || files.clone())
    }

    checkup_testkit::named_files_conformance!(factory, without: [failing, hanging, secret]);
}

/// An archive in memory, as it would be in a bucket.
mod archive {
    use super::*;

    fn factory() -> StorageFixture {
        let files = MemoryFiles::new();
        let (expiring, putting, looking) = (files.clone(), files.clone(), files.clone());
        StorageFixture::new(move || Archive::new(files.clone()))
            .expiring(move |age| Archive::new(expiring.clone()).check_expiry(age))
            .files(
                move |name, content| at_once(putting.put(name, content)).unwrap(),
                move |name| at_once(looking.get(name)).is_ok(),
            )
    }

    /// Everything in memory is done when it is first polled.
    fn at_once<T>(work: impl Future<Output = T>) -> T {
        match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("files in memory wait for nothing"),
        }
    }

    checkup_testkit::storage_conformance!(factory, without: [failing, hanging, secret]);
}

/// A sink that can only be written to.
mod write_only {
    use super::*;

    #[derive(Debug)]
    struct WriteOnly(MemoryStorage);

    #[async_trait]
    impl Storage for WriteOnly {
        async fn store(&self, report: &Report) -> Result<(), StorageError> {
            self.0.store(report).await
        }
    }

    checkup_testkit::storage_conformance!(
        || {
            let storage = MemoryStorage::new();
            let outside = storage.clone();
            StorageFixture::new(move || WriteOnly(storage.clone())).stored(move || outside.results())
        },
        without: [reader, maintainer, files, failing, hanging, secret],
    );
}

mod stub_checker {
    use super::*;

    fn factory() -> CheckerFixture {
        let (healthy, failing, hanging) = (StubChecker::healthy(), StubChecker::fails("no"), StubChecker::hangs());
        let stubs = Arc::new([healthy.clone(), failing.clone(), hanging.clone()]);
        let open = hanging.clone();
        CheckerFixture::new(move || healthy.clone())
            .failing(move || failing.clone())
            .hanging(move || hanging.clone())
            .tries(move || stubs.iter().map(StubChecker::attempts).sum())
            .open(move || open.running())
    }

    checkup_testkit::checker_conformance!(factory, without: [endless, secret]);
}

mod recording_notifier {
    use super::*;

    fn factory() -> NotifierFixture {
        let notifier = RecordingNotifier::new();
        let calls = notifier.clone();
        NotifierFixture::new(
            move || notifier.clone(),
            move || calls.notifications().iter().map(|notification| format!("{notification:?}")).collect(),
        )
        .failing(|| RecordingNotifier::fails("nobody is there"))
    }

    checkup_testkit::notifier_conformance!(factory, without: [hanging, secret, escaping]);
}
