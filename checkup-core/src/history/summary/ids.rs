//! The ids that incidents have had.

use super::{KnownId, Quorum, Series, Summary};
use crate::Timestamp;
use crate::history::ids::{KEPT, first_id};
use crate::history::incident::Hysteresis;

/// How many ids of a check are kept, the latest.
const MAX_IDS: usize = 500;

impl Summary {
    /// Notes the ids of the incidents that are known at `now`, so that they keep them if a result that arrives late moves their onset.
    pub fn note_incidents(&mut self, now: Timestamp) {
        let first = now.saturating_sub(KEPT);
        let of = |series: &[Series]| {
            let check = series.first().map(|series| (series.name.as_str(), series.endpoint.as_str()))?;
            let incidents = self.timeline(series, Quorum::Majority, now).incidents(Hysteresis::default());
            let ids = incidents.into_iter().filter(|one| one.from >= first || one.id != first_id(check, one.from));
            let mut ids: Vec<KnownId> = ids.map(|incident| (incident.from, incident.id)).collect();
            ids.drain(..ids.len().saturating_sub(MAX_IDS));
            (!ids.is_empty()).then(|| ((check.0.to_owned(), check.1.to_owned()), ids))
        };
        self.ids = self.checks().filter_map(of).collect();
    }

    /// Takes the ids that incidents have in another summary, such as an earlier one.
    pub fn take_ids(&mut self, other: &Summary) {
        for (check, ids) in &other.ids {
            let own = self.ids.entry(check.clone()).or_default();
            own.extend(ids.iter().filter(|id| !own.contains(id)).cloned().collect::<Vec<_>>());
            own.sort();
            own.drain(..own.len().saturating_sub(MAX_IDS));
        }
    }

    pub(crate) fn ids_of(&self, (name, endpoint): (&str, &str)) -> &[KnownId] {
        if self.ids.is_empty() {
            return &[];
        }
        self.ids.get(&(name.to_owned(), endpoint.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Forgets the ids of incidents before this time.
    pub(crate) fn expire_ids(&mut self, before: Timestamp) {
        self.ids.values_mut().for_each(|ids| ids.retain(|(onset, _)| *onset >= before));
        self.ids.retain(|_, ids| !ids.is_empty());
    }
}
