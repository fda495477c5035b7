//! The exec checker passes the conformance suite for checkers.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod processes;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use checkup_exec::Exec;
use checkup_testkit::conformance::CheckerFixture;

const SECRET: &str = "hunter2";

fn factory() -> CheckerFixture {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let folder = tempfile::tempdir().unwrap();
    let tries = folder.path().join("tries");
    // In the arguments of the hanging process, to find it.
    let mark = format!("conformance-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let script = {
        let tries = tries.clone();
        move |script: &str| {
            Exec::new("sh")
                .arguments(["-c", &format!("echo x >> {}; {script}", tries.display()), SECRET])
                .environment("PASSWORD", SECRET)
        }
    };
    let with = |body: &str| {
        let (script, body) = (script.clone(), body.to_owned());
        move || script(&body)
    };
    CheckerFixture::new(with("echo fine"))
        .failing(with("echo \"wrong password $PASSWORD\" >&2; exit 1"))
        .hanging(with(&format!("sleep 1000; : {mark}")))
        .endless(with("exec yes"))
        .tries(move || fs::read(&tries).map_or(0, |content| content.len() / 2))
        .open(move || processes::running(&mark))
        .secret(SECRET)
        .keep(folder)
}

checkup_testkit::checker_conformance!(factory);
