//! [`Group`]: a process with all processes that it starts, which are killed together.

use std::io;
use std::process::ExitStatus;

use tokio::process::{Child, ChildStderr, ChildStdin, Command};

/// A running process that leads a group. The group is killed when this is dropped before the process has ended.
pub(super) struct Group {
    child: Child,
    has_ended: bool,
}

impl Group {
    /// Starts the process in a group of its own.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        #[cfg(unix)]
        command.process_group(0);
        Ok(Self { child: command.spawn()?, has_ended: false })
    }

    /// Its standard input and error, once.
    pub(super) fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStderr>) {
        (self.child.stdin.take(), self.child.stderr.take())
    }

    /// Waits until the process has ended. Those that it has started may go on.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.has_ended = true;
        status
    }

    /// Kills all processes of the group, unless the first has ended: its number may belong to another process then.
    pub(super) fn kill(&mut self) {
        if self.has_ended {
            return;
        }
        #[cfg(unix)]
        if let Some(leader) = self.child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            // It fails if there is no such process any longer.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
