//! A report as JUnit's XML, which continuous integration systems show as test results.
//!
//! There is no standard. This writes what the strictest of the schemas in use requires (the one of Ant's reports, known as
//! `JUnit.xsd`), and nothing that the others (of Maven's Surefire and of Jenkins's xUnit plugin) do not know: times
//! have three decimals, and the timestamp is UTC without a zone. `tests/junit.xsd` is that schema.
//!
//! A degraded check is a failed test case too, since the command then exits with 1: a build must not fail with a green report.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use checkup_core::{Check, CheckResult, Checkup, Report, Status};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{escape, text, times};

/// The name of the suite, and of its package.
const SUITE: &str = "checkup";

/// How many failed attempts of a check are listed.
const LISTED: usize = 10;

/// The name of this computer, for the suite.
pub(super) fn hostname() -> String {
    match gethostname::gethostname().to_string_lossy().trim() {
        // As the schema requires if it is unknown.
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

/// The report as an XML document.
pub(super) fn document(checkup: &Checkup, report: &Report, hostname: &str) -> io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("testsuites").write_inner_content(|xml| suite(xml, checkup, report, hostname))?;
    String::from_utf8(xml.into_inner()).map(|text| text + "\n").map_err(io::Error::other)
}

fn suite(xml: &mut Writer<Vec<u8>>, checkup: &Checkup, report: &Report, hostname: &str) -> io::Result<()> {
    let tests = report.results.len().to_string();
    let errors = report.count(Status::Unknown);
    let failures = (report.unhealthy().count() - errors).to_string();
    let errors = errors.to_string();
    let attributes = [
        ("name", SUITE),
        ("package", SUITE),
        ("id", "0"),
        ("timestamp", &times::second(report.started)),
        ("hostname", &escape::line(hostname)),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", &errors),
        ("time", &seconds(report.elapsed)),
    ];
    let classes = classes(checkup);
    let names = names(report);
    xml.create_element("testsuite").with_attributes(attributes).write_inner_content(|xml| {
        properties(xml, report)?;
        for ((result, class), name) in report.results.iter().zip(&classes).zip(&names) {
            case(xml, result, class, name)?;
        }
        xml.create_element("system-out").write_empty()?;
        xml.create_element("system-err").write_empty()?;
        Ok(())
    })?;
    Ok(())
}

fn properties(xml: &mut Writer<Vec<u8>>, report: &Report) -> io::Result<()> {
    let location = report.results.iter().find_map(|result| result.location.as_deref());
    let properties = [("checkup.version", Some(env!("CARGO_PKG_VERSION"))), ("checkup.location", location)];
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in properties {
            if let Some(value) = value {
                let attributes = [("name", name), ("value", &escape::line(value))];
                xml.create_element("property").with_attributes(attributes).write_empty()?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

fn case(xml: &mut Writer<Vec<u8>>, result: &CheckResult, class: &str, name: &str) -> io::Result<()> {
    let time = seconds(result.stats().total);
    let attributes = [("name", &*escape::line(name)), ("classname", &escape::line(class)), ("time", &time)];
    let case = xml.create_element("testcase").with_attributes(attributes);
    if result.is_healthy() {
        case.write_empty()?;
        return Ok(());
    }
    let reason = result.reason().unwrap_or_else(|| result.status.as_str().into());
    let kind = match result.status {
        Status::Degraded => "degraded",
        _ => result.failures().find_map(|attempt| attempt.cause).map_or("down", |cause| cause.as_str()),
    };
    let attributes = [("type", kind), ("message", &escape::line(&reason))];
    // In JUnit, an error is a fault of the test itself, not of what it tests.
    let element = if result.status == Status::Unknown { "error" } else { "failure" };
    case.write_inner_content(|xml| {
        let failure = xml.create_element(element).with_attributes(attributes);
        failure.write_text_content(BytesText::new(&details(result, &reason)))?;
        Ok(())
    })?;
    Ok(())
}

/// The text of a failed test case, for people.
fn details(result: &CheckResult, reason: &str) -> String {
    let mut lines = vec![format!("{} is {}: {reason}", result.name, result.status)];
    if !result.endpoint.is_empty() {
        lines.push(format!("endpoint: {}", result.endpoint));
    }
    let total = result.attempts.len();
    let failed = result.attempts.iter().enumerate().filter(|(_, attempt)| !attempt.is_success());
    for (place, attempt) in failed.clone().take(LISTED) {
        let error = attempt.error.as_deref().unwrap_or_default();
        lines.push(format!("attempt {} of {total}, after {}: {error}", place + 1, text::rough(attempt.rtt)));
    }
    match failed.count().saturating_sub(LISTED) {
        0 => {}
        more => lines.push(format!("and {more} more that failed")),
    }
    let lines: Vec<_> = lines.iter().map(|line| escape::line(line)).collect();
    lines.join("\n")
}

/// The class of each check: its group, or else its type.
fn classes(checkup: &Checkup) -> Vec<String> {
    // A check that was made in code has no type.
    let class = |check: &Check| check.policy().group.as_deref().or(check.type_name()).unwrap_or("check").to_owned();
    checkup.checks().map(class).collect()
}

/// The names of the results. If several share a name, the endpoint is added: CI systems merge test cases with the same name.
fn names(report: &Report) -> Vec<String> {
    let mut counts = HashMap::new();
    for result in &report.results {
        *counts.entry(&result.name).or_insert(0) += 1;
    }
    let name = |result: &CheckResult| match counts.get(&result.name) {
        Some(2..) => format!("{} ({})", result.name, result.endpoint),
        _ => result.name.clone(),
    };
    report.results.iter().map(name).collect()
}

fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use checkup_core::{Attempt, Cause, Timestamp, check_fn};

    use super::*;

    fn of(results: Vec<CheckResult>) -> String {
        let check = |_| check_fn("", async || Ok::<_, String>(()));
        let checkup = Checkup::builder().checks((0..results.len()).map(check)).build().unwrap();
        let mut report = Report::new(results);
        report.started = Timestamp::from_unix_nanos(1_473_318_000_123_456_789);
        report.elapsed = Duration::from_micros(1_234_500);
        document(&checkup, &report, "ci").unwrap()
    }

    #[test]
    fn each_check_is_a_test_case_and_fails_unless_it_is_healthy() {
        let mut slow = CheckResult::new("Search", "http://x/search");
        slow.status = Status::Degraded;
        slow.notice = Some("median round trip time exceeded threshold (1ms)".into());
        slow.attempts = vec![Attempt::success(Duration::from_millis(20))];
        let mut down = CheckResult::new("Shop", "http://x/?a=1&b=2");
        down.status = Status::Down;
        down.location = Some("eu".into());
        down.attempts = vec![
            Attempt::failure(Duration::from_millis(1), Cause::Assertion, "response contains '<b>'"),
            Attempt::success(Duration::from_millis(2)),
        ];
        assert_eq!(
            of(vec![CheckResult::new("API", "http://x/"), slow, down]),
            format!(
                r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="checkup" package="checkup" id="0" timestamp="2016-09-08T07:00:00" hostname="ci" tests="3" failures="2" errors="0" time="1.234">
    <properties>
      <property name="checkup.version" value="{}"/>
      <property name="checkup.location" value="eu"/>
    </properties>
    <testcase name="API" classname="check" time="0.000"/>
    <testcase name="Search" classname="check" time="0.020">
      <failure type="degraded" message="median round trip time exceeded threshold (1ms)">Search is degraded: median round trip time exceeded threshold (1ms)
endpoint: http://x/search</failure>
    </testcase>
    <testcase name="Shop" classname="check" time="0.003">
      <failure type="assertion" message="response contains &apos;&lt;b&gt;&apos; (1 of 2 attempts failed)">Shop is down: response contains &apos;&lt;b&gt;&apos; (1 of 2 attempts failed)
endpoint: http://x/?a=1&amp;b=2
attempt 1 of 2, after 1.00ms: response contains &apos;&lt;b&gt;&apos;</failure>
    </testcase>
    <system-out/>
    <system-err/>
  </testsuite>
</testsuites>
"#,
                env!("CARGO_PKG_VERSION")
            )
        );
    }

    #[test]
    fn checks_with_the_same_name_differ_by_their_endpoints() {
        let text = of(vec![CheckResult::new("db", "a:1"), CheckResult::new("db", "b:1"), CheckResult::new("api", "c")]);
        for name in ["db (a:1)", "db (b:1)", "api"] {
            assert!(text.contains(&format!("<testcase name=\"{name}\" ")), "{text}");
        }
    }

    #[test]
    fn no_more_than_ten_failed_attempts_are_listed() {
        let mut down = CheckResult::new("db", "a:1");
        down.status = Status::Down;
        down.attempts = vec![Attempt::failure(Duration::ZERO, Cause::Other, "no"); 12];
        let text = of(vec![down]);
        assert!(text.contains("\nattempt 10 of 12, after 0ns: no\nand 2 more that failed</failure>"), "{text}");
    }
}
