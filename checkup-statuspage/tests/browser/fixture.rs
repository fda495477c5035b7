//! Histories to show, as `summary.json` has them: the same every time, up to the moment that they are made for.

use std::path::Path;

use checkup_core::Timestamp;
use checkup_core::summary::Summary;
use serde_json::{Value, json};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;

/// Moments that histories are shown at: around a UTC midnight, on both changes of daylight saving time in Berlin and on a leap day.
pub(crate) const MOMENTS: [&str; 8] = [
    "2026-11-25T00:01:00Z",
    "2026-11-25T02:30:00Z",
    "2026-11-25T12:00:00Z",
    "2026-11-25T23:59:00Z",
    "2026-03-29T01:30:00Z",
    "2026-10-25T01:30:00Z",
    "2028-02-29T00:01:00Z",
    "2028-02-29T12:00:00Z",
];

const NAMES: [&str; 8] = ["API", "Website", "Search", "Login", "Payments", "Webhooks", "Mail", "DNS"];

/// A history to make: `History::new().checks(20).write(dir)`.
#[derive(Clone, Debug)]
pub(crate) struct History {
    now: i64,
    checks: usize,
    locations: Vec<&'static str>,
    every: i64,
    age: i64,
    troubles: Vec<Trouble>,
    windows: Vec<Maintenance>,
    unread: Vec<&'static str>,
    days: i64,
}

/// A window of maintenance, in milliseconds from the present.
#[derive(Clone, Debug)]
struct Maintenance {
    check: String,
    from: i64,
    to: i64,
    text: String,
}

/// What is not healthy up to the present.
#[derive(Clone, Debug)]
struct Trouble {
    check: &'static str,
    location: Option<&'static str>,
    status: char,
    since: i64,
    reason: &'static str,
}

impl History {
    /// Six checks at three locations, every five minutes for 90 days, all healthy, up to the computer's present.
    pub(crate) fn new() -> Self {
        Self::at(now())
    }

    /// The same up to `now`, in milliseconds since 1970.
    pub(crate) fn at(now: i64) -> Self {
        let locations = vec!["ap-south", "eu-west", "us-east"];
        Self {
            now,
            checks: 6,
            locations,
            every: 5 * MINUTE,
            age: 0,
            troubles: vec![],
            windows: vec![],
            unread: vec![],
            days: 90,
        }
    }

    pub(crate) fn checks(self, checks: usize) -> Self {
        Self { checks, ..self }
    }

    /// How often checks run, in milliseconds.
    pub(crate) fn every(self, every: i64) -> Self {
        Self { every, ..self }
    }

    /// The last result is this old, in milliseconds.
    pub(crate) fn age(self, age: i64) -> Self {
        Self { age, ..self }
    }

    pub(crate) fn down(
        self,
        check: &'static str,
        location: Option<&'static str>,
        since: i64,
        reason: &'static str,
    ) -> Self {
        self.trouble(Trouble { check, location, status: 'd', since, reason })
    }

    pub(crate) fn degraded(self, check: &'static str, since: i64, reason: &'static str) -> Self {
        self.trouble(Trouble { check, location: None, status: 'g', since, reason })
    }

    fn trouble(mut self, trouble: Trouble) -> Self {
        self.troubles.push(trouble);
        self
    }

    /// A window of maintenance, in milliseconds from now.
    pub(crate) fn maintenance(mut self, check: &str, from: i64, to: i64, text: &str) -> Self {
        self.windows.push(Maintenance { check: check.to_owned(), from, to, text: text.to_owned() });
        self
    }

    pub(crate) fn unread(mut self, name: &'static str) -> Self {
        self.unread.push(name);
        self
    }

    /// Writes it into a directory of check files.
    pub(crate) fn write(&self, dir: &Path) {
        std::fs::write(dir.join("summary.json"), self.json().to_string()).unwrap();
    }

    pub(crate) fn json(&self) -> Value {
        let windows = self.windows.iter().map(|Maintenance { check, from, to, text }| {
            json!({"from": self.now + from, "to": self.now + to, "title": check, "text": text})
        });
        let windows: Vec<_> = windows.collect();
        let made = self.now - self.age;
        let today = made.div_euclid(DAY);
        let recent_from = (today * DAY).min(made - DAY);
        let mut random = Random(7);
        let mut series = Vec::new();
        for check in 0..self.checks {
            let title = NAMES.get(check).map_or_else(|| format!("Service {:03}", check + 1), ToString::to_string);
            let base = 8000 * (1 + random.below(12));
            let bad: Vec<(i64, bool)> = (0..3).map(|_| (2 + random.below(86), random.below(2) == 0)).collect();
            for (place, location) in self.locations.iter().enumerate() {
                let place = i64::try_from(place).unwrap();
                let rtt = base * (10 + 6 * place) / 10;
                let (days, incidents) = self.closed_days(today, rtt, place, &bad, &mut random);
                let messages = match (check, place) {
                    (0, 0) => {
                        json!([{"at": made - 5 * 60 * MINUTE, "text": "We **replace** a switch: see [the notes](https://example.com/a). About *ten* minutes."}])
                    }
                    _ => json!([]),
                };
                series.push(json!({
                    "title": title, "location": location, "endpoint": format!("https://{}.example.com/health", title.to_lowercase().replace(' ', "-")),
                    "threshold": 500_000, "days": days, "incidents": incidents, "messages": messages,
                    "recent": self.recent(&title, location, ((today - 1) * DAY + (made + place * 7000).rem_euclid(self.every), made), rtt, &mut random),
                }));
            }
        }
        let json = json!({"version": 1, "made": made, "recent_from": recent_from, "days": {(today - 2).to_string(): "0"},
            "unread": self.unread, "windows": windows, "series": series});
        close_yesterday(json, today, recent_from)
    }

    fn closed_days(
        &self,
        today: i64,
        rtt: i64,
        place: i64,
        bad: &[(i64, bool)],
        random: &mut Random,
    ) -> (Vec<Value>, Vec<Value>) {
        let (mut days, mut incidents) = (Vec::new(), Vec::new());
        for ago in (2..=self.days).rev() {
            let (day, results) = (today - ago, DAY / self.every);
            let (mut degraded, mut down) = (0, 0);
            match bad.iter().find(|(bad, _)| *bad == ago) {
                Some((_, true)) if place < 2 => {
                    down = 3 + random.below(20);
                    let from = day * DAY + 3 * 60 * MINUTE + place * MINUTE;
                    incidents.push(json!({"from": from, "to": from + down * self.every, "status": "down", "reason": "timed out after 5s connecting"}));
                }
                Some((_, false)) => {
                    degraded = 10;
                    let from = day * DAY + 13 * 60 * MINUTE + place * MINUTE;
                    let reason = "median round trip time exceeded threshold (500ms)";
                    incidents.push(json!({"from": from, "to": from + degraded * self.every, "status": "degraded", "reason": reason}));
                }
                _ => {}
            }
            let p50 = rtt * (95 + random.below(10)) / 100;
            days.push(json!([
                day,
                results - degraded - down,
                degraded,
                down,
                0,
                p50,
                p50 * 14 / 10 + random.below(2000),
                p50 * 21 / 10 + random.below(9000)
            ]));
        }
        (days, incidents)
    }

    fn recent(&self, title: &str, location: &str, (from, to): (i64, i64), base: i64, random: &mut Random) -> Value {
        let trouble = self.troubles.iter().find(|t| t.check == title && t.location.is_none_or(|at| at == location));
        let (mut at, mut status, mut rtt, mut low, mut high) = (vec![], String::new(), vec![], vec![], vec![]);
        let mut reasons = serde_json::Map::new();
        let mut time = from;
        while time <= to {
            at.push(if at.is_empty() { time } else { self.every });
            let trouble = trouble.filter(|trouble| time > to - trouble.since);
            status.push(trouble.map_or('h', |trouble| trouble.status));
            if let Some(trouble) = trouble {
                reasons.insert((at.len() - 1).to_string(), json!(trouble.reason));
            }
            // By day slower than by night, with an outlier now and then.
            let hour = (time % DAY) / (60 * MINUTE);
            let wave =
                80 + 4 * (12 - (hour - 12).abs()) + random.below(20) + if random.below(50) == 0 { 150 } else { 0 };
            let value = base * wave / 100 * if status.ends_with('g') { 5 } else { 1 };
            let value = (!status.ends_with('d')).then_some(value);
            rtt.push(value);
            low.push(value.map(|value| value * 85 / 100));
            high.push(value.map(|value| value * 12 / 10));
            time += self.every;
        }
        json!({"at": at, "status": status, "rtt": rtt, "low": low, "high": high, "reasons": reasons})
    }
}

/// Yesterday as a closed day, from its results; of these, only the last 24 hours stay in detail. So both agree about troubles over midnight.
fn close_yesterday(mut json: Value, today: i64, recent_from: i64) -> Value {
    let whole: Summary = serde_json::from_value(json.clone()).unwrap();
    let mut closed = whole.clone();
    closed.forget_before(Timestamp::from_unix_nanos(today * DAY * 1_000_000));
    let mut detailed = whole;
    for series in &mut detailed.series {
        series.recent.retain(|point| point.timestamp.unix_nanos() >= recent_from * 1_000_000);
    }
    let [mut closed, mut detailed] = [closed, detailed].map(|summary| serde_json::to_value(summary).unwrap());
    for (closed, detailed) in
        closed["series"].as_array_mut().unwrap().iter_mut().zip(detailed["series"].as_array_mut().unwrap())
    {
        closed["recent"] = detailed["recent"].take();
    }
    json["version"] = closed["version"].take();
    json["series"] = closed["series"].take();
    json["days"] = json!({(today - 1).to_string(): "0"});
    json
}

/// A time in milliseconds since 1970.
pub(crate) fn millis(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().unix_nanos() / 1_000_000
}

/// The computer's present in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().unix_nanos() / 1_000_000
}

/// The name of a check file of a time in milliseconds.
pub(crate) fn file_name(at: i64) -> String {
    format!("{at}000000-check.json")
}

/// A check file with one result, in the format of the original Checkup.
pub(crate) fn check_file(title: &str, at: i64, status: &str) -> Value {
    json!([{"title": title, "endpoint": "https://example.com", "timestamp": at * 1_000_000,
        "times": [{"rtt": 12_000_000}], "threshold": 500_000_000, status: true}])
}

/// Numbers that look random and are the same each time.
struct Random(i64);

impl Random {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = (self.0.wrapping_mul(1_103_515_245) + 12_345) & 0x7fff_ffff;
        (self.0 >> 8) % end
    }
}
