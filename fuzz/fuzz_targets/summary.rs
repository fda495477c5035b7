//! Reads a summary that another node wrote. Everything derived from it must terminate without a panic.
#![no_main]

use checkup::summary::Summary;
use checkup::{Quorum, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(summary) = serde_json::from_slice::<Summary>(bytes) else { return };
    let now = Timestamp::from_unix_nanos(1_795_310_912_000_000_000);
    for quorum in [Quorum::Majority] {
        let _ = summary.verdicts(quorum, now);
    }
    for series in &summary.series {
        let _ = summary.incidents(series);
        let _ = summary.uptime(series, Timestamp::from_unix_nanos(0), now);
    }
});
