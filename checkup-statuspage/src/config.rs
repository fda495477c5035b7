//! The settings of the page.

pub(crate) mod accent;
pub(crate) mod files;
mod group;
#[cfg(feature = "config")]
pub(crate) mod groups;
pub(crate) mod link;
mod origin;
mod page_storage;
pub(crate) mod part;
mod refresh;
pub(crate) mod source;
mod status_text;
pub(crate) mod texts;
mod validate;

use std::path::PathBuf;
use std::time::Duration;

use checkup_core::Hidden;
use serde::{Deserialize, Serialize};

pub use group::{Group, Order};
pub use link::Link;
pub use page_storage::{PageStorage, PageStorageType};
pub use part::TagPage;
pub use status_text::StatusText;

/// How much history is shown by default.
const DEFAULT_TIMEFRAME: Duration = Duration::from_secs(90 * DAY);

/// The minimum span of history that is read, because uptime is shown for up to 90 days.
const LEAST_HISTORY: Duration = DEFAULT_TIMEFRAME;

/// How often the page loads its data by default.
const DEFAULT_REFRESH: Duration = Duration::from_secs(60);

const DAY: u64 = 24 * 3600;

/// The default of how long a check is degraded on a day that is marked as degraded.
const DEFAULT_DEGRADED_DAY: Duration = Duration::from_secs(20 * 60);

/// Settings of the status page: the object `status_page` in a config file. All keys are optional.
///
/// `timeframe`, `refresh_interval`, `storage` and `status_text` mean the same as in the `config.js` of upstream (the original
/// Checkup, a Go program).
///
/// ```
/// use checkup_statuspage::{Group, StatusPage};
///
/// let page = StatusPage::new().title("Shop").group(Group::new("Payments", ["cards", "invoices"]));
/// assert_eq!(
///     serde_json::to_string(&page)?,
///     r#"{"title":"Shop","groups":[{"name":"Payments","checks":["cards","invoices"]}]}"#,
/// );
/// page.validate()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StatusPage {
    /// The heading, up to 200 characters. Default: `Status`.
    #[serde(skip_serializing_if = "is_default_title")]
    pub title: String,
    /// The text below the heading, up to 10,000 characters, with `[links](https://…)`, `*emphasis*` and `**strong emphasis**`. Default: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The logo: an `https://` URL, a URL relative to the page, or a `data:image/…` URL. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// The logo for the dark colour scheme, like `logo`. Default: `logo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_dark: Option<String>,
    /// The icon of the browser tab, like `logo`. Default: a disc that shows the overall state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub favicon: Option<String>,
    /// The picture for links to the page in chats and social networks (Open Graph): an absolute URL. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The accent colour, such as `#0b7a75`: a stripe at the top, and the colour of links, which is darkened or lightened as far as it takes to
    /// be readable. Default: none, links are blue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
    /// A file with CSS, up to 256 KiB, that is added to the page's own. The page cannot load fonts or images from other hosts. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<PathBuf>,
    /// The language of the page: `en`, `de`, or one of the languages in `texts`. Default: the visitor's, if there are texts for it, else `en`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// A JSON file with texts of the page by language, up to 256 KiB: `{"en": {"history": "Past incidents"}, "fr": {…}}`. They replace the page's own, or
    /// add a language. The keys are in [`english.js`](https://docs.rs/crate/checkup-statuspage/latest/source/web/english.js). Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<PathBuf>,
    /// Links at the top of the page. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Links at the foot of the page, such as a legal notice. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub footer: Vec<Link>,
    /// The public URL of the page, such as `https://status.example.com/`. The feed needs it, since feed readers expect absolute URLs. Default:
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The host names of the served page, such as `status.example.com`. Requests for other hosts are rejected, which keeps other sites
    /// from reading the page through a visitor's browser (DNS rebinding). IP addresses and `localhost` are always accepted. Default: empty, which
    /// accepts every host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// The origins of pages that may show the served page in a frame, such as `https://intranet.example.com`; `*` for all. Default: empty, none may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frame_ancestors: Vec<String>,
    /// The origins of pages whose scripts may read the API, the data, the feed and the badges of the served page (CORS); `*` for all. Default:
    /// empty, none may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cors_origins: Vec<String>,
    /// The texts for the overall state.
    #[serde(skip_serializing_if = "StatusText::is_default")]
    pub status_text: StatusText,
    /// The groups, in this order: a heading each, with the names of its checks. Default: the groups that the checks name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// The order of checks in a group. Default: the order in the config file.
    #[serde(skip_serializing_if = "Order::is_default")]
    pub order: Order,
    /// How much history is shown, from "1h" to "400d". Default: 90 days.
    #[serde(with = "checkup_core::duration", skip_serializing_if = "is_default_timeframe")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub timeframe: Duration,
    /// How long a check must be degraded on a day for its bar to be amber, from "0s" to "24h". Default: 20 minutes. Any time down is red.
    #[serde(with = "checkup_core::duration", skip_serializing_if = "is_default_degraded_day")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub degraded_day: Duration,
    /// How often an open page reloads its data, from "5s" to "24h", or 0 for never. A number means seconds, as in upstream.
    /// Default: one minute.
    #[serde(with = "refresh", skip_serializing_if = "is_default_refresh")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub refresh_interval: Duration,
    /// What is hidden of all checks, on the page, in the API, the feed, badges and metrics: `endpoint`, `reason`, `location`. Check files and
    /// the storage's summary have it, so they are not served, and a static page does not read them: export it into a directory without check files,
    /// or deploy it into a bucket with `page_prefix`, which keeps them private. Default: nothing; each check has its own `hide`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hide: Vec<Hidden>,
    /// Further pages, each with the checks that have a tag, at `pages/PATH/`. Static ones show what the last `checkup statuspage deploy` or `export`
    /// has published, since check files have all checks. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<TagPage>,
    /// Where a static page reads the check files. Default: the location that the storage reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<PageStorage>,
}

impl StatusPage {
    /// Settings with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the heading.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the text below the heading.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the URL of the logo.
    #[must_use]
    pub fn logo(mut self, logo: impl Into<String>) -> Self {
        self.logo = Some(logo.into());
        self
    }

    /// Sets the URL of the logo for the dark colour scheme.
    #[must_use]
    pub fn logo_dark(mut self, logo: impl Into<String>) -> Self {
        self.logo_dark = Some(logo.into());
        self
    }

    /// Sets the URL of the icon of the browser tab.
    #[must_use]
    pub fn favicon(mut self, icon: impl Into<String>) -> Self {
        self.favicon = Some(icon.into());
        self
    }

    /// Sets the URL of the picture for links to the page.
    #[must_use]
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// Sets the accent colour, such as `#0b7a75`.
    #[must_use]
    pub fn accent(mut self, colour: impl Into<String>) -> Self {
        self.accent = Some(colour.into());
        self
    }

    /// Sets the file with CSS.
    #[must_use]
    pub fn style(mut self, file: impl Into<PathBuf>) -> Self {
        self.style = Some(file.into());
        self
    }

    /// Sets the language.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Sets the file with texts.
    #[must_use]
    pub fn texts(mut self, file: impl Into<PathBuf>) -> Self {
        self.texts = Some(file.into());
        self
    }

    /// Adds a link at the foot of the page.
    #[must_use]
    pub fn footer_link(mut self, link: Link) -> Self {
        self.footer.push(link);
        self
    }

    /// Adds an origin whose pages may show the served page in a frame.
    #[must_use]
    pub fn frame_ancestor(mut self, origin: impl Into<String>) -> Self {
        self.frame_ancestors.push(origin.into());
        self
    }

    /// Adds an origin whose scripts may read the API.
    #[must_use]
    pub fn cors_origin(mut self, origin: impl Into<String>) -> Self {
        self.cors_origins.push(origin.into());
        self
    }

    /// Sets how long a check must be degraded on a day for its bar to be amber.
    #[must_use]
    pub fn degraded_day(mut self, time: Duration) -> Self {
        self.degraded_day = time;
        self
    }

    /// Adds a link at the top of the page.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.links.push(link);
        self
    }

    /// Sets the public URL of the page.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Adds a host name of the served page.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Sets the texts for the overall state.
    #[must_use]
    pub fn status_text(mut self, texts: StatusText) -> Self {
        self.status_text = texts;
        self
    }

    /// Adds a group.
    #[must_use]
    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// Sets the order of checks in a group.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Sets how much history is shown.
    #[must_use]
    pub fn timeframe(mut self, timeframe: Duration) -> Self {
        self.timeframe = timeframe;
        self
    }

    /// Sets how often an open page reloads its data. Zero means never.
    #[must_use]
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.refresh_interval = interval;
        self
    }

    /// Hides a fact of all checks.
    #[must_use]
    pub fn hide(mut self, fact: Hidden) -> Self {
        self.hide.push(fact);
        self
    }

    /// Adds a page with the checks that have a tag.
    #[must_use]
    pub fn page(mut self, page: TagPage) -> Self {
        self.pages.push(page);
        self
    }

    /// Sets where a static page reads the check files.
    #[must_use]
    pub fn storage(mut self, storage: PageStorage) -> Self {
        self.storage = Some(storage);
        self
    }

    /// The span of history that is read.
    pub(crate) fn history_span(&self) -> Duration {
        self.timeframe.max(LEAST_HISTORY)
    }
}

impl Default for StatusPage {
    fn default() -> Self {
        Self {
            title: DEFAULT_TITLE.to_owned(),
            description: String::new(),
            logo: None,
            logo_dark: None,
            favicon: None,
            image: None,
            accent: None,
            style: None,
            language: None,
            texts: None,
            links: Vec::new(),
            footer: Vec::new(),
            url: None,
            hosts: Vec::new(),
            frame_ancestors: Vec::new(),
            cors_origins: Vec::new(),
            status_text: StatusText::default(),
            groups: Vec::new(),
            order: Order::default(),
            timeframe: DEFAULT_TIMEFRAME,
            degraded_day: DEFAULT_DEGRADED_DAY,
            refresh_interval: DEFAULT_REFRESH,
            hide: Vec::new(),
            pages: Vec::new(),
            storage: None,
        }
    }
}

const DEFAULT_TITLE: &str = "Status";

fn is_default_title(title: &str) -> bool {
    title == DEFAULT_TITLE
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_default_timeframe(timeframe: &Duration) -> bool {
    *timeframe == DEFAULT_TIMEFRAME
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_default_refresh(interval: &Duration) -> bool {
    *interval == DEFAULT_REFRESH
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_default_degraded_day(time: &Duration) -> bool {
    *time == DEFAULT_DEGRADED_DAY
}

#[cfg(test)]
mod tests;
