//! Types of the original Checkup and of similar programs, and what to use here instead.

use crate::config::{Kind, Registry};

/// The remedy for messengers without a notifier.
const MESSENGER: &str = "use `webhook` with a server of Apprise, or `exec` with a command";

/// The remedy for database storages.
const STORAGE: &str = "use `fs`, `s3`, or a custom storage such as `third-party/checkup-sqlite`";

/// Each type with its remedy.
const REPLACED: [(Kind, &str, &str); 30] = [
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
    (Kind::Notifier, "mattermost", "use `slack` with `dialect: mattermost`"),
    (Kind::Notifier, "rocketchat", "use `slack` with `dialect: rocketchat`"),
    (Kind::Notifier, "email", "use `mail`"),
    (Kind::Notifier, "smtp", "use `mail`"),
    (Kind::Notifier, "msteams", "use `teams`"),
    (Kind::Notifier, "opsgenie", "use `jsm` with `url: https://api.opsgenie.com/v2/alerts`"),
    (Kind::Notifier, "sms", "use `twilio`"),
    (Kind::Notifier, "http", "use `webhook`"),
    (Kind::Notifier, "custom", "use `webhook`"),
    (Kind::Notifier, "command", "use `exec`"),
    (Kind::Notifier, "apprise", "use `webhook` with the URL of the server's `/notify`"),
    (Kind::Notifier, "signal", MESSENGER),
    (Kind::Notifier, "zulip", MESSENGER),
    (Kind::Notifier, "webex", MESSENGER),
    (Kind::Notifier, "victorops", MESSENGER),
];

pub(crate) fn replaced(registry: &mut Registry) {
    for (kind, type_name, remedy) in REPLACED {
        registry.replaced(kind, type_name, remedy);
    }
}
