//! Types of the original Checkup and of similar programs, and what to use here instead.

use crate::config::{Kind, Registry};

/// The remedy for notifiers that do not exist here.
const NOTIFIER: &str = "use a custom notifier (the guide `extend` shows one), or let Alertmanager send alerts from `/metrics` of `checkup serve`";

/// The remedy for database storages.
const STORAGE: &str = "use `fs`, `s3`, or a custom storage such as `third-party/checkup-sqlite`";

/// Each type with its remedy.
const REPLACED: [(Kind, &str, &str); 20] = [
    (Kind::Checker, "https", "use `http`, which checks https:// URLs as well"),
    (Kind::Checker, "web", "use `http`"),
    (Kind::Checker, "port", "use `tcp`"),
    (Kind::Checker, "ping", "use `tcp` with a port that is open, or `http`"),
    (Kind::Checker, "icmp", "use `tcp` with a port that is open, or `http`"),
    (Kind::Checker, "redis", "use `tcp` with `send: \"PING\\r\\n\"` and `expect: \"+PONG\"`"),
    (Kind::Checker, "grpc", "use `tcp`, or a custom checker"),
    (Kind::Checker, "keyword", "use `http` with `must_contain`"),
    (Kind::Storage, "github", "use `s3`, or `fs` in a checkout that a job pushes"),
    (Kind::Storage, "sql", STORAGE),
    (Kind::Storage, "mysql", STORAGE),
    (Kind::Storage, "postgres", STORAGE),
    (Kind::Storage, "sqlite", STORAGE),
    (Kind::Storage, "sqlite3", STORAGE),
    (Kind::Storage, "appinsights", "use `fs` or `s3`, and collect `/metrics` of `checkup serve`"),
    (Kind::Notifier, "slack", NOTIFIER),
    (Kind::Notifier, "discord", NOTIFIER),
    (Kind::Notifier, "mail", NOTIFIER),
    (Kind::Notifier, "mailgun", NOTIFIER),
    (Kind::Notifier, "pushover", NOTIFIER),
];

pub(crate) fn replaced(registry: &mut Registry) {
    for (kind, type_name, remedy) in REPLACED {
        registry.replaced(kind, type_name, remedy);
    }
}
