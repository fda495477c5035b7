//! Tests with a real Redis server on loopback, with and without a password, and the command line with this checker built in.
//! They need the program `redis-server`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use checkup_core::{Cause, Check, CheckResult, Checkup, Status};
use checkup_redis::Redis;
use tokio::process::Child;

/// A Redis server, which is stopped when this is dropped, and its `host:port`.
async fn redis_server(dir: &Path, password: Option<&str>) -> (Child, String) {
    // Another process might take the port in the meantime. The server would then exit, and the wait would fail with the
    // reason.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut command = tokio::process::Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--dir"]).arg(dir);
    command.args(password.map(|password| ["--requirepass", password]).into_iter().flatten());
    let server = command.kill_on_drop(true).stdout(Stdio::null()).spawn();
    let server = server.expect("redis-server is installed (Debian: apt-get install redis-server)");
    (server, format!("127.0.0.1:{port}"))
}

fn checkup(endpoint_url: &str, password: &str) -> Checkup {
    let redis = Redis { endpoint_url: endpoint_url.to_owned(), password: password.into() };
    Checkup::builder().check(Check::new("redis", redis)).build().unwrap()
}

async fn check(endpoint_url: &str, password: &str) -> CheckResult {
    checkup(endpoint_url, password).check().await.results.remove(0)
}

#[tokio::test]
async fn a_real_server_is_healthy_with_the_password_and_down_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, addr) = redis_server(dir.path(), Some("hunter2")).await;
    checkup(&addr, "hunter2").wait_until_healthy(Duration::from_secs(30)).await.unwrap().assert_healthy();

    let without = check(&addr, "").await;
    assert_eq!((without.status, without.attempts[0].cause), (Status::Down, Some(Cause::Assertion)));
    assert!(without.reason().unwrap().contains("NOAUTH"), "{without:?}");
    let wrong = check(&addr, "letmein").await;
    assert!(wrong.reason().unwrap().contains("WRONGPASS") && !wrong.reason().unwrap().contains("letmein"), "{wrong:?}");
}

#[tokio::test]
async fn a_real_server_without_a_password_is_healthy() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, addr) = redis_server(dir.path(), None).await;
    checkup(&addr, "").wait_until_healthy(Duration::from_secs(30)).await.unwrap().assert_healthy();
}

#[test]
fn the_command_line_has_the_type_in_its_schema_and_validates_it() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_checkup-with-redis")).args(arguments).current_dir(dir.path()).output().unwrap()
    };
    let schema = String::from_utf8(run(&["schema"]).stdout).unwrap();
    assert!(schema.contains("\"redis\"") && schema.contains("The password for `AUTH`"), "{schema}");

    std::fs::write(dir.path().join("checkup.yaml"), "checkers: [{ type: redis, endpoint_url: 'x:1', attempts: 2 }]")
        .unwrap();
    assert!(run(&["validate"]).status.success());
    std::fs::write(dir.path().join("checkup.yaml"), "checkers: [{ type: redis, endpoint: 'x:1' }]").unwrap();
    let output = run(&["validate"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("did you mean `endpoint_url`?"), "{text}");
}
