//! Responses to orchestrators and load balancers, from the latest results. A monitor's probes and the status page share this form.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::duration::GoDuration;
use crate::history::freshness::{self, AHEAD};
use crate::{CheckResult, Status, Timestamp};

/// The known health of one check.
#[derive(Clone, Debug)]
pub struct CheckHealth {
    /// The name of the check.
    pub name: String,
    /// The verdict over all locations.
    pub status: Status,
    /// Why it is not healthy.
    pub reason: Option<String>,
    /// The latest result of each location, or the one of this process. Empty if the check has not run yet.
    pub latest: Vec<Latest>,
    /// The interval between checks, if it is known.
    pub interval: Option<Duration>,
}

/// The latest result of a check at one location.
#[derive(Clone, Debug)]
pub struct Latest {
    /// Where it was made.
    pub location: Option<String>,
    /// Its verdict.
    pub status: Status,
    /// When it was made.
    pub timestamp: Timestamp,
    /// Its round-trip time.
    pub rtt: Option<Duration>,
    /// Why it is not healthy.
    pub reason: Option<String>,
}

/// The conditions for a response.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The time of the question.
    pub now: Timestamp,
    /// The maximum age of a result. `None` for the [`validity`](freshness::validity) at the interval of the check.
    pub max_age: Option<Duration>,
}

impl CheckHealth {
    /// The health of a check by the one result of this process.
    pub fn of_result(result: &CheckResult) -> Self {
        let reason = result.reason().map(std::borrow::Cow::into_owned);
        let latest = Latest {
            location: result.location.as_deref().map(str::to_owned),
            status: result.status,
            timestamp: result.timestamp,
            rtt: result.rtt(),
            reason: reason.clone(),
        };
        Self { name: result.name.clone(), status: result.status, reason, latest: vec![latest], interval: None }
    }

    /// Whether every result is too old to count.
    pub fn is_stale(&self, question: Question) -> bool {
        self.latest.iter().all(|latest| self.is_old(latest, question))
    }

    fn is_old(&self, latest: &Latest, question: Question) -> bool {
        let validity = || freshness::validity(self.interval);
        question.now.since(latest.timestamp) > question.max_age.unwrap_or_else(validity)
            || is_ahead(latest.timestamp, question.now)
    }
}

/// Whether all checks have fresh results and none is down, and a line for each check.
pub fn readiness(checks: &[CheckHealth], question: Question) -> (bool, String) {
    if checks.is_empty() {
        return (false, "there are no results yet\n".to_owned());
    }
    let is_ready = checks.iter().all(|check| check.status.is_up() && !check.is_stale(question));
    (is_ready, lines(checks, question))
}

/// A line for each check: its name, its state, and the reason if it has one.
pub fn lines(checks: &[CheckHealth], question: Question) -> String {
    let mut text = String::new();
    for check in checks {
        let is_stale = check.is_stale(question);
        let state = match is_stale {
            _ if check.latest.is_empty() => "not checked yet",
            true => "stale",
            false => check.status.as_str(),
        };
        let reason = check.reason.as_deref().filter(|_| !is_stale);
        let reason = reason.map(|reason| format!(": {}", one_line(reason))).unwrap_or_default();
        text.push_str(&format!("{}: {state}{reason}\n", one_line(&check.name)));
    }
    text
}

/// Whether nothing fails, and the response in the format `application/health+json` (draft-inadarei-api-health-check-06).
pub fn report(checks: &[CheckHealth], question: Question) -> (bool, Value) {
    if checks.is_empty() {
        let none = json!({ "status": "fail", "output": "there are no results yet" });
        return (false, none);
    }
    let own = |check: &CheckHealth| if check.is_stale(question) { "fail" } else { word(check.status) };
    let worst = checks.iter().map(own).max_by_key(|word| rank(word)).unwrap_or("fail");
    (worst != "fail", json!({ "status": worst, "checks": details(checks, question) }))
}

/// The latest results of each check, as the draft's `checks`.
pub fn details(checks: &[CheckHealth], question: Question) -> Map<String, Value> {
    let mut details = Map::new();
    for check in checks {
        let missing = json!({ "componentType": "component", "status": "fail", "output": "not checked yet" });
        let missing = check.latest.is_empty().then_some(missing);
        let latest = check.latest.iter().map(|latest| detail(check, latest, question)).chain(missing);
        let key = key(&check.name);
        // Two checks with the same name become two objects under one key.
        match details.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(all) => all.extend(latest),
            _ => continue,
        }
    }
    details
}

fn detail(check: &CheckHealth, latest: &Latest, question: Question) -> Value {
    let is_stale = check.is_old(latest, question);
    let mut detail = json!({
        "componentType": "component",
        "status": if is_stale { "fail" } else { word(latest.status) },
        "time": latest.timestamp.to_string(),
    });
    if let Some(location) = &latest.location {
        detail["componentId"] = json!(location);
    }
    if let Some(rtt) = latest.rtt {
        #[allow(clippy::cast_precision_loss, reason = "no round trip takes 2^52 microseconds")]
        let millis = rtt.as_micros() as f64 / 1000.0;
        detail["observedValue"] = json!(millis);
        detail["observedUnit"] = json!("ms");
    }
    // According to the draft, `output` is left out if the status is "pass".
    if is_ahead(latest.timestamp, question.now) {
        detail["output"] = json!("the clock of the latest result is ahead");
    } else if is_stale {
        let age = GoDuration::rounded(question.now.since(latest.timestamp));
        detail["output"] = json!(format!("the latest result is {age} old"));
    } else if let Some(reason) = latest.reason.as_deref().filter(|_| latest.status != Status::Healthy) {
        detail["output"] = json!(reason);
    }
    detail
}

/// According to the draft, keys are `componentName:measurementName`. Names have no colons, and the first may be left out.
fn key(name: &str) -> String {
    const MEASUREMENT: &str = "responseTime";
    if name.is_empty() { MEASUREMENT.to_owned() } else { format!("{}:{MEASUREMENT}", name.replace(':', "-")) }
}

/// Whether a result is so far in the future that its clock must be wrong.
pub fn is_ahead(timestamp: Timestamp, now: Timestamp) -> bool {
    timestamp.since(now) > AHEAD
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Healthy => "pass",
        Status::Degraded => "warn",
        _ => "fail",
    }
}

fn rank(word: &str) -> u8 {
    match word {
        "pass" => 0,
        "warn" => 1,
        _ => 2,
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Question =
        Question { now: Timestamp::from_unix_nanos(1_000_000_000_000), max_age: Some(Duration::from_secs(60)) };

    fn check(status: Status, age: u64) -> CheckHealth {
        let reason = (status != Status::Healthy).then(|| "it is\nfull".to_owned());
        let timestamp = NOW.now.saturating_sub(Duration::from_secs(age));
        let rtt = Some(Duration::from_micros(1500));
        let latest = Latest { location: Some("eu".into()), status, timestamp, rtt, reason: reason.clone() };
        CheckHealth { name: "queue".into(), status, reason, latest: vec![latest], interval: None }
    }

    #[test]
    fn degraded_checks_are_ready_and_checks_that_are_down_or_stale_are_not() {
        for (checks, is_ready, text) in [
            (vec![check(Status::Healthy, 1)], true, "queue: healthy\n"),
            (vec![check(Status::Degraded, 1)], true, "queue: degraded: it is full\n"),
            (
                vec![check(Status::Healthy, 1), check(Status::Down, 1)],
                false,
                "queue: healthy\nqueue: down: it is full\n",
            ),
            (vec![check(Status::Healthy, 61)], false, "queue: stale\n"),
            (vec![], false, "there are no results yet\n"),
        ] {
            assert_eq!(readiness(&checks, NOW), (is_ready, text.to_owned()));
        }
    }

    #[test]
    fn a_rare_check_is_stale_after_three_of_its_intervals() {
        let question = Question { max_age: None, ..NOW };
        for (interval, age, is_stale) in [
            (None, 600, false),
            (None, 601, true),
            (Some(300), 900, false),
            (Some(300), 901, true),
            (Some(1), 600, false),
        ] {
            let check = CheckHealth { interval: interval.map(Duration::from_secs), ..check(Status::Healthy, age) };
            assert_eq!(check.is_stale(question), is_stale, "{interval:?} {age}");
        }
    }

    #[test]
    fn the_report_follows_the_draft() {
        let (is_ready, report) = report(&[check(Status::Healthy, 1), check(Status::Down, 2)], NOW);
        assert_eq!((is_ready, &report["status"]), (false, &json!("fail")));
        let details = &report["checks"]["queue:responseTime"];
        assert_eq!(details[0]["status"], "pass");
        assert_eq!((&details[0]["observedValue"], &details[0]["observedUnit"]), (&json!(1.5), &json!("ms")));
        assert!(details[0].get("output").is_none());
        assert_eq!((&details[1]["status"], &details[1]["output"]), (&json!("fail"), &json!("it is\nfull")));
        assert_eq!(details[1]["time"], "1970-01-01T00:16:38Z");
    }

    #[test]
    fn an_old_result_fails_and_says_so() {
        let (is_ready, report) = report(&[check(Status::Healthy, 120)], NOW);
        assert!(!is_ready);
        assert_eq!(report["checks"]["queue:responseTime"][0]["output"], "the latest result is 2m0s old");
        assert_eq!(super::report(&[check(Status::Degraded, 1)], NOW).1["status"], "warn");
    }

    #[test]
    fn names_have_no_colons_and_endpoints_are_not_shown() {
        let url = CheckHealth { name: "https://example.com:8443".into(), ..check(Status::Healthy, 1) };
        let unnamed = CheckHealth { name: String::new(), ..check(Status::Healthy, 1) };
        let (_, report) = report(&[url, unnamed], NOW);
        let keys: Vec<_> = report["checks"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["https-//example.com-8443:responseTime", "responseTime"]);
        assert!(report["checks"]["responseTime"][0].get("affectedEndpoints").is_none());
    }

    #[test]
    fn a_result_from_a_clock_that_is_ahead_is_not_fresh() {
        let ahead = |by: Duration| {
            let mut check = check(Status::Healthy, 0);
            check.latest[0].timestamp = NOW.now.saturating_add(by);
            check
        };
        assert!(readiness(&[ahead(freshness::AHEAD)], NOW).0);
        let far = ahead(freshness::AHEAD + Duration::from_secs(1));
        assert!(!readiness(std::slice::from_ref(&far), NOW).0);
        let (_, report) = report(&[far], NOW);
        assert_eq!(report["checks"]["queue:responseTime"][0]["output"], "the clock of the latest result is ahead");
    }
}
