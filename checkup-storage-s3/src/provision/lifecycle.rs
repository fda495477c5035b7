//! The lifecycle: check files that the storage itself removes.

use std::time::Duration;

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
};
use serde_json::{Value, json};

use super::names::name;

const DAY: u64 = 24 * 3600;

/// What the names of check files begin with: the nanoseconds since 1970 have 19 digits, of which the first is 1 until 2033, and 2
/// until 2065. So nothing else under the prefix, such as the summary or the page, expires.
const FIRST_DIGITS: [&str; 2] = ["1", "2"];

/// After how many days an upload of parts that nobody has completed is given up.
const UPLOAD_DAYS: i32 = 1;

/// The days of an age, rounded up: a lifecycle counts whole days.
pub(super) fn days(age: Duration) -> i32 {
    i32::try_from(age.as_secs().div_ceil(DAY)).unwrap_or(i32::MAX).max(1)
}

/// The rules for the check files under a prefix.
pub(super) fn rules(prefix: &str, days: i32) -> Result<Vec<LifecycleRule>, BuildError> {
    let expiration = LifecycleExpiration::builder().days(days).build();
    let expiring = FIRST_DIGITS.map(|digit| {
        let id = format!("{}-{digit}", name("CheckupExpire", prefix));
        rule(id, &format!("{prefix}{digit}")).expiration(expiration.clone()).build()
    });
    let abort = AbortIncompleteMultipartUpload::builder().days_after_initiation(UPLOAD_DAYS).build();
    let uploads = rule(name("CheckupUploads", prefix), prefix).abort_incomplete_multipart_upload(abort).build();
    expiring.into_iter().chain([uploads]).collect()
}

/// The rules with ours among them, or `None` if they are there. Those of others stay.
pub(super) fn merge(mut rules: Vec<LifecycleRule>, ours: &[LifecycleRule]) -> Option<Vec<LifecycleRule>> {
    let mut changed = false;
    for ours in ours {
        match rules.iter_mut().find(|rule| rule.id() == ours.id()) {
            Some(rule) if document(rule) == document(ours) => {}
            Some(rule) => {
                rule.clone_from(ours);
                changed = true;
            }
            None => {
                rules.push(ours.clone());
                changed = true;
            }
        }
    }
    changed.then_some(rules)
}

/// What a rule of ours has, as the AWS command line writes it.
pub(super) fn document(rule: &LifecycleRule) -> Value {
    let mut document = json!({
        "ID": rule.id(),
        "Status": rule.status().as_str(),
        "Filter": {"Prefix": rule.filter().and_then(LifecycleRuleFilter::prefix)},
    });
    if let Some(days) = rule.expiration().and_then(LifecycleExpiration::days) {
        document["Expiration"] = json!({"Days": days});
    }
    let abort = rule.abort_incomplete_multipart_upload();
    if let Some(days) = abort.and_then(AbortIncompleteMultipartUpload::days_after_initiation) {
        document["AbortIncompleteMultipartUpload"] = json!({"DaysAfterInitiation": days});
    }
    document
}

fn rule(id: String, prefix: &str) -> aws_sdk_s3::types::builders::LifecycleRuleBuilder {
    let filter = LifecycleRuleFilter::builder().prefix(prefix).build();
    LifecycleRule::builder().id(id).status(ExpirationStatus::Enabled).filter(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(rules: &[LifecycleRule]) -> Vec<Value> {
        rules.iter().map(document).collect()
    }

    #[test]
    fn ages_are_rounded_up_to_days() {
        for (seconds, expected) in [(0, 1), (1, 1), (DAY, 1), (DAY + 1, 2), (400 * DAY, 400), (u64::MAX, i32::MAX)] {
            assert_eq!(days(Duration::from_secs(seconds)), expected, "{seconds} s");
        }
    }

    #[test]
    fn check_files_expire_and_nothing_else() {
        let rules = rules("checks/", 90).unwrap();
        let expiring: Vec<_> = rules.iter().filter(|rule| rule.expiration().is_some()).collect();
        let expires = |key: &str| {
            expiring.iter().any(|rule| key.starts_with(rule.filter().and_then(LifecycleRuleFilter::prefix).unwrap()))
        };
        assert!(expires("checks/1795000000000000000-check.json") && expires("checks/2000000000000000000-check.json"));
        for key in [
            "checks/summary.json",
            "checks/index.html",
            "checks/badge/api.svg",
            "checks",
            "other/1795000000000000000-check.json",
        ] {
            assert!(!expires(key), "{key}");
        }
        assert_eq!(documents(&rules)[2]["AbortIncompleteMultipartUpload"], json!({"DaysAfterInitiation": 1}));
    }

    #[test]
    fn rules_of_others_stay_and_ours_are_written_once() {
        let theirs = rule("theirs".to_owned(), "logs/").expiration(LifecycleExpiration::builder().days(7).build());
        let theirs = theirs.build().unwrap();
        let ours = rules("checks/", 90).unwrap();
        let merged = merge(vec![theirs.clone()], &ours).unwrap();
        assert_eq!((merged.len(), &merged[0]), (4, &theirs));
        assert_eq!(merge(merged.clone(), &ours), None);
        let longer = merge(merged, &rules("checks/", 91).unwrap()).unwrap();
        assert_eq!((longer.len(), &longer[0]), (4, &theirs));
        assert_eq!(documents(&longer)[1]["Expiration"], json!({"Days": 91}));
    }

    #[test]
    fn two_prefixes_of_a_bucket_have_their_own_rules() {
        let merged = merge(rules("a/", 1).unwrap(), &rules("b/", 2).unwrap()).unwrap();
        assert_eq!(merged.len(), 6);
    }
}
