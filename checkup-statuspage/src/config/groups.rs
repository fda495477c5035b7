//! Verifies that the checks and tags named in the page's settings exist.

use std::collections::BTreeSet;

use checkup_core::config::suggest;
use checkup_core::{Checkup, ConfigError, ConfigProblems};

use super::StatusPage;

/// Reports names in `groups` that no check has, and tags in `pages`.
pub(crate) fn validate(page: &StatusPage, checkup: &Checkup) -> Result<(), ConfigError> {
    let names: BTreeSet<_> = checkup.checks().map(|check| check.name().into_owned()).collect();
    let mut problems = ConfigProblems::new();
    for (index, group) in page.groups.iter().enumerate() {
        for (place, name) in group.checks.iter().enumerate().filter(|(_, name)| !names.contains(*name)) {
            let meant = suggest::closest(name, names.iter().map(String::as_str));
            let hint = meant.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"));
            let place = format!("groups[{index}].checks[{place}]");
            problems.push(ConfigError::expected(place, "the name of a check").found(format_args!("{name:?}{hint}")));
        }
    }
    let tags: BTreeSet<_> = checkup.checks().flat_map(|check| check.policy().tags.iter().map(String::as_str)).collect();
    for (index, page) in page.pages.iter().enumerate().filter(|(_, page)| !tags.contains(page.tag.as_str())) {
        let meant = suggest::closest(&page.tag, tags.iter().copied());
        let hint = meant.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"));
        let problem = ConfigError::expected(format!("pages[{index}].tag"), "a tag of a check");
        problems.push(problem.found(format_args!("{:?}{hint}", page.tag)));
    }
    problems.into_result()
}

#[cfg(test)]
mod tests {
    use checkup_core::check_fn;
    use checkup_core::config::{Format, Registry};

    use super::*;
    use crate::{Group, TagPage};

    #[test]
    fn groups_name_checks_that_exist() {
        let check = |name: &str| check_fn(name, || async { Ok::<_, String>(()) });
        let checkup = Checkup::builder().checks([check("Cards"), check("Invoices")]).build().unwrap();
        let page = StatusPage::new().group(Group::new("Shop", ["Cards"]));
        assert_eq!(validate(&page, &checkup), Ok(()));
        let page = page.group(Group::new("Office", ["Invoice", "Mail"]));
        let expected = "\
groups[1].checks[0]: expected the name of a check, found \"Invoice\"; did you mean \"Invoices\"?
groups[1].checks[1]: expected the name of a check, found \"Mail\"";
        assert_eq!(validate(&page, &checkup).unwrap_err().to_string(), expected);
    }

    #[test]
    fn pages_name_tags_that_checks_have() {
        let check = check_fn("Cards", || async { Ok::<_, String>(()) }).tag("shop");
        let checkup = Checkup::builder().check(check).build().unwrap();
        assert_eq!(validate(&StatusPage::new().page(TagPage::new("a", "shop")), &checkup), Ok(()));
        let error = validate(&StatusPage::new().page(TagPage::new("a", "shops")), &checkup).unwrap_err();
        let expected = "pages[0].tag: expected a tag of a check, found \"shops\"; did you mean \"shop\"?";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_config_file_with_an_unknown_check_in_a_group_is_refused_whatever_its_shard_is() {
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        struct Nothing {}

        #[checkup_core::async_trait]
        impl checkup_core::Checker for Nothing {
            fn endpoint(&self) -> std::borrow::Cow<'_, str> {
                "nothing".into()
            }

            async fn attempt(&self) -> Result<checkup_core::Observation, checkup_core::Failure> {
                Ok(checkup_core::Observation::new())
            }
        }

        let mut registry = Registry::new();
        registry.checker::<Nothing>("nothing");
        crate::register(&mut registry);
        let parse = |shard: &str, group: &str| {
            let checks = "{ type: nothing, name: Cards }, { type: nothing, name: Invoices }";
            let groups = format!("[{{ name: Shop, checks: [Cards, {group}] }}]");
            let file = format!("{{ checkers: [{checks}], shard: {shard}, status_page: {{ groups: {groups} }} }}");
            registry.parse_with(&file, Format::Yaml, |_| Some("hunter2".to_owned()))
        };
        for shard in ["1/2", "2/2"] {
            assert!(parse(shard, "Invoices").is_ok());
            let error = parse(shard, "Invoces").unwrap_err().to_string();
            let expected = "status_page.groups[0].checks[1]: expected the name of a check, found \"Invoces\"";
            assert_eq!(error, format!("{expected}; did you mean \"Invoices\"?"));
        }
        let error = parse("1/1", "'${SECRET}'").unwrap_err().to_string();
        assert!(error.contains("SECRET") && !error.contains("hunter2"), "{error}");
    }
}
