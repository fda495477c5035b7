//! The names of an archive's check files, and which of them are compacted into one.

use std::fmt::Write as _;
use std::time::Duration;

use crate::check_file::{COMPACTED, FileName};
use crate::fnv::Fnv;
use crate::{CheckResult, Timestamp};

/// The names of check files begin with a digit: all of them sort at or after this …
pub(super) const FIRST: &str = "0";
/// … and before this.
pub(super) const END: &str = ":";

/// How long after its end an hour or a day counts as closed. It covers differences between the clocks of nodes, and the
/// time that a node takes to store.
pub(super) const GRACE: Duration = Duration::from_secs(20 * 60);

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

/// How many characters of a location are in a name.
const MAX_LOCATION: usize = 64;

const FULL: &str = "compacted-full-";

/// How many consecutive names are tried for a report.
const NEXT: u32 = 16;

/// The name of a report's file: the time of its latest result, where the checks ran, and, with `hashed`, a hash of the
/// content. If another file has the name, higher values of `attempt` give other names.
///
/// The name depends only on the report. A report that is stored again, because the first response was lost or a spool
/// was flushed twice, therefore gets the same name, and exists once.
pub(super) fn stored(results: &[CheckResult], content: &[u8], hashed: bool, attempt: u32) -> FileName {
    let mut middle = String::new();
    let location = results.first().and_then(|result| result.location.as_deref());
    // A report that contains another node's results (from a message or a relay) has no single location.
    if let Some(location) = location.filter(|one| results.iter().all(|other| other.location.as_deref() == Some(one))) {
        // Only characters that are the same in a URL, a bucket and any file system.
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        middle.extend(location.chars().take(MAX_LOCATION).map(safe));
    }
    let hash = Fnv::default().add(content);
    if hashed {
        let dash = if middle.is_empty() { "" } else { "-" };
        // Writing into a string cannot fail.
        let _ = write!(middle, "{dash}{:08x}", hash.short());
    }
    let latest = results.iter().map(|result| result.timestamp).max().unwrap_or_else(Timestamp::now);
    // First the next nanoseconds. If they are taken too (all results have one fixed timestamp), any nanosecond within a
    // second.
    let later = match attempt {
        0..NEXT => u64::from(attempt),
        _ => hash.add(&attempt.to_le_bytes()).value() % 1_000_000_000,
    };
    FileName::with(latest.saturating_add(Duration::from_nanos(later)), &middle)
}

/// The name of the file that these files are compacted into. Every node that compacts the same files gets the same
/// name.
///
/// Its time is that of the latest source, so neither retention nor readers consider the file older than any of its
/// results.
pub(super) fn compacted<'a>(sources: impl Iterator<Item = &'a FileName>, full: bool, number: u32) -> FileName {
    let mut latest = Timestamp::default();
    // Two sets with the same hash are told apart by the content of the file.
    let mut hash = Fnv::default();
    for source in sources {
        latest = latest.max(source.timestamp());
        hash = hash.add(source.as_str().as_bytes()).add(b"\n");
    }
    let hash = hash.add(&number.to_le_bytes()).value();
    FileName::with(latest, &format!("{}{hash:016x}", if full { FULL } else { COMPACTED }))
}

/// Whether a file is full: as large as compacted files become, and left alone from then on.
pub(super) fn is_full(name: &FileName) -> bool {
    name.after_the_time().starts_with(FULL)
}

/// The first name of a file with this time or later. Times before 2001 have fewer digits in upstream's names, so those
/// files may be anywhere.
pub(super) fn from(time: Timestamp) -> String {
    match time.unix_nanos() {
        nanos @ 1_000_000_000_000_000_000.. => nanos.to_string(),
        _ => FIRST.to_owned(),
    }
}

/// The beginning of the closed day that this time is in, or else of the closed hour. `None` if both are open.
pub(super) fn closed(time: Timestamp, now: Timestamp) -> Option<(i64, Timestamp)> {
    [DAY, HOUR].into_iter().find_map(|length| {
        let start = time.unix_nanos().div_euclid(length).saturating_mul(length);
        let end = Timestamp::from_unix_nanos(start.saturating_add(length)).saturating_add(GRACE);
        (end <= now).then_some((length, Timestamp::from_unix_nanos(start)))
    })
}

/// The beginning of the last closed day.
pub(super) fn last_closed_day(now: Timestamp) -> Timestamp {
    let today = now.saturating_sub(GRACE).unix_nanos().div_euclid(DAY);
    Timestamp::from_unix_nanos(today.saturating_sub(1).saturating_mul(DAY))
}

/// When the next hour closes.
pub(super) fn next_closing(now: Timestamp) -> Timestamp {
    let hour = now.saturating_sub(GRACE).unix_nanos().div_euclid(HOUR);
    Timestamp::from_unix_nanos(hour.saturating_add(1).saturating_mul(HOUR)).saturating_add(GRACE)
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
            result.location = Some(*location).filter(|location| !location.is_empty()).map(Into::into);
            result
        };
        locations.iter().map(result).collect()
    }

    #[test]
    fn a_name_has_the_time_of_the_latest_result_the_location_and_a_hash_of_the_content() {
        let middle = |results: &[CheckResult], hashed| {
            let name = stored(results, b"content", hashed, 0);
            assert_eq!(FileName::parse(name.as_str()).as_ref(), Some(&name));
            assert_eq!(name, stored(results, b"content", hashed, 0));
            assert_eq!(name == stored(results, b"other", hashed, 0), !hashed);
            assert_eq!(name.timestamp(), results.iter().map(|result| result.timestamp).max().unwrap());
            name.as_str()[19..].to_owned()
        };
        let hash = format!("{:08x}", Fnv::default().add(b"content").short());
        assert_eq!(middle(&located(&[""]), false), "-check.json");
        assert_eq!(middle(&located(&[""]), true), format!("-{hash}-check.json"));
        assert_eq!(middle(&located(&["eu-west", "eu-west"]), false), "-eu-west-check.json");
        assert_eq!(middle(&located(&["../ü %"]), true), format!("-______-{hash}-check.json"));
        assert_eq!(middle(&located(&["eu", "us"]), false), "-check.json");
        assert_eq!(middle(&located(&["eu", ""]), false), "-check.json");
    }

    #[test]
    fn a_report_whose_names_are_taken_gets_others_within_a_second() {
        let results = located(&["eu"]);
        let mut names: Vec<_> = (0..1000).map(|attempt| stored(&results, b"content", false, attempt)).collect();
        assert_eq!(names[1].timestamp(), names[0].timestamp().saturating_add(Duration::from_nanos(1)));
        let last = names.iter().map(FileName::timestamp).max().unwrap();
        assert!(last.since(names[0].timestamp()) < Duration::from_secs(1));
        names.sort_unstable();
        names.dedup();
        assert!(names.len() > 990, "{}", names.len());
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
