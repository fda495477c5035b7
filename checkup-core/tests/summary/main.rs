//! Summaries: their content, and that they agree with the check files.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod bounds;
mod faults;
mod incidents;
mod posts;
mod random;
mod truth;

use std::sync::LazyLock;
use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::check_file::{self, FileName};
use checkup_core::history::Hysteresis;
use checkup_core::summary::{self, Series, Summary};
use checkup_core::{
    Attempt, Cause, CheckResult, MaintenanceWindow, Quorum, Report, Status, Storage, StorageMaintainer, StorageReader,
    Timestamp,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Midnight, this many days ago.
fn midnight(days_ago: u32) -> Timestamp {
    let day = i64::try_from(DAY.as_nanos()).unwrap();
    Timestamp::from_unix_nanos(Timestamp::now().unix_nanos() / day * day).saturating_sub(DAY * days_ago)
}

fn result(name: &str, location: &str, time: Timestamp, status: Status) -> CheckResult {
    let mut result = CheckResult::new(name, "https://example.com");
    result.timestamp = time;
    result.location = Some(location.into());
    result.status = status;
    let rtt = Duration::from_millis(10 + (time.unix_nanos() / 1_000_000_000 % 90).unsigned_abs());
    result.attempts = vec![match status {
        Status::Down => Attempt::failure(rtt, Cause::Refused, "connection refused"),
        _ => Attempt::success(rtt),
    }];
    result
}

async fn put(files: &MemoryFiles, results: &[CheckResult]) {
    Archive::new(files.clone()).store(&Report::new(results.to_vec())).await.unwrap();
}

async fn maintain(archive: Archive<MemoryFiles>) {
    while archive.maintain().await.unwrap().unfinished {}
}

async fn read(files: &MemoryFiles) -> Summary {
    checkup_core::history::read_summary(&Archive::new(files.clone()), midnight(400)).await.unwrap()
}

/// What a page shows of a series.
#[derive(Debug, PartialEq)]
struct Shown {
    of: (String, Option<String>),
    days: Vec<summary::DayStats>,
    incidents: Vec<summary::Incident>,
    messages: Vec<summary::Posted>,
    uptimes: Vec<Option<f64>>,
    last_day: Vec<summary::Point>,
}

fn shown(summary: &Summary) -> Vec<Shown> {
    // One moment for all, whenever they are compared.
    static NOW: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);
    let now = *NOW;
    let show = |series: &Series| Shown {
        of: (series.name.clone(), series.location.clone()),
        days: summary.days(series),
        incidents: summary.timeline([series], Quorum::Majority, now).incidents(Hysteresis::default()),
        messages: series.messages.clone(),
        uptimes: [7, 30, 90].map(|days| summary.uptime(series, midnight(days), now)).to_vec(),
        last_day: series.recent.iter().filter(|point| point.timestamp >= now.saturating_sub(DAY)).cloned().collect(),
    };
    summary.series.iter().map(show).collect()
}

/// Some days of results every ten minutes, with incidents within a day and over midnight.
async fn history(files: &MemoryFiles, days: u32) {
    let mut time = midnight(days);
    let now = Timestamp::now();
    let mut run = 0_u32;
    while time < now {
        let status = |check: u32| match (run + check) % 200 {
            0..9 => Status::Down,
            9..12 => Status::Degraded,
            // Two nights.
            140..160 => Status::Down,
            _ => Status::Healthy,
        };
        for location in ["eu", "us"] {
            let time = time.saturating_add(Duration::from_secs(if location == "eu" { 0 } else { 7 }));
            put(files, &[result("API", location, time, status(0)), result("web", location, time, status(50))]).await;
        }
        run += 1;
        time = time.saturating_add(10 * MINUTE);
    }
}

#[tokio::test]
async fn a_stored_summary_says_the_same_as_all_check_files() {
    let files = MemoryFiles::new();
    history(&files, 4).await;
    let whole = read(&files).await;
    assert_eq!(whole.series.len(), 4);
    assert!(whole.series.iter().all(|series| whole.incidents(series).len() > 3));
    for compact in [false, true] {
        maintain(Archive::new(files.clone()).compact(compact)).await;
        assert!(Archive::new(files.clone()).summary().await.unwrap().is_some());
        assert_eq!(shown(&read(&files).await), shown(&whole));
        // And what is stored later is in it.
        put(&files, &[result("new", "eu", Timestamp::now(), Status::Healthy)]).await;
        let later = read(&files).await;
        assert_eq!(later.series.len(), 5);
        let last = files.list("", 100_000).await.unwrap().into_iter().rfind(|name| FileName::parse(name).is_some());
        files.delete(&[last.unwrap().as_str()]).await.unwrap();
    }
}

#[tokio::test]
async fn results_that_arrive_late_are_in_the_figures_of_their_day() {
    let files = MemoryFiles::new();
    history(&files, 3).await;
    maintain(Archive::new(files.clone())).await;
    let late = result("late", "eu", midnight(2).saturating_add(HOUR), Status::Down);
    put(&files, std::slice::from_ref(&late)).await;
    maintain(Archive::new(files.clone())).await;
    let with = read(&files).await;
    let late = with.series.iter().find(|series| series.name == "late").unwrap();
    assert_eq!(with.days(late)[0].down, 1);
    files.delete(&[summary::FILE]).await.unwrap();
    assert_eq!(shown(&with), shown(&read(&files).await));
}

#[tokio::test]
async fn the_figures_of_days_outlast_their_check_files() {
    let files = MemoryFiles::new();
    history(&files, 6).await;
    let before = shown(&read(&files).await);
    maintain(Archive::new(files.clone()).check_expiry(2 * DAY)).await;
    let oldest = files.list("", 100_000).await.unwrap().into_iter().find_map(|name| FileName::parse(&name)).unwrap();
    assert!(oldest.timestamp() >= Timestamp::now().saturating_sub(2 * DAY));
    assert_eq!(shown(&read(&files).await), before);
    // Until they expire too.
    let archive = Archive::new(files.clone()).check_expiry(2 * DAY).summary_expiry(4 * DAY);
    put(&files, &[result("API", "eu", Timestamp::now(), Status::Healthy)]).await;
    maintain(archive).await;
    let summary = read(&files).await;
    assert!(summary.series.iter().all(|series| series.days[0].start() >= midnight(4)));
}

#[tokio::test]
async fn nodes_that_summarise_at_once_lose_no_day() {
    let files = MemoryFiles::new();
    history(&files, 5).await;
    let whole = shown(&read(&files).await);
    let nodes = (0..6).map(|_| tokio::spawn(maintain(Archive::new(files.clone()))));
    for node in nodes.collect::<Vec<_>>() {
        node.await.unwrap();
    }
    maintain(Archive::new(files.clone())).await;
    assert_eq!(shown(&read(&files).await), whole);
}

#[tokio::test]
async fn an_incident_is_one_over_midnight_and_ends_with_the_first_good_result() {
    let files = MemoryFiles::new();
    let night = midnight(2);
    let times: Vec<_> = (0..40).map(|run| night.saturating_sub(3 * HOUR).saturating_add(10 * MINUTE * run)).collect();
    for (run, time) in times.iter().enumerate() {
        let status = if (6..30).contains(&run) { Status::Down } else { Status::Healthy };
        put(&files, &[result("API", "eu", *time, status)]).await;
    }
    for maintained in [false, true] {
        if maintained {
            maintain(Archive::new(files.clone())).await;
        }
        let summary = read(&files).await;
        let incidents = summary.incidents(&summary.series[0]);
        assert_eq!(incidents.len(), 1, "{incidents:?}");
        assert_eq!((incidents[0].from, incidents[0].to), (times[6], Some(times[30])));
        assert_eq!(incidents[0].reason.as_deref(), Some("connection refused"));
        assert_eq!(summary.since(&summary.series[0]), Some(times[30]));
    }
}

#[tokio::test]
async fn maintenance_does_not_affect_uptime_even_if_it_is_announced_later() {
    let files = MemoryFiles::new();
    let noon = midnight(3).saturating_add(12 * HOUR);
    for minute in 0..20 {
        let status = if (5..10).contains(&minute) { Status::Down } else { Status::Healthy };
        put(&files, &[result("API", "eu", noon.saturating_add(MINUTE * minute), status)]).await;
    }
    let uptime = async || {
        maintain(Archive::new(files.clone())).await;
        let summary = read(&files).await;
        let series = &summary.series[0];
        let days = summary.days(series);
        (summary.uptime(series, midnight(10), Timestamp::now()), days[0].excluded, summary.incidents(series).len())
    };
    // Twenty minutes, and the ten of the last result's validity.
    let first = uptime().await;
    assert!((first.0.unwrap() - 24.0 / 29.0).abs() < 1e-9, "{first:?}");
    assert_eq!((first.1, first.2), (0, 1));
    let mut announced = result("API", "eu", noon.saturating_add(19 * MINUTE), Status::Healthy);
    announced.message = Some("new disks".into());
    let window = MaintenanceWindow::new(noon.saturating_add(5 * MINUTE), noon.saturating_add(10 * MINUTE));
    announced.maintenance = Some(Box::new(window.of_all_checks()));
    announced.timestamp = announced.timestamp.saturating_add(2 * DAY);
    announced.endpoint.push_str("/other");
    put(&files, &[announced]).await;
    assert_eq!(uptime().await, (Some(1.0), 5, 0));
    let summary = read(&files).await;
    assert_eq!((summary.windows[0].text.as_str(), summary.windows[0].name.as_deref()), ("new disks", None));
    assert_eq!(summary.series[1].messages[0].text, "new disks");
}

#[tokio::test]
async fn a_broken_file_affects_no_other_and_is_reported() {
    let files = MemoryFiles::new();
    put(&files, &[result("API", "eu", Timestamp::now(), Status::Healthy)]).await;
    let broken = [midnight(2), Timestamp::now()].map(FileName::at);
    for name in &broken {
        files.put(name.as_str(), b"[{\"title\":").await.unwrap();
    }
    for maintained in [false, true] {
        if maintained {
            maintain(Archive::new(files.clone())).await;
        }
        let summary = read(&files).await;
        assert!(summary.unread.iter().map(String::as_str).eq(broken.iter().map(FileName::as_str)));
        assert_eq!(summary.series[0].recent.len(), 1);
    }
}

#[tokio::test]
async fn a_broken_summary_is_made_again() {
    let files = MemoryFiles::new();
    history(&files, 2).await;
    maintain(Archive::new(files.clone())).await;
    let before = shown(&read(&files).await);
    for broken in [&b"{"[..], b"{\"version\":1,\"made\":0,\"recent_from\":\"x\"}", b""] {
        files.put(summary::FILE, broken).await.unwrap();
        assert_eq!(shown(&read(&files).await), before);
        maintain(Archive::new(files.clone())).await;
        assert!(Archive::new(files.clone()).summary().await.unwrap().is_some());
        assert_eq!(shown(&read(&files).await), before);
        // It may have been the only place of something.
        assert_eq!(files.get("summary.json.broken").await.unwrap(), broken);
    }
    // That of a later version is read around, and left to its nodes.
    let later = b"{\"version\":9,\"made\":0}";
    files.put(summary::FILE, later).await.unwrap();
    maintain(Archive::new(files.clone())).await;
    assert_eq!(files.get(summary::FILE).await.unwrap(), later);
    assert_eq!(shown(&read(&files).await), before);
}

#[tokio::test]
async fn a_storage_without_a_summary_is_summarised_as_it_is_read() {
    /// Reads as an archive does, and keeps no summary.
    struct Plain(Archive<MemoryFiles>);

    #[checkup_core::async_trait]
    impl StorageReader for Plain {
        async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, checkup_core::StorageError> {
            self.0.list(since).await
        }
        async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, checkup_core::StorageError> {
            self.0.fetch(name).await
        }
    }
    let files = MemoryFiles::new();
    history(&files, 5).await;
    let summary = checkup_core::history::read_summary(&Plain(Archive::new(files.clone())), midnight(90)).await.unwrap();
    let points: usize = summary.series.iter().map(|series| series.recent.len()).sum();
    // Not more than two days in detail.
    assert!(points <= 4 * 3 * 144, "{points}");
    maintain(Archive::new(files.clone())).await;
    assert_eq!(shown(&read(&files).await), shown(&summary));
}

#[tokio::test]
async fn a_summary_has_the_documented_form() {
    let mut summary = Summary::new();
    let start = "2026-02-03T04:05:06.007Z".parse::<Timestamp>().unwrap();
    let mut slow = result("API", "eu", start.saturating_add(MINUTE), Status::Degraded);
    slow.attempts = [100, 500].map(|millis| Attempt::success(Duration::from_millis(millis))).to_vec();
    slow.notice = Some("slow".into());
    slow.threshold_rtt = Duration::from_millis(100);
    summary.add(&[slow, result("API", "eu", start, Status::Healthy)]);
    summary.add(&[result("API", "eu", start.saturating_add(2 * MINUTE), Status::Down)]);
    let json = serde_json::to_value(&summary).unwrap();
    let rtt = summary.series[0].recent[0].rtt.unwrap().as_micros();
    let expected = serde_json::json!({
        "version": 2,
        "check": "0000000000000000",
        "made": 1_770_091_626_007_i64,
        "recent_from": 0,
        "series": [{
            "title": "API",
            "endpoint": "https://example.com",
            "location": "eu",
            "recent": {
                "at": [1_770_091_506_007_i64, 60_000, 60_000],
                "status": "hgd",
                "rtt": [rtt, 300_000, null],
                "low": [rtt, 100_000, null],
                "high": [rtt, 500_000, null],
                "reasons": { "1": "slow", "2": "connection refused" },
            },
        }],
    });
    assert_eq!(json, expected);
    summary.forget_before(start.saturating_add(2 * DAY));
    let json = serde_json::to_value(&summary).unwrap();
    let series = &json["series"][0];
    assert_eq!(series["days"][0].as_array().unwrap()[..5], [20_487, 1, 1, 1, 0].map(serde_json::Value::from));
    let runs = serde_json::json!({
        "at": [1_770_091_506_007_i64, 60_000, 60_000],
        "length": [0, 0, 0],
        "every": [60_000, 60_000, 60_000],
        "status": "hgd",
        "n": [1, 1, 1],
        "reasons": { "1": [["slow", 1]], "2": [["connection refused", 1]] },
    });
    assert_eq!(series["runs"], runs);
    let back: Summary = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&back).unwrap(), json);
    let uneven = serde_json::json!({ "title": "a", "endpoint": "b", "recent": { "at": [1], "status": "", "rtt": [] } });
    let mut broken = json.clone();
    broken["version"] = 3.into();
    assert!(serde_json::from_value::<Summary>(broken).is_err());
    // What is broken costs only itself, and is reported.
    let mut broken = json.clone();
    broken["series"].as_array_mut().unwrap().push(uneven);
    let read: Summary = serde_json::from_value(broken).unwrap();
    assert_eq!((read.series.len(), read.series[0].days.len()), (2, 1));
    assert!(!read.problems.is_empty());
}

#[tokio::test]
async fn a_check_file_of_upstreams_is_summarised() {
    let files = MemoryFiles::new();
    let results = [result("API", "", midnight(3), Status::Healthy)];
    let name = FileName::at(midnight(3));
    files.put(name.as_str(), &check_file::encode(&results).unwrap()).await.unwrap();
    maintain(Archive::new(files.clone())).await;
    let summary = Archive::new(files).summary().await.unwrap().unwrap();
    assert_eq!(summary.series[0].days[0].healthy, 1);
}
