//! What happened, of all locations together: incidents, messages and maintenance.

use std::collections::BTreeMap;

use checkup_core::summary::{Series, Summary};
use checkup_core::{Quorum, Status, Timestamp};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) kind: HappeningKind,
    /// The check; `None` for all.
    pub(crate) name: Option<String>,
    pub(crate) from: Timestamp,
    /// `None` for what has not ended, and for what does not last.
    pub(crate) to: Option<Timestamp>,
    /// The reason of an incident, or what an operator said.
    pub(crate) text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HappeningKind {
    Incident { status: Status },
    Message,
    Maintenance,
}

impl Happening {
    /// When it last changed.
    pub(crate) fn updated(&self) -> Timestamp {
        match self.kind {
            HappeningKind::Incident { .. } => self.to.unwrap_or(self.from),
            _ => self.from,
        }
    }
}

/// What happened from `since` on, the latest first. The quorum says how many locations make a check down.
pub(crate) fn timeline(summary: &Summary, since: Timestamp, quorum: Quorum) -> Vec<Happening> {
    let mut checks = BTreeMap::<_, Vec<&Series>>::new();
    for series in &summary.series {
        checks.entry((&series.name, &series.endpoint)).or_default().push(series);
    }
    let mut happenings = Vec::new();
    for ((name, _), locations) in checks {
        happenings.extend(incidents(summary, name, &locations, quorum.of(locations.len())));
        let mut messages: Vec<_> = locations.iter().flat_map(|series| &series.messages).collect();
        messages.sort();
        messages.dedup_by(|a, b| a.text == b.text && a.at == b.at);
        happenings.extend(messages.into_iter().map(|message| Happening {
            kind: HappeningKind::Message,
            name: Some(name.clone()),
            from: message.at,
            to: None,
            text: Some(message.text.clone()),
        }));
    }
    happenings.extend(summary.windows.iter().map(|window| Happening {
        kind: HappeningKind::Maintenance,
        name: window.name.clone(),
        from: window.from,
        to: Some(window.to),
        text: Some(window.text.clone()),
    }));
    happenings.retain(|happening| happening.to.unwrap_or(happening.from) >= since || is_open(happening));
    happenings.sort_by_key(|happening| std::cmp::Reverse(happening.from));
    happenings
}

fn is_open(happening: &Happening) -> bool {
    matches!(happening.kind, HappeningKind::Incident { .. }) && happening.to.is_none()
}

/// The incidents of one check, those of its locations that overlap as one.
fn incidents(summary: &Summary, name: &str, locations: &[&Series], needed: usize) -> Vec<Happening> {
    let mut parts: Vec<_> = locations
        .iter()
        .flat_map(|series| summary.incidents(series).into_iter().map(|incident| (incident, series.location.as_deref())))
        .collect();
    parts.sort_by_key(|(incident, _)| incident.from);
    let mut merged: Vec<Vec<_>> = Vec::new();
    let mut end = None;
    for part in parts {
        let overlaps = end.is_some_and(|end: Option<Timestamp>| end.is_none_or(|end| part.0.from < end));
        end = match end.filter(|_| overlaps) {
            Some(before) => Some(before.zip(part.0.to).map(|(a, b)| a.max(b))),
            None => Some(part.0.to),
        };
        match merged.last_mut().filter(|_| overlaps) {
            Some(last) => last.push(part),
            None => merged.push(vec![part]),
        }
    }
    merged.into_iter().filter_map(|parts| together(name, &parts, locations.len(), needed)).collect()
}

type Part<'a> = (checkup_core::summary::Incident, Option<&'a str>);

fn together(name: &str, parts: &[Part<'_>], locations: usize, needed: usize) -> Option<Happening> {
    let (first, _) = parts.first()?;
    let mut down: Vec<_> = parts.iter().filter(|(part, _)| part.status == Status::Down).map(|(_, at)| *at).collect();
    down.sort_unstable();
    down.dedup();
    let status = if down.len() >= needed { Status::Down } else { Status::Degraded };
    let to = parts.iter().map(|(part, _)| part.to).reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten();
    let worst = parts.iter().map(|(part, _)| part).find(|part| part.status == Status::Down && part.reason.is_some());
    let reason = worst.unwrap_or(first).reason.clone();
    let mut at: Vec<_> = parts.iter().filter_map(|(_, at)| *at).collect();
    at.sort_unstable();
    at.dedup();
    let at = if locations > 1 && !at.is_empty() { format!(" (at {})", at.join(", ")) } else { String::new() };
    let text =
        reason.map(|reason| format!("{reason}{at}")).or_else(|| Some(at.trim().to_owned()).filter(|at| !at.is_empty()));
    Some(Happening {
        kind: HappeningKind::Incident { status },
        name: Some(name.to_owned()),
        from: first.from,
        to,
        text,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use checkup_core::{Attempt, Cause, CheckResult, MaintenanceWindow};

    use super::*;

    fn at(minute: u64) -> Timestamp {
        Timestamp::from_unix_nanos(1_795_340_000_000_000_000).saturating_add(Duration::from_secs(60 * minute))
    }

    /// Results a minute apart: `d`own or healthy.
    fn results(location: &str, states: &str) -> Vec<CheckResult> {
        let of = |(minute, state): (usize, char)| {
            let mut result = CheckResult::new("API", "x");
            result.timestamp = at(minute as u64);
            result.location = Some(location.to_owned());
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
        timeline(&summary, Timestamp::default(), quorum)
    }

    #[test]
    fn an_outage_at_several_locations_is_one_incident() {
        let found = incidents(&[("eu", "hdddh"), ("us", "hhddd"), ("asia", "hhhhh")], Quorum::Majority);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].from, found[0].to), (at(1), None), "one location is still down");
        assert_eq!(found[0].kind, HappeningKind::Incident { status: Status::Down });
        assert_eq!(found[0].text.as_deref(), Some("refused (at eu, us)"));
    }

    #[test]
    fn fewer_locations_than_the_quorum_are_a_degradation() {
        let found = incidents(&[("eu", "hdh"), ("us", "hhh"), ("asia", "hhh")], Quorum::Majority);
        assert_eq!(found[0].kind, HappeningKind::Incident { status: Status::Degraded });
        let one = Quorum::at_least(1).unwrap();
        let found = incidents(&[("eu", "hdh"), ("us", "hhh"), ("asia", "hhh")], one);
        assert_eq!(found[0].kind, HappeningKind::Incident { status: Status::Down });
        assert_eq!(found[0].to, Some(at(2)));
    }

    #[test]
    fn outages_one_after_the_other_are_two_incidents_the_latest_first() {
        let found = incidents(&[("eu", "hdhhhdh")], Quorum::Majority);
        assert_eq!(found.iter().map(|one| one.from).collect::<Vec<_>>(), [at(5), at(1)]);
    }

    #[test]
    fn messages_and_maintenance_are_there_and_old_things_are_not() {
        let mut told = results("eu", "h").remove(0);
        told.message = Some("We know".into());
        told.maintenance = Some(MaintenanceWindow::new(at(10), at(20)));
        let mut summary = Summary::new();
        summary.add(&[told]);
        let kinds =
            |since| -> Vec<_> { timeline(&summary, since, Quorum::Majority).into_iter().map(|one| one.kind).collect() };
        assert!(kinds(at(0)).contains(&HappeningKind::Maintenance));
        assert_eq!(kinds(at(15)), [HappeningKind::Maintenance], "it goes on");
        assert_eq!(kinds(at(21)), []);
    }
}
