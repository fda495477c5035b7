//! The progress of maintenance, on standard error.

use std::convert::Infallible;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, interval, sleep_until};

use super::figures::count;
use super::progress::{PATIENCE, REDRAW};
use crate::args::Global;

/// A bar for maintenance that takes longer than a second, if standard error is a terminal.
#[derive(Debug)]
pub(crate) struct Maintaining {
    bar: Option<ProgressBar>,
    began: Instant,
}

impl Maintaining {
    /// The state before the first step, with the number of check files if that is known.
    pub(crate) fn new(global: &Global, files: Option<usize>) -> Self {
        // Diagnostics would tear the bar apart.
        let live = !global.quiet && global.verbose == 0 && io::stderr().is_terminal();
        // Hidden until `show` has waited long enough.
        let bar = live.then(|| bar(files));
        Self { bar, began: Instant::now() }
    }

    /// Adds the numbers of check files that were compacted or expired.
    pub(crate) fn update(&self, files: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(files as u64);
            bar.set_message(count(files, "check file"));
        }
    }

    /// Draws the bar until it is dropped.
    pub(crate) async fn show(&self) -> Infallible {
        let Some(bar) = &self.bar else { return std::future::pending().await };
        sleep_until(self.began + PATIENCE).await;
        bar.set_draw_target(ProgressDrawTarget::stderr());
        let mut redraw = interval(REDRAW);
        while !bar.is_finished() {
            redraw.tick().await;
            bar.tick();
        }
        std::future::pending().await
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(files: Option<usize>) -> ProgressBar {
    // Some files need no work, so the bar may end early.
    let template = match files {
        Some(_) => "{spinner} maintaining [{bar:24}] {elapsed}  {human_pos} of {human_len} check files",
        None => "{spinner} maintaining {elapsed}  {wide_msg}",
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
    ProgressBar::with_draw_target(files.map(|files| files as u64), ProgressDrawTarget::hidden()).with_style(style)
}
