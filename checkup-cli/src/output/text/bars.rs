//! Drawings of one line: a bar of days or hours, and the round-trip times below it.

use std::time::Duration;

use checkup_core::Status;

use super::{DIM, paint, style};

/// The maximum width of a day.
const MAX_CELL: usize = 4;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A day, an hour, or a few of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// The worst status; `None` if there are no results.
    pub(super) worst: Option<Status>,
    /// The median round-trip time.
    pub(super) rtt: Option<Duration>,
}

/// Cells that are drawn below one another, in columns of equal width.
#[derive(Debug)]
pub(super) struct Bars {
    cells: Vec<Cell>,
    /// How many of the given days or hours are in a cell.
    pub(super) per_cell: usize,
    width: usize,
}

impl Bars {
    /// Fits the cells into `room` columns: several in one, or each in several.
    pub(super) fn new(cells: &[Cell], room: usize) -> Self {
        let per_cell = cells.len().div_ceil(room.max(1)).max(1);
        // The last cell is complete: people look at it first.
        let partial = cells.len() % per_cell;
        let (first, rest) = cells.split_at(partial);
        let merged = Some(first).filter(|first| !first.is_empty()).into_iter().chain(rest.chunks(per_cell)).map(merge);
        let cells: Vec<_> = merged.collect();
        let width = if cells.is_empty() { 1 } else { (room / cells.len()).clamp(1, MAX_CELL) };
        Self { cells, per_cell, width }
    }

    /// The worst status of each: `████▓█░·`. The glyphs differ, so it can be read without colours.
    pub(super) fn worst(&self) -> String {
        self.draw(|cell| (shade(cell.worst), cell.worst.map_or(DIM, style)))
    }

    /// The round-trip time of each: `▁▁▂▁▇▁`, in the colour of degraded checks where it is above the threshold.
    pub(super) fn rtt(&self, threshold: Duration) -> String {
        let Some((lowest, highest)) = self.rtt_range() else { return String::new() };
        // Steady times are drawn flat, so that differences of microseconds do not look large.
        let range = highest.max(lowest * 2).saturating_sub(lowest).as_nanos().max(1);
        self.draw(|cell| match cell.rtt {
            None => (' ', DIM),
            Some(rtt) => {
                let level = rtt.saturating_sub(lowest).as_nanos() * (LEVELS.len() as u128 - 1) / range;
                let is_slow = !threshold.is_zero() && rtt > threshold;
                let color = style(if is_slow { Status::Degraded } else { Status::Healthy });
                (LEVELS.get(usize::try_from(level).unwrap_or(0)).copied().unwrap_or(LEVELS[7]), color)
            }
        })
    }

    /// The lowest and the highest of the medians.
    pub(super) fn rtt_range(&self) -> Option<(Duration, Duration)> {
        let times = || self.cells.iter().filter_map(|cell| cell.rtt);
        times().min().zip(times().max())
    }

    /// Paints neighbours of the same style together.
    fn draw(&self, glyph: impl Fn(&Cell) -> (char, anstyle::Style)) -> String {
        let mut out = String::new();
        let mut run = (String::new(), DIM);
        for cell in &self.cells {
            let (glyph, style) = glyph(cell);
            if style != run.1 && !run.0.is_empty() {
                out.push_str(&paint(run.1, &run.0));
                run.0.clear();
            }
            run.1 = style;
            run.0.extend(std::iter::repeat_n(glyph, self.width));
        }
        out.push_str(&paint(run.1, &run.0));
        out
    }
}

/// What the glyphs of [`Bars::worst`] mean.
pub(super) fn legend() -> String {
    let known = [Status::Healthy, Status::Degraded, Status::Down].map(|status| (Some(status), status.as_str()));
    let all = known.into_iter().chain([(None, "no results")]);
    let all: Vec<_> = all
        .map(|(status, word)| format!("{} {word}", paint(status.map_or(DIM, style), &shade(status).to_string())))
        .collect();
    all.join("  ")
}

fn shade(status: Option<Status>) -> char {
    match status {
        None => '·',
        Some(Status::Healthy) => '█',
        Some(Status::Degraded) => '▓',
        Some(_) => '░',
    }
}

fn merge(cells: &[Cell]) -> Cell {
    let mut times: Vec<_> = cells.iter().filter_map(|cell| cell.rtt).collect();
    times.sort_unstable();
    Cell { worst: cells.iter().filter_map(|cell| cell.worst).max(), rtt: times.get(times.len() / 2).copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(worst: Option<Status>, millis: Option<u64>) -> Cell {
        Cell { worst, rtt: millis.map(Duration::from_millis) }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn statuses(text: &str) -> Vec<Cell> {
        let status = |letter| match letter {
            'h' => Some(Status::Healthy),
            'g' => Some(Status::Degraded),
            'd' => Some(Status::Down),
            _ => None,
        };
        text.chars().map(|letter| cell(status(letter), None)).collect()
    }

    #[test]
    fn a_bar_can_be_read_without_colours() {
        assert_eq!(plain(&Bars::new(&statuses("hgd-h"), 5).worst()), "█▓░·█");
        assert_eq!(plain(&legend()), "█ healthy  ▓ degraded  ░ down  · no results");
    }

    #[test]
    fn few_cells_are_wide_and_many_are_merged_by_the_worst() {
        assert_eq!(plain(&Bars::new(&statuses("hd"), 7).worst()), "███░░░");
        assert_eq!(plain(&Bars::new(&statuses("hd"), 70).worst()), "████░░░░");
        let bars = Bars::new(&statuses("hhghhdh"), 4);
        assert_eq!((plain(&bars.worst()).as_str(), bars.per_cell), ("█▓█░", 2));
        assert_eq!(plain(&Bars::new(&[], 4).worst()), "");
    }

    #[test]
    fn round_trip_times_are_drawn_between_the_lowest_and_the_highest() {
        let times = [Some(10), Some(80), None, Some(45)].map(|millis| cell(None, millis));
        let bars = Bars::new(&times, 4);
        assert_eq!(plain(&bars.rtt(Duration::ZERO)), "▁█ ▄");
        assert_eq!(bars.rtt_range(), Some((Duration::from_millis(10), Duration::from_millis(80))));
        // What hardly differs is drawn so.
        let steady = [100, 101, 102].map(|millis| cell(None, Some(millis)));
        assert_eq!(plain(&Bars::new(&steady, 3).rtt(Duration::ZERO)), "▁▁▁");
        assert_eq!(Bars::new(&statuses("hh"), 2).rtt(Duration::ZERO), "");
    }

    #[test]
    fn what_is_over_the_threshold_is_drawn_as_degraded() {
        let bars = Bars::new(&[cell(None, Some(10)), cell(None, Some(30))], 2);
        let yellow = style(Status::Degraded).to_string();
        assert!(bars.rtt(Duration::from_millis(20)).contains(&yellow));
        assert!(!bars.rtt(Duration::from_millis(30)).contains(&yellow));
    }
}
