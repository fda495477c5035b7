//! Summaries: what is in them, and that they say the same as the check files.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::check_file::{self, FileName};
use checkup_core::summary::{self, Series, Summary};
use checkup_core::{
    Attempt, Cause, CheckResult, MaintenanceWindow, Report, Status, Storage, StorageMaintainer, StorageReader,
    Timestamp,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Midnight, so many days ago.
fn midnight(days_ago: u32) -> Timestamp {
    let day = i64::try_from(DAY.as_nanos()).unwrap();
    Timestamp::from_unix_nanos(Timestamp::now().unix_nanos() / day * day).saturating_sub(DAY * days_ago)
}

fn result(name: &str, location: &str, time: Timestamp, status: Status) -> CheckResult {
    let mut result = CheckResult::new(name, "https://example.com");
    result.timestamp = time;
    result.location = Some(location.to_owned());
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
    summary::read(&Archive::new(files.clone()), midnight(400)).await.unwrap()
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
    let now = Timestamp::now();
    let show = |series: &Series| Shown {
        of: (series.name.clone(), series.location.clone()),
        days: summary.days(series),
        incidents: summary.incidents(series),
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
async fn maintenance_counts_neither_for_nor_against_uptime_also_when_it_is_announced_later() {
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
    assert_eq!(uptime().await, (Some(0.75), 0, 1));
    let mut announced = result("API", "eu", noon.saturating_add(19 * MINUTE), Status::Healthy);
    announced.message = Some("new disks".to_owned());
    let window = MaintenanceWindow::new(noon.saturating_add(5 * MINUTE), noon.saturating_add(10 * MINUTE));
    announced.maintenance = Some(window.of_all_checks());
    announced.timestamp = announced.timestamp.saturating_add(2 * DAY);
    announced.endpoint.push_str("/other");
    put(&files, &[announced]).await;
    assert_eq!(uptime().await, (Some(1.0), 5, 0));
    let summary = read(&files).await;
    assert_eq!((summary.windows[0].text.as_str(), summary.windows[0].name.as_deref()), ("new disks", None));
    assert_eq!(summary.series[1].messages[0].text, "new disks");
}

#[tokio::test]
async fn a_broken_file_costs_only_itself_and_is_noted() {
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
    let later = b"{\"version\":2,\"made\":0}";
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
    let summary = summary::read(&Plain(Archive::new(files.clone())), midnight(90)).await.unwrap();
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
    slow.notice = Some("slow".to_owned());
    slow.threshold_rtt = Duration::from_millis(100);
    summary.add(&[slow, result("API", "eu", start, Status::Healthy)]);
    summary.add(&[result("API", "eu", start.saturating_add(2 * MINUTE), Status::Down)]);
    let json = serde_json::to_value(&summary).unwrap();
    let rtt = summary.series[0].recent[0].rtt.unwrap().as_micros();
    let expected = serde_json::json!({
        "version": 1,
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
    assert_eq!(series["incidents"][0]["status"], "down");
    let back: Summary = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&back).unwrap(), json);
    let uneven = serde_json::json!({ "title": "a", "endpoint": "b", "recent": { "at": [1], "status": "", "rtt": [] } });
    for (key, value) in [("version", 2.into()), ("series", serde_json::json!([uneven]))] {
        let mut broken = json.clone();
        broken[key] = value;
        assert!(serde_json::from_value::<Summary>(broken).is_err(), "{key}");
    }
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

#[tokio::test]
async fn a_day_whose_check_files_are_removed_by_somebody_keeps_its_figures() {
    for compact in [false, true] {
        let files = MemoryFiles::new();
        history(&files, 4).await;
        let archive = || Archive::new(files.clone()).compact(compact);
        maintain(archive()).await;
        let before = shown(&read(&files).await);
        // As a lifecycle rule of the bucket does: in the middle of a day.
        let old = midnight(2).saturating_add(9 * HOUR);
        for name in files.list("", 100_000).await.unwrap() {
            if FileName::parse(&name).is_some_and(|name| name.timestamp() < old) {
                files.delete(&[name.as_str()]).await.unwrap();
            }
        }
        maintain(archive()).await;
        assert_eq!(shown(&read(&files).await), before);
    }
}

#[tokio::test]
async fn a_summary_of_a_clock_that_was_ahead_hides_nothing() {
    let files = MemoryFiles::new();
    history(&files, 3).await;
    maintain(Archive::new(files.clone())).await;
    let before = shown(&read(&files).await);
    let ahead = |form: &mut serde_json::Value| {
        for key in ["made", "recent_from"] {
            form[key] = (form[key].as_i64().unwrap() + 30 * 86_400_000).into();
        }
        for series in form["series"].as_array_mut().unwrap() {
            series.as_object_mut().unwrap().remove("recent");
        }
        form["files"] = serde_json::json!([]);
    };
    let mut form: serde_json::Value = serde_json::from_slice(&files.get(summary::FILE).await.unwrap()).unwrap();
    ahead(&mut form);
    files.put(summary::FILE, form.to_string().as_bytes()).await.unwrap();
    assert_eq!(shown(&read(&files).await), before);
    // A node's next store renews it.
    put(&files, &[result("API", "eu", Timestamp::now(), Status::Healthy)]).await;
    let archive = Archive::new(files.clone()).compact(false);
    archive.store(&Report::new(vec![result("web", "eu", Timestamp::now(), Status::Healthy)])).await.unwrap();
    archive.maintain().await.unwrap();
    assert!(archive.summary().await.unwrap().unwrap().made <= Timestamp::now());
}

#[tokio::test]
async fn a_run_over_midnight_splits_no_incident() {
    let files = MemoryFiles::new();
    let night = midnight(2);
    let at = |minutes: i64| Timestamp::from_unix_nanos(night.unix_nanos() + minutes * 60_000_000_000);
    for minutes in (-60..60).step_by(10) {
        let status = if (-30..30).contains(&minutes) { Status::Down } else { Status::Healthy };
        // The last result of a run comes half a second after the first: one run's file is of the next day.
        let first = at(minutes).saturating_sub(Duration::from_millis(100));
        let second = result("web", "eu", first.saturating_add(Duration::from_millis(500)), Status::Healthy);
        put(&files, &[result("API", "eu", first, status), second]).await;
    }
    let before = read(&files).await;
    let incidents = before.incidents(&before.series[0]);
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    for late in [false, true] {
        if late {
            put(
                &files,
                &[result("late", "eu", at(-40), Status::Healthy), result("late", "eu", at(40), Status::Healthy)],
            )
            .await;
        }
        maintain(Archive::new(files.clone())).await;
        let after = read(&files).await;
        assert_eq!(after.incidents(&after.series[0]), incidents);
    }
}

#[tokio::test]
async fn since_when_it_is_down_does_not_depend_on_maintenance() {
    let mut summary = Summary::new();
    let now = Timestamp::now();
    for minute in (0..300).rev() {
        let status = if minute < 20 || minute == 200 { Status::Down } else { Status::Healthy };
        let mut result = result("API", "eu", now.saturating_sub(MINUTE * minute), status);
        if minute == 250 {
            result.message = Some("new disks".to_owned());
            let soon = now.saturating_sub(30 * MINUTE);
            result.maintenance = Some(MaintenanceWindow::new(soon, now.saturating_add(HOUR)));
        }
        summary.add(&[result]);
    }
    let series = &summary.series[0];
    assert_eq!(summary.since(series), Some(series.recent[280].timestamp));
}

#[tokio::test]
async fn a_result_from_the_future_is_not_the_present() {
    let mut summary = Summary::new();
    let now = Timestamp::now();
    summary.add(&[result("API", "eu", now.saturating_add(20 * DAY), Status::Healthy)]);
    summary.add(&[result("API", "eu", now, Status::Down)]);
    let verdict = &summary.verdicts(checkup_core::Quorum::Majority, now)[0];
    assert_eq!((verdict.status, verdict.is_stale), (Status::Down, false));
    assert_eq!(verdict.timestamp(), Some(summary.series[0].recent[0].timestamp));
}

#[tokio::test]
async fn late_maintenance_counts_also_where_there_is_no_summary() {
    let files = MemoryFiles::new();
    let noon = midnight(9).saturating_add(12 * HOUR);
    for minute in 0..20 {
        let status = if (5..10).contains(&minute) { Status::Down } else { Status::Healthy };
        put(&files, &[result("API", "eu", noon.saturating_add(MINUTE * minute), status)]).await;
    }
    let mut announced = result("API", "eu", midnight(2), Status::Healthy);
    announced.maintenance =
        Some(MaintenanceWindow::new(noon.saturating_add(5 * MINUTE), noon.saturating_add(10 * MINUTE)));
    put(&files, &[announced]).await;
    let summary = read(&files).await;
    let series = &summary.series[0];
    assert_eq!((summary.days(series)[0].excluded, summary.incidents(series).len()), (5, 0));
}

#[tokio::test]
async fn what_is_late_gets_into_the_figures_of_a_node_that_does_not_compact() {
    let files = MemoryFiles::new();
    history(&files, 5).await;
    maintain(Archive::new(files.clone()).compact(false)).await;
    put(&files, &[result("late", "eu", midnight(4).saturating_add(HOUR), Status::Down)]).await;
    // A day later: the summary lacks one day, and was made before the hour closed.
    let mut form: serde_json::Value = serde_json::from_slice(&files.get(summary::FILE).await.unwrap()).unwrap();
    let last = form["days"].as_object().unwrap().keys().max().unwrap().clone();
    form["days"].as_object_mut().unwrap().remove(&last);
    form["made"] = (form["made"].as_i64().unwrap() - 86_400_000).into();
    files.put(summary::FILE, form.to_string().as_bytes()).await.unwrap();
    let archive = Archive::new(files.clone()).compact(false);
    archive.store(&Report::new(vec![result("web", "eu", Timestamp::now(), Status::Healthy)])).await.unwrap();
    archive.maintain().await.unwrap();
    let summary = read(&files).await;
    assert_eq!(summary.series.iter().filter(|series| series.name == "late").count(), 1);
}

#[tokio::test]
async fn absurd_files_break_nothing() {
    let files = MemoryFiles::new();
    let mut absurd = result("API", "eu", Timestamp::from_unix_nanos(i64::MIN), Status::Down);
    absurd.maintenance =
        Some(MaintenanceWindow::new(Timestamp::from_unix_nanos(i64::MIN), Timestamp::from_unix_nanos(i64::MAX)));
    let content =
        check_file::encode(&[absurd, result("API", "us", Timestamp::from_unix_nanos(i64::MAX), Status::Down)]).unwrap();
    files.put(FileName::at(Timestamp::now()).as_str(), &content).await.unwrap();
    let day = |day: i64| serde_json::json!([day, u64::MAX, u64::MAX, u64::MAX, 1, 1, 1, 1]);
    let incident = |from: i64| serde_json::json!({ "from": from, "status": "down", "continued": true });
    let form = serde_json::json!({
        "version": 1, "made": i64::MAX, "recent_from": i64::MIN, "days": { "9223372036854775807": "", "0": "" },
        "series": [{
            "title": "API", "endpoint": "https://example.com", "location": "eu",
            "days": [day(i64::MAX), day(i64::MIN), day(1)],
            "incidents": [incident(i64::MIN), incident(i64::MAX)],
            "messages": [{ "at": i64::MIN, "text": "a\\nb" }],
            "recent": { "at": [i64::MAX, 1, i64::MIN], "status": "hgd", "rtt": [u64::MAX, 0, null] },
        }],
    });
    files.put(summary::FILE, form.to_string().as_bytes()).await.unwrap();
    let summary = read(&files).await;
    let now = Timestamp::now();
    for series in &summary.series {
        let _ = (
            summary.days(series),
            summary.incidents(series),
            summary.since(series),
            summary.uptime(series, midnight(9), now),
        );
    }
    let _ = summary.verdicts(checkup_core::Quorum::Majority, now);
    maintain(Archive::new(files.clone())).await;
    let _ = shown(&read(&files).await);
}
