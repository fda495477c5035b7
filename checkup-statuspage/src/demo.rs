//! A made-up history, to show the page without waiting for 90 days.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use checkup_core::check_file::FileName;
use checkup_core::{
    Attempt, Cause, CheckResult, ConfigError, MaintenanceWindow, Report, Status, Storage, StorageError,
    StorageErrorKind, StorageReader, Timestamp,
};

use crate::config::{Group, Link, StatusPage};
use crate::site::Site;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How far back the history goes.
const DAYS: i64 = 90;

/// The interval between results of past days, and of today.
const LONG_AGO: i64 = 15 * MINUTE;
const LATELY: i64 = MINUTE;

const LOCATIONS: [&str; 3] = ["eu-west", "us-east", "asia"];

/// A check of the demo: name, group, endpoint, usual round-trip time and threshold in milliseconds.
struct Subject(&'static str, &'static str, &'static str, u64, u64);

const SUBJECTS: [Subject; 9] = [
    Subject("Shop", "Website", "https://shop.example/", 85, 400),
    Subject("Search", "Website", "https://shop.example/search?q=tea", 140, 350),
    Subject("Images", "Website", "https://images.example/health", 40, 200),
    Subject("API", "Services", "https://api.example/v1/health", 60, 250),
    Subject("Payments", "Services", "https://payments.example/ping", 190, 800),
    Subject("Sign-in", "Services", "https://login.example/health", 75, 300),
    Subject("Database", "Infrastructure", "db.example:5432", 4, 50),
    Subject("Mail", "Infrastructure", "mail.example:25", 30, 500),
    Subject("Name server", "Infrastructure", "ns1.example:53", 9, 100),
];

/// A site with made-up data: nine checks at three locations, with the outages and messages of 90 days. The page says that the data is made up.
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

/// A storage with a made-up history that continues to the present, and is the same for everyone at the same time. Reports that are stored in it
/// are discarded.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct DemoStorage {
    /// The time of the history, instead of the current time.
    now: Option<Timestamp>,
}

impl DemoStorage {
    /// The history up to the current time.
    pub fn new() -> Self {
        Self::default()
    }

    /// The history up to this time, for tests.
    pub fn at(now: Timestamp) -> Self {
        Self { now: Some(now) }
    }

    /// The settings of a page for this history.
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
        Ok(span.ok_or_else(missing)?.results())
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

    fn results(self) -> Vec<CheckResult> {
        let (from, every) = match self {
            Self::Day(from) => (from, LONG_AGO),
            Self::Hour(from) | Self::Run(from) => (from, LATELY),
        };
        let times = (from..=self.last()).step_by(step(every));
        times.flat_map(|time| (0..SUBJECTS.len()).flat_map(move |subject| at_locations(subject, time))).collect()
    }
}

fn at_locations(subject: usize, time: i64) -> impl Iterator<Item = CheckResult> {
    (0..LOCATIONS.len()).map(move |location| result(subject, location, time))
}

fn result(subject: usize, location: usize, time: i64) -> CheckResult {
    let Subject(name, _, endpoint, usual, threshold) = SUBJECTS[subject];
    let mut result = CheckResult::new(name, endpoint);
    result.timestamp = at(time);
    result.location = Some(LOCATIONS[location].into());
    result.threshold_rtt = Duration::from_millis(threshold);
    // Distant locations are slower, evenings are busier, and every run differs a little.
    let noise = draw(&[subject, location], time) % 1000;
    let evening =
        1.0 + 0.25 * (f64::from(u32::try_from(time % DAY).unwrap_or(0)) / 43_200.0 * std::f64::consts::PI).sin();
    let spread = 0.8 + 0.0004 * f64::from(u32::try_from(noise).unwrap_or(0)) + if noise > 990 { 0.9 } else { 0.0 };
    let far: f64 = [1.0, 1.6, 2.3][location];
    let usual = Duration::from_millis(usual).mul_f64(evening * spread * far.min(if subject < 6 { 9.0 } else { 1.2 }));
    let trouble = Trouble::at(subject, time).filter(|trouble| trouble.everywhere || trouble.location == location);
    let rtt = if trouble.as_ref().is_some_and(|t| !t.is_outage) { usual + result.threshold_rtt } else { usual };
    result.attempts = vec![Attempt::success(rtt)];
    if rtt > result.threshold_rtt {
        result.status = Status::Degraded;
        result.notice = Some(format!("median round trip time exceeded threshold ({threshold}ms)").into());
    }
    if let Some(trouble) = trouble.filter(|trouble| trouble.is_outage) {
        let (cause, error) = trouble.error;
        result.status = Status::Down;
        result.notice = None;
        result.attempts = vec![Attempt::failure(usual, cause, error)];
        if trouble.from == time && location == trouble.location {
            result.message = Some("We are investigating. Follow [the thread](https://example.com/status).".into());
        }
    }
    maintain(&mut result, subject, location, time);
    result
}

/// A problem for some time.
struct Trouble {
    from: i64,
    is_outage: bool,
    everywhere: bool,
    location: usize,
    error: (Cause, &'static str),
}

impl Trouble {
    /// A check has a problem on about one day in twelve. In each hour, search is slow for a while at one location.
    fn at(subject: usize, time: i64) -> Option<Self> {
        let day = time / DAY;
        let lot = draw(&[subject], day);
        let from = day * DAY + i64::try_from(lot >> 8 & 0x3f).unwrap_or(0) * LONG_AGO;
        let length = [1, 2, 3, 9][step(i64::try_from(lot >> 16 & 3).unwrap_or(0))] * LONG_AGO;
        let location = step(i64::try_from(lot >> 20 & 0xff).unwrap_or(0)) % LOCATIONS.len();
        let errors = [
            (Cause::Timeout, "timed out after 10s waiting for the first byte of the response"),
            (Cause::Refused, "connection refused"),
            (Cause::Assertion, "response status 503 Service Unavailable"),
            (Cause::Dns, "the name does not exist"),
        ];
        let error = errors[step(i64::try_from(lot >> 28 & 3).unwrap_or(0))];
        if lot.is_multiple_of(12) && (from..from + length).contains(&time) {
            return Some(Self { from, is_outage: lot & 0x10 == 0, everywhere: lot & 0x60 != 0, location, error });
        }
        let is_slow = subject == 1 && (20 * MINUTE..35 * MINUTE).contains(&(time % HOUR));
        is_slow.then_some(Self { from: time, is_outage: false, everywhere: false, location: 2, error })
    }
}

/// An hour of database maintenance every other week, announced a day before.
fn maintain(result: &mut CheckResult, subject: usize, location: usize, time: i64) {
    const EVERY: i64 = 14 * DAY;
    if SUBJECTS[subject].0 != "Database" || location != 0 {
        return;
    }
    let from = (time + DAY).div_euclid(EVERY) * EVERY + 2 * HOUR;
    if time == from - DAY {
        result.maintenance = Some(Box::new(MaintenanceWindow::new(at(from), at(from + HOUR))));
        result.message = Some("A new version of the database. *Orders are taken meanwhile.*".into());
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_nanos(second * SECOND)
}

/// A number that looks random, and is always the same for the same input.
fn draw(things: &[usize], time: i64) -> u64 {
    let seed = things.iter().fold(time.unsigned_abs(), |seed, thing| seed.wrapping_mul(1_000_003) ^ *thing as u64);
    // The finaliser of SplitMix64.
    let mixed = (seed.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use checkup_core::history;

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
            assert!(results.iter().all(|result| result.timestamp <= name.timestamp()));
            before.extend(results.iter().map(|result| result.timestamp));
        }
        assert_eq!(before.last(), Some(&at(NOW / MINUTE * MINUTE)));
        let steps: BTreeSet<_> = before.iter().zip(before.iter().skip(1)).map(|(a, b)| b.since(*a).as_secs()).collect();
        assert_eq!(steps, [60, 900].into());
        let foreign = FileName::at(at(NOW - 5));
        assert_eq!(storage.fetch(&foreign).await.unwrap_err().kind(), StorageErrorKind::NotFound);
    }

    #[tokio::test]
    async fn ninety_days_have_some_trouble_and_much_uptime() {
        let storage = DemoStorage::new();
        let now = Timestamp::now();
        let summary =
            history::read_summary(&storage, now.saturating_sub(Duration::from_secs(90 * 86_400))).await.unwrap();
        assert_eq!(summary.series.len(), SUBJECTS.len() * LOCATIONS.len());
        assert!(summary.series.iter().all(|series| summary.days(series).len() >= 90));
        let incidents: usize = summary.series.iter().map(|series| summary.incidents(series).len()).sum();
        assert!(incidents > 20, "{incidents}");
        for series in &summary.series {
            let uptime = summary.uptime(series, Timestamp::default(), now).unwrap();
            assert!(uptime > 0.97, "{} {uptime}", series.name);
        }
        assert!(summary.windows.len() >= 6, "{:?}", summary.windows);
        assert!(summary.series.iter().any(|series| !series.messages.is_empty()));
    }
}
