//! [`Alert`]: what a notifier is given about one check.

use std::fmt;

use crate::fnv::Fnv;
use crate::zone::Zone;
use crate::{Status, Timestamp};

/// Something to say about one check: that it is down, still down, or up again.
///
/// All texts except ids and keys come from outside (names, endpoints, reasons). [`Message`](super::Message) has them in words, on one
/// line each and of limited length; only escape those for your medium.
///
/// ```
/// use checkup_core::{Alert, AlertStep, Timestamp};
///
/// let onset: Timestamp = "2026-11-25T13:03:00Z".parse()?;
/// let mut alert = Alert::new(AlertStep::Down, "database", "tcp://db.example.com:5432", onset);
/// alert.reason = Some("connection refused".to_owned());
/// assert_eq!(alert.to_string(), "database is down: connection refused");
/// # Ok::<(), checkup_core::ParseTimestampError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alert {
    /// What happened.
    pub step: AlertStep,
    /// What it happened to.
    pub kind: AlertKind,
    /// The worst status since the onset, including for a recovery: what it recovered from.
    pub status: Status,
    /// The id of the incident, for people. A later incident of the same check has another.
    pub id: String,
    /// Identifies what the alert is about to a service that tracks incidents (PagerDuty's `dedup_key`, Opsgenie's `alias`). The same for all
    /// steps, all nodes and all incidents of a check: nodes that cannot see each other share one incident there.
    pub key: String,
    /// The number of this reminder, from 1, for [`Again`](AlertStep::Again); otherwise 0.
    pub reminder: u32,
    /// The name of the check, or of the location or notifier.
    pub name: String,
    /// The group of the check.
    pub group: Option<String>,
    /// What is checked. Empty if the alert is not about a check.
    pub endpoint: String,
    /// Why.
    pub reason: Option<String>,
    /// The locations where it is bad. A node without location is `None`.
    pub locations: Vec<Option<String>>,
    /// How many locations have a say.
    pub of_locations: usize,
    /// When it began: the first bad result.
    pub onset: Timestamp,
    /// When it ended, if it [is over](AlertStep::is_over).
    pub ended: Option<Timestamp>,
    /// Now, as the sender sees it: durations are counted up to here.
    pub at: Timestamp,
    /// The time zone in which people read the times.
    pub zone: Zone,
    /// The URL of the status page.
    pub page: Option<String>,
    /// The URL of what to do about it.
    pub runbook: Option<String>,
    /// The check that this one is down because of.
    pub cause: Option<String>,
    /// The checks that are down because of this one.
    pub also_affected: Vec<String>,
    /// What else the reader must know, such as that the storage cannot be reached, so that other nodes may send the same.
    pub note: Option<String>,
    /// Whether this is a test of the channel, and nothing happened.
    pub is_test: bool,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AlertStep {
    /// It went down, or became degraded.
    Down,
    /// A reminder: it is still down.
    Again,
    /// It goes up and down, and only its final recovery is sent from now on.
    Flapping,
    /// It is up again.
    Up,
    /// It was down and is up again; neither could be sent before.
    Was,
    /// The alert was closed, but not because of a recovery: the check is no longer checked, or a person closed it. The
    /// [note](Alert::note) says which.
    Closed,
}

impl AlertStep {
    /// The word for it in file names, templates and JSON: `down`, `again`, `flapping`, `up`, `was`, `closed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Again => "again",
            Self::Flapping => "flapping",
            Self::Up => "up",
            Self::Was => "was",
            Self::Closed => "closed",
        }
    }

    /// Whether the alert is over: [`Up`](Self::Up), [`Was`](Self::Was) and [`Closed`](Self::Closed).
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Up | Self::Was | Self::Closed)
    }
}

impl fmt::Display for AlertStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AlertKind {
    /// A check.
    #[default]
    Check,
    /// A location that has stopped reporting, or is cut off from the network.
    Location,
    /// A notifier that cannot deliver.
    Notifier,
    /// The storage, which cannot be reached.
    Storage,
}

impl AlertKind {
    /// The word for it in file names, templates and JSON: `check`, `location`, `notifier`, `storage`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Location => "location",
            Self::Notifier => "notifier",
            Self::Storage => "storage",
        }
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Alert {
    /// An alert about a check that is, or was, down since `onset`. Set the other fields as you need them, in tests of a notifier for example.
    pub fn new(step: AlertStep, name: impl Into<String>, endpoint: impl Into<String>, onset: Timestamp) -> Self {
        let (name, endpoint) = (name.into(), endpoint.into());
        let key = Self::key_of(AlertKind::Check, &name, &endpoint);
        Self {
            step,
            kind: AlertKind::Check,
            status: Status::Down,
            id: key.clone(),
            key,
            reminder: u32::from(step == AlertStep::Again),
            name,
            group: None,
            endpoint,
            reason: None,
            locations: Vec::new(),
            of_locations: 0,
            onset,
            ended: step.is_over().then_some(onset),
            at: onset,
            zone: Zone::default(),
            page: None,
            runbook: None,
            cause: None,
            also_affected: Vec::new(),
            note: None,
            is_test: false,
        }
    }

    /// A test of a channel, marked as such.
    pub fn test(step: AlertStep, now: Timestamp) -> Self {
        let onset = now.saturating_sub(std::time::Duration::from_secs(120));
        Self {
            reason: Some("nothing is wrong: someone tests this notifier".to_owned()),
            ended: step.is_over().then_some(now),
            at: now,
            // Of its own: services drop what they have delivered before.
            id: format!("test-{:x}", now.unix_nanos()),
            is_test: true,
            ..Self::new(step, "Checkup", "", onset)
        }
    }

    /// The [key](Self::key) of alerts about this.
    pub fn key_of(kind: AlertKind, name: &str, endpoint: &str) -> String {
        let hash = Fnv::default().add(kind.as_str().as_bytes()).add(&[0]).add(name.as_bytes()).add(&[0]);
        format!("{:016x}", hash.add(endpoint.as_bytes()).value())
    }

    /// Identifies this step of this incident: the same on every node and in every repeated try, so that a service that knows keys of
    /// messages (Matrix's `txnId`, Google Chat's `requestId`, `Idempotency-Key`) delivers it once.
    pub fn delivery_id(&self) -> String {
        let hash = Fnv::default().add(self.key.as_bytes()).add(&[0]).add(self.id.as_bytes()).add(&[0]);
        let hash = hash.add(self.step.as_str().as_bytes()).add(&self.reminder.to_le_bytes());
        format!("{:016x}", hash.value())
    }
}
