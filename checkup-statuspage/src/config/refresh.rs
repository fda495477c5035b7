//! `refresh_interval`: a number of seconds, as in upstream, or a duration such as "1m30s".

use std::time::Duration;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serializer};

const LEAST: Duration = Duration::from_secs(5);
const MOST: Duration = Duration::from_secs(24 * 3600);

pub(super) fn problem(interval: Duration) -> Option<String> {
    let fits = interval.is_zero() || (LEAST..=MOST).contains(&interval);
    (!fits).then(|| "expected from \"5s\" to \"24h\", or 0 for never".to_owned())
}

pub(super) fn serialize<S: Serializer>(interval: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    checkup_core::duration::serialize(interval, serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Seconds(u64),
        Words(String),
    }
    match Form::deserialize(deserializer) {
        Ok(Form::Seconds(seconds)) => Ok(Duration::from_secs(seconds)),
        Ok(Form::Words(words)) => checkup_core::duration::parse(&words)
            .map_err(|_| D::Error::invalid_value(Unexpected::Str(&words), &"a duration such as \"1m30s\"")),
        Err(_) => Err(D::Error::custom("expected a duration such as \"1m30s\", or a number of seconds")),
    }
}
