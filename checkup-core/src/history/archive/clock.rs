//! [`Clock`]: the current time, as far as the stored history confirms the local clock.
//!
//! A clock that is ahead must not expire a history. The local clock is trusted only if the times in the names of the
//! check files lead up to it without an unusual gap. After such a gap, the end of the history before it counts as the
//! current time, until check files have been stored for a day: then the gap was an outage, and not a wrong clock.

use std::time::Duration;

use super::listing::Listing;
use super::{NamedFiles, expiry, naming};
use crate::check_file::FileName;
use crate::summary::day_of;
use crate::{MaintenanceFailure, StorageError, Timestamp};

/// A gap between check files that needs no confirmation. Neither do gaps of up to three times the usual length.
const GAP: Duration = Duration::from_secs(3 * 24 * 3600);

/// For how long, and at least how many, check files must have been stored after a gap to confirm it.
const SETTLED: Duration = Duration::from_secs(24 * 3600);
const RUNS: usize = 3;

/// How many names confirm the clock if there is no unusual gap, and how many are listed per request otherwise.
const PROBE: usize = 64;
const PAGE: usize = 1000;

/// How many of the last gaps determine the usual length.
const USUAL: usize = 10;

const DAY: u64 = 24 * 3600;

/// The current time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// The time that the history confirms: that of the local clock, or the end of the history before an unusual gap.
    pub(super) trusted: Timestamp,
    /// The time of the local clock.
    pub(super) now: Timestamp,
}

/// Which check files have expired: the rule of [`Archive`](super::Archive), for storages that keep check files in another way.
///
/// The local clock counts only as far as the stored history confirms it, so a clock that is ahead removes nothing. After an unusual gap, the
/// end of the history before it counts as the current time, until check files have been stored for a day.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::Timestamp;
/// use checkup_core::archive::Expiry;
/// use checkup_core::check_file::FileName;
///
/// let day = Duration::from_secs(24 * 3600);
/// let now = Timestamp::now();
/// let daily = |ages: std::ops::Range<u32>| ages.map(|age| FileName::at(now.saturating_sub(day * age))).collect::<Vec<_>>();
///
/// assert_eq!(Expiry::of(daily(0..100), day * 90, now).expired.len(), 9);
/// // Nothing was stored in the last two years, as far as this clock knows.
/// let ahead = Expiry::of(daily(730..820), day * 90, now);
/// assert!(ahead.expired.is_empty() && ahead.doubt.is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// The check files to remove, oldest first.
    pub expired: Vec<FileName>,
    /// Why others stay that have expired by the local clock: for [`Maintenance::failures`](crate::Maintenance::failures).
    pub doubt: Option<MaintenanceFailure>,
}

impl Expiry {
    /// Which of all check files of a storage have expired, if they are kept for `check_expiry`; zero keeps all.
    pub fn of(names: impl IntoIterator<Item = FileName>, check_expiry: Duration, now: Timestamp) -> Self {
        let mut names: Vec<_> = names.into_iter().filter(FileName::is_removable).collect();
        names.sort_unstable();
        let clock = Clock::of(&names, now);
        let (cutoff, by_the_clock) = (expiry::cutoff(clock.trusted, check_expiry), expiry::cutoff(now, check_expiry));
        let kept = names.split_off(names.partition_point(|name| name.timestamp() < cutoff));
        let is_doubtful = kept.first().is_some_and(|oldest| oldest.timestamp() < by_the_clock);
        let doubt = clock.doubt().filter(|_| is_doubtful);
        let failure = |why: String| MaintenanceFailure::new("remove expired check files", &StorageError::new(why));
        Self { expired: names, doubt: doubt.map(failure) }
    }
}

impl Clock {
    /// The current time, by the names of all check files, oldest first.
    fn of(names: &[FileName], now: Timestamp) -> Self {
        let (latest, recent_from) = (now.saturating_add(naming::GRACE), now.saturating_sub(GAP));
        let (mut recent, mut history) = (Segment::default(), History::default());
        for name in names.iter().filter(|name| name.timestamp() <= latest) {
            if name.timestamp() >= recent_from {
                recent.add(name);
            }
            history.add(name);
        }
        Self { trusted: if recent.is_settled(now) { now } else { history.trusted(now) }, now }
    }

    /// Looks at the names of the check files, usually with one short list.
    pub(super) async fn look<F: NamedFiles>(files: &F, now: Timestamp) -> Result<Self, StorageError> {
        let latest = now.saturating_add(naming::GRACE);
        let names = files.list(&naming::from(now.saturating_sub(GAP)), PROBE).await?;
        let mut recent = Segment::default();
        for name in names.iter().filter_map(|name| FileName::parse(name)) {
            if name.is_removable() && name.timestamp() <= latest {
                recent.add(&name);
            }
        }
        if recent.is_settled(now) {
            return Ok(Self { trusted: now, now });
        }
        let mut history = History::default();
        let mut listing = Listing::new(files, naming::FIRST.to_owned(), PAGE);
        while let Some(name) = listing.next().await? {
            if name.is_removable() && name.timestamp() <= latest {
                history.add(&name);
            }
        }
        Ok(Self { trusted: history.trusted(now), now })
    }

    /// Why the local clock is not trusted; `None` if it is.
    pub(super) fn doubt(&self) -> Option<String> {
        (self.trusted < self.now).then(|| {
            format!(
                "the clock of this node says {}, but before that nothing was stored since {}; set the clock, or, if it is right, \
                 store results for a day: expired check files are then removed",
                self.now, self.trusted
            )
        })
    }
}

/// Consecutive check files without an unusual gap.
#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    first: Option<Timestamp>,
    last: Timestamp,
    runs: usize,
}

impl Segment {
    fn add(&mut self, name: &FileName) {
        self.first.get_or_insert(name.timestamp());
        self.last = self.last.max(name.timestamp());
        // A compacted file has the results of several runs, and was made some time after them.
        self.runs += if name.is_compacted() { RUNS } else { 1 };
    }

    fn is_settled(&self, until: Timestamp) -> bool {
        self.runs >= RUNS && self.first.is_some_and(|first| until.since(first) >= SETTLED)
    }
}

/// The check files, oldest first.
#[derive(Debug, Default)]
struct History {
    segment: Segment,
    /// The end of the last confirmed segment before this one.
    confirmed: Option<Timestamp>,
    /// The last gaps between days with check files, in days.
    gaps: Vec<u64>,
}

impl History {
    fn add(&mut self, name: &FileName) {
        let time = name.timestamp();
        if self.segment.first.is_some() {
            let is_unusual = time.since(self.segment.last) > self.usual();
            let days = day_of(time).saturating_sub(day_of(self.segment.last));
            if let Ok(days @ 1..) = u64::try_from(days) {
                self.gaps.push(days);
                if self.gaps.len() > USUAL {
                    self.gaps.remove(0);
                }
            }
            if is_unusual {
                self.confirmed = Some(self.end());
                self.segment = Segment::default();
            }
        }
        self.segment.add(name);
    }

    /// The end of the history so far, if this segment is the last one.
    fn end(&self) -> Timestamp {
        match self.confirmed {
            Some(confirmed) if !self.segment.is_settled(self.segment.last) => confirmed,
            _ => self.segment.last,
        }
    }

    fn trusted(&self, now: Timestamp) -> Timestamp {
        if self.segment.first.is_none() {
            return now;
        }
        let is_recent = now.since(self.segment.last) <= self.usual();
        match self.confirmed {
            None if is_recent => now,
            Some(_) if is_recent && self.segment.is_settled(now) => now,
            _ => self.end().min(now),
        }
    }

    /// The longest gap that is still usual.
    fn usual(&self) -> Duration {
        let mut gaps = self.gaps.clone();
        gaps.sort_unstable();
        let usual = if gaps.len() < 2 { 0 } else { gaps[gaps.len() / 2] };
        GAP.max(Duration::from_secs(usual.saturating_mul(3 * DAY)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::MemoryFiles;

    /// The time that is this many days before now.
    async fn trusted(days: &[f64]) -> f64 {
        let (files, now) = (MemoryFiles::new(), Timestamp::now());
        let ago = |days: &f64| {
            let time = Duration::from_secs_f64(days.abs() * DAY as f64);
            if *days < 0.0 { now.saturating_add(time) } else { now.saturating_sub(time) }
        };
        for (number, day) in days.iter().enumerate() {
            let name = format!("{}-{number}-check.json", ago(day).unix_nanos());
            let _: super::super::Put = files.put_if_absent(&name, b"[]").await.unwrap();
        }
        let clock = Clock::look(&files, now).await.unwrap();
        let mut names: Vec<_> =
            files.list("", 10_000).await.unwrap().iter().filter_map(|name| FileName::parse(name)).collect();
        names.sort();
        assert_eq!(Clock::of(&names, now), clock, "both rules are one");
        assert_eq!(clock.doubt().is_some(), clock.trusted < now);
        (now.since(clock.trusted).as_secs_f64() / DAY as f64 * 1000.0).round() / 1000.0
    }

    fn each_day(from: u32, to: u32) -> Vec<f64> {
        (to..=from).rev().map(f64::from).collect()
    }

    #[tokio::test]
    async fn a_clock_that_the_history_leads_up_to_is_trusted() {
        for days in [vec![], vec![0.0], vec![0.5, 0.4], each_day(90, 0), each_day(90, 2), vec![8.9, 6.0, 4.0, 2.0]] {
            assert_eq!(trusted(&days).await, 0.0, "{days:?}");
        }
        // Monthly runs, and their usual delays.
        let monthly: Vec<f64> = (0..12).rev().map(|month| f64::from(month) * 30.0 + 1.0).collect();
        assert_eq!(trusted(&monthly).await, 0.0);
    }

    #[tokio::test]
    async fn after_a_jump_the_time_before_it_counts() {
        let history = each_day(820, 730);
        for after in [vec![], vec![0.0], vec![2.0, 0.0], vec![0.0001, 0.0002, 0.0], vec![100.0, 50.0, 10.0, 0.0]] {
            let days = [history.clone(), after].concat();
            assert_eq!(trusted(&days).await, 730.0, "{days:?}");
        }
    }

    #[tokio::test]
    async fn an_outage_is_confirmed_by_a_day_of_runs() {
        let history = each_day(820, 730);
        assert_eq!(trusted(&[history.clone(), vec![1.1, 0.5, 0.0]].concat()).await, 0.0);
        assert_eq!(trusted(&[history.clone(), each_day(200, 100)].concat()).await, 100.0);
        // Files from the future confirm nothing.
        assert_eq!(trusted(&[history, vec![-10.0, -11.0, -12.0, -400.0]].concat()).await, 730.0);
    }
}
