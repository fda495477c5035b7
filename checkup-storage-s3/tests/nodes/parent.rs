//! The test: it starts the processes, kills one, stops the server, and checks the results.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use checkup_core::IntoStorage;
use tokio::runtime::Runtime;

use crate::check::{assert_read_once, read};
use crate::place::{Entry, LOCATIONS, Place};
use crate::server::Server;

const NODES: usize = 8;
const RUNS: usize = 50;
const COMPACTORS: usize = 2;

/// How often the first node is killed before, in and after the outage.
const KILLS: [usize; 3] = [4, 2, 4];

/// After how many runs the outage begins, and ends.
const OUTAGE: [usize; 2] = [22, 28];

/// How many runs of each node are sent again at the end.
const AGAIN: usize = 2;

/// How long to wait for things that are quick unless something is broken.
const PATIENCE: Duration = Duration::from_secs(120);

struct Nodes {
    place: Place,
    children: Vec<Child>,
    /// How many runs the nodes may make for now.
    runs: usize,
    killed: usize,
}

pub(crate) fn eight_nodes_in_two_locations_each_lose_nothing_and_are_read_once() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let place = Place::new(dir.path(), server.endpoint(), server.key());
    let mut compactors: Vec<_> = (0..COMPACTORS).map(|number| place.start("compactor", number)).collect();
    let (is_over, outages) = (AtomicBool::new(false), AtomicUsize::new(0));
    let reads = thread::scope(|scope| {
        let reader = scope.spawn(|| read_all_the_time(&place, &is_over, &outages));
        // The reader must stop even if this panics.
        let over = SetOnDrop(&is_over);
        run(&place, &server, &outages);
        drop(over);
        reader.join().unwrap()
    });
    assert!(reads > 0);
    for compactor in &mut compactors {
        drop(compactor.stdin.take());
        assert!(compactor.wait().unwrap().success());
    }
    let compacted: usize = (0..COMPACTORS)
        .flat_map(|number| {
            let text = fs::read_to_string(dir.path().join(format!("compacted-{number}"))).unwrap();
            text.lines().map(|line| line.parse::<usize>().unwrap()).collect::<Vec<_>>()
        })
        .sum();
    assert!(compacted > NODES * RUNS, "{compacted} files were compacted");

    let runtime = Runtime::new().unwrap();
    runtime.block_on(flush(&place));
    // The latest files may not be compacted yet.
    runtime.block_on(compact(&place));
    let entries = entries(&place);
    assert_eq!(entries.len(), NODES * RUNS * LOCATIONS.len());
    let spooled = entries.iter().filter(|entry| !entry.is_stored).count();
    assert!(spooled >= NODES * (OUTAGE[1] - OUTAGE[0]), "{spooled} reports were in a spool");
    let more = assert_read_once(&runtime.block_on(read(&place)).unwrap(), &entries);
    // A report that a node stored right before it was killed may or may not exist.
    assert!(more <= KILLS.iter().sum::<usize>() * LOCATIONS.len() * 2, "{more} results that no node has reported");

    // A report that is sent again, because an answer was lost or a spool was flushed twice, adds one file to the compacted one,
    // however often it is sent.
    let before = server.check_files();
    let again: Vec<_> = entries.iter().filter(|entry| entry.run < AGAIN).collect();
    for _ in 0..2 {
        runtime.block_on(store(&place, &again));
    }
    assert_eq!(server.check_files(), before + again.len());
    assert_eq!(assert_read_once(&runtime.block_on(read(&place)).unwrap(), &entries), more);

    // The same holds after everything has been compacted.
    runtime.block_on(compact(&place));
    assert_eq!(assert_read_once(&runtime.block_on(read(&place)).unwrap(), &entries), more);
    let after = server.check_files();
    assert!(after <= 2, "{after} check files for two days");
    println!(
        "{} reports, {spooled} of them in a spool at first; {more} more results of a killed node; {compacted} files \
         compacted meanwhile, {before} left in the end, {after} after compaction; read {reads} times meanwhile; {}",
        entries.len(),
        server.requests()
    );
}

/// Lets the nodes make all their runs, and disturbs them.
fn run(place: &Place, server: &Server, outages: &AtomicUsize) {
    let children = (0..NODES).map(|node| place.start("node", node)).collect();
    let mut nodes = Nodes { place: place.clone(), children, runs: 0, killed: 0 };
    nodes.allow(OUTAGE[0]);
    for number in 1..=KILLS[0] {
        let reports = number * OUTAGE[0] * LOCATIONS.len() / (KILLS[0] + 1);
        nodes.wait(|nodes| nodes.reports(0) >= reports);
        nodes.kill();
    }
    nodes.wait_for_runs();

    outages.fetch_add(1, Ordering::SeqCst);
    server.stop();
    nodes.allow(OUTAGE[1]);
    for number in 1..=KILLS[1] {
        nodes.wait(|nodes| nodes.reports(0) >= (OUTAGE[0] + number) * LOCATIONS.len());
        nodes.kill();
    }
    nodes.wait_for_runs();
    for node in 0..NODES {
        assert!(place.waiting(node) >= (OUTAGE[1] - OUTAGE[0]) * LOCATIONS.len(), "node {node} has spooled");
    }
    server.start_again();
    outages.fetch_add(1, Ordering::SeqCst);

    nodes.allow(RUNS);
    for _ in 0..KILLS[2] {
        // Kills it in the middle of its flush, as long as there is something to flush.
        let waiting = place.waiting(0);
        nodes.wait(|_| waiting == 0 || place.waiting(0) < waiting);
        nodes.kill();
    }
    nodes.wait_for_runs();
    assert_eq!(nodes.killed, KILLS.iter().sum::<usize>());
    for child in &mut nodes.children {
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}

impl Nodes {
    /// Lets the nodes make their runs up to a number.
    fn allow(&mut self, runs: usize) {
        self.runs = runs;
        for child in &mut self.children {
            allow(child, runs);
        }
    }

    /// How many reports are in a node's journal.
    fn reports(&self, node: usize) -> usize {
        self.place.noted(node).len()
    }

    fn wait_for_runs(&mut self) {
        self.wait(|nodes| (0..NODES).all(|node| nodes.reports(node) == nodes.runs * LOCATIONS.len()));
    }

    fn wait(&mut self, mut is_so: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            for (node, child) in self.children.iter_mut().enumerate() {
                assert_eq!(child.try_wait().unwrap(), None, "node {node} ended by itself");
            }
            let reports: Vec<_> = (0..NODES).map(|node| self.reports(node)).collect();
            assert!(start.elapsed() < PATIENCE, "the nodes stay at {reports:?} reports of {} runs", self.runs);
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Kills the first node, somewhere in its work, and starts it again.
    fn kill(&mut self) {
        thread::sleep(Duration::from_micros(RandomState::new().hash_one(self.killed) % 20_000));
        // On Unix, this is SIGKILL.
        self.children[0].kill().unwrap();
        self.children[0].wait().unwrap();
        self.killed += 1;
        self.children[0] = self.place.start("node", 0);
        allow(&mut self.children[0], self.runs);
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for child in &mut self.children {
            // An error means that it has already ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn allow(child: &mut Child, runs: usize) {
    writeln!(child.stdin.as_mut().unwrap(), "{runs}").unwrap();
}

/// Reads while other processes store, compact and die. Earlier results must be read, and none twice. Returns the number of reads.
fn read_all_the_time(place: &Place, is_over: &AtomicBool, outages: &AtomicUsize) -> usize {
    let runtime = Runtime::new().unwrap();
    let mut reads = 0;
    while !is_over.load(Ordering::SeqCst) {
        // The number is odd while the server is away.
        let outage = outages.load(Ordering::SeqCst);
        let stored: Vec<_> = entries(place).into_iter().filter(|entry| entry.is_stored).collect();
        // A read that fails now, in the outage or amid so many changes, is reported and does no harm.
        let Ok(history) = runtime.block_on(read(place)) else { continue };
        let is_outage = outage % 2 == 1 || outages.load(Ordering::SeqCst) != outage;
        if history.unread.is_empty() || !is_outage {
            assert_read_once(&history, &stored);
            reads += 1;
        }
    }
    reads
}

/// The journals of all nodes.
fn entries(place: &Place) -> Vec<Entry> {
    (0..NODES).flat_map(|node| place.noted(node)).collect()
}

/// Stores the reports that still wait in the spools, as `checkup maintain` does.
async fn flush(place: &Place) {
    for node in 0..NODES {
        let checkup = place.checkup(place.storage(), node).build().unwrap();
        while checkup.storage().unwrap().maintainer().unwrap().maintain().await.unwrap().unfinished {}
        let waiting = checkup.spool().unwrap().waiting().await.unwrap();
        assert_eq!((waiting.reports, waiting.broken), (0, 0), "node {node}");
    }
}

async fn store(place: &Place, entries: &[&Entry]) {
    let storage = place.storage().into_storage().unwrap();
    for entry in entries {
        storage.store(&entry.report).await.unwrap();
    }
}

async fn compact(place: &Place) {
    let storage = place.storage().into_storage().unwrap();
    while storage.maintainer().unwrap().maintain().await.unwrap().compacted > 0 {}
}
