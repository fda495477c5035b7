//! The content of the sample, whichever format it is written in.

use checkup_core::config::{Kind, Registry};

/// A config file to start from.
#[derive(Debug)]
pub(super) struct Sample {
    /// The comment at the top.
    pub(super) intro: Vec<String>,
    pub(super) checkers: Vec<Vec<Line>>,
    pub(super) storage: Option<Vec<Line>>,
}

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) key: &'static str,
    /// A scalar or a list of scalars, as JSON: YAML and TOML write them the same.
    pub(super) value: &'static str,
    pub(super) comment: &'static str,
}

const fn line(key: &'static str, value: &'static str, comment: &'static str) -> Line {
    Line { key, value, comment }
}

/// The checkers that a sample shows, where the registry has their type.
const CHECKERS: &[&[Line]] = &[
    &[
        line("type", "\"http\"", ""),
        line("endpoint_name", "\"Website\"", "the name in reports"),
        line("endpoint_url", "\"https://www.example.com/\"", ""),
        line("must_contain", "\"Example Domain\"", "in the body of the response"),
        line("threshold_rtt", "\"2s\"", "slower than this is degraded"),
        line("attempts", "3", "if any fails, the check is down"),
        line("tags", "[\"public\"]", "for `checkup --only tag:public`"),
    ],
    &[
        line("type", "\"tcp\"", ""),
        line("endpoint_name", "\"Database\"", ""),
        line("endpoint_url", "\"localhost:5432\"", "host:port"),
        line("timeout", "\"2s\"", "the limit of each attempt"),
        line("retries", "1", "a failed attempt is repeated before it counts"),
    ],
    &[
        line("type", "\"dns\"", ""),
        line("endpoint_name", "\"Name server\"", ""),
        line("endpoint_url", "\"a.iana-servers.net:53\"", "the server to query"),
        line("hostname_fqdn", "\"www.example.com\"", "the name that it must resolve"),
    ],
];

/// The storage of the sample.
const STORAGE: &[Line] = &[
    line("type", "\"fs\"", ""),
    line("dir", "\"./checkup-results\"", "created if it is missing"),
    line("check_expiry", "\"90d\"", "older results are deleted; 0 keeps them forever"),
];

/// The sample for the types that the registry has.
pub(super) fn of(registry: &Registry) -> Sample {
    let has = |kind, lines: &[Line]| registry.types(kind).iter().any(|name| format!("{name:?}") == lines[0].value);
    let checkers = CHECKERS.iter().filter(|lines| has(Kind::Checker, lines)).map(|lines| lines.to_vec()).collect();
    let storage = has(Kind::Storage, STORAGE).then(|| STORAGE.to_vec());
    let types = [Kind::Checker, Kind::Storage, Kind::Notifier].into_iter().filter_map(|kind| {
        let names = registry.types(kind);
        (!names.is_empty()).then(|| format!("  {}s: {}", kind.as_str(), names.join(", ")))
    });
    let mut intro = vec![
        "The config file of Checkup. `checkup validate` reports mistakes in it, and `checkup` runs its checks."
            .to_owned(),
        "`checkup every 1m` runs and stores them every minute. `checkup explain http` lists the keys of a type."
            .to_owned(),
        String::new(),
        "Durations look like \"500ms\" or \"1m30s\". In strings, ${VAR} is replaced by an environment variable, and"
            .to_owned(),
        "${VAR:-default} has a default: this keeps secrets out of this file.".to_owned(),
        String::new(),
        "Available types:".to_owned(),
    ];
    intro.extend(types);
    Sample { intro, checkers, storage }
}
