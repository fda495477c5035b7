//! A page of the checks with a tag: a view of the history of the whole page.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, Weak};

use checkup_core::{Checkup, ConfigError, StorageError, StorageErrorKind};
use tokio::sync::{Mutex, Semaphore};

use super::budget::Budget;
use super::check_files::CheckFiles;
use super::momentary::Momentary;
use super::{Inner, MAX_ANSWERS, MAX_HISTORIES, MAX_STATES, Site, State};
use crate::config::TagPage;
use crate::config::part::without_checks;
use crate::config::source::PageSource;
use crate::page::files::PageFiles;
use crate::page::page_config::PageConfig;
use crate::view::hiding::Hiding;

/// What the page shows of the whole.
#[derive(Debug)]
pub(super) struct Part {
    whole: Weak<Inner>,
    /// The names of its checks.
    names: BTreeSet<String>,
    /// The state, and the state of the whole that it is made of.
    last: Mutex<Option<(Arc<State>, Arc<State>)>>,
}

impl Part {
    /// The state of this page. It is made again when that of the whole is another.
    pub(super) async fn state(&self, own: &Arc<Inner>) -> Result<Arc<State>, Arc<StorageError>> {
        let ended = |message| Arc::new(StorageError::new(message).with_kind(StorageErrorKind::Interrupted));
        let whole = self.whole.upgrade().ok_or_else(|| ended("the status page does not exist any longer"))?;
        let whole = Site(whole).whole_state().await?;
        let mut last = self.last.lock().await;
        let before = match &*last {
            Some((of, state)) if Arc::ptr_eq(of, &whole) => return Ok(Arc::clone(state)),
            Some((_, state)) => Some(Arc::clone(state)),
            None => None,
        };
        let (inner, names, of) = (Arc::clone(own), self.names.clone(), Arc::clone(&whole));
        let make = move || {
            let mut summary = of.summary.of_checks(|name| names.contains(name));
            inner.hiding.summary(&mut summary, &inner.rules, inner.clock.now());
            State::new(&inner, Arc::new(summary), before.as_deref())
        };
        let state = tokio::task::spawn_blocking(make).await;
        let state = Arc::new(state.map_err(|_| ended("the state could not be made"))?);
        *last = Some((whole, Arc::clone(&state)));
        Ok(state)
    }
}

/// The site of a page, with its folder.
pub(super) fn site(whole: &Arc<Inner>, page: &TagPage) -> Result<(String, Site), ConfigError> {
    let checkup: Checkup = match &whole.checkup {
        Some(checkup) => checkup.only(|check| check.has_tag(&page.tag)),
        None => return Err(without_checks()),
    };
    let names: BTreeSet<_> = checkup.checks().map(|check| check.name().into_owned()).collect();
    let settings = page.settings(&whole.settings, |name| names.contains(name));
    let config = PageConfig::new(&settings, Some(&checkup), PageSource::Api).with_rules(&whole.rules);
    let inner = Inner {
        page: PageFiles::new(&settings, &config)?,
        groups: config.into_groups(),
        // What the whole hides is hidden already.
        hiding: Arc::new(Hiding::new(&page.hide, None)),
        settings,
        live: Arc::clone(&whole.live),
        clock: whole.clock.clone(),
        files: CheckFiles::new(whole.live.source().clone()),
        histories: Semaphore::new(MAX_HISTORIES),
        states: Budget::new(MAX_STATES),
        answers: Budget::new(MAX_ANSWERS),
        metrics_texts: Momentary::default(),
        health_reports: Momentary::default(),
        checkup: Some(checkup),
        rules: whole.rules.clone(),
        max_age: whole.max_age,
        probe: None,
        parts: OnceLock::new(),
        part: Some(Part { whole: Arc::downgrade(whole), names, last: Mutex::default() }),
    };
    Ok((page.folder(), Site(Arc::new(inner))))
}
