//! The heartbeat checker passes the conformance suite for checkers.
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod files;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles};
use checkup_core::{Checker, Storage};
use checkup_heartbeat::{Beat, Heartbeat, HeartbeatChecker, Job};
use checkup_testkit::conformance::CheckerFixture;
use files::Watched;

const SECRET: &str = "hunter2-hunter2-hunter2";

fn factory() -> CheckerFixture {
    let files = MemoryFiles::new();
    let archive = Archive::new(files.clone());
    let report = |job: &str, beat: Beat| {
        let report = async { Job::new(job).report(&archive, &beat).await.unwrap() };
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(report);
    };
    report("well", Beat::ok());
    report("failed", Beat::failed().message("the disk is full"));
    let working = Watched::over(files);
    let hanging = working.clone().hanging();
    let (lists, open) = (working.lists.clone(), hanging.open.clone());
    let checker = |job: &'static str, files: Watched| {
        let storage: Arc<dyn Storage> = Arc::new(Archive::new(files));
        move || {
            let settings = Heartbeat::new(job, Duration::from_secs(3600)).token(SECRET);
            HeartbeatChecker::new(settings).unwrap().with_storage(Some(&storage)).unwrap().unwrap()
        }
    };
    CheckerFixture::new(checker("well", working.clone()))
        .failing(checker("failed", working))
        .hanging(checker("well", hanging))
        .tries(move || lists.load(Ordering::SeqCst))
        .open(move || open.load(Ordering::SeqCst))
        .secret(SECRET)
}

checkup_testkit::checker_conformance!(factory, without: [endless]);
