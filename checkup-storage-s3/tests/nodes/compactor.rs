//! A compactor, which maintains the bucket continuously.

use std::fs::File;
use std::io::{Read, Write, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use checkup_core::IntoStorage;

use crate::place::Place;

pub(crate) fn main() {
    let (place, number) = (Place::of_this_process(), Place::number_of_this_process());
    let storage = place.storage().into_storage().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_over);
    thread::spawn(move || {
        let _ = stdin().read(&mut [0]);
        flag.store(true, Ordering::Relaxed);
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut journal = File::create(place.dir.join(format!("compacted-{number}"))).unwrap();
    while !is_over.load(Ordering::Relaxed) {
        // The outage affects it too, and nothing depends on when it does its work.
        if let Ok(done) = runtime.block_on(storage.maintainer().unwrap().maintain()) {
            writeln!(journal, "{}", done.compacted).unwrap();
        }
        thread::sleep(Duration::from_millis(20));
    }
}
