//! The checks of a group, which a message may be about.

use std::collections::BTreeSet;

use checkup_core::Checkup;
use checkup_statuspage::StatusPage;

use super::of_check;
use crate::exit::Error;

/// The name of a group as it is written in the config file, and its checks: those with this `group`, and those of a group of the status page.
pub(super) fn checks(checkup: &Checkup, group: &str) -> Result<(String, Vec<(String, String)>), Error> {
    let page = checkup.section::<StatusPage>();
    let of_page = || page.iter().flat_map(|page| &page.groups).filter(|own| !own.name.is_empty());
    let own = || checkup.checks().filter_map(|check| check.policy().group.as_deref());
    let names: BTreeSet<&str> = own().chain(of_page().map(|own| own.name.as_str())).collect();
    let Some(name) = names.iter().find(|name| name.to_lowercase() == group.to_lowercase()).copied() else {
        let known: Vec<_> = names.into_iter().collect();
        let known = if known.is_empty() {
            "there are no groups".to_owned()
        } else {
            format!("available: {}", known.join(", "))
        };
        return Err(Error::usage(format!("no group has the name {group:?}; {known}")));
    };
    let is_of_page = |check: &str| of_page().any(|own| own.name == name && own.checks.iter().any(|own| own == check));
    let is_in =
        |check: &&checkup_core::Check| check.policy().group.as_deref() == Some(name) || is_of_page(&check.name());
    let checks: Vec<_> = checkup.checks().filter(is_in).map(of_check).collect();
    if checks.is_empty() {
        return Err(Error::usage(format!("the group {name:?} has no checks")));
    }
    Ok((name.to_owned(), checks))
}
