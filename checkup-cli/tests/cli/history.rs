//! `checkup history`.

use std::fs;
use std::time::Duration;

use checkup_core::check_file::{self, FileName};
use checkup_core::{Attempt, Cause, CheckResult, MaintenanceWindow, Status, Timestamp};
use serde_json::{Value, json};

use crate::support::Folder;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn config() -> Value {
    json!({
        "checkers": [
            { "type": "http", "endpoint_name": "API", "endpoint_url": "https://api.example.com/", "tags": ["public"] },
            { "type": "tcp", "endpoint_name": "Database", "endpoint_url": "db:5432" },
        ],
        "storage": { "type": "fs", "dir": "results" },
    })
}

/// A result of the check `API`, this long ago.
fn api(ago: Duration, location: &str, status: Status) -> CheckResult {
    let mut result = CheckResult::new("API", "https://api.example.com/");
    result.timestamp = Timestamp::now().saturating_sub(ago);
    result.location = Some(location).filter(|location| !location.is_empty()).map(Into::into);
    result.status = status;
    result.attempts = vec![match status {
        Status::Down => Attempt::failure(Duration::from_millis(1), Cause::Refused, "connection refused"),
        _ => Attempt::success(Duration::from_millis(20)),
    }];
    result.notice = (status == Status::Degraded).then(|| "certificate expiring soon".into());
    result
}

fn store(folder: &Folder, results: &[CheckResult]) {
    fs::create_dir_all(folder.path("results")).unwrap();
    for (number, result) in results.iter().enumerate() {
        // No other file has this nanosecond.
        let name =
            FileName::at(Timestamp::from_unix_nanos(result.timestamp.unix_nanos() + i64::try_from(number).unwrap()));
        fs::write(
            folder.path("results").join(name.as_str()),
            check_file::encode(std::slice::from_ref(result)).unwrap(),
        )
        .unwrap();
    }
}

fn with_history(results: &[CheckResult]) -> Folder {
    let folder = Folder::new(&config());
    store(&folder, results);
    folder
}

#[test]
fn a_check_has_its_state_uptime_days_and_incidents() {
    // Every six hours for five days, and down for three of the last 24 hours: uptime is a share of time, not of results.
    let mut results: Vec<_> = (1..20).map(|run| api(HOUR * 6 * run, "", Status::Healthy)).collect();
    results.push(api(HOUR * 4, "", Status::Down));
    results.push(api(HOUR * 2, "", Status::Down));
    results.push(api(HOUR, "", Status::Healthy));
    let folder = with_history(&results);
    let ran = folder.run(&["history", "api"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let text = &ran.stdout;
    assert!(text.starts_with("API  https://api.example.com/\n  healthy since "), "{text}");
    assert!(
        text.contains("\n  uptime  24h 87.49%   7d 97.36%\n") || text.contains("\n  uptime  24h 87.50%   7d 97.36%\n"),
        "{text}"
    );
    assert!(text.lines().any(|line| line.starts_with("  days") && line.contains('░')), "{text}");
    assert!(text.contains("\n          last 24h: min 20.0ms, median 20.0ms, p99 20.0ms\n"), "{text}");
    assert!(text.contains("\n  incidents\n    "), "{text}");
    assert!(text.contains("  3h  down      connection refused\n"), "{text}");
    assert!(text.contains("\n█ healthy  ▓ degraded  ░ down  · no results\nthe days up to "), "{text}");
    assert!(!text.contains("Database") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn locations_have_a_verdict_together_and_each_its_own_state() {
    let folder = with_history(&[
        api(MINUTE * 2, "asia", Status::Healthy),
        api(MINUTE * 2, "us", Status::Healthy),
        api(MINUTE * 2, "eu", Status::Down),
        api(MINUTE, "asia", Status::Healthy),
        api(MINUTE, "eu", Status::Down),
        api(MINUTE, "us", Status::Healthy),
    ]);
    let ran = folder.run(&["history", "API"]);
    let text = &ran.stdout;
    assert!(text.contains("\n  degraded since "), "{text}");
    assert!(text.contains("(2m): down at eu: connection refused (1 of 3 locations)\n"), "{text}");
    let states: Vec<_> = ["  asia  healthy since ", "  eu  down since ", "  us  healthy since "]
        .map(|state| text.find(state).unwrap_or_else(|| panic!("{state}: {text}")))
        .into();
    assert!(states.is_sorted());
    assert!(text.contains("  degraded  eu  connection refused\n"), "{text}");

    // The quorum in the config decides.
    let mut config = config();
    config["quorum"] = json!(1);
    let folder = folder.file("strict.json", &config.to_string());
    let ran = folder.run(&["history", "API", "-c", "strict.json"]);
    assert!(ran.stdout.contains("\n  down since "), "{}", ran.stdout);
}

#[test]
fn what_has_no_results_or_none_of_late_says_so() {
    let folder = with_history(&[api(MINUTE * 20, "", Status::Degraded)]);
    let text = folder.run(&["history"]).stdout;
    assert!(text.contains("\n  stale: no result since "), "{text}");
    assert!(text.contains("(20m); it was degraded: certificate expiring soon\n"), "{text}");
    assert!(text.contains("\nDatabase  db:5432\n  no results since "), "{text}");

    let old = with_history(&[api(DAY * 3, "", Status::Healthy)]);
    let text = old.run(&["history", "api"]).stdout;
    assert!(text.contains("(3d); it was healthy\n  uptime  24h -   7d 100%\n"), "{text}");
    // An empty history is not an error.
    assert_eq!(Folder::new(&config()).run(&["history"]).code, 0);
}

#[test]
fn messages_and_maintenance_are_told() {
    let now = Timestamp::now();
    let mut posted = api(MINUTE * 2, "", Status::Healthy);
    posted.message = Some("we are on it".into());
    let mut planned = api(MINUTE, "", Status::Healthy);
    planned.message = Some("another rack".into());
    planned.maintenance = Some(Box::new(MaintenanceWindow::new(now.saturating_add(DAY), now.saturating_add(DAY * 2))));
    let mut all = api(MINUTE * 3, "", Status::Healthy);
    all.message = Some("new switches".into());
    all.maintenance =
        Some(Box::new(MaintenanceWindow::new(now.saturating_sub(MINUTE), now.saturating_add(MINUTE)).of_all_checks()));
    let text = with_history(&[posted, planned, all]).run(&["history"]).stdout;
    assert!(text.contains("  messages\n    ") && text.contains("  we are on it\n"), "{text}");
    let in_a_day = |line: &str| line.contains("  in 23h 59m  another rack") || line.contains("  in 1d  another rack");
    assert!(text.lines().any(in_a_day), "{text}");
    let of_all = text.split("\nAll checks\n  maintenance\n").nth(1).unwrap();
    assert!(of_all.lines().next().unwrap().ends_with("  now  new switches"), "{text}");
    // The text of a maintenance window is not a separate message.
    assert_eq!((text.matches("another rack").count(), text.matches("new switches").count()), (1, 1));
}

#[test]
fn what_comes_from_the_storage_cannot_write_to_the_terminal() {
    let mut evil = api(MINUTE, "eu\u{1b}[2J", Status::Down);
    evil.name = "a\u{1b}]0;title\u{7}".into();
    evil.message = Some("\u{9b}31mred\u{202e}".into());
    evil.attempts = vec![Attempt::failure(Duration::ZERO, Cause::Other, "line\r\nhealthy")];
    let folder = with_history(&[evil]);
    for format in ["text", "json"] {
        let ran = folder.run(&["history", "--format", format]);
        assert!(ran.stdout.contains("title"), "{}", ran.stdout);
        let harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!ran.stdout.contains(harmful), "{:?}", ran.stdout);
    }
    assert!(folder.run(&["history"]).stdout.contains("\nnot in this config file\n"));
}

#[test]
fn checks_are_selected_by_name_and_tag_also_those_of_other_config_files() {
    let mut other = api(MINUTE, "", Status::Healthy);
    other.name = "Search".into();
    let folder = with_history(&[api(MINUTE, "", Status::Healthy), other]);
    let names = |args: &[&str]| {
        let ran = folder.run(&[&["history", "--format", "json"], args].concat());
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let checks = document["checks"].as_array().unwrap().iter();
        checks.map(|check| check["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["API", "Database", "Search"]);
    assert_eq!(names(&["search"]), ["Search"]);
    assert_eq!(names(&["--only", "tag:public", "--only", "DATABASE"]), ["API", "Database"]);

    let ran = folder.run(&["history", "databse"]);
    let expected = "checkup: no check is named \"databse\"; did you mean \"Database\"? (checks: \"API\", \"Database\", \"Search\")\n";
    assert_eq!(ran.parts(), (2, "", expected));
    let ran = folder.run(&["history", "tag:publik"]);
    let expected = "checkup: no check has the tag \"publik\"; did you mean \"public\"? (tags: \"public\")\n";
    assert_eq!(ran.parts(), (2, "", expected));
}

#[test]
fn json_has_the_figures() {
    let results = [(40, Status::Down), (20, Status::Healthy)];
    let folder = with_history(&results.map(|(minutes, status)| api(MINUTE * minutes, "eu", status)));
    let ran = folder.run(&["history", "api", "--format", "json", "--since", "30d"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let check = &document["checks"][0];
    assert_eq!(
        (&check["status"], &check["stale"], &check["configured"]),
        (&json!("healthy"), &json!(false), &json!(true))
    );
    let eu = &check["locations"][0];
    assert_eq!((&eu["location"], &eu["rtt"]), (&json!("eu"), &json!(20_000_000)));
    for uptime in [&eu["uptime"], &check["uptime"]] {
        for time in ["24h", "7d", "30d"] {
            assert!((uptime[time].as_f64().unwrap() - 0.5).abs() < 0.02, "{uptime}");
        }
    }
    let counts: u64 = eu["days"].as_array().unwrap().iter().map(|day| day["down"].as_u64().unwrap()).sum();
    assert_eq!(counts, 1);
    let incident = &check["incidents"][0];
    assert_eq!((&incident["locations"], &incident["reason"]), (&json!(["eu"]), &json!("connection refused")));
    assert_eq!(incident["segments"][0]["status"], "down");
    let (from, to): (Timestamp, Timestamp) =
        (incident["from"].as_str().unwrap().parse().unwrap(), incident["to"].as_str().unwrap().parse().unwrap());
    assert_eq!(to.since(from).as_secs().div_ceil(10), 120);
}

#[test]
fn an_unreadable_file_is_reported_and_left_out() {
    let folder = with_history(&[api(MINUTE, "", Status::Healthy)]);
    let broken = FileName::at(Timestamp::now().saturating_sub(MINUTE * 2));
    fs::write(folder.path("results").join(broken.as_str()), "[{").unwrap();
    let ran = folder.run(&["history", "api"]);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.stderr, format!("checkup: 1 check file cannot be read and is left out: {broken}\n"));
    assert!(ran.stdout.contains("  healthy since "), "{}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn the_name_of_a_file_can_neither_forge_a_line_nor_control_the_terminal() {
    let folder = with_history(&[api(MINUTE, "", Status::Healthy)]);
    let time = Timestamp::now().saturating_sub(MINUTE * 2).unix_nanos();
    let evil = format!("{time}-\u{1b}[2J\u{1b}]0;pwned\u{7}\n WARN checkup_core: FORGED name=x-check.json");
    fs::write(folder.path("results").join(&evil), "[{").unwrap();
    for args in [&["history"][..], &["maintain"], &["maintain", "-vv"], &["statuspage", "export", "page"]] {
        let ran = folder.run(args);
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{args:?}: {text:?}");
            assert!(!text.lines().any(|line| line.starts_with(" WARN checkup_core: FORGED")), "{args:?}: {text}");
        }
    }
}

#[test]
fn invalid_requests_are_refused() {
    let folder = Folder::new(&config());
    for since in ["0s", "20y", "10000d", "soon"] {
        assert_eq!(folder.run(&["history", "--since", since]).code, 2, "{since}");
    }
    let nowhere = Folder::new(&json!({ "checkers": [{ "type": "tcp", "endpoint_url": "127.0.0.1:1" }] }));
    let expected = "checkup: the history needs a `storage` in the config file, and there is none\n";
    assert_eq!(nowhere.run(&["history"]).parts(), (2, "", expected));

    let mut unreachable = config();
    unreachable["storage"]["dir"] = json!("a-file/results");
    let folder = Folder::new(&unreachable).file("a-file", "");
    let ran = folder.run(&["history"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("checkup: cannot read the storage: "), "{}", ran.stderr);
}
