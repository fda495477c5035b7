//! Compaction: many small files become a few, with the same results.

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::{Attempt, Cause, CheckResult, Maintenance, StorageMaintainer, Timestamp, check_file, history};

use crate::{DAY, EPOCH, HOUR, MINUTE, day, everything, maintain, names, put, result, sorted};

/// Puts files every ten minutes, starting at a time.
async fn put_every_ten_minutes(files: &MemoryFiles, from: Timestamp, count: u32) -> Vec<CheckResult> {
    let mut stored = Vec::new();
    for number in 0..count {
        stored.push(put(files, "a", from.saturating_add(MINUTE * 10 * number)).await);
    }
    stored
}

#[tokio::test]
async fn closed_days_become_one_file_each_and_closed_hours_of_today_too() {
    let files = MemoryFiles::new();
    let stored = put_every_ten_minutes(&files, day(4), 6 * 24 * 3).await;
    let now = Timestamp::now();
    // An hour that is certainly closed, if today has one; otherwise it is yesterday's.
    let hour = Timestamp::from_unix_nanos(
        now.saturating_sub(HOUR + MINUTE * 20).unix_nanos() / 3_600_000_000_000 * 3_600_000_000_000,
    );
    let today = vec![put(&files, "b", hour).await, put(&files, "c", hour.saturating_add(MINUTE)).await];
    let open = vec![put(&files, "d", now.saturating_sub(MINUTE)).await, put(&files, "e", now).await];
    let stored = sorted([stored, today, open].concat());
    assert_eq!(maintain(&files).await, 6 * 24 * 3 + 2);
    assert_eq!(everything(&files).await, stored);
    assert_eq!(names(&files).await.len(), 4 + 2);
    assert_eq!(maintain(&files).await, 0);
}

#[tokio::test]
async fn hours_that_were_compacted_are_compacted_again_into_their_day() {
    let files = MemoryFiles::new();
    let mut stored = Vec::new();
    for hour in 0..24 {
        let start = day(2).saturating_add(HOUR * hour);
        let results = vec![result("a", start), result("b", start.saturating_add(MINUTE))];
        let name = format!("{}-compacted-{hour:016x}-check.json", start.saturating_add(MINUTE * 2).unix_nanos());
        files.put(&name, &check_file::encode(&results).unwrap()).await.unwrap();
        stored.extend(results);
    }
    assert_eq!(maintain(&files).await, 24);
    assert_eq!(names(&files).await.len(), 1);
    assert_eq!(everything(&files).await, stored);
}

#[tokio::test]
async fn late_files_are_merged_by_a_later_compaction() {
    let files = MemoryFiles::new();
    let mut stored = put_every_ten_minutes(&files, day(1), 10).await;
    for round in 0..3 {
        maintain(&files).await;
        assert_eq!(names(&files).await.len(), 1);
        stored.push(put(&files, "late", day(1).saturating_add(HOUR * round)).await);
        assert_eq!(everything(&files).await, sorted(stored.clone()));
    }
    assert_eq!(maintain(&files).await, 2);
    assert_eq!(names(&files).await.len(), 1);
    assert_eq!(everything(&files).await, sorted(stored));
}

#[tokio::test]
async fn results_are_copied_unchanged() {
    let files = MemoryFiles::new();
    let later = r#"{"title":"a","timestamp":1,"healthy":true,"of_a_later_version":{"x":[1.50,null]}}"#;
    let upstream = r#"{"title":"A \u0026 B","endpoint":"e","timestamp":2,"times":[{"rtt":0}],"down":true}"#;
    let mut ours = result("c", Timestamp::from_unix_nanos(3));
    ours.attempts = vec![Attempt::failure(MINUTE, Cause::Tls, "bad\ncertificate")];
    let ours = serde_json::to_string(&ours).unwrap();
    let stamp = day(2).unix_nanos();
    files.put(&format!("{stamp}-check.json"), format!("[\n {later} ,{upstream}]").as_bytes()).await.unwrap();
    files.put(&format!("{}-check.json", stamp + 1), format!("[{ours}]\n").as_bytes()).await.unwrap();
    files.put(&format!("{}-check.json", stamp + 2), b"[]\n").await.unwrap();
    // Stored twice, as if the first answer had been lost.
    files.put(&format!("{}-check.json", stamp + 3), format!("[{ours}]\n").as_bytes()).await.unwrap();
    assert_eq!(maintain(&files).await, 4);
    let names = names(&files).await;
    assert!(names[0].starts_with(&format!("{}-compacted-", stamp + 3)), "{names:?}");
    let content = String::from_utf8(files.get(&names[0]).await.unwrap()).unwrap();
    assert_eq!(content, format!("[{later},{upstream},{ours}]\n"));
}

#[tokio::test]
async fn broken_files_and_other_files_are_left_alone() {
    let files = MemoryFiles::new();
    let stored = put_every_ten_minutes(&files, day(2), 3).await;
    let stamp = day(2).unix_nanos();
    let others = [
        format!("{stamp}-broken-check.json"),
        format!("{stamp}-no-verdict-check.json"),
        format!("{stamp}.json"),
        "index.json".to_owned(),
        "!".to_owned(),
    ];
    for (name, content) in others.iter().zip(["[{", "[{\"title\":\"a\"}]", "[]", "{}", "[]"]) {
        files.put(name, content.as_bytes()).await.unwrap();
    }
    assert_eq!(maintain(&files).await, 3);
    let left = names(&files).await;
    assert_eq!(left.len(), others.len() + 1);
    assert!(others.iter().all(|name| left.contains(name)));
    assert_eq!(history::read(&Archive::new(files), EPOCH).await.unwrap().results, stored);
}

#[tokio::test]
async fn a_single_file_and_open_hours_are_left_alone() {
    let files = MemoryFiles::new();
    put(&files, "a", day(2)).await;
    put(&files, "a", day(4)).await;
    let now = Timestamp::now();
    for ago in 0..19 {
        put(&files, "a", now.saturating_sub(MINUTE * ago)).await;
    }
    let before = names(&files).await;
    assert_eq!(maintain(&files).await, 0);
    assert_eq!(names(&files).await, before);
}

#[tokio::test]
async fn a_long_history_is_compacted_in_pieces_and_nothing_is_left_over() {
    let files = MemoryFiles::new();
    let mut stored = Vec::new();
    for second in 0..2500_u32 {
        stored.push(put(&files, "a", day(9).saturating_add(MINUTE / 2 * second)).await);
    }
    stored.push(put(&files, "b", day(1)).await);
    stored.push(put(&files, "b", day(1).saturating_add(HOUR)).await);
    let archive = Archive::new(files.clone());
    let first = archive.maintain().await.unwrap();
    assert!(first.unfinished);
    assert_eq!(first.compacted, 1000);
    assert_eq!(everything(&files).await, stored);
    assert!(maintain(&files).await >= 1500);
    assert_eq!(names(&files).await.len(), 2);
    assert_eq!(everything(&files).await, stored);
    // The first one continues where it stopped, and finds nothing left to do.
    let rest = archive.maintain().await.unwrap();
    assert_eq!(rest, Maintenance::default());
}

#[tokio::test]
async fn large_files_are_not_merged_further_and_not_read_again() {
    let files = MemoryFiles::new();
    let mut stored = Vec::new();
    for number in 0..20_u32 {
        let mut large = result("a", day(2).saturating_add(MINUTE * number));
        // Nine of them are more than what one file has.
        large.message = Some("x".repeat(450_000).into());
        let content = check_file::encode(std::slice::from_ref(&large)).unwrap();
        files.put(&format!("{}-check.json", large.timestamp.unix_nanos()), &content).await.unwrap();
        stored.push(large);
    }
    let mut huge = result("b", day(2).saturating_add(HOUR));
    huge.message = Some("y".repeat(6_000_000).into());
    let name = format!("{}-check.json", huge.timestamp.unix_nanos());
    files.put(&name, &check_file::encode(std::slice::from_ref(&huge)).unwrap()).await.unwrap();
    stored.push(huge);
    assert_eq!(maintain(&files).await, 21);
    let before = names(&files).await;
    assert_eq!(before.iter().filter(|name| name.contains("-compacted-full-")).count(), 3);
    assert!(before.len() <= 4, "{before:?}");
    assert_eq!(everything(&files).await, stored);
    assert_eq!(maintain(&files).await, 0);
    stored.insert(0, put(&files, "late", day(2)).await);
    maintain(&files).await;
    assert_eq!(sorted(everything(&files).await), sorted(stored));
    let after = names(&files).await;
    assert!(before.iter().filter(|name| name.contains("full")).all(|name| after.contains(name)));
    assert!(after.len() <= 5, "{after:?}");
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let files = MemoryFiles::new();
    put_every_ten_minutes(&files, day(2), 3).await;
    let archive = Archive::new(files.clone()).compact(false).check_expiry(DAY * 30);
    assert_eq!(archive.maintain().await.unwrap(), Maintenance::default());
    assert_eq!(names(&files).await.len(), 3);
}
