//! Tests properties of public types that are not visible in their methods: thread safety, errors, futures.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use checkup::*;

fn thread_safe<T: Debug + Send + Sync + 'static>() {}

fn error<T: Error + Send + Sync + 'static>() {}

#[test]
fn types_can_be_shared_between_threads() {
    thread_safe::<Check>();
    thread_safe::<Checkup>();
    thread_safe::<CheckupBuilder>();
    thread_safe::<Monitor>();
    thread_safe::<MonitorBuilder>();
    thread_safe::<Notification>();
    thread_safe::<Report>();
    thread_safe::<Run>();
    thread_safe::<Runs>();
    thread_safe::<config::Registry>();
    thread_safe::<storage_fs::FsStorage>();
}

#[test]
fn errors_can_be_boxed_and_sent() {
    error::<ConfigError>();
    error::<Failure>();
    error::<NotHealthy>();
    error::<NotifyError>();
    error::<ParseTimestampError>();
    error::<StorageError>();
    error::<duration::ParseDurationError>();
}

#[tokio::test]
async fn futures_can_be_spawned() {
    let check = check_fn("queue", || async { Ok::<_, String>(()) });
    let checkup = Checkup::builder().check(check).build().unwrap();
    let (monitor, mut runs) = Monitor::builder(checkup.clone()).start_and_subscribe().unwrap();
    tokio::spawn(async move {
        checkup.check().await.assert_healthy();
        checkup.wait_until_healthy(Duration::from_secs(10)).await.unwrap();
        assert!(checkup.check_and_store().await.is_err(), "there is no storage");
        assert!(runs.next().await.is_some());
        monitor.shutdown().await;
    })
    .await
    .unwrap();
}

#[test]
fn plugin_traits_are_object_safe_and_implemented_for_pointers() {
    fn checker(_: impl IntoChecker) {}
    fn storage(_: impl IntoStorage) {}
    fn notifier(_: impl IntoNotifier) {}
    let _: [fn(std::sync::Arc<dyn Checker>); 1] = [checker];
    let _: [fn(std::sync::Arc<dyn Storage>); 1] = [storage];
    let _: [fn(std::sync::Arc<dyn Notifier>); 1] = [notifier];
}
