//! Background monitors, one after the other: each reload of the configuration begins a new one.

use std::sync::Arc;
use std::time::Duration;

use checkup_core::{Checkup, Monitor, Run};
use tokio::sync::mpsc;

use crate::exit::Error;

/// The monitor of the current configuration, and those of earlier ones until their last run has finished.
pub(super) struct Monitors {
    interval: Duration,
    current: Arc<Monitor>,
    /// Counts the monitors.
    number: usize,
    /// `None` when it has been stopped.
    events: Option<mpsc::Sender<Event>>,
    received: mpsc::Receiver<Event>,
}

/// A run of the monitor with this number, or its end.
type Event = (usize, Option<Arc<Run>>);

impl Monitors {
    /// Starts a monitor. Its first run starts immediately.
    pub(super) fn start(checkup: Checkup, interval: Duration) -> Result<Self, Error> {
        let (events, received) = mpsc::channel(1);
        let current = start(checkup, interval, 0, events.clone())?;
        Ok(Self { interval, current, number: 0, events: Some(events), received })
    }

    /// The monitor of the current configuration.
    pub(super) fn current(&self) -> &Arc<Monitor> {
        &self.current
    }

    /// Starts a monitor of a new configuration. The previous monitor starts no more checks; its running checks finish and are
    /// stored.
    pub(super) fn replace(&mut self, checkup: Checkup) -> Result<(), Error> {
        let Some(events) = &self.events else { return Ok(()) };
        let monitor = start(checkup, self.interval, self.number + 1, events.clone())?;
        self.number += 1;
        shut_down(std::mem::replace(&mut self.current, monitor));
        Ok(())
    }

    /// The next run that finishes, under whichever configuration it began; `None` when everything has stopped. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Option<Arc<Run>>, Error> {
        loop {
            match self.received.recv().await {
                None => return Ok(None),
                Some((_, Some(run))) => return Ok(Some(run)),
                Some((number, None)) if number == self.number && self.events.is_some() => {
                    return Err(Error::failed("the monitor stopped unexpectedly"));
                }
                Some((_, None)) => {}
            }
        }
    }

    /// Starts no more runs. Those that are still running come from [`next`](Self::next).
    pub(super) fn stop(&mut self) {
        self.events = None;
        shut_down(Arc::clone(&self.current));
    }
}

/// Starts a monitor that sends its runs, and its end.
fn start(
    checkup: Checkup,
    interval: Duration,
    number: usize,
    events: mpsc::Sender<Event>,
) -> Result<Arc<Monitor>, Error> {
    let (monitor, mut runs) = Monitor::builder(checkup).interval(interval).start_and_subscribe()?;
    tokio::spawn(async move {
        while let Some(run) = runs.next().await {
            // If there is no receiver left, the process is about to end.
            let _ = events.send((number, Some(run))).await;
        }
        let _ = events.send((number, None)).await;
    });
    Ok(Arc::new(monitor))
}

fn shut_down(monitor: Arc<Monitor>) {
    tokio::spawn(async move { monitor.shutdown().await });
}
