use std::collections::BTreeSet;

use checkup_core::summary::Summary;
use checkup_core::{Checkup, ConfigError, PageFile, Quorum, Timestamp};

use crate::config::StatusPage;
use crate::config::source::PageSource;
use crate::formats::badge;
use crate::formats::feed;
use crate::formats::representation::Representation;
use crate::page::files::PageFiles;
use crate::page::page_config::PageConfig;
use crate::view::overview::Overview;
use crate::view::timeline::timeline;

/// How clients cache badges and the feed.
const SHORTLY: &str = "public, max-age=60";

/// The files of a static page: the page itself, and the current feed and badges.
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
    /// A page with these settings. It reads the check files from `storage` of the settings, or else next to itself.
    ///
    /// # Errors
    ///
    /// If the settings are invalid.
    pub fn new(settings: &StatusPage) -> Result<Self, ConfigError> {
        settings.validate().map_err(|error| error.at("status_page"))?;
        let next_to_it = PageSource::Index { url: "./".to_owned() };
        let source = settings.storage.as_ref().map_or(next_to_it, crate::PageStorage::source);
        Ok(Self { settings: settings.clone(), checkup: None, source, quorum: Quorum::default() })
    }

    /// The checks of the page. They have groups, an order and the quorum, which results do not have.
    #[must_use]
    pub fn checkup(mut self, checkup: &Checkup) -> Self {
        self.quorum = checkup.quorum();
        self.checkup = Some(checkup.clone());
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

    /// The files, with the badges and the feed of this history at this time.
    ///
    /// # Errors
    ///
    /// If a file that the settings name (`style`, `texts`) cannot be read any more.
    pub fn files(&self, summary: &Summary, now: Timestamp) -> Result<Vec<PageFile>, ConfigError> {
        let config = PageConfig::new(&self.settings, self.checkup.as_ref(), self.source.clone());
        let page = PageFiles::new(&self.settings, &config.with_quorum(self.quorum))?;
        let overview = Overview::new(summary, self.checkup.as_ref(), self.quorum, now);
        let since = now.saturating_sub(self.settings.timeframe);
        let happenings = timeline(summary, since, self.quorum, now);
        let feed = feed::atom(&self.settings, &happenings, now);
        let mut files = vec![
            of("index.html", &page.index())?,
            of("page.js", &page.script)?,
            PageFile::new("feed.atom", feed, "application/atom+xml; charset=utf-8")?.cache_control(SHORTLY),
            image("badge.svg", badge::svg(&self.settings.title, &overview.overall.badge()))?,
        ];
        let mut names = BTreeSet::new();
        for check in &overview.checks {
            let name = format!("badge/{}.svg", badge::file_name(&check.verdict.name));
            // Checks with the same name share the badge of the first one.
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
