//! Entry points for fuzzing: the readers of files that other nodes wrote. Not part of the API.
//!
//! Each takes any bytes, and panics only if a reader is broken.

use crate::summary::Summary;
use crate::{Quorum, Timestamp, check_file};

/// Reads bytes as a check file. Its results must read the same after they are written, and a summary must take them.
pub fn check_file(bytes: &[u8]) {
    let Ok(results) = check_file::decode(bytes) else { return };
    let written = check_file::encode(&results).unwrap_or_default();
    let again = check_file::decode(&written).ok();
    assert_eq!(again.as_ref(), Some(&results), "results change when they are written");
    let mut summary = Summary::new();
    summary.add(&results);
    derive(&summary);
}

/// Reads bytes as a summary. Everything that is derived from it must end, and it must read the same after it is written. Its problems are about
/// what was read, so they are not read again.
pub fn summary(bytes: &[u8]) {
    let Ok(mut summary) = serde_json::from_slice::<Summary>(bytes) else { return };
    derive(&summary);
    summary.problems.clear();
    let written = serde_json::to_string(&summary).unwrap_or_default();
    let again = serde_json::from_str::<Summary>(&written).ok();
    let again = again.and_then(|summary| serde_json::to_string(&summary).ok());
    assert_eq!(again, Some(written), "a summary changes when it is written");
}

/// Derives what pages and commands show.
fn derive(summary: &Summary) {
    let now = Timestamp::from_unix_nanos(1_795_310_912_000_000_000);
    for quorum in [Some(Quorum::Majority), Quorum::at_least(1)].into_iter().flatten() {
        for verdict in summary.verdicts(quorum, now) {
            let _ = (verdict.since(), verdict.timestamp());
        }
    }
    for series in &summary.series {
        for from in [Timestamp::from_unix_nanos(i64::MIN), Timestamp::from_unix_nanos(0)] {
            let uptime = summary.uptime(series, from, now);
            assert!(uptime.is_none_or(|uptime| (0.0..=1.0).contains(&uptime)), "an uptime of {uptime:?}");
            let _ = summary.counts(series, from, now);
        }
        for incident in summary.incidents(series) {
            let _ = (incident.time_down(), incident.locations());
        }
        let _ = (summary.days(series), summary.since(series), series.latest_at(now), series.usual_interval());
    }
    for checks in summary.checks() {
        let _ = summary.messages(checks);
    }
    let mut shorter = summary.clone();
    shorter.forget_before(now);
    shorter.complete_runs();
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn inputs_of_the_corpus_are_accepted() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        checkup_testkit::for_each_input(&corpus.join("check_file"), check_file);
        checkup_testkit::for_each_input(&corpus.join("summary"), summary);
    }
}
