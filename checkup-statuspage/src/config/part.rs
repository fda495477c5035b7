//! [`TagPage`]: a page of the checks with a tag.

use checkup_core::{ConfigError, Hidden};
use serde::{Deserialize, Serialize};

use super::{Group, StatusPage};

/// The folder of these pages.
pub(crate) const FOLDER: &str = "pages";

/// The maximum length of a path, and of the number of pages.
const MAX_PATH: usize = 100;
pub(super) const MAX_PAGES: usize = 50;

/// A further page, with the checks that have a tag, at `pages/PATH/` of the status page. Settings that it does not have are those of the status
/// page.
///
/// It shows nothing of other checks, except what is posted to all.
///
/// ```
/// use checkup_statuspage::{StatusPage, TagPage};
///
/// let page = StatusPage::new().page(TagPage::new("shop", "shop").title("Shop"));
/// assert_eq!(serde_json::to_string(&page)?, r#"{"pages":[{"path":"shop","tag":"shop","title":"Shop"}]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TagPage {
    /// The folder of the page in `pages/`: letters, digits, `-` and `_`.
    pub path: String,
    /// The tag of the checks that it shows. At least one check must have it.
    pub tag: String,
    /// The heading, up to 200 characters. Default: that of the status page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text below the heading, up to 10,000 characters. Default: that of the status page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The public URL of the page. Default: `pages/PATH/` at the URL of the status page, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is hidden in addition to what the status page hides. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hide: Vec<Hidden>,
}

impl TagPage {
    /// A page at this path, with the checks that have this tag.
    pub fn new(path: impl Into<String>, tag: impl Into<String>) -> Self {
        Self { path: path.into(), tag: tag.into(), title: None, description: None, url: None, hide: Vec::new() }
    }

    /// Sets the heading.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the text below the heading.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the public URL of the page.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Hides a fact of all checks of the page.
    #[must_use]
    pub fn hide(mut self, fact: Hidden) -> Self {
        self.hide.push(fact);
        self
    }

    /// The folder of the page, with a `/` at its end.
    pub(crate) fn folder(&self) -> String {
        format!("{FOLDER}/{}/", self.path)
    }

    /// The settings of the page: those of `whole` with its own, and the groups as far as they have checks that the page shows.
    pub(crate) fn settings(&self, whole: &StatusPage, shows: impl Fn(&str) -> bool) -> StatusPage {
        let mut own = StatusPage { pages: Vec::new(), storage: None, ..whole.clone() };
        own.title = self.title.clone().unwrap_or(own.title);
        own.description = self.description.clone().unwrap_or(own.description);
        let base = own.url.map(|url| format!("{}/{}", url.trim_end_matches('/'), self.folder()));
        own.url = self.url.clone().or(base);
        own.hide.extend(&self.hide);
        for Group { checks, .. } in &mut own.groups {
            checks.retain(|name| shows(name));
        }
        own.groups.retain(|group| !group.checks.is_empty());
        own
    }

    /// What is wrong with the path.
    pub(super) fn path_problem(&self) -> Option<String> {
        let is_good = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        let is_path = (1..=MAX_PATH).contains(&self.path.len()) && self.path.chars().all(is_good);
        let expected = "expected the name of a folder such as \"shop\", with letters, digits, `-` and `_` only";
        (!is_path).then(|| format!("{expected}; found {:?}", self.path))
    }
}

/// Tags are known from checks only.
pub(crate) fn without_checks() -> ConfigError {
    ConfigError::invalid(
        "status_page.pages",
        "expected checks, since their tags choose what these pages show; set `checkup`",
    )
}
