//! Settings: all of them round-trip, the error of an invalid one names its key, and a storage is required.

use std::sync::Arc;
use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles};
use checkup_core::{Check, Checkup, IntoChecker, Secret, Storage};
use checkup_heartbeat::Heartbeat;
use checkup_testkit::MemoryStorage;

const HOUR: Duration = Duration::from_secs(3600);
const TOKEN: &str = "0123456789abcdef";

#[test]
fn all_keys_read_and_write_back() {
    let heartbeat = Heartbeat::new("a job", HOUR).grace(Duration::from_secs(1)).max_runtime(HOUR).token(TOKEN);
    let json = Secret::exposing(|| serde_json::to_string(&heartbeat).unwrap());
    assert_eq!(serde_json::from_str::<Heartbeat>(&json).unwrap(), heartbeat);
    heartbeat.clone().into_checker().unwrap();
    let (json, checker) = (serde_json::to_string(&heartbeat).unwrap(), heartbeat.clone().into_checker());
    let shown = format!("{heartbeat:?} {json} {checker:?}");
    assert!(!shown.contains(TOKEN), "{shown}");
    let plain: Heartbeat = serde_json::from_str(r#"{"job": "a", "every": "1h"}"#).unwrap();
    assert_eq!(plain, Heartbeat::new("a", HOUR));
    assert!(serde_json::from_str::<Heartbeat>(r#"{"job": "a"}"#).unwrap_err().to_string().contains("every"));
    assert!(serde_json::from_str::<Heartbeat>(r#"{"job": "a", "every": "1h", "period": 1}"#).is_err());
}

#[test]
fn invalid_settings_are_refused_with_their_key() {
    let job = "job: expected the name of a job, in one line of at most 200 characters, found ";
    for (heartbeat, expected) in [
        (Heartbeat::new(" ", HOUR), format!("{job}an empty text")),
        (Heartbeat::new("a\nb", HOUR), format!("{job}control characters")),
        (Heartbeat::new("x".repeat(201), HOUR), format!("{job}201 characters")),
        (Heartbeat::new("a", Duration::ZERO), "every: expected more than 0, such as \"1h\", found 0".to_owned()),
        (
            Heartbeat::new("a", HOUR).max_runtime(Duration::ZERO),
            "max_runtime: expected more than 0, such as \"1h\", found 0".to_owned(),
        ),
    ] {
        assert_eq!(heartbeat.into_checker().unwrap_err().to_string(), expected);
    }
    for token in ["short", "", "0123456789abcde/", "0123456789abcdéf"] {
        let error = Heartbeat::new("a", HOUR).token(token).into_checker().unwrap_err().to_string();
        assert!(error.starts_with("token: expected 16 to 200 letters, digits, `-` and `_`;"), "{error}");
        assert!(token.is_empty() || !error.contains(token), "{error}");
    }
    let all = Heartbeat::new("", Duration::ZERO).max_runtime(Duration::ZERO).token("x");
    let keys = ["job", "every", "max_runtime", "token"];
    checkup_testkit::conformance::all_problems_are_reported(all.into_checker(), &keys);
}

#[test]
fn a_checkup_without_a_storage_that_keeps_beats_is_refused() {
    let checkup = || Checkup::builder().check(Check::new("Backup", Heartbeat::new("backup", HOUR)));
    let error = checkup().build().unwrap_err().to_string();
    let expected = "checkers[0].type: a heartbeat reads the beats of a job from the `storage` of the checks, and there is none; add one";
    assert_eq!(error, expected);
    let error = checkup().storage(MemoryStorage::new()).build().unwrap_err().to_string();
    let expected = "checkers[0].type: this storage cannot keep beats; use one that keeps files, such as `fs` or `s3`";
    assert_eq!(error, expected);
    checkup().storage(Archive::new(MemoryFiles::new())).build().unwrap();
}

#[tokio::test]
async fn a_check_in_two_checkups_reads_the_storage_of_each() {
    let heartbeat = Heartbeat::new("backup", HOUR);
    let check = Check::new("Backup", heartbeat.clone());
    let storages = [(); 2].map(|()| Arc::new(Archive::new(MemoryFiles::new())) as Arc<dyn Storage>);
    let checkups =
        storages.clone().map(|storage| Checkup::builder().check(check.clone()).storage(storage).build().unwrap());
    heartbeat.beat(&*storages[1]).await.unwrap();
    assert!(!checkups[0].check().await.is_healthy());
    checkups[1].check().await.assert_healthy();
}

#[cfg(feature = "config")]
#[test]
fn the_type_is_heartbeat() {
    use checkup_core::config::{Format, Registry};

    let mut registry = Registry::new();
    checkup_heartbeat::register(&mut registry);
    checkup_storage_fs::register(&mut registry);
    let text =
        "{checkers: [{type: heartbeat, name: Backup, job: backup, every: 1d, grace: 2h}], storage: {type: fs, dir: x}}";
    let checkup = registry.parse(text, Format::Yaml).unwrap();
    let check = checkup.checks().next().unwrap();
    assert_eq!((&*check.name(), &*check.shown_endpoint()), ("Backup", "job backup"));
    let error = registry.parse(&text.replace("every: 1d", "every: 0s"), Format::Yaml).unwrap_err().to_string();
    assert_eq!(error, "checkers[0].every: expected more than 0, such as \"1h\", found 0");
    // An invalid storage is the only problem.
    let error = registry.parse(&text.replace("dir: x", "dir: ''"), Format::Yaml).unwrap_err().to_string();
    assert!(error.starts_with("storage.dir: ") && !error.contains("heartbeat"), "{error}");
}
