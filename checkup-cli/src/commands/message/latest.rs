//! The latest stored result of a check, if it is recent enough to describe the present.

use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::history::freshness;
use checkup_core::{Check, CheckResult, StorageReader, Timestamp};

/// The maximum age of a result, whatever the interval. Older files are not read.
const AT_MOST: Duration = Duration::from_secs(24 * 3600);

/// How many check files are read to find it. If each file has one result of every check, that covers a few nodes.
const MAX_FILES: usize = 32;

/// How many results are needed to find the usual interval.
const ENOUGH: usize = 4;

/// The latest result of the first of these checks that has a fresh one; `None` if the storage cannot be read.
pub(super) async fn fresh(reader: &dyn StorageReader, checks: &[&Check], now: Timestamp) -> Option<CheckResult> {
    let mut names = match reader.list(now.saturating_sub(AT_MOST)).await {
        Ok(names) => names,
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "the latest results cannot be listed");
            return None;
        }
    };
    // Nodes whose clocks are ahead store results from the future. A file has the time of its latest result, or later.
    let horizon = now.saturating_add(freshness::AHEAD);
    names.retain(|name| name.timestamp() <= horizon);
    names.sort_unstable();
    let mut found: Vec<Vec<CheckResult>> = vec![Vec::new(); checks.len()];
    for name in names.iter().rev().take(MAX_FILES) {
        if checks.iter().zip(&found).all(|(check, found)| is_enough(check, found, name, now)) {
            break;
        }
        // If a file is broken, or has just been compacted, the worst effect is that the check runs again.
        let Ok(results) = reader.fetch(name).await else { continue };
        for result in results {
            let of = |check: &&Check| {
                check.name() == result.name.as_str() && check.shown_endpoint() == result.endpoint.as_str()
            };
            if let Some(place) = checks.iter().position(of) {
                found[place].push(result);
            }
        }
    }
    checks.iter().zip(found).find_map(|(check, found)| latest(check, found, now))
}

/// Whether neither this file nor an older one can add anything about the check. A file has the time of its latest result, or later.
fn is_enough(check: &Check, found: &[CheckResult], next: &FileName, now: Timestamp) -> bool {
    let Some(latest) = found.iter().map(|result| result.timestamp).max() else { return false };
    if next.timestamp() >= latest {
        // There may be a copy of the result, with a message.
        return false;
    }
    now.since(latest) <= freshness::VALID_AT_LEAST || check.policy().interval.is_some() || found.len() >= ENOUGH
}

/// The latest, if it is fresh. If it was stored twice, it has the message and the maintenance of both.
fn latest(check: &Check, found: Vec<CheckResult>, now: Timestamp) -> Option<CheckResult> {
    let mut times: Vec<_> = found.iter().map(|result| result.timestamp).collect();
    times.sort_unstable();
    times.dedup();
    let last = *times.last()?;
    let usual = check.policy().interval.or_else(|| {
        let mut spacings: Vec<_> = times.windows(2).map(|pair| pair[1].since(pair[0])).collect();
        spacings.sort_unstable();
        spacings.get(spacings.len() / 2).copied()
    });
    let limit = freshness::validity(usual);
    if now.since(last) > limit {
        return None;
    }
    let mut same = found.into_iter().filter(|result| result.timestamp == last);
    let first = same.next()?;
    let location = first.location.clone();
    Some(same.filter(|other| other.location == location).fold(first, |mut result, other| {
        result.message = result.message.or(other.message);
        result.maintenance = result.maintenance.or(other.maintenance);
        result
    }))
}

#[cfg(test)]
mod tests {
    use checkup_core::archive::{Archive, MemoryFiles};
    use checkup_core::{MaintenanceWindow, Report, Storage, check_fn};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn check(name: &str) -> Check {
        check_fn(name.to_owned(), async || Ok::<_, String>(()))
    }

    /// A result of the check, this many minutes ago.
    fn result(check: &Check, minutes: u32, now: Timestamp) -> CheckResult {
        let mut result = CheckResult::new(check.name(), check.shown_endpoint());
        result.timestamp = now.saturating_sub(MINUTE * minutes);
        result
    }

    async fn archive(results: &[CheckResult]) -> Archive<MemoryFiles> {
        let archive = Archive::new(MemoryFiles::new());
        for result in results {
            archive.store(&Report::new(vec![result.clone()])).await.unwrap();
        }
        archive
    }

    /// How many minutes old the result is that is found.
    async fn age(check: &Check, minutes: &[u32], now: Timestamp) -> Option<u64> {
        let results: Vec<_> = minutes.iter().map(|minutes| result(check, *minutes, now)).collect();
        let found = fresh(archive(&results).await.reader().unwrap(), &[check], now).await;
        found.map(|found| now.since(found.timestamp).as_secs() / 60)
    }

    #[tokio::test]
    async fn a_result_is_fresh_for_ten_minutes_or_three_intervals() {
        let now = Timestamp::now();
        let api = check("API");
        assert_eq!(age(&api, &[], now).await, None);
        assert_eq!(age(&api, &[10, 11], now).await, Some(10));
        assert_eq!(age(&api, &[11, 12, 13], now).await, None);
        // Every half an hour, usually.
        assert_eq!(age(&api, &[80, 110, 140], now).await, Some(80));
        assert_eq!(age(&api, &[100, 130, 160], now).await, None);
        assert_eq!(age(&api.clone().interval(MINUTE * 40), &[100], now).await, Some(100));
        // However seldom.
        assert_eq!(age(&api.interval(MINUTE * 6_000), &[25 * 60], now).await, None);
    }

    #[tokio::test]
    async fn a_result_of_a_clock_that_is_far_ahead_is_not_the_latest() {
        let now = Timestamp::now();
        let api = check("API");
        let ahead = |minutes: u32| {
            let mut result = result(&api, 0, now);
            result.timestamp = now.saturating_add(MINUTE * minutes);
            result
        };
        let usual = result(&api, 3, now);
        let near = archive(&[ahead(20), usual.clone()]).await;
        assert_eq!(fresh(near.reader().unwrap(), &[&api], now).await, Some(ahead(20)));
        // However many there are.
        for count in [1, 40] {
            let far: Vec<_> = (0..count).map(|more| ahead(60 + more)).chain([usual.clone()]).collect();
            assert_eq!(fresh(archive(&far).await.reader().unwrap(), &[&api], now).await, Some(usual.clone()));
        }
    }

    #[tokio::test]
    async fn the_first_check_that_has_one_gives_it() {
        let now = Timestamp::now();
        let (api, search) = (check("API"), check("Search"));
        let archive = archive(&[result(&search, 3, now), result(&search, 2, now), result(&api, 60, now)]).await;
        let found = fresh(archive.reader().unwrap(), &[&api, &search], now).await.unwrap();
        assert_eq!((found.name.as_str(), now.since(found.timestamp)), ("Search", MINUTE * 2));
    }

    #[tokio::test]
    async fn a_result_that_was_stored_twice_has_what_was_attached() {
        let now = Timestamp::now();
        let api = check("API");
        let plain = result(&api, 1, now);
        let mut announced = plain.clone();
        announced.message = Some("moving".into());
        announced.maintenance = Some(Box::new(MaintenanceWindow::new(now, now.saturating_add(MINUTE))));
        for order in [[plain.clone(), announced.clone()], [announced.clone(), plain]] {
            let archive = archive(&order).await;
            let found = fresh(archive.reader().unwrap(), &[&api], now).await;
            assert_eq!(found, Some(announced.clone()));
        }
    }
}
