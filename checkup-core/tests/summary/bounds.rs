//! Summaries that are large, forged or absurd: no day is lost, and everything has a limit.

use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::summary::{self, Summary};
use checkup_core::{CheckResult, MaintenanceWindow, Quorum, Status, StorageReader, Timestamp};

use crate::{DAY, HOUR, MINUTE, history, maintain, midnight, put, read, result, shown};

async fn form(files: &MemoryFiles) -> serde_json::Value {
    serde_json::from_slice(&files.get(summary::FILE).await.unwrap()).unwrap()
}

async fn put_form(files: &MemoryFiles, form: &serde_json::Value) {
    files.put(summary::FILE, form.to_string().as_bytes()).await.unwrap();
}

/// As somebody's own summary of the first version would be.
fn first_version(mut form: serde_json::Value) -> serde_json::Value {
    form["version"] = 1.into();
    form.as_object_mut().unwrap().remove("check");
    for series in form["series"].as_array_mut().unwrap() {
        series.as_object_mut().unwrap().remove("runs");
        let first = series["days"][0][0].as_i64().unwrap();
        series["incidents"] = serde_json::json!([
            { "from": first * 86_400_000 + 3_600_000, "to": first * 86_400_000 + 7_200_000, "status": "down", "reason": "old" },
        ]);
    }
    form
}

#[tokio::test]
async fn a_summary_that_is_too_large_for_one_file_loses_no_day() {
    let files = MemoryFiles::new();
    // Long names make it large: 24 MB in three days.
    let name = |check: usize| format!("{check:03}{}", "x".repeat(40_000));
    for day in (1..=5_u32).rev() {
        let time = midnight(day).saturating_add(12 * HOUR);
        let results: Vec<_> = (0..450).map(|check| result(&name(check), "eu", time, Status::Healthy)).collect();
        put(&files, &results).await;
    }
    for minute in 0..3 {
        let time = Timestamp::now().saturating_sub(MINUTE * minute);
        put(&files, &(0..450).map(|check| result(&name(check), "eu", time, Status::Healthy)).collect::<Vec<_>>()).await;
    }
    let days = |summary: &Summary| -> Vec<Vec<i64>> {
        summary.series.iter().map(|series| summary.days(series).iter().map(|day| day.day).collect()).collect()
    };
    let before = days(&read(&files).await);
    maintain(Archive::new(files.clone())).await;
    assert_eq!(days(&read(&files).await), before);
    let parts = files.list("summary-", 100).await.unwrap();
    assert!(parts.iter().any(|name| name.starts_with("summary-")), "{parts:?}");
    for name in files.list("summary", 100).await.unwrap() {
        assert!(files.get(&name).await.unwrap().len() <= 32 << 20, "{name}");
    }
    // The next hour's pass changes nothing about them, and a late file changes only its day.
    put(&files, &[result(&name(7), "eu", midnight(4).saturating_add(HOUR), Status::Down)]).await;
    maintain(Archive::new(files.clone())).await;
    let after = read(&files).await;
    assert_eq!(days(&after), before);
    assert_eq!(after.series[7].days.iter().map(|day| day.down).sum::<u64>(), 1);
    let check_files = files.list("", 1000).await.unwrap().into_iter().filter(|name| name.ends_with("-check.json"));
    let old: Vec<_> = check_files.collect();
    // And when all of the check files are gone, the days are not.
    files.delete(&old.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    let left = days(&read(&files).await);
    assert!(left.iter().zip(&before).all(|(left, before)| left[..] == before[..before.len() - 1]));
}

#[tokio::test]
async fn forged_counts_do_not_win_over_the_check_files() {
    let files = MemoryFiles::new();
    history(&files, 4).await;
    maintain(Archive::new(files.clone())).await;
    let before = shown(&read(&files).await);
    for keep in [true, false] {
        let mut forged = form(&files).await;
        for series in forged["series"].as_array_mut().unwrap() {
            for row in series["days"].as_array_mut().unwrap().iter_mut().skip(1) {
                row[3] = 70_000_000.into();
            }
        }
        if !keep {
            for made_of in forged["days"].as_object_mut().unwrap().values_mut() {
                *made_of = "".into();
            }
        }
        put_form(&files, &forged).await;
        maintain(Archive::new(files.clone())).await;
        assert_eq!(shown(&read(&files).await), before, "fingerprints kept: {keep}");
    }
}

#[tokio::test]
async fn impossible_days_are_left_out_and_loops_still_end() {
    let files = MemoryFiles::new();
    history(&files, 3).await;
    maintain(Archive::new(files.clone())).await;
    let before = shown(&read(&files).await);
    let mut absurd = form(&files).await;
    absurd["days"]["200000"] = "x".into();
    absurd["days"]["never"] = "x".into();
    absurd["days"]["20000"] = 5.into();
    let row = |row: &str| serde_json::from_str::<serde_json::Value>(row).unwrap();
    let rows = absurd["series"][0]["days"].as_array_mut().unwrap();
    rows.push(row("[200000,1,0,0,0,null,null,null]"));
    rows.push(row("[20000,-1,0,0,0,null,null,null]"));
    rows.push(row("[20001,1e308,0,0,0,null,null,null]"));
    rows.push(row("[20002,1,0,0]"));
    put_form(&files, &absurd).await;
    let read_back = Archive::new(files.clone()).summary().await.unwrap().unwrap();
    assert!(!read_back.problems.is_empty());
    maintain(Archive::new(files.clone())).await;
    assert_eq!(shown(&read(&files).await), before);
    assert!(form(&files).await["days"].get("200000").is_none());
}

#[tokio::test]
async fn a_summary_of_the_first_version_keeps_days_whose_check_files_have_expired() {
    let files = MemoryFiles::new();
    history(&files, 6).await;
    maintain(Archive::new(files.clone()).check_expiry(3 * DAY)).await;
    let before = read(&files).await;
    put_form(&files, &first_version(form(&files).await)).await;
    maintain(Archive::new(files.clone()).check_expiry(3 * DAY)).await;
    let form = form(&files).await;
    assert_eq!(form["version"], 2);
    let after = read(&files).await;
    for (before, after) in before.series.iter().zip(&after.series) {
        assert_eq!(after.days, before.days);
    }
    // The old incident of the first day is known, and the later ones are those of the check files.
    let of = |summary: &Summary| {
        let incidents = summary.incidents(&summary.series[0]);
        incidents.into_iter().map(|one| (one.from, one.to, one.reason)).collect::<Vec<_>>()
    };
    let first = after.series[0].days[0].start().saturating_add(HOUR);
    assert!(
        of(&after).contains(&(first, Some(first.saturating_add(HOUR)), Some("old".to_owned()))),
        "{:?}",
        of(&after)
    );
    let late = |summary: &Summary| of(summary).into_iter().filter(|one| one.0 >= midnight(2)).collect::<Vec<_>>();
    assert_eq!(late(&after), late(&before));
}

#[tokio::test]
async fn maintenance_without_bounds_is_left_out_and_reported() {
    let mut summary = Summary::new();
    let now = Timestamp::now();
    let windows = [
        (Timestamp::from_unix_nanos(i64::MIN), Timestamp::from_unix_nanos(i64::MAX)),
        (now, now.saturating_add(401 * DAY)),
        (now.saturating_add(401 * DAY), now.saturating_add(402 * DAY)),
        (now, now),
    ];
    for (from, to) in windows {
        let mut odd = result("API", "eu", now, Status::Down);
        odd.maintenance = Some(Box::new(MaintenanceWindow::new(from, to).of_all_checks()));
        summary.add(&[odd]);
    }
    assert!(summary.windows.is_empty(), "{:?}", summary.windows);
    assert_eq!(summary.problems.len(), 2);
    let mut right = result("API", "eu", now.saturating_add(MINUTE), Status::Down);
    right.maintenance = Some(Box::new(MaintenanceWindow::new(now, now.saturating_add(399 * DAY))));
    summary.add(&[right]);
    assert_eq!(summary.windows.len(), 1);
}

/// Compared with the same number in ascending order, so that it does not depend on the machine.
#[test]
fn results_in_descending_order_are_as_fast_as_others() {
    let results: Vec<_> = (0..200_000_u32)
        .map(|run| result("API", "eu", midnight(1).saturating_add(Duration::from_millis(400) * run), Status::Healthy))
        .collect();
    let reversed: Vec<CheckResult> = results.iter().rev().cloned().collect();
    let (mut forwards, mut backwards) = (Summary::new(), Summary::new());
    forwards.add(&results);
    // Quadratic, this would be twenty thousand million steps.
    backwards.add(&reversed);
    assert_eq!(forwards.series, backwards.series);
}

#[test]
fn a_result_with_an_impossible_time_is_left_out() {
    let odd = result("API", "eu", Timestamp::from_unix_nanos(-1), Status::Down);
    let mut summary = Summary::new();
    summary.add(&[odd, result("API", "eu", Timestamp::now(), Status::Healthy)]);
    assert_eq!((summary.series[0].recent.len(), summary.problems.len()), (1, 1));
    assert_eq!(summary.verdicts(Quorum::Majority, Timestamp::now())[0].status, Status::Healthy);
}
