//! Notifications to send: ordinary ones, large ones and hostile ones.

use checkup_core::{Alert, AlertStep, Notification, Status, Timestamp};

/// What names, endpoints and reasons may contain: the markup of all channels, unbalanced, and what breaks out of headers and texts.
const MARKUP: &str = "<!channel> <@U1> @everyone @here @all *b _i ~s `c` **B** __u__ ||sp|| [x](https://evil.example) <https://evil.example|y> \
    <b>b</b> <script>alert(1)</script> &amp; :smile: # h > q - l {{ title }} ${X} \"q\" 'q' \\ \\n \r\nBcc: all@evil.example\r\n\r\n\u{0}\u{7}\u{202e}\u{200b}";

fn at(time: &str) -> Timestamp {
    format!("2026-11-25T{time}Z").parse().unwrap()
}

/// An alert with everything that can be known.
fn full(step: AlertStep) -> Alert {
    named(step, "database_1", "3f2a9c01")
}

fn named(step: AlertStep, name: &str, id: &str) -> Alert {
    let mut alert = Alert::new(step, name, "tcp://db.example.com:5432", at("13:03:20"));
    alert.id = id.to_owned();
    alert.group = Some("shop".to_owned());
    alert.reason = Some("connection refused <db> & *more*".to_owned());
    alert.locations = vec![Some("eu".to_owned()), Some("us".to_owned())];
    alert.of_locations = 3;
    alert.at = if step.is_over() { at("13:15:20") } else { at("13:05:40") };
    alert.ended = step.is_over().then_some(alert.at);
    alert.zone = "Europe/Berlin".parse().unwrap();
    alert.page = Some("https://status.example.com".to_owned());
    alert.runbook = Some("https://wiki.example.com/database?a=1&b=(2)".to_owned());
    alert
}

/// One check is down.
pub(crate) fn down() -> Notification {
    Notification::new(vec![full(AlertStep::Down)])
}

/// The same check is up again.
pub(crate) fn up() -> Notification {
    Notification::new(vec![full(AlertStep::Up)])
}

/// One check is down, another is slow, and a third is up again.
pub(crate) fn several() -> Notification {
    let mut slow = named(AlertStep::Down, "search", "77ab0310");
    slow.status = Status::Degraded;
    slow.reason = Some("median round trip time exceeded threshold (500ms)".to_owned());
    Notification::new(vec![full(AlertStep::Down), slow, named(AlertStep::Up, "mail", "0d1f5e6a")])
}

/// A notification of this alert alone, for channels that get one at a time.
pub(crate) fn alone(alert: Alert) -> Notification {
    Notification::new(vec![alert])
}

/// An alert whose texts are 100 kB of markup, control characters and header lines each. Each repetition has an odd number of `_` and `*`.
pub(crate) fn hostile(number: usize) -> Alert {
    let step = [AlertStep::Down, AlertStep::Up, AlertStep::Again][number % 3];
    let long = || format!("{number}{}", MARKUP.repeat(1 + 100_000 / MARKUP.len()));
    let short = || format!("{number} {MARKUP}");
    let mut alert = Alert::new(step, long(), long(), at("13:03:20"));
    alert.group = Some(short());
    alert.reason = Some(long());
    alert.locations = vec![Some(long()), Some(short()), None];
    alert.of_locations = 3;
    alert.cause = Some(short());
    alert.also_affected = (0..20).map(|_| short()).chain([long()]).collect();
    alert.note = Some(long());
    alert.page = Some(format!("https://status.example.com/<{}>|\"')", "x".repeat(400)));
    alert.runbook = Some(short());
    alert
}

/// One hostile alert, then several, then more than a message can show.
pub(crate) fn all_hostile() -> Vec<Notification> {
    let short = |number| {
        let mut alert = hostile(number);
        alert.also_affected.pop();
        (alert.locations, alert.note) = (vec![None], None);
        for text in [&mut alert.name, &mut alert.endpoint, alert.reason.as_mut().unwrap()] {
            *text = format!("{number} {MARKUP}");
        }
        alert.key = Alert::key_of(alert.kind, &alert.name, &alert.endpoint);
        alert
    };
    vec![
        alone(short(0)),
        alone(hostile(0)),
        Notification::new((0..5).map(short).collect()),
        Notification::new((0..400).map(short).collect()),
        Notification::new((0..10).map(hostile).collect()),
    ]
}
