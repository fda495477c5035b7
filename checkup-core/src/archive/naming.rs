//! The names of an archive's check files, and which of them are compacted into one.

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::check_file::{COMPACTED, FileName};
use crate::{CheckResult, Timestamp};

/// Check files' names begin with a digit: all of them are from here on, …
pub(super) const FIRST: &str = "0";
/// … and before this.
pub(super) const END: &str = ":";

/// How long after its end an hour or a day counts as closed: what the clocks of nodes may differ, and how long a node
/// may take to store.
pub(super) const GRACE: Duration = Duration::from_secs(20 * 60);

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

/// How much of a location is in a name.
const MAX_LOCATION: usize = 64;

const FULL: &str = "compacted-full-";

/// A new name for a report: the time, where the checks ran, and a part that no other process has.
pub(super) fn stored(results: &[CheckResult], unique: bool) -> FileName {
    let mut middle = String::new();
    let location = results.first().and_then(|result| result.location.as_deref());
    // A report that another node's results were put into (by a message, by a relay) is of no one location.
    if let Some(location) = location.filter(|one| results.iter().all(|other| other.location.as_deref() == Some(one))) {
        // Only what is the same in a URL, a bucket and any file system.
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        middle.extend(location.chars().take(MAX_LOCATION).map(safe));
    }
    if unique {
        let dash = if middle.is_empty() { "" } else { "-" };
        // Writing into a string cannot fail.
        let _ = write!(middle, "{dash}{:08x}", process());
    }
    FileName::with(next_moment(), &middle)
}

/// The name of the file that these are compacted into: the same for whoever compacts the same files.
///
/// Its time is that of the latest, so that neither retention nor a reader takes the file for older than anything in it.
pub(super) fn compacted<'a>(sources: impl Iterator<Item = &'a FileName>, full: bool, number: u32) -> FileName {
    let mut latest = Timestamp::default();
    // FNV-1a: it must be the same on every node and in every version. Two sets with one hash are told apart by
    // what is in the file.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for source in sources {
        latest = latest.max(source.timestamp());
        add(source.as_str().as_bytes());
        add(b"\n");
    }
    add(&number.to_le_bytes());
    FileName::with(latest, &format!("{}{hash:016x}", if full { FULL } else { COMPACTED }))
}

/// Whether a file is as large as compacted files become, and is left alone.
pub(super) fn is_full(name: &FileName) -> bool {
    name.after_the_time().starts_with(FULL)
}

/// What a name from this time on begins with, or sorts after. Times before 2001 have fewer digits in upstream's names: their
/// files may be anywhere.
pub(super) fn from(time: Timestamp) -> String {
    match time.unix_nanos() {
        nanos @ 1_000_000_000_000_000_000.. => nanos.to_string(),
        _ => FIRST.to_owned(),
    }
}

/// The closed day, or else the closed hour, that this time is in: its beginning. `None` if both are open.
pub(super) fn closed(time: Timestamp, now: Timestamp) -> Option<(i64, Timestamp)> {
    [DAY, HOUR].into_iter().find_map(|length| {
        let start = time.unix_nanos().div_euclid(length).saturating_mul(length);
        let end = Timestamp::from_unix_nanos(start.saturating_add(length)).saturating_add(GRACE);
        (end <= now).then_some((length, Timestamp::from_unix_nanos(start)))
    })
}

/// The beginning of the last day that is closed.
pub(super) fn last_closed_day(now: Timestamp) -> Timestamp {
    let today = now.saturating_sub(GRACE).unix_nanos().div_euclid(DAY);
    Timestamp::from_unix_nanos(today.saturating_sub(1).saturating_mul(DAY))
}

/// When the next hour closes.
pub(super) fn next_closing(now: Timestamp) -> Timestamp {
    let hour = now.saturating_sub(GRACE).unix_nanos().div_euclid(HOUR);
    Timestamp::from_unix_nanos(hour.saturating_add(1).saturating_mul(HOUR)).saturating_add(GRACE)
}

/// The current time, and later than all before in this process, even when the clock goes backwards.
fn next_moment() -> Timestamp {
    static LAST: AtomicI64 = AtomicI64::new(i64::MIN);
    later_than(&LAST, Timestamp::now())
}

fn later_than(last: &AtomicI64, now: Timestamp) -> Timestamp {
    let next = |last: i64| now.unix_nanos().max(last.saturating_add(1));
    let update = last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
    let (Ok(last) | Err(last)) = update;
    Timestamp::from_unix_nanos(next(last))
}

/// A number of this process. With the nanosecond it makes a name that no other process has.
fn process() -> u32 {
    static PROCESS: OnceLock<u32> = OnceLock::new();
    // The standard library's hash keys come from the system's source of random numbers.
    #[allow(clippy::cast_possible_truncation, reason = "half of the bits are as random as all")]
    *PROCESS.get_or_init(|| RandomState::new().hash_one(std::process::id()) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn names(texts: &[&str]) -> Vec<FileName> {
        texts.iter().map(|text| FileName::parse(text).unwrap()).collect()
    }

    fn located(locations: &[&str]) -> Vec<CheckResult> {
        let result = |location: &&str| {
            let mut result = CheckResult::new("a", "b");
            result.location = Some((*location).to_owned()).filter(|location| !location.is_empty());
            result
        };
        locations.iter().map(result).collect()
    }

    #[test]
    fn names_increase_while_the_clock_stands_still_or_goes_backwards() {
        let last = AtomicI64::new(0);
        let times = [5, 5, 3, 9].map(|now| later_than(&last, Timestamp::from_unix_nanos(now)).unix_nanos());
        assert_eq!(times, [5, 6, 7, 9]);
    }

    #[test]
    fn a_name_has_the_time_the_location_and_what_is_the_processs_own() {
        let middle = |results: &[CheckResult], unique| {
            let name = stored(results, unique);
            assert_eq!(FileName::parse(name.as_str()).as_ref(), Some(&name));
            name.as_str()[19..].to_owned()
        };
        let process = format!("{:08x}", process());
        assert_eq!(middle(&[], false), "-check.json");
        assert_eq!(middle(&[], true), format!("-{process}-check.json"));
        assert_eq!(middle(&located(&["eu-west", "eu-west"]), false), "-eu-west-check.json");
        assert_eq!(middle(&located(&["../ü %"]), true), format!("-______-{process}-check.json"));
        assert_eq!(middle(&located(&["eu", "us"]), false), "-check.json");
        assert_eq!(middle(&located(&["eu", ""]), false), "-check.json");
    }

    #[test]
    fn a_compacted_file_is_named_by_its_sources_and_its_latest() {
        let sources = names(&["1700000000000000001-check.json", "1700000000000000002-eu-check.json"]);
        let name = compacted(sources.iter(), false, 0);
        assert_eq!(name.timestamp(), sources[1].timestamp());
        assert_eq!(name, compacted(sources.iter(), false, 0));
        assert_ne!(name, compacted(sources.iter(), false, 1));
        assert_ne!(name, compacted(sources[1..].iter(), false, 0));
        assert!(name.is_compacted() && !sources[1].is_compacted() && !is_full(&name));
        assert!(is_full(&compacted(sources.iter(), true, 0)));
        assert!(FileName::parse(name.as_str()).is_some());
    }

    #[test]
    fn days_and_hours_close_some_minutes_after_their_end() {
        let time = at("2026-02-03T04:05:06Z");
        assert_eq!(closed(time, at("2026-02-03T05:19:59Z")), None);
        assert_eq!(closed(time, at("2026-02-03T05:20:00Z")), Some((HOUR, at("2026-02-03T04:00:00Z"))));
        assert_eq!(closed(time, at("2026-02-04T00:19:59Z")), Some((HOUR, at("2026-02-03T04:00:00Z"))));
        assert_eq!(closed(time, at("2026-02-04T00:20:00Z")), Some((DAY, at("2026-02-03T00:00:00Z"))));
        assert_eq!(last_closed_day(at("2026-02-04T00:19:59Z")), at("2026-02-02T00:00:00Z"));
        assert_eq!(last_closed_day(at("2026-02-04T00:20:00Z")), at("2026-02-03T00:00:00Z"));
        assert_eq!(next_closing(at("2026-02-04T00:19:59Z")), at("2026-02-04T00:20:00Z"));
        assert_eq!(next_closing(at("2026-02-04T00:20:00Z")), at("2026-02-04T01:20:00Z"));
    }
}
