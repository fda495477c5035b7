//! What the beats of a job mean.

use std::time::Duration;

use checkup_core::Timestamp;
use checkup_core::duration::GoDuration;

use crate::Outcome;
use crate::name::FileName;

/// How far the clock of a machine may be ahead.
pub(crate) const FUTURE: Duration = Duration::from_secs(300);

/// When beats are due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub(crate) every: Duration,
    pub(crate) grace: Duration,
    pub(crate) max_runtime: Option<Duration>,
}

/// What the beats of a job mean.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    /// The job is on time. The last run took this long, if that is known.
    OnTime(Option<Duration>),
    /// The last run failed, this long ago.
    Failed(&'a FileName, Duration),
    /// The job is down for this reason.
    Down(String),
}

/// Judges beats, which are sorted by time. The second value says that there is one from the future.
pub(crate) fn judge<'a>(beats: &'a [FileName], schedule: Schedule, now: Timestamp) -> (Verdict<'a>, Option<String>) {
    let (past, future) = beats.split_at(beats.partition_point(|beat| beat.at <= now.saturating_add(FUTURE)));
    let doubt = future.last().map(|beat| {
        format!(
            "there is a beat from the future ({}); set the clock of this machine, or of the one that the job runs on",
            beat.at
        )
    });
    (judge_past(past, schedule, now), doubt)
}

fn judge_past<'a>(beats: &'a [FileName], schedule: Schedule, now: Timestamp) -> Verdict<'a> {
    let ago = |at: Timestamp| readable(now.since(at));
    let ended = last_end(beats);
    let runs_since = beats.last().filter(|beat| beat.outcome == Outcome::Began).map(|beat| beat.at);
    if let Some(failed) = ended.filter(|beat| beat.outcome == Outcome::Failed) {
        return Verdict::Failed(failed, now.since(failed.at));
    }
    if let (Some(since), Some(limit)) = (runs_since, schedule.max_runtime)
        && now.since(since) > limit
    {
        let limit = readable(limit);
        return Verdict::Down(format!("began {} ago and has not ended; it should take at most {limit}", ago(since)));
    }
    let Some(first) = ended.or(beats.first()) else {
        return Verdict::Down("no beat yet: the job has never reported".to_owned());
    };
    if now.since(first.at) <= schedule.every.saturating_add(schedule.grace) {
        return Verdict::OnTime(ended.and_then(|beat| beat.took));
    }
    let expected =
        format!("expected one every {}, with {} of grace", readable(schedule.every), readable(schedule.grace));
    Verdict::Down(match (ended, runs_since) {
        (Some(ended), None) => format!("late: the last beat was {} ago, {expected}", ago(ended.at)),
        (Some(ended), Some(since)) => {
            format!(
                "late: the last run ended {} ago, {expected}; one began {} ago and has not ended",
                ago(ended.at),
                ago(since)
            )
        }
        (None, since) => {
            let latest = since.unwrap_or(first.at);
            format!("began {} ago and has not ended; no run has ended since {}, {expected}", ago(latest), first.at)
        }
    })
}

/// The beats that the verdict depends on, whatever comes later, besides the latest ones.
pub(crate) fn needed(beats: &[FileName]) -> Vec<FileName> {
    last_end(beats).or(beats.first()).into_iter().cloned().collect()
}

fn last_end(beats: &[FileName]) -> Option<&FileName> {
    beats.iter().rfind(|beat| beat.outcome != Outcome::Began)
}

/// A duration as people say it: `3d2h`, `5h10m`, `1m30s`, `1.5s`.
pub(crate) fn readable(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    let pair = |large: u64, unit: &str, small: u64, smaller: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{smaller}"),
    };
    match minutes {
        0 => GoDuration::rounded(duration).to_string(),
        1..60 => pair(minutes, "m", duration.as_secs() % 60, "s"),
        60..1440 => pair(minutes / 60, "h", minutes % 60, "m"),
        _ => pair(minutes / 1440, "d", minutes / 60 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000_000;

    /// Beats at these minutes.
    fn beats(at: &[(i64, Outcome)]) -> Vec<FileName> {
        let beat = |(minute, outcome): &(i64, Outcome)| FileName {
            at: Timestamp::from_unix_nanos(minute * MINUTE),
            name: String::new(),
            outcome: *outcome,
            took: None,
        };
        at.iter().map(beat).collect()
    }

    /// The verdict at a minute on a job that runs once an hour, with ten minutes of grace.
    fn verdict(at: &[(i64, Outcome)], max_runtime: Option<u64>, now: i64) -> String {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let schedule = Schedule { every: minutes(60), grace: minutes(10), max_runtime: max_runtime.map(minutes) };
        match judge(&beats(at), schedule, Timestamp::from_unix_nanos(now * MINUTE)) {
            (Verdict::OnTime(_), None) => "on time".to_owned(),
            (Verdict::OnTime(_), Some(doubt)) => doubt,
            (Verdict::Failed(_, ago), _) => format!("failed {} ago", readable(ago)),
            (Verdict::Down(reason), _) => reason,
        }
    }

    use Outcome::{Began, Failed, Ok};

    #[test]
    fn a_job_is_late_after_its_period_and_the_grace() {
        assert_eq!(verdict(&[(0, Ok)], None, 70), "on time");
        assert_eq!(
            verdict(&[(0, Ok)], None, 71),
            "late: the last beat was 1h11m ago, expected one every 1h, with 10m of grace"
        );
        assert_eq!(verdict(&[(0, Ok), (65, Ok)], None, 71), "on time");
        assert_eq!(verdict(&[], None, 0), "no beat yet: the job has never reported");
    }

    #[test]
    fn a_failure_lasts_until_a_run_succeeds() {
        assert_eq!(verdict(&[(0, Ok), (60, Failed)], None, 61), "failed 1m ago");
        assert_eq!(verdict(&[(60, Failed), (120, Began)], None, 121), "failed 1h1m ago");
        assert_eq!(verdict(&[(60, Failed), (120, Began), (121, Ok)], None, 122), "on time");
    }

    #[test]
    fn a_run_that_does_not_end_is_found() {
        assert_eq!(verdict(&[(0, Ok), (60, Began)], None, 69), "on time");
        assert_eq!(verdict(&[(0, Ok), (60, Began)], Some(5), 65), "on time");
        assert_eq!(
            verdict(&[(0, Ok), (60, Began)], Some(5), 66),
            "began 6m ago and has not ended; it should take at most 5m"
        );
        assert_eq!(
            verdict(&[(0, Ok), (60, Began)], None, 71),
            "late: the last run ended 1h11m ago, expected one every 1h, with 10m of grace; one began 11m ago and has not ended"
        );
        // A job that never ends and begins again and again is not on time, although its last beat is recent.
        let looping: Vec<_> = (0..80).map(|minute| (minute, Began)).collect();
        assert_eq!(verdict(&looping[..70], Some(5), 69), "on time");
        assert!(
            verdict(&looping, Some(5), 80).starts_with("began 1m ago and has not ended; no run has ended since 1970")
        );
    }

    #[test]
    fn a_beat_from_the_future_neither_hides_an_outage_nor_causes_one() {
        assert_eq!(verdict(&[(0, Ok), (4, Ok)], None, 0), "on time");
        assert!(verdict(&[(0, Ok), (10_000, Failed)], None, 1).starts_with("there is a beat from the future (1970-"));
        assert!(verdict(&[(0, Ok), (10_000, Ok)], None, 100).starts_with("late: "));
        assert_eq!(verdict(&[(10_000, Ok)], None, 0), "no beat yet: the job has never reported");
    }

    #[test]
    fn durations_are_readable() {
        let shown =
            [0.25, 90.0, 3600.0, 3660.0, 90_000.0, 172_800.0].map(|secs| readable(Duration::from_secs_f64(secs)));
        assert_eq!(shown, ["250ms", "1m30s", "1h", "1h1m", "1d1h", "2d"]);
    }
}
