//! The present of a summary: its posts and windows, and the last runs and the last result of each series.

use super::{Series, Summary, Window};
use crate::Timestamp;
use crate::history::freshness::AHEAD;
use crate::history::run::Run;

impl Summary {
    /// What is true at `now`, without the past: each series has only the runs of its present status and its latest result. For an overview of
    /// many checks.
    ///
    /// ```
    /// use checkup_core::{CheckResult, Timestamp, summary::Summary};
    ///
    /// let now = Timestamp::now();
    /// let results = [2, 1].map(|minutes| {
    ///     let mut result = CheckResult::new("API", "https://example.com");
    ///     result.timestamp = now.saturating_sub(std::time::Duration::from_secs(60 * minutes));
    ///     result
    /// });
    /// let mut summary = Summary::new();
    /// summary.add(&results);
    /// let present = summary.present(now);
    /// assert_eq!(present.series[0].recent, summary.series[0].recent[1..]);
    /// assert_eq!(present.since(&present.series[0]), summary.since(&summary.series[0]));
    /// ```
    #[must_use]
    pub fn present(&self, now: Timestamp) -> Self {
        let horizon = now.saturating_add(AHEAD);
        let series = self.series.iter().map(|series| Series {
            name: series.name.clone(),
            endpoint: series.endpoint.clone(),
            location: series.location.clone(),
            threshold_rtt: series.threshold_rtt,
            days: Vec::new(),
            messages: series.messages.clone(),
            recent: series.latest_at(now).cloned().into_iter().collect(),
            runs: present_runs(series.runs_up_to(horizon)),
        });
        Self {
            made: self.made,
            recent_from: self.recent_from,
            windows: self.windows.clone(),
            unread: self.unread.clone(),
            problems: self.problems.clone(),
            series: series.collect(),
            posts: self.posts.clone(),
            ..Self::new()
        }
    }

    /// What is known of one check: its series with all details, and its windows. Empty if there is no such check.
    #[must_use]
    pub fn of_check(&self, name: &str, endpoint: &str) -> Self {
        let is_own = |series: &&Series| (series.name.as_str(), series.endpoint.as_str()) == (name, endpoint);
        let is_over = |window: &&Window| window.name.as_deref().is_none_or(|of| of == name);
        Self {
            made: self.made,
            recent_from: self.recent_from,
            windows: self.windows.iter().filter(is_over).cloned().collect(),
            series: self.series.iter().filter(is_own).cloned().collect(),
            ..Self::new()
        }
    }

    /// What is known of the checks whose names `keep` accepts, and what is posted to all checks.
    #[must_use]
    pub fn of_checks(&self, keep: impl Fn(&str) -> bool) -> Self {
        let posts = self.posts.iter().filter(|(_, post)| post.check.as_ref().is_none_or(|(name, _)| keep(name)));
        let ids = self.ids.iter().filter(|((name, _), _)| keep(name));
        let is_over = |window: &&Window| window.name.as_deref().is_none_or(&keep);
        Self {
            made: self.made,
            recent_from: self.recent_from,
            windows: self.windows.iter().filter(is_over).cloned().collect(),
            // Which results they have is not known, and their problems may name other checks.
            unread: self.unread.clone(),
            series: self.series.iter().filter(|series| keep(&series.name)).cloned().collect(),
            posts: posts.map(|(key, post)| (key.clone(), post.clone())).collect(),
            ids: ids.map(|(check, ids)| (check.clone(), ids.clone())).collect(),
            ..Self::new()
        }
    }
}

/// The last of these runs, and those before it with the same status and without a gap: its status began with the first of them. A run ends
/// where the interval changes.
fn present_runs(mut runs: Vec<Run>) -> Vec<Run> {
    let goes_on = |pair: &[Run]| pair[0].status == pair[1].status && pair[1].from <= pair[0].valid_until();
    let first = runs.windows(2).rposition(|pair| !goes_on(pair)).map_or(0, |place| place + 1);
    runs.split_off(first)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{CheckResult, Status};

    #[test]
    fn a_status_begins_before_a_change_of_the_interval() {
        let now = Timestamp::from_unix_nanos(1_800_000_000_000_000_000);
        // Down for five hours: every 15 minutes, then every minute.
        let down = (60..=300).step_by(15).chain(0..60);
        let results = (315..=900)
            .step_by(15)
            .map(|minutes| (minutes, Status::Healthy))
            .chain(down.map(|minutes| (minutes, Status::Down)));
        let results: Vec<_> = results
            .map(|(minutes, status)| {
                let mut result = CheckResult::new("API", "https://example.com");
                result.timestamp = now.saturating_sub(Duration::from_secs(60 * minutes));
                result.status = status;
                result
            })
            .collect();
        let mut summary = Summary::new();
        summary.add(&results);
        let present = summary.present(now);
        assert_eq!(present.since(&present.series[0]), Some(now.saturating_sub(Duration::from_secs(300 * 60))));
        assert_eq!(present.since(&present.series[0]), summary.since(&summary.series[0]));
        assert!(present.series[0].runs.len() > 1 && present.series[0].runs.len() < 5);
    }
}
