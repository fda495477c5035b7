use std::collections::BTreeSet;

use checkup_core::summary::Summary;
use checkup_core::{Checkup, ConfigError, PageFile, Quorum, Timestamp};

use crate::config::StatusPage;
use crate::config::source::PageSource;
use crate::formats::badge;
use crate::formats::feed;
use crate::formats::representation::Representation;
use crate::page::files::{PageConfig, PageFiles};
use crate::view::overview::Overview;
use crate::view::timeline::timeline;

/// For how long a badge or a feed may be kept by whoever asks for it.
const SHORTLY: &str = "public, max-age=60";

/// The files of a static page: the page's own, and the feed and the badges as they are now.
///
/// ```
/// use checkup_core::summary::Summary;
/// use checkup_core::{CheckResult, Timestamp};
/// use checkup_statuspage::{PageStorage, StaticPage, StatusPage};
///
/// let mut summary = Summary::new();
/// summary.add(&[CheckResult::new("API", "https://example.com")]);
/// let settings = StatusPage::new().storage(PageStorage::fs("https://checks.example.com/"));
/// let files = StaticPage::new(&settings)?.files(&summary, Timestamp::now())?;
/// let names: Vec<_> = files.iter().map(|file| file.name()).collect();
/// assert_eq!(names, ["index.html", "page.js", "feed.atom", "badge.svg", "badge/API.svg"]);
/// # Ok::<(), checkup_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StaticPage {
    settings: StatusPage,
    checkup: Option<Checkup>,
    source: PageSource,
    quorum: Quorum,
}

impl StaticPage {
    /// A page with these settings, which reads the check files where its `storage` says; without one, beside itself.
    ///
    /// # Errors
    ///
    /// If the settings cannot work.
    pub fn new(settings: &StatusPage) -> Result<Self, ConfigError> {
        settings.validate().map_err(|error| error.at("status_page"))?;
        let beside = PageSource::Index { url: "./".to_owned() };
        let source = settings.storage.as_ref().map_or(beside, crate::PageStorage::source);
        Ok(Self { settings: settings.clone(), checkup: None, source, quorum: Quorum::default() })
    }

    /// The checks that it is of: for their groups and their order, which results do not have; and the quorum.
    #[must_use]
    pub fn checkup(mut self, checkup: &Checkup) -> Self {
        self.quorum = checkup.quorum();
        self.checkup = Some(checkup.clone());
        self
    }

    /// Where the storage says that the check files are. The settings' `storage` goes before it.
    #[must_use]
    pub fn source(mut self, source: checkup_core::PageSource) -> Self {
        if self.settings.storage.is_none() {
            self.source = PageSource::of(source).unwrap_or(self.source);
        }
        self
    }

    /// The files, with the badges and the feed as this history has it at this time.
    ///
    /// # Errors
    ///
    /// None that is known: the names of all files can be files'.
    pub fn files(&self, summary: &Summary, now: Timestamp) -> Result<Vec<PageFile>, ConfigError> {
        let config = PageConfig::new(&self.settings, self.checkup.as_ref(), self.source.clone());
        let page = PageFiles::new(&self.settings, &config.with_quorum(self.quorum));
        let overview = Overview::new(summary, self.checkup.as_ref(), self.quorum, now);
        let since = now.saturating_sub(self.settings.timeframe);
        let happenings = timeline(summary, since, self.quorum, now);
        let feed = feed::atom(&self.settings, &happenings, now);
        let mut files = vec![
            of("index.html", &page.index)?,
            of("page.js", &page.script)?,
            PageFile::new("feed.atom", feed, "application/atom+xml; charset=utf-8")?.cache_control(SHORTLY),
            image("badge.svg", badge::svg(&self.settings.title, &overview.overall.badge()))?,
        ];
        let mut names = BTreeSet::new();
        for check in &overview.checks {
            let name = format!("badge/{}.svg", badge::file_name(&check.verdict.name));
            // Two checks of one name have one badge: that of the first.
            if names.insert(name.clone()) {
                files.push(image(&name, badge::svg(&check.verdict.name, &check.state().badge()))?);
            }
        }
        Ok(files)
    }
}

fn of(name: &str, content: &Representation) -> Result<PageFile, ConfigError> {
    let file = PageFile::new(name, content.content().to_vec(), content.content_type())?;
    Ok(file.cache_control(content.cache().as_str()))
}

fn image(name: &str, svg: String) -> Result<PageFile, ConfigError> {
    Ok(PageFile::new(name, svg, "image/svg+xml")?.cache_control(SHORTLY))
}
