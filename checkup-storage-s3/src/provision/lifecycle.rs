//! The lifecycle rule by which the storage itself removes check files.
//!
//! A rule's prefix cannot match check files only: `pub/1` also matches `pub/1notes.txt`, and `prod/1` the folder of another storage. So the
//! rule matches a tag, which check files carry with `tag_check_files`, and which is different for each prefix.

use std::time::Duration;

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, Tag,
};
use checkup_core::ProvisionChange;
use serde_json::{Value, json};

use crate::names::name;
use crate::target::ObjectTag;

const DAY: u64 = 24 * 3600;

/// The rules of a bucket, grouped by owner.
#[derive(Debug)]
pub(super) struct Plan {
    /// Rules of others, which are kept.
    others: Vec<LifecycleRule>,
    /// The rule of this storage.
    ours: Option<LifecycleRule>,
    /// Rules that an earlier version set for this storage. They match every key that begins with the prefix and a digit.
    wide: Vec<LifecycleRule>,
}

impl Plan {
    pub(super) fn new(prefix: &str, existing: Vec<LifecycleRule>) -> Self {
        let id = name("CheckupExpire", prefix);
        let earlier = [format!("{id}-1"), format!("{id}-2"), name("CheckupUploads", prefix)];
        let mut plan = Self { others: Vec::new(), ours: None, wide: Vec::new() };
        for rule in existing {
            match rule.id() {
                Some(found) if earlier.iter().any(|earlier| earlier == found) => plan.wide.push(rule),
                // A rule that has lost its tag matches just as much.
                Some(found) if found == id && tag_of(&rule).is_none() => plan.wide.push(rule),
                Some(found) if found == id => plan.ours = Some(rule),
                _ => plan.others.push(rule),
            }
        }
        plan
    }

    pub(super) fn is_wide(&self) -> bool {
        !self.wide.is_empty()
    }

    /// Whether this rule is set, without any rule that matches too much.
    pub(super) fn has(&self, rule: &LifecycleRule) -> bool {
        !self.is_wide() && self.ours.as_ref().is_some_and(|ours| document(ours) == document(rule))
    }

    /// The rules that remain without ours.
    pub(super) fn others(&self) -> Vec<LifecycleRule> {
        self.others.clone()
    }

    pub(super) fn with(&self, rule: &LifecycleRule) -> Vec<LifecycleRule> {
        self.others.iter().chain([rule]).cloned().collect()
    }

    pub(super) fn change(&self) -> ProvisionChange {
        let is_empty = self.others.is_empty() && self.ours.is_none() && !self.is_wide();
        if is_empty { ProvisionChange::Created } else { ProvisionChange::Updated }
    }

    /// Says what happens to rules that match too much, if nothing replaces them.
    pub(super) fn describe_wide(&self) -> String {
        format!(
            "{} that an earlier version set are removed, since they match other objects too; set `tag_check_files` for a rule that does \
             not, or `check_expiry`",
            self.count_wide()
        )
    }

    /// The same as the end of a sentence; empty if there are none.
    pub(super) fn and_wide(&self) -> String {
        match self.is_wide() {
            true => format!("; {} that matched other objects too are removed", self.count_wide()),
            false => String::new(),
        }
    }

    fn count_wide(&self) -> String {
        match self.wide.len() {
            1 => "1 rule".to_owned(),
            count => format!("{count} rules"),
        }
    }
}

/// Converts an age to days, rounded up, since lifecycle rules count whole days.
pub(super) fn days(age: Duration) -> i32 {
    i32::try_from(age.as_secs().div_ceil(DAY)).unwrap_or(i32::MAX).max(1)
}

/// The rule for the check files under a prefix, switched on or off.
pub(super) fn rule(prefix: &str, tag: &ObjectTag, days: i32, is_on: bool) -> Result<LifecycleRule, BuildError> {
    let tag = Tag::builder().key(tag.0).value(&tag.1).build()?;
    let filter = match prefix {
        "" => LifecycleRuleFilter::builder().tag(tag),
        prefix => {
            LifecycleRuleFilter::builder().and(LifecycleRuleAndOperator::builder().prefix(prefix).tags(tag).build())
        }
    };
    LifecycleRule::builder()
        .id(name("CheckupExpire", prefix))
        .status(if is_on { ExpirationStatus::Enabled } else { ExpirationStatus::Disabled })
        .filter(filter.build())
        .expiration(LifecycleExpiration::builder().days(days).build())
        .build()
}

/// Our rule in the format of the AWS command line.
pub(super) fn document(rule: &LifecycleRule) -> Value {
    let tag = tag_of(rule).map(|tag| json!({"Key": tag.key(), "Value": tag.value()}));
    let filter = match (prefix_of(rule), tag) {
        (Some(prefix), Some(tag)) => json!({"And": {"Prefix": prefix, "Tags": [tag]}}),
        (None, Some(tag)) => json!({"Tag": tag}),
        (prefix, None) => json!({"Prefix": prefix}),
    };
    let days = rule.expiration().and_then(LifecycleExpiration::days);
    json!({"ID": rule.id(), "Status": rule.status().as_str(), "Filter": filter, "Expiration": {"Days": days}})
}

fn tag_of(rule: &LifecycleRule) -> Option<&Tag> {
    let filter = rule.filter()?;
    filter.tag().or_else(|| filter.and()?.tags().first())
}

fn prefix_of(rule: &LifecycleRule) -> Option<&str> {
    let filter = rule.filter()?;
    let prefix = filter.prefix().or_else(|| filter.and()?.prefix());
    // Older servers put it outside the filter.
    #[allow(deprecated, reason = "what a server sends is not ours to choose")]
    prefix.or_else(|| rule.prefix()).filter(|prefix| !prefix.is_empty())
}

#[cfg(test)]
mod tests;
