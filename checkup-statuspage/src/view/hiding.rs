//! What is hidden of which check, and what is shown in its place.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use checkup_core::health::CheckHealth;
use checkup_core::history::Rules;
use checkup_core::summary::{Disguise, Summary};
use checkup_core::{CheckResult, Checkup, Hidden, Timestamp};

/// How many names of locations and endpoints are known at most. Later ones share a name.
const MAX_NAMES: usize = 10_000;

/// What is hidden: of all checks, and of some.
#[derive(Debug, Default)]
pub(crate) struct Hiding {
    all: BTreeSet<Hidden>,
    by_name: BTreeMap<String, BTreeSet<Hidden>>,
    /// What is shown in place of locations and endpoints, the same as long as the process runs.
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    locations: BTreeMap<String, usize>,
    /// The endpoints of each check.
    endpoints: BTreeMap<String, Vec<String>>,
}

impl Hiding {
    pub(crate) fn new(all: &[Hidden], checkup: Option<&Checkup>) -> Self {
        let mut by_name = BTreeMap::<String, BTreeSet<Hidden>>::new();
        for check in checkup.into_iter().flat_map(Checkup::checks).filter(|check| !check.policy().hide.is_empty()) {
            by_name.entry(check.name().into_owned()).or_default().extend(&check.policy().hide);
        }
        Self { all: all.iter().copied().collect(), by_name, shown: Mutex::default() }
    }

    /// Whether anything is hidden.
    pub(crate) fn is_any(&self) -> bool {
        !self.all.is_empty() || !self.by_name.is_empty()
    }

    fn hides(&self, name: &str, hidden: Hidden) -> bool {
        self.all.contains(&hidden) || self.by_name.get(name).is_some_and(|own| own.contains(&hidden))
    }

    /// Removes from a summary what is hidden.
    pub(crate) fn summary(&self, summary: &mut Summary, rules: &Rules, now: Timestamp) {
        if !self.is_any() {
            return;
        }
        // In the order of names, whichever check is the first that a location has.
        let locations: BTreeSet<_> = summary.series.iter().filter_map(|series| series.location.as_deref()).collect();
        locations.into_iter().for_each(|location| drop(self.location(location)));
        summary.disguise(rules, now, |name, endpoint, location| Disguise {
            endpoint: self.endpoint(name, endpoint),
            location: location.map(|location| self.location_of(name, location)),
            is_without_reasons: self.hides(name, Hidden::Reason),
        });
    }

    /// Results for metrics, without what is hidden.
    pub(crate) fn results<'a>(&self, results: &'a [CheckResult]) -> Cow<'a, [CheckResult]> {
        if !self.is_any() {
            return Cow::Borrowed(results);
        }
        let mut own = results.to_vec();
        for result in &mut own {
            result.endpoint = self.endpoint(&result.name, &result.endpoint);
            result.location = result.location.as_ref().map(|location| self.location_of(&result.name, location).into());
        }
        Cow::Owned(own)
    }

    /// The health of a check without what is hidden.
    pub(crate) fn health(&self, mut health: CheckHealth) -> CheckHealth {
        let is_without_reasons = self.hides(&health.name, Hidden::Reason);
        health.reason = health.reason.filter(|_| !is_without_reasons);
        for latest in &mut health.latest {
            latest.reason = latest.reason.take().filter(|_| !is_without_reasons);
            latest.location = latest.location.take().map(|location| self.location_of(&health.name, &location));
        }
        health
    }

    fn endpoint(&self, name: &str, endpoint: &str) -> String {
        if !self.hides(name, Hidden::Endpoint) {
            return endpoint.to_owned();
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shown.endpoints.entry(name.to_owned()).or_default();
        let place = known.iter().position(|own| own == endpoint).unwrap_or_else(|| {
            if known.len() < MAX_NAMES {
                known.push(endpoint.to_owned());
            }
            known.len() - 1
        });
        // Most checks have one.
        if place == 0 { String::new() } else { format!("endpoint {}", place + 1) }
    }

    fn location_of(&self, name: &str, location: &str) -> String {
        // A disguised summary must stay as it is.
        if self.hides(name, Hidden::Location) { self.location(location) } else { location.to_owned() }
    }

    fn location(&self, location: &str) -> String {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let next = shown.locations.len() + 1;
        let number = match shown.locations.get(location) {
            Some(number) => *number,
            None if next <= MAX_NAMES => *shown.locations.entry(location.to_owned()).or_insert(next),
            None => MAX_NAMES,
        };
        format!("location {number}")
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::{Attempt, Cause, Status, check_fn};

    use super::*;

    fn results() -> Vec<CheckResult> {
        ["berlin", "oslo"]
            .map(|location| {
                let mut result = CheckResult::new("Database", "10.0.0.7:5432");
                result.location = Some(location.into());
                result.status = Status::Down;
                result.attempts = vec![Attempt::failure(std::time::Duration::ZERO, Cause::Refused, "10.0.0.7 refused")];
                result
            })
            .to_vec()
    }

    #[test]
    fn what_is_hidden_is_nowhere_in_the_summary() {
        let mut summary = Summary::new();
        summary.add(&results());
        let all = Hiding::new(&[Hidden::Endpoint, Hidden::Reason, Hidden::Location], None);
        let id = |summary: &Summary| {
            let timeline = summary.timeline(&summary.series, checkup_core::Quorum::Majority, Timestamp::now());
            let hysteresis =
                checkup_core::history::Hysteresis { failures: std::num::NonZeroU32::new(1), successes: None };
            timeline.incidents(hysteresis)[0].id.clone()
        };
        let own = id(&summary);
        let once = checkup_core::history::Hysteresis { failures: std::num::NonZeroU32::new(1), successes: None };
        all.summary(&mut summary, &Rules::default().with_hysteresis("Database", once), Timestamp::now());
        let text = serde_json::to_string(&summary).unwrap();
        for word in ["10.0.0.7", "refused", "berlin", "oslo"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert!(text.contains("location 1") && text.contains("location 2"), "{text}");
        assert_eq!(id(&summary), own, "links and posts refer to it");
    }

    #[test]
    fn a_check_hides_its_own_facts_only() {
        let check = |name: &str| check_fn(name, || async { Ok::<_, std::io::Error>(()) });
        let checkup = Checkup::builder().check(check("Database").hide(Hidden::Endpoint)).check(check("Shop")).build();
        let hiding = Hiding::new(&[], Some(&checkup.unwrap()));
        let mut results = results();
        results[1].name = "Shop".to_owned();
        let shown = hiding.results(&results);
        assert_eq!((shown[0].endpoint.as_str(), shown[1].endpoint.as_str()), ("", "10.0.0.7:5432"));
        assert_eq!(shown[0].location.as_deref(), Some("berlin"));
        assert!(hiding.is_any() && !Hiding::default().is_any());
    }

    #[test]
    fn two_endpoints_of_a_name_stay_two() {
        let hiding = Hiding::new(&[Hidden::Endpoint], None);
        let mut two = results();
        two[1].endpoint = "10.0.0.8:5432".to_owned();
        let shown = hiding.results(&two);
        assert_eq!((shown[0].endpoint.as_str(), shown[1].endpoint.as_str()), ("", "endpoint 2"));
    }
}
