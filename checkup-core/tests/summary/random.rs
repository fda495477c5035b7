//! Random histories: locations that come and go, whose clocks are skewed, that flap, and that change their interval.

use std::num::NonZeroU32;
use std::time::Duration;

use checkup_core::history::Hysteresis;
use checkup_core::{Attempt, Cause, CheckResult, MaintenanceWindow, Status, Timestamp};

/// A linear congruential generator, so that a seed gives the same history everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

/// A history of one check.
pub(crate) struct RandomHistory {
    pub(crate) results: Vec<CheckResult>,
    /// The moment to look from: any time of day.
    pub(crate) now: Timestamp,
    /// How many locations make it down; zero for the majority.
    pub(crate) quorum: usize,
    /// How many results begin and end an incident.
    pub(crate) hysteresis: Hysteresis,
}

/// The history of a seed.
pub(crate) fn history(seed: u64) -> RandomHistory {
    let mut random = Random::new(seed);
    // 2026-11-20, and any millisecond of the ten days after it.
    let begin = 1_795_132_800_000 + i64::try_from(random.below(86_400_000 * 10)).unwrap_or_default();
    let hours = 1 + random.below(40);
    let mut results = Vec::new();
    for location in 0..=random.below(3) {
        let mut at = begin + i64::try_from(random.below(7_200_000)).unwrap_or_default();
        let end = begin + i64::try_from(hours * 3_600_000).unwrap_or_default();
        let mut interval = [15_000, 60_000, 300_000, 900_000, 3_600_000][random.below(5) as usize];
        let mut mood = 0;
        while at < end && results.len() < 900 {
            if random.below(40) == 0 {
                mood = random.below(4);
            }
            if random.below(60) == 0 {
                interval = [15_000, 60_000, 300_000, 900_000, 3_600_000][random.below(5) as usize];
            }
            // Switched off for a while.
            if random.below(80) == 0 {
                at += i64::try_from(random.below(4 * 3_600_000)).unwrap_or_default();
            }
            let status = match (mood, random.below(10)) {
                (0, 0) if random.below(4) == 0 => Status::Down,
                (0, _) | (3, 5..) => Status::Healthy,
                (1, 1..) | (3, 0..=2) => Status::Down,
                _ => Status::Degraded,
            };
            results.push(result(["eu", "us", "asia"][location as usize], at, status, random.below(3)));
            at += interval + i64::try_from(random.below(900)).unwrap_or_default();
        }
    }
    if random.below(3) == 0 {
        let from = begin + i64::try_from(random.below(hours * 3_600_000)).unwrap_or_default();
        let to = from + i64::try_from(60_000 + random.below(3 * 3_600_000)).unwrap_or_default();
        let of = |millis: i64| Timestamp::from_unix_nanos(millis * 1_000_000);
        if let Some(first) = results.first_mut() {
            first.message = Some("new disks".into());
            first.maintenance = Some(Box::new(MaintenanceWindow::new(of(from), of(to))));
        }
    }
    let after = i64::try_from(random.below(hours * 3_600_000 * 5 / 4)).unwrap_or_default();
    let now = Timestamp::from_unix_nanos((begin + after + 1) * 1_000_000);
    let quorum = random.below(3) as usize;
    // Half of them have the default.
    let mut count = || u32::try_from(random.below(10)).ok().filter(|count| *count < 5).and_then(NonZeroU32::new);
    let hysteresis = Hysteresis { failures: count(), successes: count() };
    RandomHistory { results, now, quorum, hysteresis }
}

fn result(location: &str, millis: i64, status: Status, reason: u64) -> CheckResult {
    let mut result = CheckResult::new("API", "https://example.com");
    result.timestamp = Timestamp::from_unix_nanos(millis * 1_000_000);
    result.location = Some(location.into());
    result.status = status;
    result.attempts = vec![match status {
        Status::Down => Attempt::failure(Duration::ZERO, Cause::Refused, format!("reason {reason}")),
        _ => Attempt::success(Duration::from_millis(5)),
    }];
    if status == Status::Degraded {
        result.notice = Some(format!("slow {reason}").into());
    }
    result
}
