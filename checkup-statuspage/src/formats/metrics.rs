//! Metrics in the text formats of OpenMetrics and of Prometheus.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use checkup_core::health::is_ahead;
use checkup_core::summary::Summary;
use checkup_core::{CheckResult, Phase, Status, Timestamp};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub(crate) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
pub(crate) const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The limit of checks and locations with metrics. Random names must not fill the memory of the scraper.
const MAX_SERIES: usize = 2000;

/// The longest label in characters. Longer names, endpoints and locations are cut.
const MAX_LABEL: usize = 200;

/// The upper bounds of the histogram's buckets in seconds: from the time to a machine nearby to a usual timeout.
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

type Labels = Vec<(&'static str, String)>;
type Seconds = Family<Labels, Gauge<f64, AtomicU64>>;

/// The metrics of a process over all results since its start.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    up: Family<Labels, Gauge>,
    status: Family<Labels, Gauge>,
    last_run: Seconds,
    rtt: Family<Labels, Histogram, fn() -> Histogram>,
    phase: Seconds,
    certificate: Seconds,
    results: Family<Labels, Counter>,
    dropped: Counter,
    /// The time of the latest result of each series.
    latest: Mutex<HashMap<Labels, Timestamp>>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("checkup");
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let metrics = Self {
            up: Family::default(),
            status: Family::default(),
            last_run: Family::default(),
            rtt: Family::new_with_constructor(histogram),
            phase: Family::default(),
            certificate: Family::default(),
            results: Family::default(),
            dropped: Counter::default(),
            latest: Mutex::default(),
            registry: Registry::default(),
        };
        registry.register("up", "1 unless the check's latest result is down", metrics.up.clone());
        registry.register("status", "1 for the status of the latest result, else 0", metrics.status.clone());
        let unit = || Unit::Seconds;
        let help = "When the latest check started, since 1970";
        registry.register_with_unit("last_run_timestamp", help, unit(), metrics.last_run.clone());
        let help = "The round-trip times of successful attempts";
        registry.register_with_unit("rtt", help, unit(), metrics.rtt.clone());
        let help = "The duration of each phase of the first attempt of the latest result";
        registry.register_with_unit("phase", help, unit(), metrics.phase.clone());
        let help = "When the certificate expires, since 1970";
        registry.register_with_unit("certificate_expiry_timestamp", help, unit(), metrics.certificate.clone());
        registry.register("results", "The results by status", metrics.results.clone());
        registry.register(
            "dropped_results",
            "The results that are not counted because there are too many series",
            metrics.dropped.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Counts new results. Results from a clock that is far ahead of `now` are logged and not counted, since they would remain the latest until
    /// that time.
    pub(crate) fn observe(&self, results: &[CheckResult], now: Timestamp) {
        let ahead = results.iter().filter(|result| is_ahead(result.timestamp, now));
        if let Some(first) = ahead.clone().next() {
            let (check, time, results) = (&first.name, first.timestamp, ahead.count());
            tracing::warn!(?check, %time, results, "results from the future are left out of metrics: a clock is wrong");
        }
        for result in results.iter().filter(|result| !is_ahead(result.timestamp, now)) {
            let labels = labels(&result.name, &result.endpoint, result.location.as_deref());
            let Some(is_latest) = self.admit(&labels, result.timestamp) else {
                self.dropped.inc();
                continue;
            };
            self.results.get_or_create(&with(&labels, "status", result.status.as_str())).inc();
            let histogram = self.rtt.get_or_create_owned(&labels);
            for attempt in result.attempts.iter().filter(|attempt| attempt.is_success()) {
                histogram.observe(attempt.rtt.as_secs_f64());
            }
            if !is_latest {
                continue;
            }
            self.show(&labels, result.status, result.timestamp);
            match result.facts().certificate_expiry {
                Some(expiry) => drop(self.certificate.get_or_create(&labels).set(seconds(expiry))),
                // A failed connection says nothing about the known certificate.
                None if result.status == Status::Down => {}
                None => drop(self.certificate.remove(&labels)),
            }
            let phases = result.phases().map(|phases| Phase::ALL.map(|phase| (phase, phases.get(phase))));
            for (phase, time) in phases.into_iter().flatten() {
                let labels = with(&labels, "phase", phase.as_str());
                match time {
                    Some(time) => drop(self.phase.get_or_create(&labels).set(time.as_secs_f64())),
                    None => drop(self.phase.remove(&labels)),
                }
            }
        }
    }

    /// Shows the latest results of a history, unless they are older than `since`. They are not counted.
    pub(crate) fn show_latest(&self, summary: &Summary, since: Timestamp, now: Timestamp) {
        for series in &summary.series {
            let latest = series.recent.iter().rev().find(|point| !is_ahead(point.timestamp, now));
            let Some(point) = latest.filter(|point| point.timestamp >= since) else { continue };
            let labels = labels(&series.name, &series.endpoint, series.location.as_deref());
            if self.admit(&labels, point.timestamp) == Some(true) {
                self.show(&labels, point.status, point.timestamp);
            }
        }
    }

    /// Removes series without a result since then. A check that was removed or renamed must not stay down forever.
    pub(crate) fn forget_before(&self, time: Timestamp) {
        let mut latest = self.latest();
        for (labels, _) in latest.extract_if(|_, known| *known < time) {
            self.up.remove(&labels);
            self.last_run.remove(&labels);
            self.rtt.remove(&labels);
            self.certificate.remove(&labels);
            for status in [Status::Healthy, Status::Degraded, Status::Down] {
                let labels = with(&labels, "status", status.as_str());
                self.status.remove(&labels);
                self.results.remove(&labels);
            }
            for phase in Phase::ALL {
                self.phase.remove(&with(&labels, "phase", phase.as_str()));
            }
        }
    }

    /// The metrics in the older format of Prometheus, for clients that do not ask for OpenMetrics. In it, the suffix of a counter is part
    /// of its name, and there are no units and no end marker.
    pub(crate) fn prometheus_text(&self) -> String {
        let text = self.text();
        let counters: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
        let line = |line: &str| {
            let of = line.split(' ').nth(2).filter(|name| line.starts_with("# ") && counters.contains(name));
            let name = of.unwrap_or_default();
            let line = if name.is_empty() { line.to_owned() } else { line.replacen(name, &format!("{name}_total"), 1) };
            line + "\n"
        };
        let kept = text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF");
        kept.map(line).collect()
    }

    /// The metrics in the format of OpenMetrics.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            tracing::error!("the metrics could not be written");
        }
        text
    }

    fn show(&self, labels: &Labels, status: Status, timestamp: Timestamp) {
        self.up.get_or_create(labels).set(i64::from(status < Status::Down));
        for each in [Status::Healthy, Status::Degraded, Status::Down] {
            self.status.get_or_create(&with(labels, "status", each.as_str())).set(i64::from(each == status));
        }
        self.last_run.get_or_create(labels).set(seconds(timestamp));
    }

    /// Whether this is the latest result of its series so far. `None` if there are too many series.
    fn admit(&self, labels: &Labels, timestamp: Timestamp) -> Option<bool> {
        let mut latest = self.latest();
        if let Some(known) = latest.get_mut(labels) {
            let is_latest = timestamp >= *known;
            *known = timestamp.max(*known);
            return Some(is_latest);
        }
        if latest.len() >= MAX_SERIES {
            return None;
        }
        latest.insert(labels.clone(), timestamp);
        Some(true)
    }

    fn latest(&self) -> MutexGuard<'_, HashMap<Labels, Timestamp>> {
        // Each change is a single call on the map, so a panic cannot leave it half done.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn labels(name: &str, endpoint: &str, location: Option<&str>) -> Labels {
    let cut = |text: &str| text.chars().take(MAX_LABEL).filter(|c| !c.is_control()).collect();
    let mut labels = vec![("check", cut(name)), ("endpoint", cut(endpoint))];
    labels.extend(location.map(|location| ("location", cut(location))));
    labels
}

fn with(labels: &Labels, name: &'static str, value: &str) -> Labels {
    let mut labels = labels.clone();
    labels.push((name, value.to_owned()));
    labels
}

#[allow(clippy::cast_precision_loss, reason = "a double has microseconds until 2255")]
fn seconds(moment: Timestamp) -> f64 {
    (moment.unix_nanos() / 1000) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use checkup_core::{Attempt, Cause, Facts};

    use super::*;

    fn result(name: &str, at: i64, status: Status) -> CheckResult {
        let mut result = CheckResult::new(name, "https://example.com");
        result.timestamp = Timestamp::from_unix_nanos(at * 1_000_000_000);
        result.status = status;
        let rtt = Duration::from_millis(30);
        result.attempts = match status {
            Status::Down => vec![Attempt::failure(rtt, Cause::Refused, "connection refused")],
            _ => vec![Attempt::success(rtt)],
        };
        result
    }

    fn expiring(at: i64) -> Facts {
        Facts::new().certificate_expiry(Timestamp::from_unix_nanos(at * 1_000_000_000))
    }

    const NOW: Timestamp = Timestamp::from_unix_nanos(10_000_000_000_000);

    #[test]
    fn a_result_from_the_future_is_left_out_until_its_time() {
        let metrics = Metrics::new();
        let results = [result("API", 10_000, Status::Down), result("API", 10_000 + 365 * 86_400, Status::Healthy)];
        let mut summary = Summary::new();
        summary.add(&results);
        metrics.observe(&results, NOW);
        metrics.show_latest(&summary, Timestamp::default(), NOW);
        let shows = |line: &str| metrics.text().contains(&format!("checkup_{line}"));
        let labels = r#"check="API",endpoint="https://example.com""#;
        assert!(shows(&format!("up{{{labels}}} 0")), "{}", metrics.text());
        assert!(shows(&format!("last_run_timestamp_seconds{{{labels}}} 10000.0")));
        assert!(!shows(&format!("results_total{{{labels},status=\"healthy\"}}")));
        metrics.show_latest(&summary, Timestamp::default(), results[1].timestamp);
        assert!(shows(&format!("up{{{labels}}} 1")), "its time has come");
    }

    #[test]
    fn the_latest_result_shows_and_all_count() {
        let metrics = Metrics::new();
        metrics.observe(&[result("API", 20, Status::Down)], NOW);
        metrics.observe(&[result("API", 10, Status::Healthy)], NOW);
        let text = metrics.text();
        for line in [
            r#"checkup_up{check="API",endpoint="https://example.com"} 0"#,
            r#"checkup_status{check="API",endpoint="https://example.com",status="down"} 1"#,
            r#"checkup_status{check="API",endpoint="https://example.com",status="healthy"} 0"#,
            r#"checkup_last_run_timestamp_seconds{check="API",endpoint="https://example.com"} 20.0"#,
            r#"checkup_rtt_seconds_count{check="API",endpoint="https://example.com"} 1"#,
            r#"checkup_rtt_seconds_bucket{le="0.05",check="API",endpoint="https://example.com"} 1"#,
            r#"checkup_results_total{check="API",endpoint="https://example.com",status="healthy"} 1"#,
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn the_older_format_has_the_suffix_in_the_names_of_counters_and_no_end() {
        let metrics = Metrics::new();
        metrics.observe(&[result("API", 20, Status::Healthy)], NOW);
        let text = metrics.prometheus_text();
        for line in
            ["# TYPE checkup_results_total counter", "# TYPE checkup_up gauge", "checkup_dropped_results_total 0"]
        {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(text.contains("# HELP checkup_results_total The results"), "{text}");
        assert!(!text.contains("EOF") && !text.contains("# UNIT") && !text.contains("_total_total"), "{text}");
    }

    #[test]
    fn phases_and_the_expiry_of_a_certificate_show_while_they_are_known() {
        let metrics = Metrics::new();
        let mut first = result("API", 1_000, Status::Degraded);
        first.attempts[0].phases.add(Phase::Connect, Duration::from_millis(2));
        // The text of a notice is for people.
        first.notice = Some("certificate expiring soon (9h0m0s)".into());
        first.attempts[0].facts = Some(Box::new(expiring(4_600)));
        let mut summary = Summary::new();
        summary.add(std::slice::from_ref(&first));
        metrics.observe(&[first], NOW);
        metrics.show_latest(&summary, Timestamp::default(), NOW);
        let text = metrics.text();
        assert!(text.contains("phase=\"connect\"} 0.002"), "{text}");
        let expiry =
            "checkup_certificate_expiry_timestamp_seconds{check=\"API\",endpoint=\"https://example.com\"} 4600.0";
        assert!(text.contains(expiry), "{text}");
        metrics.observe(&[result("API", 2_000, Status::Down)], NOW);
        assert!(metrics.text().contains(expiry), "a failure to connect says nothing about the certificate");
        metrics.observe(&[result("API", 3_000, Status::Healthy)], NOW);
        assert!(!metrics.text().contains("checkup_certificate_expiry_timestamp_seconds{"));
    }

    #[test]
    fn a_series_without_results_ends_and_one_may_take_its_place() {
        let metrics = Metrics::new();
        let mut gone = result("gone", 1_000, Status::Degraded);
        gone.attempts[0].phases.add(Phase::Connect, Duration::from_millis(2));
        gone.attempts[0].facts = Some(Box::new(expiring(4_600)));
        metrics.observe(&[gone.clone(), result("API", 2_000, Status::Healthy)], NOW);
        assert!(metrics.text().contains("phase=\"connect\"} 0.002"));
        metrics.forget_before(Timestamp::from_unix_nanos(1_500_000_000_000));
        let text = metrics.text();
        assert!(!text.contains("gone") && text.contains("checkup_up{check=\"API\""), "{text}");
        // Nor does a history bring it back.
        let mut summary = Summary::new();
        summary.add(&[gone]);
        metrics.show_latest(&summary, Timestamp::from_unix_nanos(1_500_000_000_000), NOW);
        assert!(!metrics.text().contains("gone"));
    }

    #[test]
    fn labels_are_bounded_and_escaped() {
        let metrics = Metrics::new();
        let names = (0..MAX_SERIES + 5).map(|number| format!("{number}\"\n\\{}", "x".repeat(1000)));
        let results: Vec<_> = names.map(|name| result(&name, 1, Status::Healthy)).collect();
        metrics.observe(&results, NOW);
        let text = metrics.text();
        assert!(text.contains("checkup_dropped_results_total 5"), "the rest is dropped");
        let up: Vec<_> = text.lines().filter(|line| line.starts_with("checkup_up{")).collect();
        assert_eq!(up.len(), MAX_SERIES);
        assert!(up.iter().all(|line| line.len() < 300 && line.contains("\\\"") && line.ends_with("} 1")), "{}", up[0]);
    }
}
