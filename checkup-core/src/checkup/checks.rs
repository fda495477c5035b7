//! [`Checks`]: the checks of a checkup, or some of them.

use std::sync::Arc;

use crate::Check;

/// The checks of a checkup, or some of them, in order. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    /// One after another in memory, since there may be a hundred thousand.
    all: Arc<[Check]>,
    /// The places of the chosen ones; `None` for all.
    places: Option<Arc<[usize]>>,
}

impl Checks {
    pub(crate) fn len(&self) -> usize {
        self.places.as_ref().map_or(self.all.len(), |places| places.len())
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Check> {
        match &self.places {
            Some(places) => places.get(index).map(|place| &self.all[*place]),
            None => self.all.get(index),
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Check> {
        (0..self.len()).map(|index| match &self.places {
            Some(places) => &self.all[places[index]],
            None => &self.all[index],
        })
    }

    /// Those at these places among these.
    pub(crate) fn at(&self, places: &[usize]) -> Self {
        let places = match &self.places {
            Some(own) => places.iter().map(|place| own[*place]).collect(),
            None => places.into(),
        };
        Self { all: Arc::clone(&self.all), places: Some(places) }
    }
}

impl From<Vec<Check>> for Checks {
    fn from(checks: Vec<Check>) -> Self {
        Self { all: checks.into(), places: None }
    }
}
