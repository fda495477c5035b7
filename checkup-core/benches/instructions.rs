//! Measures the cost of the engine per check in instructions; `.ci/instructions` runs it under callgrind.
//!
//! `checks N` makes N checks that do nothing and runs them once; `spawn N` spawns and awaits N bare tasks.

#![allow(missing_docs, reason = "a program for a script")]

use checkup_core::{Checkup, check_fn};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let mode = arguments.next().unwrap_or_default();
    let count = arguments.next().map_or(Ok(1_000), |count| count.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match mode.as_str() {
        "spawn" => runtime.block_on(spawn(count)),
        _ => runtime.block_on(checks(count)),
    }
}

async fn checks(count: usize) -> Result<(), Box<dyn std::error::Error>> {
    let checks = (0..count).map(|_| check_fn("nothing", || async { Ok::<_, std::io::Error>(()) }));
    let report = Checkup::builder().checks(checks).build()?.check().await;
    assert_eq!(report.results.len(), count);
    report.assert_healthy();
    Ok(())
}

async fn spawn(count: usize) -> Result<(), Box<dyn std::error::Error>> {
    let tasks: Vec<_> = (0..count).map(|_| tokio::spawn(async { Ok::<_, std::io::Error>(()) })).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}
