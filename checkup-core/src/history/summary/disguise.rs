//! [`Disguise`]: a summary for the public, without what is hidden.

use std::collections::BTreeSet;

use super::{KnownId, Quorum, Series, Summary};
use crate::Timestamp;
use crate::history::Rules;

/// What a summary for the public has in place of what a series is of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "what identifies a series besides its name, and its reasons")]
pub struct Disguise {
    /// The endpoint to show. Checks with the same name need different ones.
    pub endpoint: String,
    /// The location to show. Locations of a check need different ones.
    pub location: Option<String>,
    /// Whether reasons are removed.
    pub is_without_reasons: bool,
}

impl Summary {
    /// Replaces endpoints and locations, and removes reasons, as `of` says for the name, endpoint and location of each series. What else could
    /// name them, such as the names of check files, is removed. Incidents keep their ids.
    ///
    /// ```
    /// use checkup_core::history::Rules;
    /// use checkup_core::summary::{Disguise, Summary};
    /// use checkup_core::{CheckResult, Timestamp};
    ///
    /// let mut summary = Summary::new();
    /// summary.add(&[CheckResult::new("Database", "10.0.0.7:5432")]);
    /// summary.disguise(&Rules::default(), Timestamp::now(), |_, _, location| Disguise {
    ///     endpoint: String::new(),
    ///     location: location.map(ToOwned::to_owned),
    ///     is_without_reasons: true,
    /// });
    /// assert!(!serde_json::to_string(&summary)?.contains("10.0.0.7"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn disguise(&mut self, rules: &Rules, now: Timestamp, of: impl Fn(&str, &str, Option<&str>) -> Disguise) {
        let ids = |series: &[Series]| -> Option<((String, String), Vec<KnownId>)> {
            let first = series.first()?;
            let timeline = self.timeline(series, Quorum::Majority, now);
            let incidents = timeline.incidents(rules.hysteresis(&first.name));
            let ids: Vec<_> = incidents.into_iter().map(|incident| (incident.from, incident.id)).collect();
            let endpoint = of(&first.name, &first.endpoint, None).endpoint;
            (endpoint != first.endpoint && !ids.is_empty()).then(|| ((first.name.clone(), endpoint), ids))
        };
        let ids: Vec<_> = self.checks().filter_map(ids).collect();
        let mut changed = BTreeSet::new();
        for series in &mut self.series {
            let disguise = of(&series.name, &series.endpoint, series.location.as_deref());
            if disguise.endpoint != series.endpoint {
                changed.insert((series.name.clone(), std::mem::replace(&mut series.endpoint, disguise.endpoint)));
            }
            series.location = disguise.location;
            if disguise.is_without_reasons {
                series.runs.iter_mut().for_each(|run| run.reasons.clear());
                series.recent.iter_mut().for_each(|point| point.reason = None);
            }
        }
        self.ids.retain(|check, _| !changed.contains(check));
        self.ids.extend(ids);
        let posts = std::mem::take(&mut self.posts).into_values().map(|mut post| {
            if let Some((name, endpoint)) = &mut post.check {
                *endpoint = of(name, endpoint, None).endpoint;
            }
            (post.key(), post)
        });
        self.posts = posts.collect();
        // Their names and words have locations and checks.
        self.files.clear();
        self.unread = self.unread.iter().take(1).map(|_| "a check file".to_owned()).collect();
        self.problems.clear();
        self.sort();
    }
}
