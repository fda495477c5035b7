//! [`judge_expiry`]: what the end of a certificate means for a check, and [`observe_expiry`], which applies it to an observation.

use std::time::Duration;

use checkup_core::duration::GoDuration;
use checkup_core::{Cause, Failure, Observation, Timestamp};

/// Decides what the end of a certificate means: nothing if more than `threshold` is left, otherwise a notice, which makes the check
/// degraded. This is the rule of every checker with a setting for it; the texts are those of upstream, the original Checkup (a Go
/// program).
///
/// ```
/// use std::time::Duration;
/// use checkup_core::Timestamp;
/// use checkup_net::judge_expiry;
///
/// const DAY: Duration = Duration::from_secs(24 * 3600);
/// let now = Timestamp::now();
/// let judge = |expiry| judge_expiry(expiry, 14 * DAY, now).map_err(|failure| failure.to_string());
/// assert_eq!(judge(now.saturating_add(15 * DAY)), Ok(None));
/// assert_eq!(judge(now.saturating_add(3 * DAY)), Ok(Some("certificate expiring soon (72h0m0s)".to_owned())));
/// assert_eq!(judge(now.saturating_sub(DAY)), Err("certificate expired 24h0m0s ago".to_owned()));
/// ```
///
/// # Errors
///
/// If the certificate has expired, which is possible only if it is not verified.
pub fn judge_expiry(expiry: Timestamp, threshold: Duration, now: Timestamp) -> Result<Option<String>, Failure> {
    if expiry <= now {
        let ago = GoDuration::rounded(now.since(expiry));
        return Err(Failure::new(Cause::Tls, format!("certificate expired {ago} ago")));
    }
    let left = expiry.since(now);
    Ok((left < threshold).then(|| format!("certificate expiring soon ({})", GoDuration::rounded(left))))
}

/// Records when the certificate of a server expires, and applies [`judge_expiry`] if there is a threshold. Without a certificate, returns
/// the observation as it is.
///
/// # Errors
///
/// Those of [`judge_expiry`].
pub fn observe_expiry(
    observation: Observation,
    expiry: Option<Timestamp>,
    threshold: Option<Duration>,
) -> Result<Observation, Failure> {
    let Some(expiry) = expiry else { return Ok(observation) };
    let observation = observation.certificate_expiry(expiry);
    let Some(threshold) = threshold else { return Ok(observation) };
    Ok(match judge_expiry(expiry, threshold, Timestamp::now())? {
        Some(notice) => observation.degraded(notice),
        None => observation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_itself_is_long_enough() {
        let now = Timestamp::from_unix_nanos(1_000_000_000_000_000_000);
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let judge = |left: Duration| judge_expiry(now.saturating_add(left), hours(336), now).unwrap();
        assert_eq!(judge(hours(336)), None);
        assert_eq!(judge(hours(336) - Duration::from_secs(1)).unwrap(), "certificate expiring soon (335h59m59s)");
        assert_eq!(judge(Duration::from_secs(1)).unwrap(), "certificate expiring soon (1s)");
        assert!(judge_expiry(now, hours(0), now).is_err());
        assert_eq!(judge_expiry(Timestamp::from_unix_nanos(i64::MAX), hours(0), now), Ok(None));
    }
}
