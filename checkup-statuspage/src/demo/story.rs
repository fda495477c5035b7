//! What happens in the demo: an outage that is going on, one of last week, planned maintenance, and the noise of every day.

use std::time::Duration;

use checkup_core::{Attempt, Cause, CheckResult, MaintenanceWindow, Post, PostState, Status, Timestamp};

use super::{DAY, HOUR, MINUTE, at};

pub(super) const LOCATIONS: [&str; 3] = ["eu-west", "us-east", "asia"];

/// A check of the demo: name, group, endpoint, usual round-trip time and threshold in milliseconds.
pub(super) struct Subject(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) u64,
    pub(super) u64,
);

pub(super) const SUBJECTS: [Subject; 9] = [
    Subject("Shop", "Website", "https://shop.example/", 85, 400),
    Subject("Search", "Website", "https://shop.example/search?q=tea", 140, 650),
    Subject("Images", "Website", "https://images.example/health", 40, 300),
    Subject("API", "Services", "https://api.example/v1/health", 60, 400),
    Subject("Payments", "Services", "https://payments.example/ping", 190, 1500),
    Subject("Sign-in", "Services", "https://login.example/health", 75, 500),
    Subject("Database", "Infrastructure", "db.example:5432", 4, 50),
    Subject("Mail", "Infrastructure", "mail.example:25", 30, 500),
    Subject("Name server", "Infrastructure", "ns1.example:53", 9, 100),
];

/// The checks that never have a problem, not even a slow result.
const CLEAN: [&str; 3] = ["Images", "API", "Name server"];

/// A problem of a check: from when to when in seconds before the start of the demo, `None` for one that goes on.
struct Trouble {
    check: &'static str,
    from: i64,
    to: Option<i64>,
    /// The locations that see it.
    places: &'static [usize],
    /// Why it is down; `None` if it is only slow.
    error: Option<(Cause, &'static str)>,
}

const EVERYWHERE: &[usize] = &[0, 1, 2];

/// The problems. The first that applies counts.
const TROUBLES: [Trouble; 9] = [
    Trouble {
        check: "Payments",
        from: 34 * MINUTE,
        to: None,
        places: EVERYWHERE,
        error: Some((Cause::Assertion, "response status 503 Service Unavailable")),
    },
    Trouble { check: "Payments", from: 41 * MINUTE, to: Some(34 * MINUTE), places: &[0], error: None },
    Trouble {
        check: "Shop",
        from: 6 * DAY + 3 * HOUR,
        to: Some(6 * DAY + 2 * HOUR),
        places: EVERYWHERE,
        error: Some((Cause::Timeout, "timed out after 10s waiting for the first byte of the response")),
    },
    Trouble { check: "Shop", from: 6 * DAY + 4 * HOUR, to: Some(6 * DAY + 3 * HOUR), places: &[0, 2], error: None },
    Trouble {
        check: "Sign-in",
        from: 17 * DAY + 5 * HOUR,
        to: Some(17 * DAY + 4 * HOUR),
        places: &[1],
        error: Some((Cause::Refused, "connection refused")),
    },
    Trouble { check: "Search", from: 11 * DAY + 9 * HOUR, to: Some(11 * DAY + 8 * HOUR), places: &[2], error: None },
    Trouble { check: "Search", from: 29 * DAY + HOUR, to: Some(29 * DAY), places: &[1, 2], error: None },
    Trouble {
        check: "Mail",
        from: 40 * DAY + 8 * HOUR,
        to: Some(40 * DAY + 5 * HOUR),
        places: EVERYWHERE,
        error: Some((Cause::Dns, "the name does not exist")),
    },
    Trouble {
        check: "Database",
        from: 20 * DAY + 50 * MINUTE,
        to: Some(20 * DAY + 20 * MINUTE),
        places: EVERYWHERE,
        error: Some((Cause::Refused, "connection refused")),
    },
];

/// A post: when in seconds before the start, the check, the state and the text.
struct Words(i64, &'static str, PostState, &'static str);

const POSTS: [Words; 6] = [
    Words(30 * MINUTE, "Payments", PostState::Investigating, "Card payments fail. We are looking into it."),
    Words(
        11 * MINUTE,
        "Payments",
        PostState::Identified,
        "Our payment provider has an outage. **Invoices and vouchers work.** See [their status](https://example.com/status).",
    ),
    Words(
        6 * DAY + 2 * HOUR + 45 * MINUTE,
        "Shop",
        PostState::Identified,
        "A deployment made the shop slow, and then unreachable. We are rolling it back.",
    ),
    Words(6 * DAY + 2 * HOUR + 5 * MINUTE, "Shop", PostState::Monitoring, "The shop works again. We are watching it."),
    Words(
        6 * DAY + 45 * MINUTE,
        "Shop",
        PostState::Resolved,
        "The shop has been stable for an hour. Orders that were placed before are complete.",
    ),
    Words(
        40 * DAY + 5 * HOUR,
        "Mail",
        PostState::Resolved,
        "A name had expired and was renewed. Delayed mail was sent.",
    ),
];

/// An hour of maintenance: the begin and the announcement in seconds before the start. A negative one is after it.
const WINDOWS: [(i64, i64); 2] = [(20 * DAY + HOUR, 22 * DAY), (-21 * HOUR, 2 * DAY)];

/// The result of a check at a location at a time, in a demo with this start.
pub(super) fn result(subject: usize, location: usize, time: i64, start: i64) -> CheckResult {
    let Subject(name, _, endpoint, usual, threshold) = SUBJECTS[subject];
    let mut result = CheckResult::new(name, endpoint);
    result.timestamp = at(time);
    result.location = Some(LOCATIONS[location].into());
    result.threshold_rtt = Duration::from_millis(threshold);
    let trouble = TROUBLES.iter().find(|trouble| {
        trouble.check == name
            && start - trouble.from <= time
            && trouble.to.is_none_or(|to| time < start - to)
            && trouble.places.contains(&location)
    });
    let slow = trouble.is_some_and(|trouble| trouble.error.is_none());
    let usual = usual_time(subject, location, time, usual);
    let rtt = if slow { usual + result.threshold_rtt } else { usual };
    result.attempts = vec![Attempt::success(rtt)];
    if rtt > result.threshold_rtt {
        result.status = Status::Degraded;
        result.notice = Some(format!("median round trip time exceeded threshold ({threshold}ms)").into());
    }
    if let Some((cause, error)) = trouble.and_then(|trouble| trouble.error) {
        (result.status, result.notice) = (Status::Down, None);
        result.attempts = vec![Attempt::failure(usual, cause, error)];
    }
    result
}

/// A round-trip time without trouble: distant locations are slower, evenings are busier, every run differs a little, and about one in
/// 10,000 is slow.
fn usual_time(subject: usize, location: usize, time: i64, usual: u64) -> Duration {
    let lot = draw(&[subject, location], time);
    let noise = f64::from(u32::try_from(lot % 1000).unwrap_or(0)) / 1000.0;
    let second = f64::from(u32::try_from(time.rem_euclid(DAY)).unwrap_or(0));
    let evening = 1.15 - 0.15 * ((second - 72_000.0) / 43_200.0 * std::f64::consts::PI).cos().abs();
    // Most times are near the least possible, and few are far from it.
    let spread = 0.9 + 0.3 * noise.powi(4) + 0.15 * noise;
    let outlier = if (lot >> 20).is_multiple_of(10_000) && !CLEAN.contains(&SUBJECTS[subject].0) { 9.0 } else { 1.0 };
    // The name server and the infrastructure are near everywhere.
    let far = if subject < 6 { [1.0, 1.6, 2.1][location] } else { [1.0, 1.1, 1.2][location] };
    Duration::from_millis(usual).mul_f64(evening * spread * far * outlier)
}

/// The posts from a time up to another, in a demo with this start.
pub(super) fn posts(from: i64, to: i64, start: i64) -> Vec<CheckResult> {
    let said = POSTS.iter().enumerate().map(|(number, Words(before, check, state, text))| {
        let mut post = Post::new(format!("post-{number}"), at(start - before));
        post.state = Some(*state);
        let mut result = CheckResult::of_post(*check, endpoint(check), post);
        result.message = Some((*text).into());
        (start - before, result)
    });
    let planned = WINDOWS.iter().enumerate().map(|(number, (begin, announced))| {
        let post = Post::new(format!("window-{number}"), at(start - announced));
        let mut result = CheckResult::of_post("Database", endpoint("Database"), post);
        result.message = Some("A new version of the database. *Orders are taken meanwhile.*".into());
        let begin = start - begin;
        result.maintenance = Some(MaintenanceWindow::new(at(begin), at(begin + HOUR)).into());
        (start - announced, result)
    });
    said.chain(planned).filter(|(time, _)| (from..to).contains(time)).map(|(_, result)| result).collect()
}

fn endpoint(check: &str) -> &'static str {
    SUBJECTS.iter().find(|Subject(name, ..)| *name == check).map_or("", |Subject(_, _, endpoint, ..)| endpoint)
}

/// A number that looks random, and is always the same for the same input.
fn draw(things: &[usize], time: i64) -> u64 {
    let seed = things.iter().fold(time.unsigned_abs(), |seed, thing| seed.wrapping_mul(1_000_003) ^ *thing as u64);
    // The finaliser of SplitMix64.
    let mixed = (seed.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// The minute of a time, in seconds since 1970: what the story counts from.
pub(super) fn start_of(now: Timestamp) -> i64 {
    now.unix_nanos() / super::SECOND / MINUTE * MINUTE
}
