//! Tests that need other processes besides the command: a script around it, and a command that panics.
//!
//! This program also plays these processes if the variable `ROLE` is set. Without it, it runs the tests.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in tests, a panic is the report")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{self, Command, ExitCode, Output};
use std::time::Duration;
use std::{env, fs, thread};

use checkup_core::config::Registry;
use checkup_core::{Checker, ConfigError, IntoChecker};

const ROLE: &str = "CHECKUP_TEST_ROLE";

fn main() -> ExitCode {
    match env::var(ROLE).as_deref() {
        Ok("server") => server(),
        Ok("command that panics") => command_that_panics(),
        Ok("command of another name") => checkup_cli::Program::new("shopcheck", "7.8.9").main(Registry::new()),
        _ => {
            let tests: [(&str, fn()); 4] = [
                ("the_script_of_the_documentation_waits_for_a_service_that_starts", the_script_waits),
                ("the_script_of_the_documentation_fails_if_the_service_does_not_start", the_script_fails),
                ("a_panic_in_the_command_says_why_and_exits_with_3", a_panic_exits_with_3),
                ("a_program_has_its_own_name_and_version", a_program_has_its_own_name),
            ];
            for (name, test) in tests {
                println!("test {name} ...");
                test();
            }
            ExitCode::SUCCESS
        }
    }
}

/// A service that takes a while to start: it listens on `PORT` only after `DELAY` milliseconds. It ends when the
/// test behind `CONTROL` does.
fn server() -> ExitCode {
    let variable = |name| env::var(name).unwrap();
    let mut control = TcpStream::connect(variable("CONTROL")).unwrap();
    thread::spawn(move || {
        let _ = control.read(&mut [0]);
        process::exit(0);
    });
    thread::sleep(Duration::from_millis(variable("DELAY").parse().unwrap()));
    let listener = TcpListener::bind(format!("127.0.0.1:{}", variable("PORT"))).unwrap();
    for connection in listener.incoming() {
        let mut connection = connection.unwrap();
        let _ = connection.read(&mut [0; 1024]);
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    }
    ExitCode::SUCCESS
}

/// The script in the section "In CI" of the documentation.
fn script() -> String {
    let docs = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command-line.md")).unwrap();
    let section = docs.split("## In CI\n").nth(1).expect("the documentation has the section");
    let script = section.split("```bash\n").nth(1).expect("with a script").split("```").next().unwrap();
    assert_eq!(script.lines().count(), 3, "{script}");
    script.to_owned()
}

/// Runs the script in a folder with all that it names: `./server`, and `checkup` in the path. The server has another port.
fn run(script: &str, delay: Duration) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let control = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("#!/bin/bash\n{ROLE}=server exec {:?}\n", env::current_exe().unwrap());
    fs::write(folder.path().join("server"), server).unwrap();
    assert!(Command::new("chmod").args(["+x", "server"]).current_dir(folder.path()).status().unwrap().success());
    let port = free_port();
    assert!(script.contains("http://127.0.0.1:8080/"), "{script}");
    let script = script.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));

    let command = Path::new(env!("CARGO_BIN_EXE_checkup")).parent().unwrap();
    let path = env::join_paths([command.to_owned()].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap())));
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", path.unwrap())
        .env("XDG_STATE_HOME", folder.path().join("state"))
        .env("CONTROL", control.local_addr().unwrap().to_string())
        .env("DELAY", delay.as_millis().to_string())
        .env("PORT", port.to_string())
        .env_remove("http_proxy")
        .env_remove("HTTP_PROXY")
        .env_remove("ALL_PROXY")
        .output()
        .unwrap();
    // The script ends the server: with it, its connection.
    let (mut server, _) = control.accept().unwrap();
    server.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert!(matches!(server.read(&mut [0]), Ok(0)), "the server still runs");
    output
}

/// A port that nobody listens on, below those that the system gives to others in the meantime.
fn free_port() -> u16 {
    let first = 20_000 + u16::try_from(process::id() % 10_000).unwrap();
    (first..).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

fn the_script_waits() {
    let output = run(&script(), Duration::from_secs(2));
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{stdout}{stderr}");
    let mut shown = stderr.lines();
    let line = shown.next().unwrap();
    assert!(line.starts_with("checkup: waiting for 127.0.0.1:"), "{stderr}");
    assert!(line.ends_with(" refused)"), "{stderr}");
    assert!(shown.next().unwrap().starts_with("checkup: healthy after "), "{stderr}");
    assert!(stdout.starts_with("healthy   127.0.0.1:"), "{stdout}");
}

fn the_script_fails() {
    let script = script().replace("60s", "2s");
    let output = run(&script, Duration::from_secs(600));
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
    assert!(stderr.contains("checkup: not healthy within 2s\n"), "{stderr}");
    assert!(stdout.starts_with("down      127.0.0.1:"), "{stdout}");
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Panics {}

impl IntoChecker for Panics {
    fn into_checker(self) -> Result<std::sync::Arc<dyn Checker>, ConfigError> {
        panic!("the plugin has a defect")
    }
}

/// The command, with a checker that panics where nothing but the command can catch it.
fn command_that_panics() -> ExitCode {
    let mut registry = Registry::new();
    registry.checker::<Panics>("panics");
    checkup_cli::main(registry)
}

fn a_panic_exits_with_3() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("checkup.json"), r#"{ "checkers": [{ "type": "panics" }] }"#).unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.env(ROLE, "command that panics").current_dir(folder.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b""[..]), "{stderr}");
    assert!(stderr.contains("the plugin has a defect\n"), "{stderr}");
    assert!(stderr.contains("checkup: the command panicked; this is a bug in it or in a plugin"), "{stderr}");
}

fn a_program_has_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(env::current_exe().unwrap());
        let output =
            command.env(ROLE, "command of another name").args(args).current_dir(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&["--version"]), (Some(0), "shopcheck 7.8.9\n".to_owned(), String::new()));
    let (code, _, stderr) = run(&["validate"]);
    assert!(code == Some(2) && stderr.starts_with("shopcheck: there is no checkup.json, "), "{stderr}");
    assert!(stderr.contains("`shopcheck init` writes a sample"), "{stderr}");
}
