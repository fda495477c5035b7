//! A low limit on file descriptors makes no check down.

#![cfg(unix)]

use std::process::Command;

use checkup_core::{Report, Status};
use checkup_testkit::TcpServer;
use serde_json::{Value, json};

use crate::support::{Folder, Ran};

/// The command in a folder, with this limit on open files, which it cannot raise.
fn limited(folder: &Folder, limit: u32, args: &[&str]) -> Ran {
    let command = folder.command(args);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ulimit -n {limit} && exec \"$0\" \"$@\"")).arg(command.get_program());
    shell.args(command.get_args()).current_dir(folder.path(""));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Ran::of(shell.output().unwrap())
}

fn checks(server: &TcpServer, count: usize) -> Vec<Value> {
    let endpoint = format!("localhost:{}", server.addr().port());
    let check = |number| json!({ "type": "tcp", "endpoint_name": format!("{number}"), "endpoint_url": endpoint, "timeout": "20s" });
    (0..count).map(check).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn six_hundred_checks_with_few_descriptors_are_healthy() {
    let server = TcpServer::silent();
    let folder = Folder::new(&json!({ "checkers": checks(&server, 600) }));
    for limit in [256, 90] {
        let ran = limited(&folder, limit, &["--format", "json"]);
        let report: Report = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report.count(Status::Healthy), 600, "{limit}: {}", ran.stderr);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
}
