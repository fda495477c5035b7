use std::collections::HashMap;
use std::time::Duration;

use checkup_core::ConfigError;
use serde::{Deserialize, Serialize};

pub(crate) mod link;
mod page_storage;
mod refresh;
pub(crate) mod source;

use link::LinkKind;
pub use page_storage::{PageStorage, PageStorageType};

/// How much history is shown unless set otherwise.
const DEFAULT_TIMEFRAME: Duration = Duration::from_secs(90 * DAY);

/// How much history is read, however little is shown: uptime is given for up to 90 days.
const LEAST_HISTORY: Duration = DEFAULT_TIMEFRAME;

/// The least and the most history.
const TIMEFRAMES: (Duration, Duration) = (Duration::from_secs(3600), Duration::from_secs(400 * DAY));

/// How often the page loads its data unless set otherwise.
const DEFAULT_REFRESH: Duration = Duration::from_secs(60);

const DAY: u64 = 24 * 3600;

/// The longest text that is a title, a name or a state.
const MAX_TITLE: usize = 200;

/// The longest description.
const MAX_TEXT: usize = 10_000;

/// Settings of the status page: the object at `status_page` in the config. All of it may be absent.
///
/// Upstream's `config.js` has `timeframe`, `refresh_interval`, `storage` and `status_text`, which mean the same here.
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
    /// What stands under the heading: text, with `[links](https://…)`, `*emphasis*` and `**strong emphasis**`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The logo: an `https://` URL, one relative to the page, or a `data:image/…` URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// Links at the foot of the page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Where the page is on the web, such as `https://status.example.com/`: for the feed, whose readers need whole URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The names that visitors reach the served page by, such as `status.example.com`. A request for another host is refused, which keeps
    /// pages of other sites from reading this one through a visitor's browser (DNS rebinding). Addresses and `localhost` are always
    /// answered. Default: empty, every host is answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// The overall state in words.
    #[serde(skip_serializing_if = "StatusText::is_default")]
    pub status_text: StatusText,
    /// Which checks are shown under which heading, by name, in this order. Default: as the checks' `group` says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// The order of the checks in a group. Default: that of the config.
    #[serde(skip_serializing_if = "Order::is_default")]
    pub order: Order,
    /// How much history is shown: from "1h" to "400d". Default: 90 days.
    #[serde(with = "checkup_core::duration", skip_serializing_if = "is_default_timeframe")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub timeframe: Duration,
    /// How often an open page loads its data anew: from "5s" to "24h", or 0 for never. A number is of seconds, as upstream.
    /// Default: one minute.
    #[serde(with = "refresh", skip_serializing_if = "is_default_refresh")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub refresh_interval: Duration,
    /// Where a static page reads the check files. Default: what the storage says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<PageStorage>,
}

impl StatusPage {
    /// A page with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The heading.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// What stands under the heading.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// The logo's URL.
    #[must_use]
    pub fn logo(mut self, logo: impl Into<String>) -> Self {
        self.logo = Some(logo.into());
        self
    }

    /// Adds a link at the foot of the page.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.links.push(link);
        self
    }

    /// Where the page is on the web.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Adds a name that visitors reach the served page by.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// The overall state in words.
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

    /// The order of the checks in a group.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// How much history is shown.
    #[must_use]
    pub fn timeframe(mut self, timeframe: Duration) -> Self {
        self.timeframe = timeframe;
        self
    }

    /// How often an open page loads its data anew; zero for never.
    #[must_use]
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.refresh_interval = interval;
        self
    }

    /// Where a static page reads the check files.
    #[must_use]
    pub fn storage(mut self, storage: PageStorage) -> Self {
        self.storage = Some(storage);
        self
    }

    /// How much history is read.
    pub(crate) fn history_span(&self) -> Duration {
        self.timeframe.max(LEAST_HISTORY)
    }

    /// Whether the settings are valid.
    ///
    /// # Errors
    ///
    /// All that cannot, each with its key and the remedy.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let mut check = |place: String, problem: Option<String>| {
            problems.extend(problem.map(|problem| ConfigError::invalid(place, problem)));
        };
        check("title".into(), required(&self.title).or_else(|| length(&self.title, MAX_TITLE)));
        check("description".into(), length(&self.description, MAX_TEXT));
        check("logo".into(), self.logo.as_deref().and_then(|logo| link::problem(logo, LinkKind::Image)));
        check("url".into(), self.url.as_deref().and_then(|url| link::problem(url, LinkKind::Page)));
        for (index, host) in self.hosts.iter().enumerate() {
            check(format!("hosts[{index}]"), link::host_problem(host));
        }
        for (index, link) in self.links.iter().enumerate() {
            check(format!("links[{index}].text"), required(&link.text).or_else(|| length(&link.text, MAX_TITLE)));
            check(format!("links[{index}].url"), link::problem(&link.url, LinkKind::Link));
        }
        let mut grouped = HashMap::new();
        for (index, group) in self.groups.iter().enumerate() {
            check(format!("groups[{index}].name"), length(&group.name, MAX_TITLE));
            for (place, name) in group.checks.iter().enumerate() {
                let before = grouped.insert(name, index);
                let twice = |before| {
                    format!("{name:?} is in groups[{before}] already; a check has one place, remove one of them")
                };
                check(format!("groups[{index}].checks[{place}]"), before.map(twice));
            }
        }
        for (key, text) in self.status_text.all() {
            check(format!("status_text.{key}"), required(text).or_else(|| length(text, MAX_TITLE)));
        }
        let (least, most) = TIMEFRAMES;
        let odd = !(least..=most).contains(&self.timeframe);
        check("timeframe".into(), odd.then(|| "expected from \"1h\" to \"400d\"".to_owned()));
        check("refresh_interval".into(), refresh::problem(self.refresh_interval));
        if let Some(storage) = &self.storage {
            problems.extend(storage.validate().err().map(|error| error.at("storage")));
        }
        let all = problems.into_iter().reduce(|mut all, next| {
            all.extend(next);
            all
        });
        all.map_or(Ok(()), Err)
    }
}

impl Default for StatusPage {
    fn default() -> Self {
        Self {
            title: DEFAULT_TITLE.to_owned(),
            description: String::new(),
            logo: None,
            links: Vec::new(),
            url: None,
            hosts: Vec::new(),
            status_text: StatusText::default(),
            groups: Vec::new(),
            order: Order::default(),
            timeframe: DEFAULT_TIMEFRAME,
            refresh_interval: DEFAULT_REFRESH,
            storage: None,
        }
    }
}

/// A link at the foot of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Link {
    /// What people read.
    pub text: String,
    /// Where it leads: an `https:`, `http:` or `mailto:` URL, or one relative to the page.
    pub url: String,
}

impl Link {
    /// A link with this text.
    pub fn new(text: impl Into<String>, url: impl Into<String>) -> Self {
        Self { text: text.into(), url: url.into() }
    }
}

/// Checks that are shown together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Group {
    /// The heading; empty for none.
    pub name: String,
    /// The names of the checks.
    #[serde(default)]
    pub checks: Vec<String>,
}

impl Group {
    /// A group of these checks.
    pub fn new(name: impl Into<String>, checks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), checks: checks.into_iter().map(Into::into).collect() }
    }
}

/// The order of the checks in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Order {
    /// That of the config.
    #[default]
    Config,
    /// By name.
    Name,
    /// The worst first.
    Status,
}

impl Order {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The overall state in words, up to 200 characters each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StatusText {
    /// Every check is healthy. Default: `All systems operational`.
    pub healthy: String,
    /// One is degraded, and none is down. Default: `Degraded service`.
    pub degraded: String,
    /// One is down. Default: `Service disruption`.
    pub down: String,
    /// What is not healthy is in maintenance. Default: `Maintenance under way`.
    pub maintenance: String,
    /// The latest results are too old to tell. Default: `No recent results`.
    pub stale: String,
    /// There are no results. Default: `No results yet`.
    pub empty: String,
}

impl StatusText {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn all(&self) -> [(&'static str, &String); 6] {
        let Self { healthy, degraded, down, maintenance, stale, empty } = self;
        [
            ("healthy", healthy),
            ("degraded", degraded),
            ("down", down),
            ("maintenance", maintenance),
            ("stale", stale),
            ("empty", empty),
        ]
    }
}

impl Default for StatusText {
    fn default() -> Self {
        Self {
            healthy: "All systems operational".to_owned(),
            degraded: "Degraded service".to_owned(),
            down: "Service disruption".to_owned(),
            maintenance: "Maintenance under way".to_owned(),
            stale: "No recent results".to_owned(),
            empty: "No results yet".to_owned(),
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

fn required(text: &str) -> Option<String> {
    text.trim().is_empty().then(|| "expected a text that is not empty; leave the key out for the default".to_owned())
}

fn length(text: &str, most: usize) -> Option<String> {
    let found = text.chars().count();
    (found > most).then(|| format!("expected at most {most} characters, found {found}"))
}

#[cfg(test)]
mod tests;
