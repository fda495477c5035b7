//! Checkers that break their contract, one way each.

use std::borrow::Cow;
use std::fmt;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use checkup_core::{Checker, Failure, Observation, async_trait};
use checkup_testkit::TcpServer;
use checkup_testkit::conformance::CheckerFixture;
use checkup_testkit::conformance::checker::BEHAVIOURS;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::{Broken, each_behaviour_is_caught};

const SECRET: &str = "hunter2";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    NeverSucceeds,
    NeverFails,
    GivesNoReason,
    GivesUpEarly,
    Blocks,
    BlocksForAWhile,
    Sleeps,
    RemembersTheAnswer,
    TriesTwice,
    RetriesWhatFailed,
    Detaches,
    StaysBusy,
    WaitsInLine,
    SucceedsTwice,
    FailsOtherwiseLater,
    ReadsAll,
    ShowsAll,
    NamesNothing,
    CountsInItsEndpoint,
    HasNoTime,
    ShowsItself,
    ShowsItsEndpoint,
    ShowsAnswers,
}

/// Sends a password, and expects the answer `ok`.
struct Greeting {
    fault: Fault,
    addr: SocketAddr,
    attempts: AtomicUsize,
    busy: AtomicBool,
    line: Mutex<()>,
}

impl Greeting {
    fn new(fault: Fault, addr: SocketAddr) -> Self {
        Self { fault, addr, attempts: AtomicUsize::new(0), busy: AtomicBool::new(false), line: Mutex::new(()) }
    }

    async fn greet(&self) -> Result<Observation, Failure> {
        let connection = TcpStream::connect(self.addr).await?;
        let answer = match self.fault {
            Fault::Detaches => {
                // Continues when the attempt is dropped.
                tokio::spawn(exchange(connection, 100)).await.map_err(Failure::from_error)??
            }
            Fault::GivesUpEarly => {
                let answer = tokio::time::timeout(Duration::from_millis(1), exchange(connection, 100)).await;
                answer.map_err(Failure::from_error)??
            }
            Fault::ReadsAll => exchange(connection, u64::MAX).await?,
            Fault::ShowsAll => exchange(connection, 1 << 20).await?,
            _ => exchange(connection, 100).await?,
        };
        match self.fault {
            Fault::NeverFails => Ok(Observation::new()),
            _ if answer == "ok" => Ok(Observation::new()),
            Fault::GivesNoReason => Err(Failure::assertion(" ")),
            Fault::ShowsAnswers | Fault::ShowsAll => Err(Failure::assertion(format!("the answer is {answer}"))),
            _ => Err(Failure::assertion("the answer is not ok")),
        }
    }

    fn greet_blocking(&self, patience: Option<Duration>) -> Result<Observation, Failure> {
        let mut connection = std::net::TcpStream::connect(self.addr)?;
        connection.set_read_timeout(patience)?;
        connection.write_all(b"hello\n")?;
        connection.read_exact(&mut [0; 3])?;
        Ok(Observation::new())
    }
}

/// Sends the password. Returns the first line of the answer, up to `limit` bytes.
async fn exchange(mut connection: TcpStream, limit: u64) -> Result<String, Failure> {
    connection.write_all(format!("{SECRET}\n").as_bytes()).await?;
    let mut line = Vec::new();
    BufReader::new(connection.take(limit)).read_until(b'\n', &mut line).await?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

#[async_trait]
impl Checker for Greeting {
    fn endpoint(&self) -> Cow<'_, str> {
        match self.fault {
            Fault::NamesNothing => "".into(),
            Fault::CountsInItsEndpoint => format!("{} ({:?})", self.addr, self.attempts).into(),
            Fault::ShowsItsEndpoint => format!("{SECRET}@{}", self.addr).into(),
            _ => self.addr.to_string().into(),
        }
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        let number = self.attempts.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::NeverSucceeds => Err(Failure::other("not today")),
            Fault::Blocks => self.greet_blocking(None),
            Fault::BlocksForAWhile => self.greet_blocking(Some(Duration::from_millis(300))),
            Fault::Sleeps => {
                std::thread::sleep(Duration::from_millis(500));
                self.greet().await
            }
            Fault::RemembersTheAnswer if number > 0 => Ok(Observation::new()),
            Fault::TriesTwice => {
                let _ = self.greet().await;
                self.greet().await
            }
            Fault::RetriesWhatFailed => match self.greet().await {
                Err(_) => self.greet().await,
                ok => ok,
            },
            Fault::StaysBusy => {
                if self.busy.swap(true, Ordering::SeqCst) {
                    return Err(Failure::other("busy"));
                }
                let outcome = self.greet().await;
                self.busy.store(false, Ordering::SeqCst);
                outcome
            }
            Fault::WaitsInLine => {
                let _first = self.line.lock().await;
                self.greet().await
            }
            Fault::SucceedsTwice if number >= 2 => Err(Failure::other("out of tokens")),
            Fault::FailsOtherwiseLater if number > 0 => {
                self.greet().await.map_err(|_| Failure::protocol("the session is broken"))
            }
            _ => self.greet().await,
        }
    }

    fn default_timeout(&self) -> Duration {
        if self.fault == Fault::HasNoTime { Duration::ZERO } else { Duration::from_secs(1) }
    }
}

impl fmt::Debug for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.fault == Fault::ShowsItself { SECRET } else { "Greeting" })
    }
}

/// Reads a line, and answers with the result of the closure.
fn answering(answer: impl Fn(String) -> String + Clone + Send + Sync + 'static) -> TcpServer {
    TcpServer::start(move |connection| {
        let answer = answer.clone();
        async move {
            let mut connection = BufReader::new(connection);
            let mut line = String::new();
            let _ = connection.read_line(&mut line).await;
            let _ = connection.write_all(answer(line).as_bytes()).await;
        }
    })
}

fn fixture(fault: Fault) -> CheckerFixture {
    let servers =
        Arc::new([answering(|_| "ok\n".to_owned()), answering(|line| format!("what is {line}")), TcpServer::silent()]);
    let endless = TcpServer::endless("", "all work and no play ");
    let at = |addr| move || Greeting::new(fault, addr);
    let (healthy, failing, hanging) = (servers[0].addr(), servers[1].addr(), servers[2].addr());
    let silent = Arc::clone(&servers);
    CheckerFixture::new(at(healthy))
        .failing(at(failing))
        .hanging(at(hanging))
        .endless(at(endless.addr()))
        .tries(move || servers.iter().map(TcpServer::accepted).sum())
        .open(move || silent[2].open())
        .secret(SECRET)
        .keep(endless)
}

pub(crate) fn good() -> CheckerFixture {
    fixture(Fault::None)
}

fn broken(behaviour: &str) -> Vec<Broken<CheckerFixture>> {
    let faults: &[(Fault, &'static str)] = match behaviour {
        "a_healthy_attempt_succeeds" => &[(Fault::NeverSucceeds, "the healthy instance is down")],
        "a_failing_attempt_fails_with_a_reason" => {
            &[(Fault::NeverFails, "is not down"), (Fault::GivesNoReason, "has no message")]
        }
        "a_hanging_attempt_times_out_in_the_engine" => {
            &[(Fault::GivesUpEarly, "expected a timeout"), (Fault::BlocksForAWhile, "expected a timeout")]
        }
        "an_attempt_tries_once" => &[
            (Fault::RemembersTheAnswer, "attempt 2 made no try"),
            (Fault::TriesTwice, "attempt 1 made 2 tries"),
            (Fault::NeverSucceeds, "attempt 1 made no try"),
        ],
        "a_failed_attempt_is_not_repeated" => &[(Fault::RetriesWhatFailed, "attempt 1 made 2 tries")],
        "a_cancelled_attempt_releases_what_it_opened" => &[(Fault::Detaches, "still holds what it opened")],
        "a_cancelled_attempt_does_not_change_the_next" => {
            &[(Fault::StaysBusy, "after an attempt that was dropped after 1 polls")]
        }
        "attempts_run_at_once" => &[(Fault::StaysBusy, "attempts at once")],
        "a_hanging_attempt_holds_up_no_other" => {
            &[(Fault::WaitsInLine, "while 1 attempts hang"), (Fault::StaysBusy, "while 1 attempts hang")]
        }
        "an_attempt_does_not_change_the_next" => &[
            (Fault::SucceedsTwice, "attempt 3 at what works"),
            (Fault::FailsOtherwiseLater, "attempt 2 is not as the first"),
        ],
        "an_attempt_does_not_block_the_thread" => &[(Fault::Sleeps, "an attempt blocks the thread")],
        "a_hanging_attempt_does_not_block_the_thread" => {
            &[(Fault::Blocks, "the thread is blocked"), (Fault::BlocksForAWhile, "the thread was blocked")]
        }
        "an_endless_answer_ends_the_attempt" => {
            &[(Fault::ReadsAll, "without end"), (Fault::ShowsAll, "bytes of the answer")]
        }
        "the_endpoint_stays_the_same" => {
            &[(Fault::NamesNothing, "the endpoint is empty"), (Fault::CountsInItsEndpoint, "left == right")]
        }
        "the_default_timeout_is_more_than_zero" => &[(Fault::HasNoTime, "default_timeout")],
        "debug_and_endpoint_hold_no_secret" => &[
            (Fault::ShowsItself, "`Debug` shows the secret"),
            (Fault::ShowsItsEndpoint, "the endpoint shows the secret"),
        ],
        "outcomes_hold_no_secret" => &[(Fault::ShowsAnswers, "the failure shows the secret")],
        _ => &[],
    };
    let broken = faults.iter().map(|&(fault, says)| {
        let factory = Box::new(move || fixture(fault));
        Broken { fault: format!("{fault:?}"), says, factory }
    });
    broken.collect()
}

#[test]
fn each_behaviour_of_a_checker_is_caught() {
    each_behaviour_is_caught(BEHAVIOURS, good, broken);
}
