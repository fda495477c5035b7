//! [`Availability`]: how long a check was in each state. Uptime is a share of time, not a count of results.

use std::time::Duration;

use super::sweep::{State, Stretch};

/// How long a check, or a location, was in each state.
///
/// Counting results would be misleading: after a change from one run every 15 minutes to one every 15 seconds, a quarter of an hour
/// would weigh as much as 15 hours before. Time that nobody measured is unknown and counts neither as up nor as down.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::history::Availability;
///
/// let mut hours = Availability::default();
/// (hours.healthy, hours.down) = (Duration::from_secs(3 * 3600), Duration::from_secs(3600));
/// hours.unknown = Duration::from_secs(4 * 3600);
/// assert_eq!((hours.uptime(), hours.known_share()), (Some(0.75), 0.5));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "the states of a check")]
pub struct Availability {
    /// All known locations were healthy.
    pub healthy: Duration,
    /// It was degraded, which counts as up.
    pub degraded: Duration,
    /// It was down.
    pub down: Duration,
    /// A maintenance window covered the time; it counts neither as up nor as down.
    pub maintenance: Duration,
    /// No location had a valid result.
    pub unknown: Duration,
}

impl Availability {
    /// Adds up the lengths of periods, by state.
    pub(crate) fn of(stretches: &[Stretch]) -> Self {
        let mut sum = Self::default();
        for stretch in stretches {
            let length = match stretch.state {
                State::Healthy => &mut sum.healthy,
                State::Degraded => &mut sum.degraded,
                State::Down => &mut sum.down,
                State::Maintenance => &mut sum.maintenance,
                State::Unknown => &mut sum.unknown,
            };
            *length = length.saturating_add(stretch.length());
        }
        sum
    }

    /// The share of the known time outside maintenance, from 0 to 1, in which it was not down. `None` if no time is known.
    pub fn uptime(&self) -> Option<f64> {
        let up = self.healthy.saturating_add(self.degraded);
        let all = up.saturating_add(self.down);
        (!all.is_zero()).then(|| up.as_secs_f64() / all.as_secs_f64())
    }

    /// The share of the whole time, from 0 to 1, that is known or in maintenance. Views should show it if it is less than 95 %.
    pub fn known_share(&self) -> f64 {
        let known = [self.healthy, self.degraded, self.down, self.maintenance].into_iter().sum::<Duration>();
        let all = known.saturating_add(self.unknown);
        if all.is_zero() { 0.0 } else { known.as_secs_f64() / all.as_secs_f64() }
    }
}
