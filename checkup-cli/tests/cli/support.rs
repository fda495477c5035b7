//! A folder with a config file, and the command in it.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

use checkup_core::CheckResult;
use checkup_testkit::{HttpServer, Response};
use serde_json::Value;

/// A config that is valid as JSON and as YAML, for tests of what happens before anything is checked.
pub(crate) const ONE_CHECK: &str = r#"{ "checkers": [{ "type": "tcp", "endpoint_url": "127.0.0.1:1" }] }"#;

/// The variables that affect the command.
const VARIABLES: [&str; 9] = [
    "RUST_LOG",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "http_proxy",
    "HTTP_PROXY",
    "ALL_PROXY",
    "CHECKUP_LOCATION",
    "CHECKUP_SHARD",
];

/// A separate folder for a test. It looks like the root of a repository, so that nothing outside of it is found.
#[derive(Debug)]
pub(crate) struct Folder {
    root: tempfile::TempDir,
}

/// How the command ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".git")).unwrap();
        Self { root }
    }

    /// A folder with this `checkup.json`.
    pub(crate) fn new(config: &Value) -> Self {
        Self::empty().file("checkup.json", &config.to_string())
    }

    /// Writes a file, and its folders.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The command in this folder, in a neutral environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_in("", args)
    }

    /// The command in a folder below.
    pub(crate) fn command_in(&self, below: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_checkup"));
        command.args(args).current_dir(self.path(below)).stdin(Stdio::null());
        // Reports that cannot be stored are kept in the test's folder, not in that of the user who runs it.
        command.env("XDG_STATE_HOME", self.path("state"));
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// The results in all check files of the folder `results`, in the order of their names.
    pub(crate) fn stored(&self) -> Vec<Vec<CheckResult>> {
        let Ok(entries) = fs::read_dir(self.path("results")) else { return Vec::new() };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| is_check_file(path)).collect();
        paths.sort();
        paths.iter().map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()).collect()
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().expect("no signal ends it"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Code, standard output and standard error, to compare all at once.
    pub(crate) fn parts(&self) -> (i32, &str, &str) {
        (self.code, &self.stdout, &self.stderr)
    }
}

/// The command while it runs. Killed if the test ends before it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pub(crate) stdout: Option<Lines<BufReader<ChildStdout>>>,
    pub(crate) stderr: Option<Lines<BufReader<ChildStderr>>>,
}

impl Running {
    pub(crate) fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut command = folder.command(args);
        Self::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Starts a command with its streams as configured.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
        let stderr = child.stderr.take().map(|stderr| BufReader::new(stderr).lines());
        Self { child, stdout, stderr }
    }

    /// The next line of standard output that has `part` in it.
    pub(crate) fn line(&mut self, part: &str) -> String {
        self.stdout.as_mut().unwrap().map(Result::unwrap).find(|line| line.contains(part)).expect(part)
    }

    /// Reads standard error up to a line that has `part` in it.
    pub(crate) fn diagnostic(&mut self, part: &str) -> String {
        self.stderr.as_mut().unwrap().map(Result::unwrap).find(|line| line.contains(part)).expect(part)
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// The rest of standard output.
    pub(crate) fn rest(&mut self) -> String {
        self.stdout.as_mut().unwrap().map(|line| line.unwrap() + "\n").collect()
    }

    /// The rest of standard error.
    pub(crate) fn diagnostics(&mut self) -> String {
        self.stderr.as_mut().unwrap().map(|line| line.unwrap() + "\n").collect()
    }

    pub(crate) fn code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_check_file(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-check.json")
}

/// A server with `/`, which works, `/bad`, which does not, and `/slow`, which takes 50 ms.
pub(crate) fn server() -> HttpServer {
    HttpServer::start(|request| match request.target.as_str() {
        "/" => Response::new(200).body("fine"),
        "/slow" => Response::new(200).delay(std::time::Duration::from_millis(50)),
        _ => Response::new(503),
    })
}

/// The text with every time in it as `TIME`, and every blank before one as one column; the server's address as `SERVER`.
pub(crate) fn normal(text: &str, server: &HttpServer) -> String {
    let text = text.replace(&server.addr().to_string(), "SERVER");
    let mut out = String::new();
    for line in text.lines() {
        for word in line.split(' ') {
            let bare = word.trim_end_matches([',', ':']);
            if is_time(bare) {
                if out.ends_with("  ") {
                    out.truncate(out.trim_end_matches(' ').len() + 2);
                }
                out.push_str("TIME");
                out.push_str(&word[bare.len()..]);
            } else {
                out.push_str(word);
            }
            out.push(' ');
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
    out
}

fn is_time(word: &str) -> bool {
    let number = word.trim_end_matches(|c: char| c.is_alphabetic());
    matches!(&word[number.len()..], "ns" | "µs" | "ms" | "s") && number.parse::<f64>().is_ok()
}
