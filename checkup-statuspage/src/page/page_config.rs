//! The settings in the page.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;

use checkup_core::history::Rules;
use checkup_core::{Checkup, Quorum};
use serde::Serialize;

use crate::config::source::PageSource;
use crate::config::texts::Words;
use crate::config::{Group, Link, Order, StatusPage, StatusText};

/// The settings in the page (`web/FORMAT.md`).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PageConfig<'a> {
    version: u32,
    title: &'a str,
    description: &'a str,
    links: &'a [Link],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    footer: &'a [Link],
    /// Whether the icon of the tab is that of the settings.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    favicon: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    words: BTreeMap<String, Words>,
    texts: &'a StatusText,
    groups: Vec<Group>,
    /// Whether the groups name all checks.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    complete: bool,
    order: Order,
    timeframe: u128,
    amber: u128,
    refresh: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    quorum: Option<usize>,
    /// The name, `failures` and `successes` of the checks that do not have the default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hysteresis: Vec<(String, Option<NonZeroU32>, Option<NonZeroU32>)>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    demo: bool,
    source: PageSource,
}

impl<'a> PageConfig<'a> {
    pub(crate) fn new(settings: &'a StatusPage, checkup: Option<&Checkup>, source: PageSource) -> Self {
        Self {
            version: 1,
            title: &settings.title,
            description: &settings.description,
            links: &settings.links,
            footer: &settings.footer,
            favicon: settings.favicon.is_some(),
            language: settings.language.as_deref(),
            words: BTreeMap::new(),
            texts: &settings.status_text,
            groups: groups(settings, checkup),
            complete: checkup.is_some_and(|checkup| checkup.checks().next().is_some()),
            order: settings.order,
            timeframe: settings.timeframe.as_millis(),
            amber: settings.degraded_day.as_millis(),
            refresh: settings.refresh_interval.as_millis(),
            quorum: None,
            hysteresis: Vec::new(),
            demo: false,
            source,
        }
    }

    pub(crate) fn with_rules(mut self, rules: &Rules) -> Self {
        self.quorum = match rules.quorum {
            Quorum::Majority => None,
            Quorum::AtLeast(count) => Some(count.get()),
        };
        let own = rules.own_hysteresis().map(|(name, own)| (name.to_owned(), own.failures, own.successes));
        self.hysteresis = own.collect();
        self
    }

    pub(crate) fn into_groups(self) -> Vec<Group> {
        self.groups
    }

    /// Adds custom texts.
    pub(super) fn with_words(mut self, words: &BTreeMap<String, Words>) -> Self {
        self.words.clone_from(words);
        self
    }

    pub(super) fn source(&self) -> &PageSource {
        &self.source
    }

    pub(crate) fn with_demo(mut self, demo: bool) -> Self {
        self.demo = demo;
        self
    }
}

/// The groups of the settings, or else those that the checks name; then the checks without a group.
fn groups(settings: &StatusPage, checkup: Option<&Checkup>) -> Vec<Group> {
    for (group, name) in checkup.into_iter().flat_map(|checkup| unknown(settings, checkup)) {
        tracing::warn!(group, check = name, "a group of the status page names a check that does not exist");
    }
    let mut groups = settings.groups.clone();
    let mut rest = Group::new("", [""; 0]);
    for check in checkup.into_iter().flat_map(Checkup::checks) {
        let name = check.name();
        if groups.iter().chain([&rest]).any(|group| group.checks.iter().any(|known| *known == name)) {
            continue;
        }
        let own = check.policy().group.as_deref().filter(|own| settings.groups.is_empty() && !own.is_empty());
        let group = match own {
            None => &mut rest,
            Some(own) => {
                let place = groups.iter().position(|group| group.name == own).unwrap_or_else(|| {
                    groups.push(Group::new(own, [""; 0]));
                    groups.len() - 1
                });
                &mut groups[place]
            }
        };
        group.checks.push(name.into_owned());
    }
    groups.extend(Some(rest).filter(|rest| !rest.checks.is_empty()));
    groups
}

/// The names in the groups of the settings that are not names of checks. Empty if there are no checks.
fn unknown<'a>(settings: &'a StatusPage, checkup: &Checkup) -> Vec<(&'a str, &'a str)> {
    let known: HashSet<_> = checkup.checks().map(checkup_core::Check::name).collect();
    let named = settings.groups.iter().flat_map(|group| group.checks.iter().map(|name| (&*group.name, &**name)));
    named.filter(|(_, name)| !known.is_empty() && !known.contains(*name)).collect()
}

#[cfg(test)]
mod tests {
    use checkup_core::check_fn;

    use super::*;

    #[test]
    fn checks_are_grouped_by_the_settings_or_else_by_themselves() {
        let check = |name: &str, group: &str| check_fn(name, || async { Ok::<_, String>(()) }).group(group);
        let checks = [check("a", "Shop"), check("b", ""), check("c", "Shop"), check("d", "Mail")];
        let checkup = Checkup::builder().checks(checks).build().unwrap();
        let found = groups(&StatusPage::new(), Some(&checkup));
        assert_eq!(found, [Group::new("Shop", ["a", "c"]), Group::new("Mail", ["d"]), Group::new("", ["b"])]);
        let settings = StatusPage::new().group(Group::new("First", ["d"]));
        let found = groups(&settings, Some(&checkup));
        assert_eq!(found, [Group::new("First", ["d"]), Group::new("", ["a", "b", "c"])]);
        let settings = StatusPage::new().group(Group::new("First", ["d", "D"]));
        assert_eq!(unknown(&settings, &checkup), [("First", "D")]);
    }
}
