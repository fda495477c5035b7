//! [`FileName`]: the names of beats.
//!
//! `beat-<job>-<hash of the job>-<nanoseconds>-<outcome>-<milliseconds that it took>-<random>.json`: a list of names says nearly everything.
//! The names sort after all check files, so that listings of check files do not see them.

use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use checkup_core::Timestamp;
use fnv::FnvHasher;

use crate::{Beat, Outcome};

/// How many characters of a job are in a name. The hash tells jobs apart.
const MAX_JOB: usize = 40;

/// What the name of a beat says. Orders by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileName {
    pub(crate) at: Timestamp,
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
    pub(crate) took: Option<Duration>,
}

/// The beginning of the names of a job's beats.
pub(crate) fn prefix(job: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let readable: String = job.chars().take(MAX_JOB).map(safe).collect();
    let mut hash = FnvHasher::default();
    hash.write(job.as_bytes());
    format!("beat-{readable}-{:016x}-", hash.finish())
}

/// The first name that is not one of a job's beats: `.` follows `-`.
pub(crate) fn end(prefix: &str) -> String {
    format!("{}.", prefix.strip_suffix('-').unwrap_or(prefix))
}

impl FileName {
    /// A name for a beat that no other has.
    pub(crate) fn unique(prefix: &str, beat: &Beat) -> String {
        let at = beat.at.max(Timestamp::from_unix_nanos(0));
        let mut name = format!("{prefix}{:019}-{}", at.unix_nanos(), word(beat.outcome));
        if let Some(took) = beat.took {
            // Writing to a string cannot fail.
            let _ = write!(name, "-{}ms", took.as_millis());
        }
        let random = RandomState::new().hash_one((at.unix_nanos(), std::process::id()));
        let _ = write!(name, "-{random:016x}.json");
        name
    }

    /// Parses a name; `None` if it is not one of a job's beats.
    pub(crate) fn parse(prefix: &str, name: &str) -> Option<Self> {
        let parts = name.strip_prefix(prefix)?.strip_suffix(".json")?;
        let mut parts = parts.split('-');
        let at = parts.next()?.parse().ok().filter(|at| *at >= 0).map(Timestamp::from_unix_nanos)?;
        let outcome = match parts.next()? {
            "began" => Outcome::Began,
            "ok" => Outcome::Ok,
            "failed" => Outcome::Failed,
            _ => return None,
        };
        let took = parts.next()?.strip_suffix("ms").and_then(|took| took.parse().ok()).map(Duration::from_millis);
        Some(Self { at, name: name.to_owned(), outcome, took })
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Began => "began",
        Outcome::Ok => "ok",
        Outcome::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::check_file;

    use super::*;

    #[test]
    fn names_are_read_back_and_are_not_those_of_check_files() {
        let prefix = prefix("Nightly backup-check.json/../ü");
        for beat in [Beat::began(), Beat::ok().took(Duration::from_millis(1234)), Beat::failed()] {
            let name = FileName::unique(&prefix, &beat);
            assert!(name.is_ascii() && !name.contains(['/', '\\']) && name.len() < 200, "{name}");
            assert!(!name.contains("-check.json") && check_file::FileName::parse(&name).is_none(), "{name}");
            assert!(name.as_str() > ":" && name > prefix && name < end(&prefix), "{name}");
            let parsed = FileName::parse(&prefix, &name).unwrap();
            assert_eq!((parsed.at, parsed.outcome, parsed.took), (beat.at, beat.outcome, beat.took), "{name}");
        }
    }

    #[test]
    fn names_sort_by_time_and_two_beats_at_one_time_have_different_names() {
        let (prefix, at) = (prefix("a"), Timestamp::from_unix_nanos);
        let name = |nanos| FileName::unique(&prefix, &Beat::ok().at(at(nanos)));
        assert!(name(999) < name(1000) && name(-5) < name(1));
        assert_ne!(name(1), name(1));
    }

    #[test]
    fn jobs_with_similar_names_are_told_apart() {
        for (one, other) in [("a b", "a_b"), ("a", "a-"), (&*"x".repeat(50), &*"x".repeat(51)), ("A", "a")] {
            let (one, other) = (prefix(one), prefix(other));
            assert!(!one.starts_with(&other) && !other.starts_with(&one));
        }
    }

    #[test]
    fn other_names_are_not_beats() {
        let prefix = prefix("a");
        for rest in
            ["", ".json", "1.json", "1-ok.json", "x-ok-1.json", "-1-ok-1.json", "1-late-1.json", "1-ok-1.json.bak"]
        {
            assert_eq!(FileName::parse(&prefix, &format!("{prefix}{rest}")), None, "{rest}");
        }
        assert_eq!(FileName::parse(&prefix, "1473318000000000000-check.json"), None);
    }
}
