use std::collections::HashMap;
use std::time::Duration;

use checkup_core::ConfigError;
use serde::{Deserialize, Serialize};

#[cfg(feature = "config")]
pub(crate) mod groups;
pub(crate) mod link;
mod page_storage;
mod refresh;
pub(crate) mod source;

use link::LinkKind;
pub use page_storage::{PageStorage, PageStorageType};

/// How much history is shown by default.
const DEFAULT_TIMEFRAME: Duration = Duration::from_secs(90 * DAY);

/// The minimum span of history that is read, because uptime is shown for up to 90 days.
const LEAST_HISTORY: Duration = DEFAULT_TIMEFRAME;

/// The minimum and maximum span of history that is shown.
const TIMEFRAMES: (Duration, Duration) = (Duration::from_secs(3600), Duration::from_secs(400 * DAY));

/// How often the page loads its data by default.
const DEFAULT_REFRESH: Duration = Duration::from_secs(60);

const DAY: u64 = 24 * 3600;

/// The maximum length of a title, a name or a state in characters.
const MAX_TITLE: usize = 200;

/// The maximum length of the description in characters.
const MAX_TEXT: usize = 10_000;

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
    /// Links at the top of the page. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The public URL of the page, such as `https://status.example.com/`. The feed needs it, since feed readers expect absolute URLs. Default:
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The host names of the served page, such as `status.example.com`. Requests for other hosts are rejected, which keeps other sites
    /// from reading the page through a visitor's browser (DNS rebinding). IP addresses and `localhost` are always accepted. Default: empty, which
    /// accepts every host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
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
    /// How often an open page reloads its data, from "5s" to "24h", or 0 for never. A number means seconds, as in upstream.
    /// Default: one minute.
    #[serde(with = "refresh", skip_serializing_if = "is_default_refresh")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub refresh_interval: Duration,
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

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// All invalid settings, each with its key and a remedy.
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
                    format!(
                        "{name:?} is in groups[{before}] already; remove one of them, since a check is shown only once"
                    )
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

/// A link at the top of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Link {
    /// The text.
    pub text: String,
    /// The target: an `https:`, `http:` or `mailto:` URL, or a URL relative to the page.
    pub url: String,
}

impl Link {
    /// A link with this text and target.
    pub fn new(text: impl Into<String>, url: impl Into<String>) -> Self {
        Self { text: text.into(), url: url.into() }
    }
}

/// Checks that are shown together below a heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Group {
    /// The heading. Empty for no heading.
    pub name: String,
    /// The names of the checks, all of which must exist in the config file.
    #[serde(default)]
    pub checks: Vec<String>,
}

impl Group {
    /// A group of these checks.
    pub fn new(name: impl Into<String>, checks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), checks: checks.into_iter().map(Into::into).collect() }
    }
}

/// The order of checks in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Order {
    /// The order in the config file.
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

/// Texts for the overall state, up to 200 characters each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StatusText {
    /// Every check is healthy. Default: `All systems operational`.
    pub healthy: String,
    /// A check is degraded, and none is down. Default: `Degraded service`.
    pub degraded: String,
    /// A check is down. Default: `Service disruption`.
    pub down: String,
    /// All checks that are not healthy are in maintenance. Default: `Maintenance under way`.
    pub maintenance: String,
    /// The latest results are too old. Default: `No recent results`.
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
    text.trim().is_empty().then(|| "expected a text that is not empty; remove the key to use the default".to_owned())
}

fn length(text: &str, most: usize) -> Option<String> {
    let found = text.chars().count();
    (found > most).then(|| format!("expected at most {most} characters, found {found}"))
}

#[cfg(test)]
mod tests;
