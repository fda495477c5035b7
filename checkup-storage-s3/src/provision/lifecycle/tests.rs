use super::*;

fn tag(prefix: &str) -> ObjectTag {
    ObjectTag::of(prefix)
}

/// A rule as earlier versions set it.
fn earlier(id: &str, prefix: &str) -> LifecycleRule {
    LifecycleRule::builder()
        .id(id)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
        .expiration(LifecycleExpiration::builder().days(2).build())
        .build()
        .unwrap()
}

/// Whether a rule removes an object with this key and these tags, as Amazon defines it.
fn removes(rule: &LifecycleRule, key: &str, tags: &[ObjectTag]) -> bool {
    let has_tag =
        tag_of(rule).is_none_or(|tag| tags.iter().any(|found| (found.0, found.1.as_str()) == (tag.key(), tag.value())));
    prefix_of(rule).is_none_or(|prefix| key.starts_with(prefix))
        && has_tag
        && rule.status() == &ExpirationStatus::Enabled
}

#[test]
fn ages_are_rounded_up_to_days() {
    for (seconds, expected) in [(0, 1), (1, 1), (DAY, 1), (DAY + 1, 2), (400 * DAY, 400), (u64::MAX, i32::MAX)] {
        assert_eq!(days(Duration::from_secs(seconds)), expected, "{seconds} s");
    }
}

#[test]
fn check_files_expire_and_nothing_else() {
    for (prefix, deeper) in [("pub/", "pub/2nd-site/"), ("prod/", "prod/2nd-site/"), ("", "2nd-site/")] {
        let rule = rule(prefix, &tag(prefix), 2, true).unwrap();
        assert!(removes(&rule, &format!("{prefix}1795000000000000000-check.json"), &[tag(prefix)]));
        for key in [
            "1notes.txt",
            "2026-report.html",
            "2026/photo.jpg",
            "summary.json",
            "index.html",
            "1795000000000000000-check.json",
        ] {
            assert!(!removes(&rule, &format!("{prefix}{key}"), &[]), "{prefix}{key}");
        }
        let second = format!("{deeper}1795000000000000000-check.json");
        assert!(!removes(&rule, &second, &[tag(deeper)]), "{second} is of another storage");
    }
}

#[test]
fn rules_of_others_stay_and_ours_is_written_once() {
    let theirs = earlier("theirs", "logs/");
    let ours = rule("checks/", &tag("checks/"), 90, true).unwrap();
    let plan = Plan::new("checks/", vec![theirs.clone()]);
    assert!(!plan.has(&ours) && !plan.is_wide() && plan.change() == ProvisionChange::Updated);
    let merged = plan.with(&ours);
    assert_eq!(merged, [theirs.clone(), ours.clone()]);
    let plan = Plan::new("checks/", merged.clone());
    assert!(plan.has(&ours));
    assert!(!plan.has(&rule("checks/", &tag("checks/"), 91, true).unwrap()));
    assert!(!plan.has(&rule("checks/", &tag("checks/"), 90, false).unwrap()), "one that is switched off is not enough");
    assert_eq!(Plan::new("other/", merged.clone()).others(), merged, "another prefix is another storage");
    assert_eq!(Plan::new("checks/", Vec::new()).change(), ProvisionChange::Created);
}

#[test]
fn rules_that_are_too_wide_are_found() {
    let id = name("CheckupExpire", "pub/");
    let rules = [
        earlier("theirs", "logs/"),
        earlier(&format!("{id}-1"), "pub/1"),
        earlier(&format!("{id}-2"), "pub/2"),
        earlier(&name("CheckupUploads", "pub/"), "pub/"),
    ];
    let plan = Plan::new("pub/", rules.to_vec());
    assert!(plan.is_wide() && plan.describe_wide().starts_with("3 rules"), "{}", plan.describe_wide());
    assert_eq!(plan.others(), rules[..1]);
    assert!(!Plan::new("prod/", rules.to_vec()).is_wide(), "they are of another prefix");
    assert!(Plan::new("pub/", vec![earlier(&id, "pub/")]).is_wide(), "a server has dropped the tag");
}
