//! [`StaticPage`]: the files of a page for any web server.

use std::collections::BTreeSet;
use std::time::Duration;

use checkup_core::history::Rules;
use checkup_core::summary::{Series, Summary};
use checkup_core::{Checkup, ConfigError, PageFile, Timestamp};

use crate::config::part::without_checks;
use crate::config::source::{DATA_FILE, PageSource};
use crate::config::texts::GERMAN_FILE;
use crate::config::{StatusPage, TagPage};
use crate::formats::badge;
use crate::formats::data::{details, page_data};
use crate::formats::feed;
use crate::formats::overview::Frame;
use crate::formats::representation::{JSON, Representation};
use crate::page::files::PageFiles;
use crate::page::page_config::PageConfig;
use crate::view::badge_value::BadgeValue;
use crate::view::hiding::Hiding;
use crate::view::overview::{Overview, median_rtt, uptime};
use crate::view::timeline::timeline;

/// How clients cache badges and the feed.
const SHORTLY: &str = "public, max-age=60";

/// The times of the badges for uptime and for round-trip times.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The files of a static page: the page itself, and the current feed and badges.
///
/// ```
/// use checkup_core::summary::{Series, Summary};
/// use checkup_core::{CheckResult, Timestamp};
/// use checkup_statuspage::{PageStorage, StaticPage, StatusPage};
///
/// let mut summary = Summary::new();
/// summary.add(&[CheckResult::new("API", "https://example.com")]);
/// let settings = StatusPage::new().storage(PageStorage::fs("https://checks.example.com/"));
/// let files = StaticPage::new(&settings)?.files(&summary, Timestamp::now())?;
/// let names: Vec<_> = files.iter().map(|file| file.name()).collect();
/// let badges = ["badge.svg", "badge/API.svg", "badge/uptime/API.svg", "badge/rtt/API.svg"];
/// assert_eq!(names, [&["index.html", "page.js", "german.json", "feed.atom"][..], &badges].concat());
/// # Ok::<(), checkup_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StaticPage {
    settings: StatusPage,
    checkup: Option<Checkup>,
    source: PageSource,
    rules: Rules,
}

impl StaticPage {
    /// A page with these settings. It reads the check files from `storage` of the settings, or else next to itself.
    ///
    /// # Errors
    ///
    /// If the settings are invalid.
    pub fn new(settings: &StatusPage) -> Result<Self, ConfigError> {
        settings.validate().map_err(|error| error.at("status_page"))?;
        let next_to_it = PageSource::Index { url: "./".to_owned() };
        let source = settings.storage.as_ref().map_or(next_to_it, crate::PageStorage::source);
        Ok(Self { settings: settings.clone(), checkup: None, source, rules: Rules::default() })
    }

    /// The checks of the page. They have groups, an order and the quorum, which results do not have.
    #[must_use]
    pub fn checkup(mut self, checkup: &Checkup) -> Self {
        self.rules = checkup.rules();
        self.checkup = Some(checkup.clone());
        self
    }

    /// A page that does not read check files: its data are published with it.
    #[must_use]
    pub(crate) fn published(mut self) -> Self {
        self.source = PageSource::published();
        self
    }

    /// The location of the check files that the storage reports. `storage` of the settings takes precedence.
    #[must_use]
    pub fn source(mut self, source: checkup_core::PageSource) -> Self {
        if self.settings.storage.is_none() {
            self.source = PageSource::of(source).unwrap_or(self.source);
        }
        self
    }

    /// The files, with the badges and the feed of this history at this time. If the check files are private
    /// ([`PageSource::Private`](checkup_core::PageSource::Private)), also the data of the page without what is hidden: `overview.json`, and with many
    /// checks a file of each in `detail/`.
    ///
    /// # Errors
    ///
    /// If a file that the settings name (`style`, `texts`) cannot be read any more.
    pub fn files(&self, summary: &Summary, now: Timestamp) -> Result<Vec<PageFile>, ConfigError> {
        let config = PageConfig::new(&self.settings, self.checkup.as_ref(), self.source.clone());
        let hiding = Hiding::new(&self.settings.hide, self.checkup.as_ref());
        let mut disguised = None;
        if hiding.is_any() {
            hiding.summary(disguised.insert(summary.clone()), &self.rules, now);
        }
        let summary = disguised.as_ref().unwrap_or(summary);
        let page = PageFiles::new(&self.settings, &config.with_rules(&self.rules))?;
        let overview = Overview::new(summary, self.checkup.as_ref(), &self.rules, now);
        let since = now.saturating_sub(self.settings.timeframe);
        let happenings = timeline(summary, since, &self.rules, now);
        let feed = feed::atom(&self.settings, &happenings, now);
        let mut files = vec![
            of("index.html", &page.index())?,
            of("page.js", &page.script)?,
            of(GERMAN_FILE, &page.german)?,
            PageFile::new("feed.atom", feed, "application/atom+xml; charset=utf-8")?.cache_control(SHORTLY),
            image("badge.svg", badge::svg(&self.settings.title, &overview.overall.badge()))?,
        ];
        if self.source.is_published() {
            let frame = Frame { rules: &self.rules, timeframe: self.settings.timeframe, now };
            files.push(PageFile::new(DATA_FILE, page_data(summary, frame), JSON)?);
            for (name, data) in details(summary) {
                files.push(PageFile::new(name, data, JSON)?);
            }
        }
        for page in &self.settings.pages {
            files.extend(self.part(page, summary, now)?);
        }
        let mut names = BTreeSet::new();
        for check in &overview.checks {
            let name = format!("badge/{}.svg", badge::file_name(&check.verdict.name));
            // Checks with the same name share the badge of the first one.
            if names.insert(name.clone()) {
                files.push(image(&name, badge::svg(&check.verdict.name, &check.state().badge()))?);
                let of_check = |series: &&Series| series.name == check.verdict.name;
                let series: Vec<_> = summary.series.iter().filter(of_check).collect();
                let share = uptime(summary, &series, self.rules.quorum, now, MONTH).map(BadgeValue::Uptime);
                let rtt = median_rtt(summary, &series, now, DAY).map(BadgeValue::Rtt);
                for (folder, value) in [("uptime", share), ("rtt", rtt)] {
                    let name = format!("badge/{folder}/{}.svg", badge::file_name(&check.verdict.name));
                    files.push(image(&name, badge::svg(&check.verdict.name, &value.unwrap_or(BadgeValue::Unknown)))?);
                }
            }
        }
        Ok(files)
    }

    /// The files of a page with the checks that have a tag. Its data are published with it, since check files have all checks.
    fn part(&self, page: &TagPage, summary: &Summary, now: Timestamp) -> Result<Vec<PageFile>, ConfigError> {
        let Some(checkup) = self.checkup.as_ref().map(|checkup| checkup.only(|check| check.has_tag(&page.tag))) else {
            return Err(without_checks());
        };
        let names: BTreeSet<_> = checkup.checks().map(|check| check.name().into_owned()).collect();
        let shows = |name: &str| names.contains(name);
        let settings = page.settings(&self.settings, shows);
        let (source, rules) = (PageSource::published(), self.rules.clone());
        let part = Self { settings, checkup: Some(checkup), source, rules };
        let files = part.files(&summary.of_checks(shows), now)?.into_iter().map(|file| {
            let name = format!("{}{}", page.folder(), file.name());
            let caching = file.caching().to_owned();
            Ok(PageFile::new(name, file.content(), file.content_type())?.cache_control(caching))
        });
        files.collect()
    }
}

fn of(name: &str, content: &Representation) -> Result<PageFile, ConfigError> {
    let file = PageFile::new(name, content.content().to_vec(), content.content_type())?;
    Ok(file.cache_control(content.cache().as_str()))
}

fn image(name: &str, svg: String) -> Result<PageFile, ConfigError> {
    Ok(PageFile::new(name, svg, "image/svg+xml")?.cache_control(SHORTLY))
}
