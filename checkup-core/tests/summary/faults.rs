//! Summaries in the presence of wrong clocks, midnight, external retention and broken files.

use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::check_file::{self, FileName};
use checkup_core::summary::{self, Summary};
use checkup_core::{MaintenanceWindow, Quorum, Report, Status, Storage, StorageMaintainer, StorageReader, Timestamp};

use crate::{DAY, HOUR, MINUTE, history, maintain, midnight, put, read, result, shown};

#[tokio::test]
async fn a_day_keeps_its_statistics_when_its_check_files_are_removed_externally() {
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
            result.message = Some("new disks".into());
            let soon = now.saturating_sub(30 * MINUTE);
            result.maintenance = Some(Box::new(MaintenanceWindow::new(soon, now.saturating_add(HOUR))));
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
    let verdict = &summary.verdicts(Quorum::Majority, now)[0];
    assert_eq!((verdict.status, verdict.is_stale), (Status::Down, false));
    assert_eq!(verdict.timestamp(), Some(summary.series[0].recent[0].timestamp));
}

#[tokio::test]
async fn late_maintenance_counts_even_without_a_summary() {
    let files = MemoryFiles::new();
    let noon = midnight(9).saturating_add(12 * HOUR);
    for minute in 0..20 {
        let status = if (5..10).contains(&minute) { Status::Down } else { Status::Healthy };
        put(&files, &[result("API", "eu", noon.saturating_add(MINUTE * minute), status)]).await;
    }
    let mut announced = result("API", "eu", midnight(2), Status::Healthy);
    announced.maintenance =
        Some(Box::new(MaintenanceWindow::new(noon.saturating_add(5 * MINUTE), noon.saturating_add(10 * MINUTE))));
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
    absurd.maintenance = Some(Box::new(MaintenanceWindow::new(
        Timestamp::from_unix_nanos(i64::MIN),
        Timestamp::from_unix_nanos(i64::MAX),
    )));
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
    let _ = summary.verdicts(Quorum::Majority, now);
    maintain(Archive::new(files.clone())).await;
    let _ = shown(&read(&files).await);
}
