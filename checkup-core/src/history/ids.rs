//! The ids of incidents. An incident keeps its id when a result that arrives late moves its onset: links, messages and alerts refer to it.
//!
//! An id is a hash of the check and of the onset at the time that the incident is first derived. A summary has the ids of the last week, and
//! those whose onset was moved.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::Timestamp;
use crate::fnv::Fnv;

/// How long ids are kept of incidents that have the id of their onset.
pub(crate) const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The onset of an incident when it got its id, and the id.
pub(crate) type KnownId = (Timestamp, String);

/// The id of an incident whose onset is known for the first time: it depends on the check and on the minute, so that all readers derive
/// the same.
pub(crate) fn first_id((name, endpoint): (&str, &str), onset: Timestamp) -> String {
    let minute = onset.unix_nanos().div_euclid(60_000_000_000);
    let hash = Fnv::default().add(name.as_bytes()).add(b"\n").add(endpoint.as_bytes()).add(b"\n");
    format!("{:016x}", hash.add(minute.to_string().as_bytes()).value())
}

/// An incident that gets an id.
pub(crate) struct Identified<'a> {
    /// Its onset.
    pub(crate) from: Timestamp,
    /// The validity of its results.
    pub(crate) validity: Duration,
    /// Its id, at first that of its onset.
    pub(crate) id: &'a mut String,
}

/// Gives incidents the ids that they had: those of the same onset, then those whose onset moved by less than the validity of a result.
pub(crate) fn keep_ids(incidents: &mut [Identified<'_>], check: (&str, &str), known: &[KnownId]) {
    let mut used = BTreeSet::new();
    let mut moved = Vec::new();
    for (index, incident) in incidents.iter_mut().enumerate() {
        match known.iter().find(|(onset, id)| *onset == incident.from && !used.contains(id)) {
            Some((_, id)) => {
                incident.id.clone_from(id);
                used.insert(id);
            }
            None => moved.push(index),
        }
    }
    let mut own = BTreeSet::new();
    for index in moved {
        let Identified { from, validity, id: kept } = &mut incidents[index];
        let distance = |onset: Timestamp| onset.since(*from).max(from.since(onset));
        let near = known.iter().filter(|(onset, id)| distance(*onset) < *validity && !used.contains(id));
        if let Some((_, id)) = near.min_by_key(|(onset, id)| (distance(*onset), id)) {
            kept.clone_from(id);
            used.insert(id);
            continue;
        }
        // Another incident may have got the id of this minute before its onset moved, or began in the same minute.
        let mut onset = *from;
        while used.contains(&**kept) || !own.insert(kept.clone()) {
            onset = onset.saturating_sub(Duration::from_secs(60));
            **kept = first_id(check, onset);
        }
    }
}
