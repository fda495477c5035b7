//! One history, many nodes: processes that store into one bucket, during an outage and while one of them is killed
//! repeatedly, and two that compact it continuously. At the end every result that a node has reported is read, exactly once.
//!
//! This program also runs as those processes: the variable `ROLE` selects the role. Without it, it is the test. The test directs them through their
//! standard input, and they end when it closes.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in tests, a panic is the report")]

#[path = "nodes/check.rs"]
mod check;
#[path = "nodes/compactor.rs"]
mod compactor;
#[path = "nodes/node.rs"]
mod node;
#[path = "nodes/parent.rs"]
mod parent;
#[path = "nodes/place.rs"]
mod place;
#[path = "nodes/server.rs"]
mod server;

use std::env;

const ROLE: &str = "CHECKUP_TEST_ROLE";

fn main() {
    match env::var(ROLE).as_deref() {
        Ok("node") => node::main(),
        Ok("compactor") => compactor::main(),
        _ => {
            println!("test eight_nodes_in_two_locations_each_lose_nothing_and_are_read_once ...");
            parent::eight_nodes_in_two_locations_each_lose_nothing_and_are_read_once();
        }
    }
}
