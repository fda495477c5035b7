//! File descriptors: raises the limit of this process, and keeps the number of concurrent checks below it.

use checkup_core::Checkup;

/// How many descriptors are reserved for everything except checks: standard streams, the runtime, files, storages, the page.
const RESERVED: u64 = 64;

/// How many descriptors a check may need at once: a connection, and a lookup or a second address tried concurrently.
const PER_CHECK: u64 = 2;

/// Raises the soft limit on open files to the hard one, which every process may do. Failure leaves it as it is.
pub(crate) fn raise_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        /// The highest limit that macOS accepts if the hard limit is "unlimited" (`OPEN_MAX`).
        const OPEN_MAX: u64 = 10_240;

        let limit = getrlimit(Resource::Nofile);
        let wanted = [limit.maximum, Some(limit.maximum.unwrap_or(u64::MAX).min(OPEN_MAX))];
        let more = |wanted: &Option<u64>| limit.current.is_some_and(|now| wanted.is_none_or(|wanted| wanted > now));
        for current in wanted.into_iter().filter(more) {
            if setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum }).is_ok() {
                return;
            }
        }
    }
}

/// The checkup, limited to as many concurrent checks as there are descriptors for.
pub(crate) fn bounded(checkup: Checkup) -> Checkup {
    let Some(most) = limit().map(concurrent_checks) else { return checkup };
    if checkup.concurrent_checks().min(checkup.checks().len()) <= most {
        return checkup;
    }
    tracing::warn!(
        concurrent_checks = most,
        "fewer checks run concurrently: the limit on open files (`ulimit -n`) is low"
    );
    checkup.with_concurrent_checks(most)
}

/// How many checks may run concurrently with this limit on open files.
fn concurrent_checks(limit: u64) -> usize {
    usize::try_from(limit.saturating_sub(RESERVED) / PER_CHECK).unwrap_or(usize::MAX).max(1)
}

/// The soft limit on open files; `None` if there is none.
fn limit() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_left_for_everything_else() {
        for (limit, checks) in [(0, 1), (64, 1), (70, 3), (256, 96), (1024, 480)] {
            assert_eq!(concurrent_checks(limit), checks, "{limit}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_is_raised_as_far_as_it_goes() {
        use rustix::process::{Resource, getrlimit};

        raise_limit();
        let limit = getrlimit(Resource::Nofile);
        assert!(limit.current == limit.maximum || limit.current >= Some(10_240), "{limit:?}");
    }
}
