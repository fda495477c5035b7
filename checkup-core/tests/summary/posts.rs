//! Posts: the newest version counts, in whatever order files are read, and a withdrawn window excludes nothing.

use checkup_core::summary::{CurrentPost, Window};
use checkup_core::{Post, PostState};

use super::*;

/// A version of a post about the API, as an entry of its own.
fn post(id: &str, text: &str, at: Timestamp) -> CheckResult {
    let mut entry = CheckResult::of_post("API", "https://example.com", Post::new(id, at));
    entry.message = Some(text.into());
    entry
}

fn ended(mut entry: CheckResult, at: Timestamp) -> CheckResult {
    let post = entry.post.as_mut().unwrap();
    post.posted = Some(post.posted());
    (post.at, post.ended) = (at, true);
    (entry.message, entry.maintenance) = (None, None);
    entry
}

fn announced(summary: &Summary) -> (Vec<CurrentPost>, Vec<Window>, Vec<summary::Posted>) {
    let messages = summary.checks().flat_map(|series| summary.messages(series)).cloned().collect();
    (summary.posts().cloned().collect(), summary.windows.clone(), messages)
}

fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[test]
fn any_order_and_any_duplicates_of_posts_give_the_same() {
    let start = midnight(2);
    let window = |hours: u64| {
        let from = start.saturating_add(Duration::from_secs(hours * 3600));
        MaintenanceWindow::new(from, from.saturating_add(Duration::from_secs(3600)))
    };
    let mut entries = vec![result("API", "eu", start, Status::Healthy)];
    // A message and a window of the original format, and their replacements.
    let mut plain = result("API", "eu", start.saturating_add(MINUTE), Status::Down);
    (plain.message, plain.maintenance) = (Some("new disks".into()), Some(Box::new(window(3))));
    let millis = |time: Timestamp| time.unix_nanos() / 1_000_000;
    let (message_id, window_id) =
        (format!("r{}", millis(plain.timestamp)), format!("w{}-{}", millis(window(3).from), millis(window(3).to)));
    entries.push(plain);
    entries.push(ended(post(&window_id, "", start), start.saturating_add(5 * MINUTE)));
    entries.push(post(&message_id, "no disks", start.saturating_add(6 * MINUTE)));
    for id in 0..5_u32 {
        for version in 0..4_u32 {
            // Two versions have the same time.
            let mut entry =
                post(&format!("id{id}"), &format!("version {version}"), start.saturating_add(MINUTE * (version / 2)));
            if (id + version) % 2 == 0 {
                entry.maintenance = Some(Box::new(window(u64::from(version))));
            }
            if id == 4 && version == 3 {
                entry = ended(entry, start.saturating_add(3 * MINUTE));
            }
            entries.push(entry);
        }
    }
    let mut expected = Summary::new();
    expected.add(&entries);
    let (posts, windows, messages) = announced(&expected);
    assert_eq!((posts.len(), windows.len()), (5, 2));
    assert!(
        messages.iter().any(|message| message.text == "no disks")
            && messages.iter().all(|message| message.text != "new disks")
    );
    let mut state = 1;
    for round in 0..300 {
        let mut some = entries.clone();
        for _ in 0..round % 7 {
            some.push(entries[random(&mut state) % entries.len()].clone());
        }
        for place in (1..some.len()).rev() {
            some.swap(place, random(&mut state) % (place + 1));
        }
        let mut summary = Summary::new();
        for chunk in some.chunks(1 + random(&mut state) % 5) {
            summary.add(chunk);
            if random(&mut state).is_multiple_of(4) {
                // A stored summary keeps what matters.
                summary = serde_json::from_str(&serde_json::to_string(&summary).unwrap()).unwrap();
            }
        }
        assert_eq!(announced(&summary), announced(&expected), "round {round}");
    }
}

#[tokio::test]
async fn a_withdrawn_window_excludes_nothing_even_if_its_days_are_summarised() {
    let now = Timestamp::now();
    for withdrawal_is_first in [false, true] {
        let files = MemoryFiles::new();
        let (mut time, mut window) = (midnight(3), post("disks", "new disks", midnight(3).saturating_add(MINUTE)));
        window.maintenance = Some(Box::new(MaintenanceWindow::new(midnight(3), midnight(1))));
        let withdrawal = ended(window.clone(), midnight(3).saturating_add(9 * MINUTE));
        while time < midnight(0) {
            put(&files, &[result("API", "eu", time, Status::Down)]).await;
            time = time.saturating_add(10 * MINUTE);
        }
        let (first, second) = if withdrawal_is_first { (&withdrawal, &window) } else { (&window, &withdrawal) };
        put(&files, std::slice::from_ref(first)).await;
        maintain(Archive::new(files.clone())).await;
        let excluded =
            |summary: &Summary| -> u64 { summary.days(&summary.series[0]).iter().map(|day| day.excluded).sum() };
        let before = read(&files).await;
        assert_eq!(excluded(&before) > 0, !withdrawal_is_first);
        put(&files, std::slice::from_ref(second)).await;
        maintain(Archive::new(files.clone())).await;
        // A summary is made once an hour: readers add what came after.
        let after = read(&files).await;
        assert!(after.windows.is_empty(), "{:?}", after.windows);
        let uptime = after.uptime(&after.series[0], midnight(3), now);
        assert_eq!(uptime, Some(0.0), "the first is withdrawn: {withdrawal_is_first}");
    }
}

#[tokio::test]
async fn posts_outlast_their_check_files() {
    let files = MemoryFiles::new();
    put(&files, &[result("API", "eu", midnight(5), Status::Healthy)]).await;
    let mut window = post("disks", "new disks", midnight(5));
    window.maintenance = Some(Box::new(MaintenanceWindow::new(midnight(6), midnight(4))));
    put(&files, &[window.clone(), post("hello", "we are back", midnight(5))]).await;
    put(&files, &[ended(window.clone(), midnight(5).saturating_add(MINUTE))]).await;
    let mut time = midnight(5).saturating_add(HOUR);
    while time < Timestamp::now() {
        put(&files, &[result("API", "eu", time, Status::Healthy)]).await;
        time = time.saturating_add(HOUR);
    }
    maintain(Archive::new(files.clone()).check_expiry(2 * DAY)).await;
    let names = Archive::new(files.clone()).list(Timestamp::default()).await.unwrap();
    assert!(names.iter().all(|name| name.timestamp() >= midnight(3)), "{names:?}");
    // Another node, which was away, stores the window once more.
    put(&files, &[window]).await;
    let summary = read(&files).await;
    assert!(summary.windows.is_empty(), "{:?}", summary.windows);
    let texts: Vec<_> = summary.messages(&summary.series).iter().map(|message| message.text.clone()).collect();
    assert_eq!(texts, ["we are back"]);
}

#[test]
fn posts_are_in_the_order_in_which_they_were_written() {
    let now = midnight(0);
    let mut summary = Summary::new();
    let result = result("API", "eu", now.saturating_sub(9 * MINUTE), Status::Down);
    let texts = ["Investigating", "Identified", "Resolved"];
    for (place, text) in texts.iter().enumerate().rev() {
        // Each is attached to the same result, and has its own time.
        let mut entry = result.clone();
        let mut post = Post::new(format!("{}", 9 - place), now.saturating_add(Duration::from_secs(20 * place as u64)));
        post.state = [PostState::Investigating, PostState::Identified, PostState::Resolved].get(place).copied();
        (entry.message, entry.post) = (Some((*text).into()), Some(Box::new(post)));
        summary.add(&[entry]);
    }
    assert_eq!(summary.series[0].recent.len(), 1, "one result");
    let messages = summary.messages(&summary.series);
    assert_eq!(messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), texts);
    assert!(messages.iter().all(|message| message.at >= now));
}

#[test]
fn impossible_posts_are_left_out_and_reported() {
    let mut summary = Summary::new();
    let at = midnight(1);
    for id in ["", "a b", "\u{1b}[0m", &"x".repeat(65)] {
        summary.add(&[post(id, "hello", at)]);
    }
    let mut far = post("far", "moving", at);
    far.maintenance =
        Some(Box::new(MaintenanceWindow::new(at.saturating_add(401 * DAY), at.saturating_add(402 * DAY))));
    summary.add(&[far]);
    assert_eq!((summary.posts().count(), summary.windows.len()), (1, 0));
    assert_eq!(summary.problems.len(), 2, "{:?}", summary.problems);
}
