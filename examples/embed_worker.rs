//! Health checks in a worker without a web framework: it takes messages from a queue, checks that none of them takes too
//! long, keeps the history in files, and exits when it is stuck, so that its supervisor restarts it.
//!
//! Here it receives a message that it never finishes.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::Path;
use std::time::{Duration, Instant};

use checkup::storage_fs::{Fs, FsStorage};
use checkup::{Check, Checkup, Monitor, Report, Status, StorageReader, Timestamp, check_fn};
use tokio::sync::{mpsc, watch};

/// How long a message may take before the worker counts as stuck. A real worker might use 30 seconds.
const STUCK_AFTER: Duration = Duration::from_secs(1);

/// How often the worker checks itself. A real worker might use 10 seconds.
const INTERVAL: Duration = Duration::from_millis(200);

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The current message and when its processing began; `None` while the queue is empty, which is healthy.
type Current = Option<(String, Instant)>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let history = tempfile::tempdir()?;
    let (queue, messages) = mpsc::channel(16);
    for message in ["invoice 1", "invoice 2", "the endless invoice", "invoice 3"] {
        queue.send(message.to_owned()).await?;
    }

    // A real worker returns this error from `main`, which makes its exit code 1.
    let Err(reason) = run(messages, history.path()).await else { return Err("the worker did not notice".into()) };
    println!("The worker ends: {reason}\n");
    assert_eq!(reason.to_string(), "progress: `the endless invoice` takes longer than 1s");

    // Afterwards, the files show what happened.
    let storage = FsStorage::new(Fs::new(history.path()))?;
    let files = storage.list(Timestamp::default()).await?;
    let last = files.last().ok_or("every run is stored")?;
    let report = Report::new(storage.fetch(last).await?);
    println!("{} runs are stored, the last of them in {last}:\n{report}", files.len());
    assert_eq!(report.status(), Status::Down);
    Ok(())
}

/// Works until the queue is closed, or until the worker is unhealthy, which is an error.
async fn run(messages: mpsc::Receiver<String>, history: &Path) -> Result<(), Error> {
    let (current, progress) = watch::channel(None);
    let checkup = Checkup::builder()
        .check(progress_check(progress))
        .storage(Fs::new(history).check_expiry(Duration::from_secs(30 * 24 * 3600)))
        .build()?;
    let monitor = Monitor::builder(checkup).interval(INTERVAL).start()?;
    let outcome = tokio::select! {
        () = work(messages, current) => Ok(()),
        reason = down(&monitor) => Err(reason.into()),
    };
    // In either case, the last run finishes and is stored.
    monitor.shutdown().await;
    outcome
}

async fn work(mut messages: mpsc::Receiver<String>, current: watch::Sender<Current>) {
    while let Some(message) = messages.recv().await {
        current.send_replace(Some((message.clone(), Instant::now())));
        if message.contains("endless") {
            std::future::pending::<()>().await;
        }
        println!("{message} is done");
        current.send_replace(None);
    }
}

/// A check of the worker's own state, which only the worker can see.
fn progress_check(current: watch::Receiver<Current>) -> Check {
    check_fn("progress", move || {
        let stuck = current.borrow().clone().filter(|(_, since)| since.elapsed() > STUCK_AFTER);
        async move {
            match stuck {
                Some((message, _)) => Err(format!("`{message}` takes longer than {STUCK_AFTER:?}")),
                None => Ok(()),
            }
        }
    })
}

/// Waits until a check is down, and returns the reason.
async fn down(monitor: &Monitor) -> String {
    let mut runs = monitor.subscribe();
    while let Some(run) = runs.next().await {
        if let Some(result) = run.report.results.iter().find(|result| result.status == Status::Down) {
            return format!("{}: {}", result.name, result.reason().unwrap_or_default());
        }
    }
    "the monitor has ended".to_owned()
}
