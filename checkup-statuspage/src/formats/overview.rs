//! The overview: the data of a page with many checks. It has what is shown of every check; the rest of a check is loaded when a visitor opens it
//! (`web/FORMAT.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use checkup_core::history::{Incident, Rules, Segment, State, Stretch, Timeline};
use checkup_core::summary::{Series, Summary};
use checkup_core::{Status, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::representation::hex;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The windows that uptime is shown of, in days, besides the timeframe of the page.
const WINDOWS: [u32; 4] = [1, 7, 30, 90];

/// How many incidents an overview has at most: the latest. A check that is opened has all of its own.
const MAX_INCIDENTS: usize = 5000;

/// How many days an overview has at most.
const MAX_DAYS: i64 = 400;

/// If no result arrives, the figures are renewed this often, so that not every minute needs new data.
const STEP: Duration = Duration::from_secs(600);

/// How results become what is shown, and for which time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) timeframe: Duration,
    pub(crate) now: Timestamp,
}

/// The name of the file with the details of a check, without its ending.
pub(crate) fn detail_id(name: &str, endpoint: &str) -> String {
    hex(&Sha256::digest(format!("{name}\n{endpoint}").as_bytes())[..8])
}

/// The JSON of an overview. Equal data give equal text for at least ten minutes.
pub(crate) fn overview(summary: &Summary, frame: Frame<'_>) -> Value {
    let results = summary.series.iter().filter_map(|series| series.latest_at(frame.now)).map(|point| point.timestamp);
    let step = nanos(STEP);
    let begun = Timestamp::from_unix_nanos(frame.now.unix_nanos().div_euclid(step).saturating_mul(step));
    let at = results.max().unwrap_or_default().max(begun).min(frame.now);
    let mut present = summary.present(frame.now);
    present.made = at;
    let mut value = serde_json::to_value(&present).unwrap_or_else(|_| json!({ "version": 2, "series": [] }));
    let spans = spans(frame.timeframe);
    let last = day_of(at);
    let first =
        last + 1 - i64::try_from(frame.timeframe.as_secs().div_ceil(DAY.as_secs())).unwrap_or(1).clamp(7, MAX_DAYS);
    let mut checks: Vec<_> = summary
        .checks()
        .map(|series| Figures::new(summary, series, &Frame { now: at, ..frame }, &spans, (first, last)))
        .collect();
    let left_out = keep_latest(&mut checks);
    let checks: Vec<_> = checks.into_iter().map(Figures::json).collect();
    let millis: Vec<_> = spans.iter().map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)).collect();
    if let Some(object) = value.as_object_mut() {
        let overview = json!({ "first": first, "spans": millis, "left_out": left_out, "checks": checks });
        object.insert("overview".to_owned(), overview);
    }
    value
}

/// What is shown of a check as long as it is closed.
struct Figures {
    name: String,
    endpoint: String,
    state: State,
    since: Option<Timestamp>,
    first: Option<Timestamp>,
    /// The uptime and the known share of each window.
    uptimes: Vec<(Option<f64>, f64)>,
    /// The seconds in each state other than healthy, by day.
    days: BTreeMap<&'static str, Vec<(i64, u64)>>,
    incidents: Vec<Incident>,
}

impl Figures {
    fn new(summary: &Summary, series: &[Series], frame: &Frame<'_>, spans: &[Duration], days: (i64, i64)) -> Self {
        let (name, endpoint) = series.first().map_or(("", ""), |series| (&series.name, &series.endpoint));
        let timeline = summary.timeline(series, frame.rules.quorum, frame.now);
        let uptime = |span: &Duration| {
            let time = timeline.availability(frame.now.saturating_sub(*span), frame.now);
            (time.uptime(), time.known_share())
        };
        let mut incidents = timeline.incidents(frame.rules.hysteresis(name));
        let oldest = frame.now.saturating_sub(frame.timeframe);
        incidents.retain(|incident| incident.to.is_none_or(|to| to >= oldest));
        Self {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            state: timeline.state(),
            since: timeline.since(),
            first: timeline.start(),
            uptimes: spans.iter().map(uptime).collect(),
            days: seconds_by_day(&timeline, frame.now, days),
            incidents,
        }
    }

    fn json(self) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
        put("detail", json!(detail_id(&self.name, &self.endpoint)));
        put("title", json!(self.name));
        put("endpoint", json!(self.endpoint));
        put("state", json!(self.state.as_str()));
        put("since", json!(self.since.map(millis)));
        put("first", json!(self.first.map(millis)));
        let flat: Vec<_> = self.uptimes.iter().flat_map(|(share, known)| [share.map(cut), Some(cut(*known))]).collect();
        put("uptimes", json!(flat));
        if !self.days.is_empty() {
            put("days", self.days.into_iter().map(|(state, days)| (state.to_owned(), steps(&days))).collect());
        }
        if !self.incidents.is_empty() {
            put("incidents", self.incidents.iter().map(incident).collect());
        }
        object.into()
    }
}

/// The windows of uptime: the usual ones that are not longer than the timeframe, and the timeframe itself.
fn spans(timeframe: Duration) -> Vec<Duration> {
    let usual = WINDOWS.into_iter().map(|days| DAY * days).filter(|span| *span == DAY || *span <= timeframe);
    usual.chain([timeframe]).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Removes all but the latest incidents of all checks together. Returns how many.
fn keep_latest(checks: &mut [Figures]) -> usize {
    let mut onsets: Vec<_> = checks.iter().flat_map(|check| check.incidents.iter().map(|one| one.from)).collect();
    let Some(surplus) = onsets.len().checked_sub(MAX_INCIDENTS).filter(|surplus| *surplus > 0) else { return 0 };
    let (_, oldest, _) = onsets.select_nth_unstable(surplus);
    let oldest = *oldest;
    let mut removed = 0;
    for check in checks {
        let before = check.incidents.len();
        // Those that continue are shown at the top.
        check.incidents.retain(|incident| incident.from >= oldest || incident.to.is_none());
        removed += before - check.incidents.len();
    }
    removed
}

/// The seconds in each state other than healthy, for each day with any.
fn seconds_by_day(
    timeline: &Timeline<'_>,
    now: Timestamp,
    (first, last): (i64, i64),
) -> BTreeMap<&'static str, Vec<(i64, u64)>> {
    let mut sums = BTreeMap::<&'static str, BTreeMap<i64, Duration>>::new();
    for Stretch { from, to, state, .. } in timeline.stretches(start_of(first), start_of(last + 1).min(now)) {
        let mut at = from;
        while at < to && state != State::Healthy {
            let day = day_of(at);
            let end = to.min(start_of(day + 1));
            *sums.entry(state.as_str()).or_default().entry(day - first).or_default() += end.since(at);
            at = end;
        }
    }
    let seconds = |days: BTreeMap<i64, Duration>| {
        days.into_iter()
            .map(|(day, time)| (day, time.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)))
            .collect()
    };
    sums.into_iter().map(|(state, days)| (state, seconds(days))).collect()
}

/// Days and their seconds in one list, each day as the distance from the one before it.
fn steps(days: &[(i64, u64)]) -> Value {
    let mut before = 0;
    let flat = days.iter().flat_map(|(day, seconds)| {
        let step = day - std::mem::replace(&mut before, *day);
        [json!(step), json!(seconds)]
    });
    flat.collect()
}

fn incident(incident: &Incident) -> Value {
    let mut value = json!({
        "id": incident.id,
        "from": millis(incident.from),
        "status": incident.status.as_str(),
        "segments": incident.segments.iter().map(|one| segment(one, incident.from)).collect::<Vec<_>>(),
    });
    if let Some(object) = value.as_object_mut() {
        let mut put = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
        incident.to.into_iter().for_each(|to| put("to", json!(millis(to))));
        incident.last_seen.into_iter().for_each(|time| put("last_seen", json!(millis(time))));
        if incident.in_maintenance {
            put("in_maintenance", json!(true));
        }
    }
    value
}

/// Status, beginning and length, locations, reasons.
fn segment(segment: &Segment, onset: Timestamp) -> Value {
    let letter = if segment.status == Status::Down { "d" } else { "g" };
    let begin = millis(segment.from) - millis(onset);
    json!([letter, begin, millis(segment.to) - millis(segment.from), segment.locations, segment.reasons])
}

/// A share with seven digits, and never rounded up: nearly all is not all.
fn cut(share: f64) -> f64 {
    (share * 1e7).floor() / 1e7
}

fn millis(time: Timestamp) -> i64 {
    time.unix_nanos().div_euclid(1_000_000)
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

fn day_of(time: Timestamp) -> i64 {
    time.unix_nanos().div_euclid(nanos(DAY))
}

fn start_of(day: i64) -> Timestamp {
    Timestamp::from_unix_nanos(day.saturating_mul(nanos(DAY)))
}

#[cfg(test)]
mod tests {
    use checkup_core::history::Hysteresis;
    use checkup_core::{Attempt, Cause, CheckResult};

    use super::*;
    use crate::formats::data::{detail, page_data};
    use crate::formats::representation::{Cache, Representation};

    const MINUTE: i64 = 60_000;
    const NOW: i64 = 1_795_340_100_000;

    fn time(millis: i64) -> Timestamp {
        Timestamp::from_unix_nanos(millis * 1_000_000)
    }

    /// Knuth's: the same numbers each time.
    fn random(state: &mut u64) -> i64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(*state >> 33).unwrap()
    }

    /// A summary of results every minute for 90 days, with slow results and outages at random times. The last day is known in detail.
    fn large(checks: i64, slow: i64, outages: i64) -> Summary {
        let mut state = 7;
        let (first, minutes) = (NOW - 90 * 1440 * MINUTE, 90 * 1440);
        let day = NOW.div_euclid(1440 * MINUTE);
        let mut series = Vec::new();
        for check in 0..checks {
            for location in ["eu-west", "us-east", "asia"] {
                let mut bad: Vec<(i64, i64, char)> =
                    (0..slow).map(|_| (random(&mut state) % (minutes - 9), 1, 'g')).collect();
                bad.extend(
                    (0..outages).map(|_| (random(&mut state) % (minutes - 9), 2 + random(&mut state) % 30, 'd')),
                );
                bad.sort_unstable();
                let (mut at, mut length, mut status, mut n, mut reasons) =
                    (vec![], vec![], String::new(), vec![], Map::new());
                let (mut next, mut before) = (0, 0);
                let mut push = |from: i64, count: i64, letter: char| {
                    if count <= 0 {
                        return;
                    }
                    at.push(first + from * MINUTE - before);
                    before = first + from * MINUTE;
                    length.push((count - 1) * MINUTE);
                    status.push(letter);
                    n.push(count);
                    if letter == 'd' {
                        reasons.insert((n.len() - 1).to_string(), json!([["connection refused", count]]));
                    }
                };
                for (from, count, letter) in bad {
                    if from > next {
                        push(next, from - next, 'h');
                        push(from, count.min(minutes - from), letter);
                        next = from + count;
                    }
                }
                push(next, minutes - next, 'h');
                let days: Vec<_> = (1..=90)
                    .map(|ago| {
                        json!([
                            day - ago,
                            1437,
                            3,
                            0,
                            0,
                            20_000 + random(&mut state) % 9000,
                            30_000,
                            40_000 + random(&mut state) % 9999
                        ])
                    })
                    .collect();
                let every = vec![MINUTE; n.len()];
                series.push(json!({
                    "title": format!("check {check}"), "endpoint": format!("https://shop-{check}.example.com/health"), "location": location,
                    "days": days, "runs": { "at": at, "length": length, "every": every, "status": status, "n": n, "reasons": reasons },
                    "recent": { "at": [NOW - MINUTE], "status": "h", "rtt": [20_000 + random(&mut state) % 60_000] },
                }));
            }
        }
        serde_json::from_value(json!({ "version": 2, "made": NOW, "recent_from": NOW - MINUTE, "series": series }))
            .unwrap()
    }

    #[test]
    fn an_overview_of_2000_checks_at_3_locations_takes_at_most_1_mb() {
        let rules = Rules::default();
        // 46 slow results and an outage at each location: nearly every day has some.
        let summary = large(2000, 46, 1);
        let frame = Frame { rules: &rules, timeframe: DAY * 90, now: time(NOW) };
        let data = Representation::new("application/json", Cache::Revalidate, page_data(&summary, frame));
        let size = data.compressed_size();
        assert!((100_000..=1_000_000).contains(&size), "{size} bytes");
        let value: Value = serde_json::from_slice(data.content()).unwrap();
        assert_eq!(value["overview"]["checks"].as_array().unwrap().len(), 2000);
        assert!(value["overview"]["left_out"].as_u64().unwrap() > 0, "the incidents are limited");
        let id = value["overview"]["checks"][7]["detail"].as_str().unwrap();
        let one: Value = serde_json::from_str(&detail(&summary, id).unwrap()).unwrap();
        assert_eq!(one["series"][0]["title"], value["overview"]["checks"][7]["title"]);
        assert_eq!(one["series"].as_array().unwrap().len(), 3);
        assert_eq!(one["series"][0]["days"].as_array().unwrap().len(), 90);
        assert!(detail(&summary, "0000000000000000").is_none());
    }

    #[test]
    fn an_overview_has_the_figures_of_all_results() {
        let rules = Rules::default();
        let summary = large(2, 30, 6);
        let value = overview(&summary, Frame { rules: &rules, timeframe: DAY * 90, now: time(NOW) });
        assert_eq!(value["series"].as_array().unwrap().len(), 6);
        assert_eq!(value["series"][0]["runs"]["n"].as_array().unwrap().len(), 1, "only the last run");
        assert!(value["series"][0].get("days").is_none());
        for (series, check) in summary.checks().zip(value["overview"]["checks"].as_array().unwrap()) {
            let timeline = summary.timeline(series, rules.quorum, time(NOW));
            for (place, days) in [1, 7, 30, 90].into_iter().enumerate() {
                let whole = timeline.availability(time(NOW).saturating_sub(DAY * days), time(NOW));
                let found = check["uptimes"][place * 2].as_f64().unwrap();
                assert!((found - whole.uptime().unwrap()).abs() < 1e-6, "{check}");
            }
            let (first, mut sum) = (value["overview"]["first"].as_i64().unwrap(), 0);
            let mut day = first;
            for pair in check["days"]["degraded"].as_array().unwrap().chunks(2) {
                day += pair[0].as_i64().unwrap();
                let of_day = timeline.availability(start_of(day), start_of(day + 1)).degraded.as_secs();
                assert_eq!(pair[1], of_day, "day {day}");
                sum += of_day;
            }
            assert!(sum > 0);
            assert_eq!(sum, timeline.availability(start_of(first), time(NOW)).degraded.as_secs());
            let incidents = timeline.incidents(Hysteresis::default());
            let shown = check["incidents"].as_array().unwrap();
            assert!(incidents.len() > 3);
            for (shown, incident) in shown.iter().zip(&incidents) {
                assert_eq!(
                    (shown["id"].as_str(), shown["from"].as_i64()),
                    (Some(&*incident.id), Some(millis(incident.from)))
                );
                assert_eq!(shown["to"].as_i64(), incident.to.map(millis));
                assert_eq!(shown["segments"].as_array().unwrap().len(), incident.segments.len());
            }
            assert_eq!(check["since"].as_i64(), timeline.since().map(millis));
        }
    }

    #[test]
    fn few_checks_are_sent_whole_and_idle_ones_as_equal_text() {
        let rules = Rules::default();
        let frame = |minutes: i64| Frame { rules: &rules, timeframe: DAY * 90, now: time(NOW + minutes * MINUTE) };
        let mut result = CheckResult::new("API", "x");
        (result.timestamp, result.status) = (time(NOW), Status::Down);
        result.attempts = vec![Attempt::failure(Duration::ZERO, Cause::Refused, "connection refused")];
        let mut summary = Summary::new();
        summary.add(&[result]);
        assert!(!page_data(&summary, frame(0)).contains("overview"));
        let texts = [5, 9, 16].map(|minutes| overview(&summary, frame(minutes)).to_string());
        assert_eq!(texts[0], texts[1], "within ten minutes");
        assert_ne!(texts[0], texts[2], "the uptime of the last 24 hours is another");
    }
}
