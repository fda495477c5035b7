//! A node: it makes its runs, stores each in each of its locations, and records the outcome.

use std::collections::BTreeSet;
use std::io::stdin;
use std::time::Duration;

use checkup_core::{StorageErrorKind, Timestamp, check_fn};
use tokio::runtime::Runtime;

use crate::place::{Entry, LOCATIONS, Place, time_of};

/// Makes all runs below the number that it reads, then reads the next number.
pub(crate) fn main() {
    let (place, node) = (Place::of_this_process(), Place::number_of_this_process());
    let runtime = Runtime::new().unwrap();
    // Continues where its journal ends, in case it was killed.
    let mut done: BTreeSet<_> = place.noted(node).into_iter().map(|entry| (entry.run, entry.location)).collect();
    let attempt = std::process::id();
    for line in stdin().lines() {
        for run in 0..line.unwrap().parse().unwrap() {
            let new: Vec<_> =
                LOCATIONS.into_iter().filter(|location| done.insert((run, (*location).to_owned()))).collect();
            // Concurrently, so that a node's own stores share its spool.
            runtime.block_on(async {
                let runs = new.into_iter().map(|location| {
                    let (place, time) = (place.clone(), time_of(run, attempt));
                    tokio::spawn(async move { store(&place, node, run, location, time).await })
                });
                for stored in runs.collect::<Vec<_>>() {
                    stored.await.unwrap();
                }
            });
        }
    }
}

async fn store(place: &Place, node: usize, run: usize, location: &str, time: Timestamp) {
    // A checkup for each run, as each one-shot run has.
    let checkup = place
        // A short timeout, so that stores give up quickly during the outage.
        .checkup(place.storage().timeout(Duration::from_secs(5)), node)
        .check(check_fn(format!("node {node}"), || async { Ok::<_, String>(()) }))
        .check(check_fn(format!("queue of node {node}"), || async { Err::<(), _>("17 messages are stuck") }))
        .location(location)
        .timestamp(time)
        .build()
        .unwrap();
    let report = checkup.check().await;
    assert_eq!(report.results.len(), 2);
    let is_stored = match checkup.store(&report).await {
        Ok(()) => true,
        Err(error) if error.kind() == StorageErrorKind::Spooled => false,
        Err(error) => panic!("{error:?}"),
    };
    place.note(node, &Entry { run, location: location.to_owned(), is_stored, report });
}
