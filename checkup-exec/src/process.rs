//! Runs a command to its end, with bounded output, and leaves no process behind.

use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::spawn_blocking;

/// How much is read at once.
const CHUNK: usize = 8 << 10;

/// A command that has ended, with what it printed.
#[derive(Debug)]
pub struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Ended {
    /// Whether the exit status is 0.
    pub fn is_success(&self) -> bool {
        self.status.success()
    }
}

/// How much a command may print, separately for the output and the error output.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum MaxOutput {
    /// A command that prints more bytes is killed, which is a failure.
    Enforced(usize),
    /// A command may print more, and only the last of these bytes are kept.
    Kept(usize),
}

/// Why a command did not come to its end.
#[derive(Debug)]
pub(crate) enum RunError {
    /// It could not be started.
    Start(io::Error),
    /// It was running, and could not be waited for or read.
    Broken(io::Error),
    /// It printed more than the limit.
    TooMuchOutput,
}

/// Runs a command until it ends. Without `input`, it reads nothing. Not all of the input needs to be read.
///
/// The command gets its own process group. When it ends, and when this future is dropped, everything in the group is killed, and the
/// pipes are closed. So processes that it left in the background neither go on nor delay the result by holding a pipe open.
pub(crate) async fn run(mut command: Command, input: Option<&[u8]>, max: MaxOutput) -> Result<Ended, RunError> {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    // Starting a process waits until the new process runs, which takes a while on a busy machine.
    let start = move || {
        let child = command.spawn()?;
        let group = Group::of(&child);
        Ok(Started { group, child })
    };
    let started = spawn_blocking(start).await.map_err(|error| RunError::Broken(io::Error::other(error)))?;
    let Started { group, mut child } = started.map_err(RunError::Start)?;
    // Dropped before the child, so on cancellation the child is not reaped yet, and no other process can have its id. After a normal
    // end it is reaped, and the id of the group stays taken as long as a process is in it.
    let mut stdin = Input { pipe: child.stdin.take(), rest: input.unwrap_or_default() };
    let mut stdout = Output::new(child.stdout.take(), max);
    let mut stderr = Output::new(child.stderr.take(), max);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(RunError::Broken)?,
            read = stdout.read() => read?,
            read = stderr.read() => read?,
            () = stdin.write() => {}
        }
    };
    drop(group);
    stdout.read_rest().await?;
    stderr.read_rest().await?;
    Ok(Ended { status, stdout: stdout.bytes, stderr: stderr.bytes })
}

/// A command that was started. If nothing waits for it any more, the group is killed first.
struct Started {
    group: Group,
    child: Child,
}

/// What a command reads.
struct Input<'a> {
    /// `None` after its end.
    pipe: Option<ChildStdin>,
    rest: &'a [u8],
}

impl Input<'_> {
    /// Writes what comes next. Waits forever after the end.
    async fn write(&mut self) {
        let Some(pipe) = &mut self.pipe else { return std::future::pending().await };
        match pipe.write(self.rest).await {
            Ok(length @ 1..) if length < self.rest.len() => self.rest = &self.rest[length..],
            // An error means that the command does not read any more. Dropping the pipe is its end.
            _ => self.pipe = None,
        }
    }
}

/// What a command prints.
struct Output<P> {
    /// `None` after its end.
    pipe: Option<P>,
    bytes: Vec<u8>,
    max: MaxOutput,
}

impl<P: AsyncRead + Unpin> Output<P> {
    fn new(pipe: Option<P>, max: MaxOutput) -> Self {
        Self { pipe, bytes: Vec::new(), max }
    }

    /// Reads what comes next. Waits forever after the end.
    async fn read(&mut self) -> Result<(), RunError> {
        let Some(pipe) = &mut self.pipe else { return std::future::pending().await };
        self.bytes.reserve(CHUNK);
        if pipe.take(CHUNK as u64).read_buf(&mut self.bytes).await.map_err(RunError::Broken)? == 0 {
            self.pipe = None;
        }
        self.check_length()
    }

    fn check_length(&mut self) -> Result<(), RunError> {
        match self.max {
            MaxOutput::Enforced(max) if self.bytes.len() > max => return Err(RunError::TooMuchOutput),
            MaxOutput::Kept(max) => drop(self.bytes.drain(..self.bytes.len().saturating_sub(max))),
            MaxOutput::Enforced(_) => {}
        }
        Ok(())
    }
}

#[cfg(unix)]
impl<P: std::os::fd::AsFd> Output<P>
where
    P: AsyncRead + Unpin,
{
    /// Reads what the command left in the pipe when it ended. Does not wait for the end of the pipe, which a process outside of the group
    /// may hold open. The file descriptor itself is asked, because the runtime may not know yet that there is something to read.
    async fn read_rest(&mut self) -> Result<(), RunError> {
        use rustix::io::Errno;

        let Some(pipe) = self.pipe.take() else { return Ok(()) };
        let mut chunk = [0; CHUNK];
        loop {
            match rustix::io::read(&pipe, &mut chunk) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(()),
                Ok(length) => self.bytes.extend_from_slice(&chunk[..length]),
                Err(Errno::INTR) => {}
                Err(error) => return Err(RunError::Broken(error.into())),
            }
            self.check_length()?;
        }
    }
}

#[cfg(not(unix))]
impl<P: AsyncRead + Unpin> Output<P> {
    /// Reads what the command left in the pipe when it ended. Waits only briefly for the end of the pipe, which another process may hold
    /// open.
    async fn read_rest(&mut self) -> Result<(), RunError> {
        let rest = async {
            while self.pipe.is_some() {
                self.read().await?;
            }
            Ok(())
        };
        tokio::time::timeout(std::time::Duration::from_millis(200), rest).await.unwrap_or(Ok(()))
    }
}

/// The process group of a command. Kills everything in it when it is dropped.
struct Group {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    /// The group has the id of its first process.
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { id: id.and_then(rustix::process::Pid::from_raw) }
    }
}

#[cfg(not(unix))]
impl Group {
    fn of(_: &Child) -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // An error means that all of them have ended.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}
