//! Beats through real storages, by several nodes, and with hostile files.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

mod files;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::{Cause, Check, CheckResult, Checkup, Status, Storage, Timestamp};
use checkup_heartbeat::{Beat, Heartbeat, Job};
use checkup_storage_fs::{Fs, FsStorage};
use files::Watched;

const HOUR: Duration = Duration::from_secs(3600);

fn backup() -> Heartbeat {
    Heartbeat::new("backup", HOUR)
}

async fn check(heartbeat: Heartbeat, storage: Arc<dyn Storage>) -> CheckResult {
    let check = Check::new("Backup", heartbeat).timeout(Duration::from_millis(100));
    let checkup = Checkup::builder().check(check).storage(storage).build().unwrap();
    checkup.check().await.results.into_iter().next().unwrap()
}

async fn of_files(files: &Watched) -> CheckResult {
    check(backup(), Arc::new(Archive::new(files.clone()))).await
}

fn ago(seconds: u64) -> Timestamp {
    Timestamp::now().saturating_sub(Duration::from_secs(seconds))
}

async fn beats(files: &impl NamedFiles) -> Vec<String> {
    let names = files.list("beat-", 10_000).await.unwrap();
    names.into_iter().filter(|name| name.starts_with("beat-")).collect()
}

#[tokio::test]
async fn the_whole_life_of_a_job_in_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    // The job and the monitor open the directory independently. It does not exist yet.
    let storage = || Arc::new(FsStorage::new(Fs::new(folder.path().join("status"))).unwrap()) as Arc<dyn Storage>;
    let now = async || check(backup().max_runtime(HOUR), storage()).await;
    assert_eq!(now().await.reason().unwrap(), "no beat yet: the job has never reported");

    let report = async |beat: Beat| Job::new("backup").report(&*storage(), &beat).await.unwrap();
    report(Beat::ok().at(ago(7200))).await;
    let late = now().await;
    assert!(
        late.reason().unwrap().starts_with("late: the last beat was 2h ago, expected one every 1h, with 5m of grace"),
        "{late:?}"
    );
    report(Beat::began().at(ago(3700))).await;
    assert!(now().await.reason().unwrap().starts_with("began 1h1m ago and has not ended"));
    report(Beat::failed().at(ago(60)).message("the disk\nis full").location("eu")).await;
    assert_eq!(now().await.reason().unwrap(), r"failed 1m ago at eu: the disk\nis full");
    backup().begin(&*storage()).await.unwrap();
    assert_eq!(now().await.status, Status::Down);
    report(Beat::ok().took(Duration::from_millis(1234))).await;
    let healthy = now().await;
    assert_eq!(healthy.status, Status::Healthy, "{healthy:?}");
    // The round-trip time is that of the job.
    assert_eq!(healthy.attempts[0].rtt, Duration::from_millis(1234));
    backup().fail(&*storage(), "again").await.unwrap();
    assert!(now().await.reason().unwrap().ends_with(" ago: again"));
}

#[tokio::test]
async fn beats_do_not_disturb_the_history_and_maintenance_does_not_remove_them() {
    let folder = tempfile::tempdir().unwrap();
    let storage = FsStorage::new(Fs::new(folder.path()).check_expiry(Duration::from_secs(1))).unwrap();
    Job::new("backup").report(&storage, &Beat::ok().at(ago(1800))).await.unwrap();
    let checkup = Checkup::builder().check(Check::new("Backup", backup())).storage(storage.clone()).build().unwrap();
    let report = checkup.check_and_store().await.unwrap();
    report.assert_healthy();
    let reader = storage.reader().unwrap();
    let listed = reader.list(Timestamp::from_unix_nanos(0)).await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(reader.fetch(&listed[0]).await.unwrap().len(), 1);
    let index = std::fs::read_to_string(folder.path().join("index.json")).unwrap();
    assert!(!index.contains("beat-"), "{index}");
    let done = storage.maintainer().unwrap().maintain().await.unwrap();
    assert_eq!(done.failures, []);
    assert_eq!(beats(&storage.files()).await.len(), 1);
    checkup.check().await.assert_healthy();
}

#[tokio::test(flavor = "multi_thread")]
async fn beats_of_many_nodes_are_all_stored_and_only_the_latest_are_kept() {
    let files = MemoryFiles::new();
    let mut nodes = tokio::task::JoinSet::new();
    for node in 0..8 {
        let files = files.clone();
        nodes.spawn(async move {
            for _ in 0..20 {
                let beat = if node == 3 { Beat::began() } else { Beat::ok() };
                Job::new("backup").report(&Archive::new(files.clone()), &beat).await.unwrap();
            }
        });
    }
    nodes.join_all().await;
    // One more, which sees all of them.
    Job::new("backup").report(&Archive::new(files.clone()), &Beat::ok()).await.unwrap();
    let left = beats(&files).await;
    assert!((16..=17).contains(&left.len()), "{left:?}");
    // Other jobs have other beats.
    Job::new("backup-2").report(&Archive::new(files.clone()), &Beat::failed()).await.unwrap();
    assert_eq!(check(backup(), Arc::new(Archive::new(files))).await.status, Status::Healthy);
}

#[tokio::test]
async fn a_storage_that_cannot_be_read_is_the_monitors_trouble() {
    let files = Watched::default();
    backup().beat(&Archive::new(files.clone())).await.unwrap();
    files.is_down.store(true, Ordering::SeqCst);
    let result = of_files(&files).await;
    assert_eq!(result.status, Status::Unknown, "{result:?}");
    assert_eq!(result.attempts[0].cause, Some(Cause::Monitor));
    let error = result.attempts[0].error.as_deref().unwrap();
    assert_eq!(error, "cannot read the beats of the job: the bucket is away");
    // Reporting fails visibly.
    assert!(backup().beat(&Archive::new(files.clone())).await.is_err());
    files.is_down.store(false, Ordering::SeqCst);
    assert_eq!(of_files(&files).await.status, Status::Healthy);
}

#[tokio::test]
async fn a_node_that_may_not_delete_still_reports() {
    let files = Watched::default();
    files.is_undeletable.store(true, Ordering::SeqCst);
    for _ in 0..30 {
        backup().beat(&Archive::new(files.clone())).await.unwrap();
    }
    assert_eq!(beats(&files).await.len(), 30);
    assert_eq!(of_files(&files).await.status, Status::Healthy);
    files.is_undeletable.store(false, Ordering::SeqCst);
    backup().beat(&Archive::new(files.clone())).await.unwrap();
    assert_eq!(beats(&files).await.len(), 16);
}

#[tokio::test]
async fn thousands_of_beats_are_read_page_by_page_and_even_more_are_refused() {
    let files = Watched::default();
    backup().beat(&Archive::new(files.clone())).await.unwrap();
    let prefix = beats(&files).await[0].split("-1").next().unwrap().to_owned();
    let name = |number: usize| format!("{prefix}-{:019}-failed-{number}.json", 1_000_000_000_000_000_000 + number);
    for number in 0..2500 {
        files.put(&name(number), b"{}").await.unwrap();
    }
    // The only good beat is the latest of all.
    assert_eq!(of_files(&files).await.status, Status::Healthy);
    for number in 2500..22_000 {
        files.put(&name(number), b"{}").await.unwrap();
    }
    let result = of_files(&files).await;
    assert_eq!(result.status, Status::Unknown);
    let error = result.attempts[0].error.as_deref().unwrap();
    assert!(
        error
            .ends_with("there are too many beats of this job; allow the machines that report to delete `beat-*` files"),
        "{error}"
    );
}

#[tokio::test]
async fn hostile_content_neither_breaks_nor_misleads() {
    let secret_like = "x".repeat(100_000);
    for content in [
        "".to_owned(),
        "null".to_owned(),
        "[".repeat(100_000),
        r#"{"outcome":"ok","at":1}"#.to_owned(),
        format!(
            r#"{{"outcome":"failed","at":1,"message":"\u001b[2J\n{secret_like}","location":"\u0007{secret_like}"}}"#
        ),
    ] {
        let files = Watched::default();
        backup().fail(&Archive::new(files.clone()), "x").await.unwrap();
        let name = beats(&files).await.remove(0);
        files.put(&name, content.as_bytes()).await.unwrap();
        let result = of_files(&files).await;
        // The name says that the job failed.
        let reason = result.reason().unwrap().into_owned();
        assert!(result.status == Status::Down && reason.starts_with("failed "), "{reason}");
        assert!(!reason.contains(char::is_control) && reason.len() < 1500, "{reason}");
    }
}

#[tokio::test]
async fn files_with_similar_names_are_ignored_and_left_alone() {
    let files = Watched::default();
    backup().beat(&Archive::new(files.clone())).await.unwrap();
    let name = beats(&files).await.remove(0);
    let prefix = name.split("-1").next().unwrap().to_owned();
    let similar = [format!("{name}.bak"), format!("{prefix}-notes.txt"), "beat-".to_owned(), format!("{prefix}.json")];
    for similar in &similar {
        files.put(similar, b"{}").await.unwrap();
    }
    for _ in 0..40 {
        backup().beat(&Archive::new(files.clone())).await.unwrap();
    }
    let left = beats(&files).await;
    assert!(similar.iter().all(|similar| left.contains(similar)), "{left:?}");
    assert_eq!(of_files(&files).await.status, Status::Healthy);
}

#[tokio::test]
async fn a_clock_that_is_ahead_is_noticed_and_does_not_hide_that_the_job_is_late() {
    let files = Watched::default();
    let archive = Archive::new(files.clone());
    let next_year = Timestamp::now().saturating_add(Duration::from_secs(365 * 86_400));
    Job::new("backup").report(&archive, &Beat::ok().at(next_year)).await.unwrap();
    Job::new("backup").report(&archive, &Beat::ok().at(ago(10_000))).await.unwrap();
    let reason = of_files(&files).await.reason().unwrap().into_owned();
    assert!(reason.starts_with("late: ") && reason.contains("; there is a beat from the future ("), "{reason}");
    backup().beat(&archive).await.unwrap();
    let result = of_files(&files).await;
    assert_eq!(result.status, Status::Degraded, "{result:?}");
}
