//! The page over a monitor or a storage: the history in memory, and a router that serves it.

mod budget;
mod check_files;
mod clock;
mod live;
mod momentary;
mod part;
mod probe;
pub(crate) mod router;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use checkup_core::health::{CheckHealth, Question};
use checkup_core::history::Rules;
use checkup_core::history::freshness::VALID_AT_LEAST;
use checkup_core::summary::{Series, Summary};
use checkup_core::{Checkup, ConfigError, Monitor, Quorum, Storage, StorageError, Timestamp, Verdict};
use tokio::sync::Semaphore;

use crate::config::StatusPage;
use crate::config::source::PageSource;
use crate::formats::api::StatusAnswer;
use crate::formats::data::page_data;
use crate::formats::feed;
use crate::formats::overview::Frame;
use crate::formats::representation::{Cache, JSON, Representation};
use crate::page::files::PageFiles;
use crate::page::page_config::PageConfig;
use crate::page::shown::Shown;
use crate::view::hiding::Hiding;
use crate::view::overview::{Overview, may_run};
use crate::view::timeline::timeline;
use budget::Budget;
use check_files::CheckFiles;
use clock::Clock;
use live::{Live, Source};
use momentary::Momentary;
use part::Part;
use probe::Probe;

/// The default age at which a request updates the history.
const DEFAULT_REFRESH_AFTER: Duration = Duration::from_secs(5);

/// How many histories may be made concurrently. Other requests wait.
const MAX_HISTORIES: usize = 2;

/// The limit of memory for data, statuses and feeds in bytes, including older ones that clients are still reading.
const MAX_STATES: usize = 48 * 1024 * 1024;

/// The limit of memory for histories that clients are reading, in bytes.
const MAX_ANSWERS: usize = 16 * 1024 * 1024;

/// A status page over a monitor or a storage, served by its [`router`](Self::router). Cloning is cheap.
///
/// It keeps the history in memory, and updates it in the background on request. Requests do not run checks, unless
/// [`probe_when_stale`](SiteBuilder::probe_when_stale) is set, and concurrent requests read the storage only once.
///
/// In a service that has a monitor:
///
/// ```
/// use std::sync::Arc;
/// use axum::Router;
/// use checkup_core::{Checkup, Monitor, check_fn};
/// use checkup_statuspage::{Site, StatusPage};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let checkup = Checkup::builder().check(check_fn("cache", || async { Ok::<_, std::io::Error>(()) })).build()?;
/// let monitor = Arc::new(Monitor::builder(checkup).start()?);
/// let site = Site::of_monitor(monitor).page(StatusPage::new().title("Shop")).build()?;
/// let app: Router = Router::new().nest("/status", site.router());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Site(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) settings: StatusPage,
    pub(crate) page: PageFiles,
    pub(crate) live: Arc<Live<State>>,
    pub(crate) clock: Clock,
    pub(crate) files: CheckFiles,
    /// Limits concurrent histories: each takes some milliseconds of processor time.
    pub(crate) histories: Semaphore,
    /// Memory for the states that are shown or that clients are still reading.
    states: Budget,
    /// Memory for the histories that clients are reading.
    pub(crate) answers: Budget,
    pub(crate) metrics_texts: Momentary,
    pub(crate) health_reports: Momentary,
    groups: Vec<crate::config::Group>,
    checkup: Option<Checkup>,
    rules: Rules,
    /// What is hidden from visitors.
    pub(crate) hiding: Arc<Hiding>,
    max_age: Option<Duration>,
    probe: Option<Probe>,
    /// The further pages with their folders.
    parts: OnceLock<Vec<(String, Site)>>,
    /// What a further page shows of the whole.
    part: Option<Part>,
}

/// The history as it is shown at one time.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) summary: Arc<Summary>,
    pub(crate) overview: Overview,
    pub(crate) data: Representation,
    pub(crate) status: Representation,
    pub(crate) feed: Representation,
    /// What the HTML of the page says.
    pub(crate) shown: Shown,
}

impl Site {
    /// A page for the checks of a monitor: over its storage if that can be read, or else over its results since it started.
    pub fn of_monitor(monitor: Arc<Monitor>) -> SiteBuilder {
        let checkup = Some(monitor.checkup().clone());
        SiteBuilder::new(Source::Monitor(monitor), checkup)
    }

    /// A page over a storage that others write to.
    pub fn of_storage(storage: Arc<dyn Storage>) -> SiteBuilder {
        SiteBuilder::new(Source::Storage(storage), None)
    }

    /// The history as it is shown, at most a few seconds old.
    ///
    /// # Errors
    ///
    /// If it cannot be read, and the last known state is too old to be shown.
    pub async fn summary(&self) -> Result<Arc<Summary>, Arc<StorageError>> {
        self.state().await.map(|state| Arc::clone(&state.summary))
    }

    pub(crate) async fn state(&self) -> Result<Arc<State>, Arc<StorageError>> {
        match &self.0.part {
            Some(part) => part.state(&self.0).await,
            None => self.whole_state().await,
        }
    }

    /// Whether visitors get no check files, since these have everything.
    pub(crate) fn keeps_check_files(&self) -> bool {
        self.0.live.source().reader().is_none() || self.0.hiding.is_any() || self.0.part.is_some()
    }

    async fn whole_state(&self) -> Result<Arc<State>, Arc<StorageError>> {
        let inner = Arc::clone(&self.0);
        self.0.live.state(move |summary, before| State::new(&inner, summary, before.as_deref())).await
    }

    /// The health of the checks with this tag, or of all checks. `None` if no check has the tag.
    pub(crate) async fn health(&self, tag: Option<&str>) -> Result<Option<Vec<CheckHealth>>, Arc<StorageError>> {
        let inner = &self.0;
        let has_tag = |check: &checkup_core::Check| tag.is_none_or(|tag| check.has_tag(tag));
        let known = self.known_health(tag).await?;
        let (Some(checkup), Some(probe), Some(checks)) = (&inner.checkup, &inner.probe, &known) else {
            return Ok(known);
        };
        let question = self.question();
        if !checks.is_empty() && !checks.iter().any(|check| check.is_stale(question)) {
            return Ok(known);
        }
        let results = probe.results(checkup, question.max_age.unwrap_or(VALID_AT_LEAST), has_tag).await;
        Ok(Some(results.iter().map(|result| inner.hiding.health(CheckHealth::of_result(result))).collect()))
    }

    /// The health from the latest known results.
    async fn known_health(&self, tag: Option<&str>) -> Result<Option<Vec<CheckHealth>>, Arc<StorageError>> {
        let inner = &self.0;
        let has_tag = |check: &checkup_core::Check| tag.is_none_or(|tag| check.has_tag(tag));
        if let Source::Monitor(monitor) = inner.live.source() {
            // Only the monitor's checks: other nodes may run the others.
            if tag.is_some() && !monitor.checkup().checks().any(has_tag) {
                return Ok(None);
            }
            let report = monitor.latest_of(has_tag).unwrap_or_default();
            let checks = monitor.checkup().checks().filter(|check| has_tag(check));
            let health = checks.zip(&report.results).map(|(check, result)| CheckHealth {
                interval: Some(check.policy().interval.unwrap_or(monitor.interval())),
                ..inner.hiding.health(CheckHealth::of_result(result))
            });
            return Ok(Some(health.collect()));
        }
        if tag.is_some() && !inner.checkup.iter().flat_map(Checkup::checks).any(has_tag) {
            return Ok(None);
        }
        let state = self.state().await?;
        let named = |name: &str| {
            tag.is_none()
                || inner.checkup.iter().flat_map(Checkup::checks).any(|check| has_tag(check) && check.name() == name)
        };
        let checks = state.overview.checks.iter().filter(|check| named(&check.verdict.name));
        let health = checks.map(|check| {
            let interval = inner.interval(&check.verdict, &state.summary);
            CheckHealth { interval, ..check.health() }
        });
        // A check that was removed or renamed does not affect readiness.
        let question = self.question();
        let counts = |check: &CheckHealth| !check.is_stale(question) || may_run(inner.checkup.as_ref(), &check.name);
        Ok(Some(health.filter(counts).collect()))
    }

    pub(crate) fn question(&self) -> Question {
        Question { now: self.0.clock.now(), max_age: self.0.max_age }
    }
}

impl Inner {
    /// The interval of a check in a storage: that of its settings, or the actual one if the nodes run it less often.
    fn interval(&self, verdict: &Verdict, summary: &Summary) -> Option<Duration> {
        let mut checks = self.checkup.iter().flat_map(Checkup::checks);
        let set = checks.find(|check| check.name() == verdict.name).and_then(|check| check.policy().interval);
        let of_check = |series: &&Series| (&series.name, &series.endpoint) == (&verdict.name, &verdict.endpoint);
        summary.series.iter().filter(of_check).filter_map(Series::usual_interval).chain(set).max()
    }
}

impl State {
    fn new(inner: &Inner, summary: Arc<Summary>, before: Option<&Self>) -> Self {
        let now = inner.clock.now();
        let overview = Overview::new(&summary, inner.checkup.as_ref(), &inner.rules, now);
        let since = now.saturating_sub(inner.settings.timeframe);
        let happenings = timeline(&summary, since, &inner.rules, now);
        let group = |name: &str| {
            let own = inner.groups.iter().find(|group| group.checks.iter().any(|check| check == name));
            own.map(|group| group.name.clone()).filter(|name| !name.is_empty())
        };
        let status = StatusAnswer::new(&overview, &summary, now, group);
        // It has only texts, numbers and lists.
        let status = serde_json::to_string(&status).unwrap_or_default();
        let feed = feed::atom(&inner.settings, &happenings, now);
        let frame = Frame { rules: &inner.rules, timeframe: inner.settings.timeframe, now };
        let data = page_data(&summary, frame);
        let shown = Shown::new(&inner.settings, inner.page.words(), &summary, &overview, now);
        Self {
            shown,
            data: renew(&inner.states, JSON, data, before.map(|before| &before.data)),
            status: renew(&inner.states, JSON, status, before.map(|before| &before.status)),
            feed: renew(&inner.states, "application/atom+xml; charset=utf-8", feed, before.map(|before| &before.feed)),
            overview,
            summary,
        }
    }
}

/// The previous content, which is compressed already, if nothing has changed or if older contents that clients are still reading leave no room
/// for another.
fn renew(
    budget: &Budget,
    content_type: &'static str,
    content: String,
    before: Option<&Representation>,
) -> Representation {
    if let Some(before) = before.filter(|before| before.content() == content.as_bytes()) {
        return before.clone();
    }
    let new = Representation::new(content_type, Cache::Revalidate, content);
    new.held(|content| budget.try_hold(content)).or_else(|| before.cloned()).unwrap_or(new)
}

/// Builds a [`Site`].
#[derive(Clone, Debug)]
pub struct SiteBuilder {
    source: Source,
    page: StatusPage,
    checkup: Option<Checkup>,
    quorum: Option<Quorum>,
    refresh_after: Duration,
    clock: Clock,
    max_age: Option<Duration>,
    probe_when_stale: bool,
    demo: bool,
}

impl SiteBuilder {
    fn new(source: Source, checkup: Option<Checkup>) -> Self {
        Self {
            source,
            page: StatusPage::new(),
            checkup,
            quorum: None,
            refresh_after: DEFAULT_REFRESH_AFTER,
            clock: Clock::default(),
            max_age: None,
            probe_when_stale: false,
            demo: false,
        }
    }

    /// The settings of the page. Default: [`StatusPage::new`].
    #[must_use]
    pub fn page(mut self, settings: StatusPage) -> Self {
        self.page = settings;
        self
    }

    /// The checks of a page over a storage. They have groups, an order, tags and the quorum, which results do not have.
    #[must_use]
    pub fn checkup(mut self, checkup: &Checkup) -> Self {
        self.checkup = Some(checkup.clone());
        self
    }

    /// How many locations must be down for a check to be down. Default: the quorum of the checkup, or else the majority.
    #[must_use]
    pub fn quorum(mut self, quorum: Quorum) -> Self {
        self.quorum = Some(quorum);
        self
    }

    /// The age at which a request updates the history. Default: 5 seconds.
    #[must_use]
    pub fn refresh_after(mut self, age: Duration) -> Self {
        self.refresh_after = age;
        self
    }

    /// The clock for all responses of the site, for tests and for pages over a history that was recorded at another time. The checks of a
    /// monitor still use the system's clock. Default: the system's clock.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// The maximum age of a result that counts for `readyz` and `health`. Default: three intervals of its check, at least 10 minutes. The
    /// interval is that of the check or of the monitor, or the usual time between results.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Whether a request for `readyz` or `health` runs the checks and waits for them if a result is older than
    /// [`max_age`](Self::max_age). Default: false.
    ///
    /// This is for services without a monitor, and needs [`checkup`](Self::checkup). The checks run at most once per `max_age`, however many
    /// requests there are, and their results are not stored.
    #[must_use]
    pub fn probe_when_stale(mut self, probe: bool) -> Self {
        self.probe_when_stale = probe;
        self
    }

    /// Whether the page says that its data is made up. Default: false.
    #[must_use]
    pub fn demo(mut self, demo: bool) -> Self {
        self.demo = demo;
        self
    }

    /// Builds the site.
    ///
    /// # Errors
    ///
    /// If the settings of the page are invalid, or the storage cannot be read.
    ///
    /// # Panics
    ///
    /// Over a monitor, outside of a tokio runtime.
    pub fn build(self) -> Result<Site, ConfigError> {
        self.page.validate().map_err(|error| error.at("status_page"))?;
        if matches!(self.source, Source::Storage(_)) && self.source.reader().is_none() {
            return Err(ConfigError::invalid(
                "storage",
                "expected a storage that can be read; this one can only store",
            ));
        }
        let mut rules = self.checkup.as_ref().map(Checkup::rules).unwrap_or_default();
        rules.quorum = self.quorum.unwrap_or(rules.quorum);
        let config =
            PageConfig::new(&self.page, self.checkup.as_ref(), PageSource::Api).with_rules(&rules).with_demo(self.demo);
        let hiding = Arc::new(Hiding::new(&self.page.hide, self.checkup.as_ref()));
        let inner = Arc::new(Inner {
            page: PageFiles::new(&self.page, &config)?,
            groups: config.into_groups(),
            files: CheckFiles::new(self.source.clone()),
            live: Arc::new(Live::new(
                self.source,
                self.page.history_span(),
                self.refresh_after,
                self.clock.clone(),
                (Arc::clone(&hiding), rules.clone()),
            )),
            hiding,
            clock: self.clock,
            histories: Semaphore::new(MAX_HISTORIES),
            states: Budget::new(MAX_STATES),
            answers: Budget::new(MAX_ANSWERS),
            metrics_texts: Momentary::default(),
            health_reports: Momentary::default(),
            settings: self.page,
            checkup: self.checkup,
            rules,
            max_age: self.max_age,
            probe: self.probe_when_stale.then(Probe::default),
            parts: OnceLock::new(),
            part: None,
        });
        let parts: Result<Vec<_>, _> = inner.settings.pages.iter().map(|page| part::site(&inner, page)).collect();
        // It is set only here.
        let _ = inner.parts.set(parts?);
        let site = Site(inner);
        if let Source::Monitor(monitor) = site.0.live.source() {
            tokio::spawn(follow(monitor.subscribe(), Arc::downgrade(&site.0)));
        }
        Ok(site)
    }
}

/// Shows each run of a monitor immediately, as long as the monitor and the site exist.
async fn follow(mut runs: checkup_core::Runs, site: std::sync::Weak<Inner>) {
    while let Some(run) = runs.next().await {
        let Some(inner) = site.upgrade() else { return };
        inner.live.take(&run.report.results);
        inner.live.expire();
        // An error is logged, and reported to the next request.
        let _ = Site(inner).state().await;
    }
}
