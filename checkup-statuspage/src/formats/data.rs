//! The page's data: the summary, made small enough to be sent at once (`web/FORMAT.md`).

use std::time::Duration;

use checkup_core::Timestamp;
use checkup_core::summary::{Point, Series, Summary, Window};
use serde_json::{Value, json};

use super::overview::{Frame, detail_id, overview};

/// Results within this time become one entry if only their round-trip times differ. The page's chart has steps of this size.
const SLOT: Duration = Duration::from_secs(600);

/// How many results, runs and daily statistics are sent of all checks together, after results were joined: about 200 KB. If there are more, the
/// page gets an overview, and loads the details of a check when a visitor opens it.
const MAX_WHOLE: usize = 40_000;

/// The JSON of `summary.json` as it is served.
pub(crate) fn page_data(summary: &Summary, frame: Frame<'_>) -> String {
    if is_large(summary) { overview(summary, frame).to_string() } else { whole(summary) }
}

/// The details of the check with this id, in the same form.
pub(crate) fn detail(summary: &Summary, id: &str) -> Option<String> {
    let series = summary.checks().filter_map(|series| series.first());
    let of = series.into_iter().find(|series| detail_id(&series.name, &series.endpoint) == id)?;
    Some(whole(&summary.of_check(&of.name, &of.endpoint)))
}

/// The details of each check with the name of its file, if the page gets an overview.
pub(crate) fn details(summary: &Summary) -> impl Iterator<Item = (String, String)> {
    let checks = summary.checks().filter(|_| is_large(summary)).filter_map(|series| series.first());
    checks.map(|of| {
        let data = whole(&summary.of_check(&of.name, &of.endpoint));
        (format!("detail/{}.json", detail_id(&of.name, &of.endpoint)), data)
    })
}

/// Whether all data are too much to send.
pub(crate) fn is_large(summary: &Summary) -> bool {
    let mut room = MAX_WHOLE;
    summary.series.iter().any(|series| {
        let slots = series.recent.chunk_by(|a, b| slot(a.timestamp) == slot(b.timestamp) && a.status == b.status);
        let count = slots.count() + series.days.len() + series.run_count();
        room = room.saturating_sub(count);
        room == 0
    })
}

fn whole(summary: &Summary) -> String {
    let mut thin = summary.clone();
    thin.complete_runs();
    let counts: Vec<_> = thin.series.iter_mut().map(|series| thin_out(series, &summary.windows)).collect();
    let latest = thin.series.iter().filter_map(|series| series.recent.last()).map(|point| point.timestamp).max();
    // Not the time of this request, because the same data must have the same tag.
    thin.made = latest.unwrap_or_default();
    let mut value = serde_json::to_value(&thin).unwrap_or_else(|_| json!({ "version": 2, "series": [] }));
    if let Some(object) = value.as_object_mut() {
        object.insert("files".to_owned(), json!([]));
        object.insert("days".to_owned(), json!({}));
    }
    let all = value.get_mut("series").and_then(Value::as_array_mut).into_iter().flatten();
    for ((series, counts), whole) in all.zip(counts).zip(&summary.series) {
        let Some(series) = series.as_object_mut() else { continue };
        series.insert("open".to_owned(), open_days(summary, whole));
        let recent = series.get_mut("recent").and_then(Value::as_object_mut);
        if let Some(recent) = recent.filter(|_| counts.iter().any(|count| *count > 1)) {
            recent.insert("n".to_owned(), json!(counts));
        }
    }
    value.to_string()
}

/// The statistics of the days that the summary has not closed, from all results. Joined points would give other quantiles.
fn open_days(summary: &Summary, series: &Series) -> Value {
    let micros = |time: Option<Duration>| time.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    let days = summary.days(series);
    let open = days.iter().filter(|day| series.days.last().is_none_or(|closed| day.day > closed.day));
    let rows = open.map(|day| {
        json!([
            day.day,
            day.healthy,
            day.degraded,
            day.down,
            day.excluded,
            micros(day.p50),
            micros(day.p90),
            micros(day.p99)
        ])
    });
    rows.collect()
}

/// Joins neighbours that are alike. Returns how many results each remaining point represents.
fn thin_out(series: &mut Series, windows: &[Window]) -> Vec<usize> {
    for day in &mut series.days {
        (day.p50, day.p90, day.p99) = (day.p50.map(rounded), day.p90.map(rounded), day.p99.map(rounded));
    }
    let mut points = std::mem::take(&mut series.recent);
    // The last point is the latest result, which the page shows as such.
    let latest = points.pop();
    let in_window = |point: &Point| windows.iter().any(|window| window.covers(&series.name, point.timestamp));
    let mut kept: Vec<Point> = Vec::new();
    let mut counts = Vec::new();
    let mut before: Option<&Point> = None;
    let mut rest = &points[..];
    while let Some(first) = rest.first() {
        let alike = |point: &&Point| {
            slot(point.timestamp) == slot(first.timestamp)
                && (point.status, &point.reason, point.rtt.is_some())
                    == (first.status, &first.reason, first.rtt.is_some())
                && in_window(point) == in_window(first)
        };
        // A point at which an incident may begin or end keeps its time: the first of a status, of a UTC day (an incident of a closed
        // day is continued there), and after the beginning or end of a maintenance window (results in one belong to no incident).
        let is_edge = before.is_none_or(|before| {
            before.status != first.status
                || day(before.timestamp) != day(first.timestamp)
                || in_window(before) != in_window(first)
        });
        let count = if is_edge { 1 } else { rest.iter().take_while(alike).count().max(1) };
        let (joined, after) = rest.split_at(count);
        kept.push(join(joined));
        counts.push(count);
        before = joined.last();
        rest = after;
    }
    if let Some(latest) = latest {
        kept.push(latest);
        counts.push(1);
    }
    series.recent = kept;
    counts
}

fn join(points: &[Point]) -> Point {
    // The last, so that the last result of a status keeps its time.
    let mut joined = points[points.len() - 1].clone();
    let mut times: Vec<_> = points.iter().filter_map(|point| point.rtt).collect();
    times.sort_unstable();
    let ends = points.iter().filter_map(|point| point.spread.or(point.rtt.map(|rtt| (rtt, rtt))));
    let spread = ends.reduce(|(low, high), (lower, higher)| (low.min(lower), high.max(higher)));
    joined.rtt = times.get(times.len() / 2).copied().map(rounded);
    joined.spread = spread.map(|(low, high)| (rounded(low), rounded(high))).filter(|(low, high)| low != high);
    joined
}

/// The UTC day of a moment.
fn day(moment: Timestamp) -> i64 {
    moment.unix_nanos().div_euclid(86_400 * 1_000_000_000)
}

/// The number of the slot that a moment is in. A UTC day is a whole number of slots.
fn slot(moment: Timestamp) -> i64 {
    moment.unix_nanos().div_euclid(i64::try_from(SLOT.as_nanos()).unwrap_or(i64::MAX))
}

/// Rounds to three significant digits: a chart shows no more, and they compress to half the size.
fn rounded(time: Duration) -> Duration {
    let micros = time.as_micros();
    let mut unit = 1;
    while micros / unit >= 1000 {
        unit *= 10;
    }
    Duration::from_micros(u64::try_from((micros + unit / 2) / unit * unit).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use checkup_core::{Attempt, CheckResult, MaintenanceWindow, Status};

    use super::*;
    use crate::formats::representation::{Cache, Representation};

    fn result(second: i64, millis: u64, status: Status) -> CheckResult {
        let mut result = CheckResult::new("API", "x");
        result.timestamp = Timestamp::from_unix_nanos((1_795_340_100 + second) * 1_000_000_000);
        result.attempts = vec![Attempt::success(Duration::from_micros(millis * 1000 + 7))];
        result.status = status;
        result
    }

    fn data(results: &[CheckResult]) -> Value {
        let mut summary = Summary::new();
        summary.add(results);
        serde_json::from_str(&whole(&summary)).unwrap()
    }

    #[test]
    fn neighbours_that_are_alike_are_one_and_counted() {
        let healthy = Status::Healthy;
        let data = data(&[
            result(0, 10, healthy),
            result(60, 30, healthy),
            result(120, 20, healthy),
            result(180, 20, Status::Degraded),
            result(200, 20, healthy),
            result(220, 20, healthy),
            result(240, 20, healthy),
            result(300, 20, healthy),
        ]);
        let recent = &data["series"][0]["recent"];
        // The first, the change, the recovery and the latest keep their own times.
        assert_eq!(recent["n"], json!([1, 2, 1, 1, 2, 1]), "{recent}");
        assert_eq!(recent["status"], "hhghhh");
        assert_eq!(recent["rtt"], json!([10_000, 30_000, 20_000, 20_000, 20_000, 20_007]), "the latest is exact");
        assert_eq!((&recent["low"][1], &recent["high"][1]), (&json!(20_000), &json!(30_000)));
        assert_eq!(recent["at"], json!([1_795_340_100_000_u64, 120_000, 60_000, 20_000, 40_000, 60_000]));
    }

    /// Knuth's: the same numbers each time.
    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    #[test]
    fn incidents_and_open_days_are_the_same_from_served_data() {
        const DAY: i64 = 86_400;
        let midnight = 1_795_340_100 / DAY * DAY;
        for seed in 0..300 {
            let mut state = seed;
            let mut summary = Summary::new();
            // Two days that end at any time of the third, often near its beginning.
            let past = if seed % 3 > 0 { 1800 } else { DAY };
            let now = midnight + 1 + i64::try_from(random(&mut state)).unwrap() % past;
            let step = [47, 60, 119, 295][usize::try_from(seed & 3).unwrap()];
            let mut status = Status::Healthy;
            let mut results = Vec::new();
            for second in (now - 2 * DAY..=now).rev().step_by(step) {
                if random(&mut state).is_multiple_of(40) {
                    status = [Status::Healthy, Status::Degraded, Status::Down]
                        [usize::try_from(random(&mut state) % 3).unwrap()];
                }
                let mut result = result(0, random(&mut state) % 900 + 1, status);
                result.timestamp = Timestamp::from_unix_nanos(second * 1_000_000_000);
                results.push(result);
            }
            for hours in [1, 5] {
                let from = Timestamp::from_unix_nanos((now - hours * 3600) * 1_000_000_000);
                let to = from.saturating_add(Duration::from_secs(1500));
                results.last_mut().unwrap().maintenance = Some(Box::new(MaintenanceWindow::new(from, to)));
                summary.add(&results[results.len() - 1..]);
            }
            summary.add(&results);
            // As an archive makes it: the days before today are closed, and the results of the last 24 hours are there too.
            let mut detailed = summary.clone();
            detailed.forget_before(Timestamp::from_unix_nanos((now - DAY) * 1_000_000_000));
            summary.forget_before(Timestamp::from_unix_nanos(midnight * 1_000_000_000));
            let mut json = serde_json::to_value(&summary).unwrap();
            json["series"][0]["recent"] = serde_json::to_value(&detailed).unwrap()["series"][0]["recent"].take();
            if seed % 3 == 1 {
                // Nothing is known of the closed days' incidents, so that one begins with the open day.
                json["series"][0]["incidents"] = json!([]);
            }
            summary = serde_json::from_value(json).unwrap();
            let text = whole(&summary);
            let served: Summary = serde_json::from_str(&text).unwrap();
            assert!(served.series[0].recent.len() * 5 < summary.series[0].recent.len() * 4, "points are joined");
            let (whole, thin) = (&summary.series[0], &served.series[0]);
            assert_eq!(served.incidents(thin), summary.incidents(whole), "seed {seed}, now {now}");
            let (latest, exact) = (thin.recent.last().unwrap(), whole.recent.last().unwrap());
            assert_eq!((latest.timestamp, latest.rtt), (exact.timestamp, exact.rtt));
            let open: Value = serde_json::from_str::<Value>(&text).unwrap()["series"][0]["open"].take();
            let exact = summary.days(whole);
            let exact: Vec<_> = exact.iter().filter(|row| row.day > whole.days.last().unwrap().day).collect();
            assert_eq!(open.as_array().unwrap().len(), exact.len());
            for (open, exact) in open.as_array().unwrap().iter().zip(exact) {
                assert_eq!(open[0], exact.day);
                assert_eq!((&open[1], &open[3]), (&json!(exact.healthy), &json!(exact.down)));
                for (place, time) in [(5, exact.p50), (6, exact.p90), (7, exact.p99)] {
                    assert_eq!(open[place], json!(time.map(|time| u64::try_from(time.as_micros()).unwrap())));
                }
            }
        }
    }

    #[test]
    fn ninety_days_of_20_checks_at_3_locations_are_small() {
        const DAY: i64 = 86_400;
        let mut summary = Summary::new();
        let now = 1_795_340_100 / DAY * DAY + DAY / 2;
        let mut random = 1_u64;
        for series in 0..60 {
            let old = (now - 90 * DAY..now - DAY).step_by(7200);
            let results = old.chain((now - DAY..now).step_by(60)).map(|second| {
                // Knuth's: no two round-trip times are alike, which is the worst for compression.
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let mut result = CheckResult::new(format!("check {}", series / 3), "https://shop.example.com/health");
                result.location = Some(["eu-west", "us-east", "asia"][series % 3].into());
                result.timestamp = Timestamp::from_unix_nanos(second * 1_000_000_000);
                result.attempts = vec![Attempt::success(Duration::from_micros(20_000 + random % 60_000))];
                result
            });
            summary.add(&results.collect::<Vec<_>>());
        }
        summary.forget_before(Timestamp::from_unix_nanos((now - DAY) * 1_000_000_000));
        assert!(summary.series[0].days.len() >= 89, "the days are figures");
        let data = Representation::new("application/json", Cache::Revalidate, whole(&summary));
        // The rest of 150 KB is the page's own.
        assert!(data.compressed_size() <= 120 * 1024, "{} bytes", data.compressed_size());
    }

    #[test]
    fn single_results_need_no_counts_and_equal_data_are_equal_text() {
        let results = [result(0, 1, Status::Healthy), result(300, 1, Status::Healthy)];
        let mut summary = Summary::new();
        summary.add(&results);
        let first = whole(&summary);
        let value: Value = serde_json::from_str(&first).unwrap();
        assert!(value["series"][0]["recent"].get("n").is_none(), "{first}");
        summary.made = Timestamp::now();
        assert_eq!(whole(&summary), first);
    }
}
