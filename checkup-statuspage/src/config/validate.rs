//! Checking the settings: all problems together.

use std::collections::HashMap;
use std::time::Duration;

use checkup_core::ConfigError;

use super::files::Files;
use super::link::{self, LinkKind};
use super::part::MAX_PAGES;
use super::{StatusPage, accent, origin, refresh};

/// The minimum and maximum of how much history is shown.
const TIMEFRAMES: (Duration, Duration) = (Duration::from_secs(3600), Duration::from_secs(400 * 24 * 3600));

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The maximum length of a title, a name or a state in characters.
const MAX_TITLE: usize = 200;

/// The maximum length of the description in characters.
const MAX_TEXT: usize = 10_000;

impl StatusPage {
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
        for (key, image) in [("logo", &self.logo), ("logo_dark", &self.logo_dark), ("favicon", &self.favicon)] {
            check(key.into(), image.as_deref().and_then(|image| link::problem(image, LinkKind::Image)));
        }
        check("image".into(), self.image.as_deref().and_then(|image| link::problem(image, LinkKind::Page)));
        check("accent".into(), self.accent.as_deref().and_then(accent::problem));
        check("url".into(), self.url.as_deref().and_then(|url| link::problem(url, LinkKind::Page)));
        for (index, host) in self.hosts.iter().enumerate() {
            check(format!("hosts[{index}]"), link::host_problem(host));
        }
        for (key, links) in [("links", &self.links), ("footer", &self.footer)] {
            for (index, link) in links.iter().enumerate() {
                check(format!("{key}[{index}].text"), required(&link.text).or_else(|| length(&link.text, MAX_TITLE)));
                check(format!("{key}[{index}].url"), link::problem(&link.url, LinkKind::Link));
            }
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
            let problem = text.and_then(|text| required(text).or_else(|| length(text, MAX_TITLE)));
            check(format!("status_text.{key}"), problem);
        }
        let (least, most) = TIMEFRAMES;
        let odd = !(least..=most).contains(&self.timeframe);
        check("timeframe".into(), odd.then(|| "expected from \"1h\" to \"400d\"".to_owned()));
        check("refresh_interval".into(), refresh::problem(self.refresh_interval));
        let is_longer = self.degraded_day > DAY;
        check("degraded_day".into(), is_longer.then(|| "expected from \"0s\" to \"24h\"".to_owned()));
        for (key, origins) in [("frame_ancestors", &self.frame_ancestors), ("cors_origins", &self.cors_origins)] {
            for (index, origin) in origins.iter().enumerate() {
                check(format!("{key}[{index}]"), origin::problem(origin));
            }
        }
        let mut paths = HashMap::new();
        for (index, page) in self.pages.iter().enumerate() {
            let twice = paths.insert(page.path.to_ascii_lowercase(), index);
            let twice =
                twice.map(|before| format!("{:?} is the path of pages[{before}] already; choose another", page.path));
            check(format!("pages[{index}].path"), page.path_problem().or(twice));
            let title = page.title.as_deref().and_then(|title| required(title).or_else(|| length(title, MAX_TITLE)));
            check(format!("pages[{index}].title"), title);
            check(
                format!("pages[{index}].description"),
                page.description.as_deref().and_then(|text| length(text, MAX_TEXT)),
            );
            check(
                format!("pages[{index}].url"),
                page.url.as_deref().and_then(|url| link::problem(url, LinkKind::Page)),
            );
        }
        let is_many = self.pages.len() > MAX_PAGES;
        check(
            "pages".into(),
            is_many.then(|| format!("expected at most {MAX_PAGES} pages, found {}", self.pages.len())),
        );
        problems.extend(Files::read(self).err());
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

fn required(text: &str) -> Option<String> {
    text.trim().is_empty().then(|| "expected a text that is not empty; remove the key to use the default".to_owned())
}

fn length(text: &str, most: usize) -> Option<String> {
    let found = text.chars().count();
    (found > most).then(|| format!("expected at most {most} characters, found {found}"))
}
