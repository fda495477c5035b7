//! Settings for all checks of a type, in whole files.

use serde_json::json;

use super::super::Format;
use super::super::tests::{parse, problems, registry, sorted};
use crate::{Check, Secret};

#[test]
fn defaults_are_for_the_checks_of_a_type_that_do_not_set_them() {
    let file = json!({
        "checkers": [
            { "type": "ping", "endpoint_name": "a", "endpoint_url": "x" },
            { "type": "ping", "endpoint_name": "b", "endpoint_url": "y", "timeout": "1s", "tags": [] },
        ],
        "defaults": { "ping": { "timeout": "5s", "tags": "${PASSWORD}", "password": "${PASSWORD}" } },
    });
    let yaml = "\
checkers:
  - { type: ping, endpoint_name: a, endpoint_url: x }
  - { type: ping, endpoint_name: b, endpoint_url: z, timeout: 1s, tags: [] }
defaults:
  ping: { timeout: 5s, tags: '${PASSWORD}', password: '${PASSWORD}' }
";
    let toml = "\
checkers = [
    { type = 'ping', endpoint_name = 'a', endpoint_url = 'x' },
    { type = 'ping', endpoint_name = 'b', endpoint_url = 'y', timeout = '1s', tags = [] },
]
[defaults.ping]
timeout = '5s'
tags = '${PASSWORD}'
password = '${PASSWORD}'
";
    for (format, text) in [(Format::Json, file.to_string()), (Format::Yaml, yaml.into()), (Format::Toml, toml.into())] {
        let checkup = registry().parse_with(&text, format, |_| Some("hunter2".to_owned())).unwrap();
        let of = |check: &Check| (check.policy().timeout.unwrap().as_secs(), check.policy().tags.len());
        assert_eq!(checkup.checks().map(of).collect::<Vec<_>>(), [(5, 1), (1, 0)], "{format:?}");
        let written = Secret::exposing(|| serde_json::to_value(&checkup)).unwrap();
        assert_eq!(written["checkers"][1]["password"], "hunter2");
    }
}

#[test]
fn problems_of_defaults_are_reported_once_at_their_place() {
    let file = json!({
        "checkers": [
            { "type": "ping", "endpoint_url": "x", "attempts": "many" },
            { "type": "ping", "endpoint_url": "y" },
            { "type": "ping", "endpoint_url": "z", "timeout": "1s" },
        ],
        "defaults": {
            "ping": { "timeout": "soon", "interval": 0, "endpoint_name": "a", "timoet": 1, "password": ["x"] },
            "pong": { "timeout": "5s" },
            "dns": 7,
        },
    });
    assert_eq!(
        sorted(problems(&file)),
        sorted(
            [
                "checkers[0].attempts: expected a whole number from 0 to 4294967295, found \"many\"",
                "defaults.dns: the checker `dns` is not compiled in; enable the feature `dns`",
                "defaults.ping.endpoint_name: each check sets its own; remove it here",
                "defaults.ping.interval: expected more than 0; leave it out for the interval of all checks",
                "defaults.ping.password: expected a text, found a list",
                "defaults.ping.timoet: unknown key; did you mean `timeout`?",
                "defaults.ping.timeout: expected a duration such as \"500ms\" or \"1m30s\", found \"soon\"",
                "defaults.pong: unknown key; did you mean `ping`?",
            ]
            .map(str::to_owned)
            .to_vec()
        )
    );
    assert_eq!(
        problems(&json!({ "checkers": [], "defaults": ["x"] })),
        ["defaults: expected an object with a `type` of checks as each key, found a list"]
    );
    assert!(parse(&json!({ "checkers": [], "defaults": null })).is_ok());
}
