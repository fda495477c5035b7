//! Past events over all locations together: incidents, messages and maintenance.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use checkup_core::history::Rules;
use checkup_core::summary::{CurrentPost, Incident, Posted, Series, Summary, Window};
use checkup_core::{Status, Timestamp};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A message that is posted at several locations is attached to results of about the same time. It counts as one message.
const SAME_MESSAGE: Duration = Duration::from_secs(300);

/// Longer messages are cut in a summary.
const CUT: usize = 2000;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) kind: HappeningKind,
    /// The check; `None` for all.
    pub(crate) name: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) from: Timestamp,
    /// `None` if it has not ended, or has no duration.
    pub(crate) to: Option<Timestamp>,
    /// The reason of an incident, or the text of an operator.
    pub(crate) text: Option<String>,
    /// When it became known; `None` for maintenance if that time is unknown.
    pub(crate) posted: Option<Timestamp>,
    /// When its status last changed, or something was posted about it; what has no status never changes.
    pub(crate) changed: Option<Timestamp>,
    /// Identifies it among those of its kind.
    pub(crate) id: String,
    /// Whether it ended since no location was known any more.
    pub(crate) is_last_seen: bool,
    /// What was posted about an incident, oldest first.
    pub(crate) updates: Vec<Posted>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HappeningKind {
    Incident { status: Status },
    Message,
    Maintenance,
}

impl Happening {
    fn of_message(message: &Posted, name: Option<String>, endpoint: Option<String>) -> Self {
        Self {
            kind: HappeningKind::Message,
            name,
            endpoint,
            from: message.at,
            to: None,
            text: Some(message.text.clone()),
            posted: Some(message.at),
            changed: None,
            id: message.id.clone(),
            is_last_seen: false,
            updates: Vec::new(),
        }
    }

    /// When it became known, which is never later than now.
    pub(crate) fn published(&self, now: Timestamp) -> Timestamp {
        // If that is unknown, it must not be the time of the request: the same history must yield the same feed.
        let today = now.unix_nanos().div_euclid(nanos(DAY)).saturating_mul(nanos(DAY));
        self.posted.unwrap_or_else(|| self.from.min(Timestamp::from_unix_nanos(today))).min(now)
    }

    /// When it last changed, which is never later than now.
    pub(crate) fn updated(&self, now: Timestamp) -> Timestamp {
        self.changed.map_or_else(|| self.published(now), |changed| changed.min(now))
    }
}

/// What happened from `since` on, the latest first.
pub(crate) fn timeline(summary: &Summary, since: Timestamp, rules: &Rules, now: Timestamp) -> Vec<Happening> {
    let mut checks = BTreeMap::<_, Vec<&Series>>::new();
    for series in &summary.series {
        checks.entry((&series.name, &series.endpoint)).or_default().push(series);
    }
    let mut happenings = Vec::new();
    // What was posted to a group is one.
    let mut groups = BTreeSet::new();
    for ((name, endpoint), locations) in checks {
        happenings.extend(incidents(summary, name, &locations, rules, now));
        let mut messages = summary.messages(locations.iter().copied());
        let mut said = BTreeSet::new();
        messages.retain(|message| {
            let about = message.at.unix_nanos().div_euclid(nanos(SAME_MESSAGE));
            let is_first = message.group.is_none() || groups.insert((message.id.clone(), Timestamp::default()));
            is_first && !is_announced(summary, name, &message.text) && said.insert((about, &message.text))
        });
        happenings.extend(messages.into_iter().map(|message| match &message.group {
            Some(group) => Happening::of_message(message, Some(group.clone()), None),
            None => Happening::of_message(message, Some(name.clone()), Some(endpoint.clone())),
        }));
    }
    happenings.extend(summary.announcements().into_iter().map(|message| Happening::of_message(message, None, None)));
    let windows = next_windows(summary, now);
    let windows = windows.into_iter().filter(|one| one.group.is_none() || groups.insert((one.id.clone(), one.from)));
    happenings.extend(windows.map(|window| Happening {
        kind: HappeningKind::Maintenance,
        name: window.group.clone().or_else(|| window.name.clone()),
        endpoint: None,
        from: window.from,
        to: Some(window.to),
        text: Some(window.text.clone()),
        posted: posted(summary, window),
        changed: None,
        id: window.id.clone(),
        is_last_seen: false,
        updates: Vec::new(),
    }));
    happenings.retain(|happening| happening.to.unwrap_or(happening.from) >= since || is_open(happening));
    happenings.sort_by_key(|happening| std::cmp::Reverse(happening.from));
    happenings
}

/// The maintenance windows, without those of maintenance that recurs which come after the next one.
pub(crate) fn next_windows(summary: &Summary, now: Timestamp) -> Vec<&Window> {
    let mut planned = BTreeSet::new();
    let mut windows: Vec<_> = summary.windows.iter().collect();
    windows.retain(|window| window.from <= now || planned.insert((&window.id, &window.name)));
    windows
}

/// Whether this message of a check is what a window of maintenance says, and is shown with it.
pub(crate) fn is_announced(summary: &Summary, name: &str, text: &str) -> bool {
    let is_of = |window: &&Window| window.name.as_deref().is_none_or(|own| own == name);
    summary.windows.iter().filter(is_of).any(|window| says(window, text))
}

fn says(window: &Window, text: &str) -> bool {
    // A result with two posts has both texts, one below the other.
    let is_start = |start: &str| start.len() >= CUT && window.text.starts_with(start);
    window.text == text || window.text.lines().any(|line| line == text) || text.strip_suffix('…').is_some_and(is_start)
}

/// When a window was posted: the last time that its text was posted before it begins.
fn posted(summary: &Summary, window: &Window) -> Option<Timestamp> {
    let is_it = |post: &&CurrentPost| {
        post.message.id == window.id && post.check.as_ref().map(|(name, _)| name) == window.name.as_ref()
    };
    if let Some(post) = summary.posts().find(is_it) {
        return Some(post.message.at);
    }
    let of = summary.series.iter().filter(|series| window.name.as_ref().is_none_or(|name| *name == series.name));
    let times: BTreeSet<_> = of
        .flat_map(|series| &series.messages)
        .filter(|message| says(window, &message.text))
        .map(|message| message.at)
        .collect();
    let last = times.range(..=window.from).next_back().or_else(|| times.first())?;
    times.iter().copied().find(|time| last.since(*time) < SAME_MESSAGE)
}

fn is_open(happening: &Happening) -> bool {
    matches!(happening.kind, HappeningKind::Incident { .. }) && happening.to.is_none()
}

/// The incidents of one check.
fn incidents(summary: &Summary, name: &str, locations: &[&Series], rules: &Rules, now: Timestamp) -> Vec<Happening> {
    let timeline = summary.timeline(locations.iter().copied(), rules.quorum, now);
    let incidents = timeline.incidents(rules.hysteresis(name));
    let endpoint = locations.first().map(|series| series.endpoint.clone());
    let is_several = locations.len() > 1;
    incidents.into_iter().map(|incident| happening(name, endpoint.clone(), incident, is_several)).collect()
}

fn happening(name: &str, endpoint: Option<String>, incident: Incident, is_several: bool) -> Happening {
    let at: Vec<_> = incident.locations().into_iter().flatten().collect();
    let at = if is_several && !at.is_empty() { format!(" (at {})", at.join(", ")) } else { String::new() };
    let text = match &incident.reason {
        Some(reason) => Some(format!("{reason}{at}")),
        None => Some(at.trim().to_owned()).filter(|at| !at.is_empty()),
    };
    let updates = incident.messages.clone();
    // When it became as bad as it was.
    let worst = incident.segments.iter().find(|segment| segment.status == incident.status).map(|segment| segment.from);
    Happening {
        kind: HappeningKind::Incident { status: incident.status },
        name: Some(name.to_owned()),
        endpoint,
        from: incident.from,
        to: incident.to,
        text,
        posted: Some(incident.from),
        changed: incident.to.or(worst).max(updates.iter().map(|message| message.at).max()),
        is_last_seen: incident.last_seen.is_some(),
        id: incident.id,
        updates,
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use checkup_core::{Attempt, Cause, CheckResult, MaintenanceWindow, Quorum};

    use super::*;

    fn at(minute: u64) -> Timestamp {
        Timestamp::from_unix_nanos(1_795_340_000_000_000_000).saturating_add(Duration::from_secs(60 * minute))
    }

    /// Results a minute apart: `d`own, de`g`raded or healthy.
    fn results(location: &str, states: &str) -> Vec<CheckResult> {
        let of = |(minute, state): (usize, char)| {
            let mut result = CheckResult::new("API", "x");
            result.timestamp = at(minute as u64);
            result.location = Some(location.into());
            if state == 'g' {
                result.status = Status::Degraded;
            }
            if state == 'd' {
                result.status = Status::Down;
                result.attempts = vec![Attempt::failure(Duration::ZERO, Cause::Refused, "refused")];
            }
            result
        };
        states.chars().enumerate().map(of).collect()
    }

    fn incidents(of: &[(&str, &str)], quorum: Quorum) -> Vec<Happening> {
        let mut summary = Summary::new();
        for (location, states) in of {
            summary.add(&results(location, states));
        }
        timeline(&summary, Timestamp::default(), &Rules::new(quorum), summary.made)
    }

    #[test]
    fn an_outage_at_several_locations_is_one_incident() {
        let found = incidents(&[("eu", "hddddh"), ("us", "hhdddd"), ("asia", "hhhhhh")], Quorum::Majority);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].from, found[0].to), (at(1), None), "one location is still down");
        assert_eq!(found[0].kind, HappeningKind::Incident { status: Status::Down });
        assert_eq!(found[0].text.as_deref(), Some("refused (at eu, us)"));
    }

    #[test]
    fn fewer_locations_than_the_quorum_are_a_degradation() {
        let of = [("eu", "hddhh"), ("us", "hhhhh"), ("asia", "hhhhh")];
        let found = incidents(&of, Quorum::Majority);
        assert_eq!(found[0].kind, HappeningKind::Incident { status: Status::Degraded });
        let found = incidents(&of, Quorum::at_least(1).unwrap());
        assert_eq!(found[0].kind, HappeningKind::Incident { status: Status::Down });
        assert_eq!(found[0].to, Some(at(3)));
    }

    #[test]
    fn an_incident_changes_when_it_worsens_and_when_it_ends() {
        let changed = |of: &[(&str, &str)]| incidents(of, Quorum::Majority)[0].changed;
        assert_eq!(changed(&[("eu", "hggg")]), Some(at(1)));
        assert_eq!(changed(&[("eu", "hggddd")]), Some(at(3)));
        assert_eq!(changed(&[("eu", "hddgg")]), Some(at(1)), "it is shown as bad as it was");
        assert_eq!(changed(&[("eu", "hdddd"), ("us", "hhddd")]), Some(at(2)));
        assert_eq!(changed(&[("eu", "hggdhh")]), Some(at(4)));
    }

    #[test]
    fn outages_one_after_the_other_are_two_incidents_the_latest_first() {
        let found = incidents(&[("eu", "hddhhhddh")], Quorum::Majority);
        assert_eq!(found.iter().map(|one| one.from).collect::<Vec<_>>(), [at(6), at(1)]);
    }

    #[test]
    fn messages_and_maintenance_are_there_and_old_things_are_not() {
        let mut announced = results("eu", "h").remove(0);
        announced.message = Some("We know".into());
        announced.maintenance = Some(Box::new(MaintenanceWindow::new(at(10), at(20))));
        let mut summary = Summary::new();
        summary.add(&[announced]);
        let kinds = |since| -> Vec<_> {
            timeline(&summary, since, &Rules::default(), at(30)).into_iter().map(|one| one.kind).collect()
        };
        assert!(kinds(at(0)).contains(&HappeningKind::Maintenance));
        assert_eq!(kinds(at(15)), [HappeningKind::Maintenance], "it goes on");
        assert_eq!(kinds(at(21)), []);
    }

    /// A message at two locations, with a window of maintenance or without.
    fn posted_at(minute: u64, text: &str, window: Option<(u64, u64)>) -> Vec<CheckResult> {
        let announced = |location| {
            let mut announced = results(location, "h").remove(0);
            announced.timestamp = at(minute).saturating_add(Duration::from_secs(if location == "eu" { 0 } else { 2 }));
            announced.message = Some(text.into());
            announced.maintenance = window.map(|(from, to)| Box::new(MaintenanceWindow::new(at(from), at(to))));
            announced
        };
        vec![announced("eu"), announced("us")]
    }

    #[test]
    fn maintenance_is_told_once_and_known_when_it_was_posted() {
        let mut summary = Summary::new();
        summary.add(&posted_at(1, "New disks", Some((100, 120))));
        summary.add(&posted_at(150, "New disks", Some((200, 220))));
        summary.add(&posted_at(160, "We know", None));
        let found = timeline(&summary, Timestamp::default(), &Rules::default(), at(170));
        let announced: Vec<_> =
            found.iter().map(|one| (one.text.as_deref().unwrap_or_default(), one.published(at(170)))).collect();
        assert_eq!(announced, [("New disks", at(150)), ("We know", at(160)), ("New disks", at(1))]);
    }

    #[test]
    fn nothing_is_dated_in_the_future() {
        let mut summary = Summary::new();
        let mut untold = posted_at(1, "", Some((100, 120)));
        untold.iter_mut().for_each(|result| result.message = None);
        summary.add(&untold);
        summary.add(&posted_at(50_000, "a clock that is ahead", None));
        for one in timeline(&summary, Timestamp::default(), &Rules::default(), at(170)) {
            assert!(one.published(at(2)) <= at(2) && one.updated(at(2)) <= at(2), "{one:?}");
        }
    }
}
