//! A made-up history, to show the page without waiting for 90 days.

mod story;

use std::sync::Arc;

use async_trait::async_trait;
use checkup_core::check_file::FileName;
use checkup_core::{
    CheckResult, ConfigError, Report, Storage, StorageError, StorageErrorKind, StorageReader, Timestamp,
};

use crate::config::{Group, Link, StatusPage};
use crate::site::Site;
use story::{LOCATIONS, SUBJECTS, Subject};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How far back the history goes.
const DAYS: i64 = 90;

/// The interval between results of past days, and of today.
const LONG_AGO: i64 = 15 * MINUTE;
const LATELY: i64 = MINUTE;

/// A site with made-up data: nine checks at three locations, one of which is down, with messages, planned maintenance, and the outages of
/// 90 days. The page says that the data is made up.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = checkup_statuspage::demo()?.router();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// None: its settings are valid.
pub fn demo() -> Result<Site, ConfigError> {
    Site::of_storage(Arc::new(DemoStorage::new())).page(DemoStorage::page()).demo(true).build()
}

/// A storage with a made-up history that continues to the present. What happens in it is counted from when it was made: an outage began half an
/// hour before, and goes on. Reports that are stored in it are discarded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DemoStorage {
    /// When it was made, in seconds since 1970.
    start: i64,
    /// The time of the history, instead of the current time.
    now: Option<Timestamp>,
}

impl DemoStorage {
    /// The history up to the current time.
    pub fn new() -> Self {
        Self { start: story::start_of(Timestamp::now()), now: None }
    }

    /// The history up to this time, for tests.
    pub fn at(now: Timestamp) -> Self {
        Self { start: story::start_of(now), now: Some(now) }
    }

    /// Settings for a page of this history.
    pub fn page() -> StatusPage {
        let page = StatusPage::new()
            .title("Example shop")
            .description("How the *example shop* is doing, as seen from Europe, America and Asia.")
            .link(Link::new("Contact", "mailto:help@shop.example"));
        ["Website", "Services", "Infrastructure"].into_iter().fold(page, |page, group| {
            let own = SUBJECTS.iter().filter(|Subject(_, of, ..)| *of == group);
            page.group(Group::new(group, own.map(|Subject(name, ..)| *name)))
        })
    }

    /// Seconds since 1970.
    fn now(&self) -> i64 {
        self.now.unwrap_or_else(Timestamp::now).unix_nanos() / SECOND
    }
}

impl Default for DemoStorage {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Storage for DemoStorage {
    async fn store(&self, _: &Report) -> Result<(), StorageError> {
        Ok(())
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        Some(self)
    }
}

#[async_trait]
impl StorageReader for DemoStorage {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        let now = self.now();
        let today = now / DAY * DAY;
        let hour = now / HOUR * HOUR;
        let files = (-DAYS..0)
            .map(|day| Span::Day(today + day * DAY))
            .chain((today..hour).step_by(step(HOUR)).map(Span::Hour))
            .chain((hour..=now).step_by(step(LATELY)).map(Span::Run));
        Ok(files.map(Span::name).filter(|name| name.timestamp() >= since).collect())
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        let now = self.now();
        let span = Span::of(name).filter(|span| span.last() <= now && span.last() > now - (DAYS + 2) * DAY);
        let missing = || StorageError::new(format!("there is no {name}")).with_kind(StorageErrorKind::NotFound);
        Ok(span.ok_or_else(missing)?.results(self.start))
    }
}

const SECOND: i64 = 1_000_000_000;

fn step(seconds: i64) -> usize {
    usize::try_from(seconds).unwrap_or(1)
}

/// The period of a check file, from its first second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Day(i64),
    Hour(i64),
    Run(i64),
}

impl Span {
    fn of(name: &FileName) -> Option<Self> {
        let last = name.timestamp().unix_nanos() / SECOND;
        let spans = [Self::Day(last / DAY * DAY), Self::Hour(last / HOUR * HOUR), Self::Run(last)];
        spans.into_iter().find(|span| span.name() == *name)
    }

    /// The name of the file, with the time of its latest results.
    fn name(self) -> FileName {
        let kind = match self {
            Self::Day(_) => "day",
            Self::Hour(_) => "hour",
            Self::Run(_) => "run",
        };
        let name = format!("{:019}-{kind}-check.json", self.last() * SECOND);
        FileName::parse(&name).unwrap_or_else(|| FileName::at(at(self.last())))
    }

    fn last(self) -> i64 {
        match self {
            Self::Day(from) => from + DAY - LONG_AGO,
            Self::Hour(from) => from + HOUR - LATELY,
            Self::Run(from) => from,
        }
    }

    fn results(self, start: i64) -> Vec<CheckResult> {
        let (from, every) = match self {
            Self::Day(from) => (from, LONG_AGO),
            Self::Hour(from) | Self::Run(from) => (from, LATELY),
        };
        let times = (from..=self.last()).step_by(step(every));
        let measured = times.flat_map(|time| {
            (0..SUBJECTS.len()).flat_map(move |subject| {
                (0..LOCATIONS.len()).map(move |location| story::result(subject, location, time, start))
            })
        });
        measured.chain(story::posts(from, self.last() + every, start)).collect()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_nanos(second * SECOND)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use checkup_core::{Quorum, Status, history};

    use super::*;

    /// In the middle of an hour.
    const NOW: i64 = 1_795_340_000 / HOUR * HOUR + 42 * MINUTE + 17;

    #[tokio::test]
    async fn every_listed_file_has_results_of_its_period_and_none_is_missing_later() {
        let storage = DemoStorage::at(at(NOW));
        let names = storage.list(at(NOW - 3 * DAY)).await.unwrap();
        let mut before = BTreeSet::new();
        for name in &names {
            let results = storage.fetch(name).await.unwrap();
            assert!(results.iter().all(|result| result.timestamp <= name.timestamp() || result.post.is_some()));
            before.extend(results.iter().filter(|result| result.post.is_none()).map(|result| result.timestamp));
        }
        assert_eq!(before.last(), Some(&at(NOW / MINUTE * MINUTE)));
        let steps: BTreeSet<_> = before.iter().zip(before.iter().skip(1)).map(|(a, b)| b.since(*a).as_secs()).collect();
        assert_eq!(steps, [60, 900].into());
        let foreign = FileName::at(at(NOW - 5));
        assert_eq!(storage.fetch(&foreign).await.unwrap_err().kind(), StorageErrorKind::NotFound);
    }

    #[tokio::test]
    async fn it_shows_what_a_page_is_for() {
        let storage = DemoStorage::new();
        let now = Timestamp::now();
        let summary =
            history::read_summary(&storage, now.saturating_sub(Duration::from_secs(90 * 86_400))).await.unwrap();
        assert_eq!(summary.series.len(), SUBJECTS.len() * LOCATIONS.len());
        assert!(summary.series.iter().all(|series| summary.days(series).len() >= 90));
        let of = |name: &str| summary.series.iter().filter(|series| series.name == name).collect::<Vec<_>>();
        let incidents =
            |name: &str| summary.timeline(of(name), Quorum::Majority, now).incidents(history::Hysteresis::default());
        let clean: Vec<_> =
            SUBJECTS.iter().map(|Subject(name, ..)| *name).filter(|name| incidents(name).is_empty()).collect();
        assert_eq!(clean, ["Images", "API", "Name server"]);
        let running = incidents("Payments").pop().unwrap();
        assert_eq!((running.status, running.to), (Status::Down, None));
        let messages = |name: &str| summary.messages(of(name)).len();
        assert_eq!((messages("Payments"), messages("Shop")), (2, 3));
        let resolved = incidents("Shop").pop().unwrap();
        assert_eq!(resolved.status, Status::Down);
        assert!(resolved.to.is_some_and(|to| now.since(to) > Duration::from_secs(5 * 86_400)), "{resolved:?}");
        let planned = summary.windows.iter().filter(|window| window.from > now).count();
        assert_eq!((planned, summary.windows.len()), (1, 2), "{:?}", summary.windows);
        for series in &summary.series {
            let uptime = summary.uptime(series, Timestamp::default(), now).unwrap();
            assert!(uptime > 0.99, "{} {uptime}", series.name);
        }
        // Some noise, but few incidents.
        let all: usize = SUBJECTS.iter().map(|Subject(name, ..)| incidents(name).len()).sum();
        assert!((7..40).contains(&all), "{all}");
    }
}
