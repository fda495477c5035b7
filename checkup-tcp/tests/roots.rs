//! A check without TLS reads no root certificates; one with TLS does. This program has no test harness, since it also runs
//! itself as the process under test. For that process, the system's roots are a named pipe, which shows whether it is
//! opened.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test's report")]

#[cfg(target_os = "linux")]
fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("check-plain") => linux::check(false),
        Some("check-tls") => linux::check(true),
        _ => {
            linux::a_check_without_tls_reads_no_roots();
            println!("test a_check_without_tls_reads_no_roots ... ok");
            linux::a_check_with_tls_reads_them();
            println!("test a_check_with_tls_reads_them ... ok");
        }
    }
}

/// Where the roots come from the system's certificate store, there is no file to watch.
#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command};
    use std::time::{Duration, Instant};

    use checkup_core::{Check, Checkup};
    use checkup_tcp::{Tcp, TlsSettings};
    use checkup_testkit::TcpServer;

    /// Longer than a process takes if nothing blocks it.
    const PATIENCE: Duration = Duration::from_secs(30);

    pub(super) fn check(tls: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = TcpServer::silent();
            let mut tcp = Tcp::new(server.addr().to_string());
            tcp.tls = tls.then(TlsSettings::new);
            let check = Check::new("port", tcp).timeout(PATIENCE);
            Checkup::builder().check(check).build().unwrap().check().await.assert_healthy();
        });
    }

    pub(super) fn a_check_without_tls_reads_no_roots() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = start("check-plain", &pipe(dir.path()));
        let begin = Instant::now();
        // If it opened the pipe, it would wait there forever.
        let status = loop {
            if let Some(status) = process.try_wait().unwrap() {
                break status;
            }
            if begin.elapsed() > PATIENCE {
                process.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{status}");
    }

    pub(super) fn a_check_with_tls_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = pipe(dir.path());
        let mut process = start("check-tls", &pipe);
        let begin = Instant::now();
        while let Err(error) = open_if_read(&pipe) {
            assert!(begin.elapsed() < PATIENCE, "the roots are not read: {error}");
            assert_eq!(process.try_wait().unwrap(), None, "it ended without the roots");
            std::thread::sleep(Duration::from_millis(5));
        }
        process.kill().unwrap();
        process.wait().unwrap();
    }

    fn start(mode: &str, roots: &Path) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(mode).env("SSL_CERT_FILE", roots).env_remove("SSL_CERT_DIR").spawn().unwrap()
    }

    fn pipe(dir: &Path) -> PathBuf {
        let pipe = dir.join("roots.pem");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        pipe
    }

    /// Opens the pipe for writing. In non-blocking mode, this succeeds only while another process has it open for reading.
    fn open_if_read(pipe: &Path) -> io::Result<File> {
        const O_NONBLOCK: i32 = 0o4000;
        OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(pipe)
    }
}
