//! [`Rules`]: how results become states and incidents, for all checks.

use std::collections::BTreeMap;

use super::incident::Hysteresis;
use super::quorum::Quorum;

/// How results become states and incidents. Every view of a history uses the same.
///
/// [`Checkup::rules`](crate::Checkup::rules) makes them of the settings of checks.
///
/// ```
/// use checkup_core::history::Rules;
/// use checkup_core::{Checkup, check_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let check = check_fn("queue", || async { Ok::<_, std::io::Error>(()) }).failures(5);
/// let rules = Checkup::builder().check(check).build()?.rules();
/// assert_eq!(rules.hysteresis("queue").failures.map(u32::from), Some(5));
/// assert_eq!(Rules::default().hysteresis("queue").failures, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// How many locations make a check down.
    pub quorum: Quorum,
    /// By the name of the check; of the others it is the default.
    hysteresis: BTreeMap<String, Hysteresis>,
}

impl Rules {
    /// These rules for all checks: a quorum, and incidents that begin and end with the default number of results.
    pub fn new(quorum: Quorum) -> Self {
        Self { quorum, hysteresis: BTreeMap::new() }
    }

    /// Has the incidents of the checks with this name begin and end like this.
    #[must_use]
    pub fn with_hysteresis(mut self, name: impl Into<String>, hysteresis: Hysteresis) -> Self {
        if hysteresis != Hysteresis::default() {
            self.hysteresis.insert(name.into(), hysteresis);
        }
        self
    }

    /// How many results begin and end an incident of the check with this name.
    pub fn hysteresis(&self, name: &str) -> Hysteresis {
        self.hysteresis.get(name).copied().unwrap_or_default()
    }

    /// The names of the checks that do not have the default, with what they have, in the order of names.
    pub fn own_hysteresis(&self) -> impl Iterator<Item = (&str, Hysteresis)> {
        self.hysteresis.iter().map(|(name, own)| (name.as_str(), *own))
    }
}
