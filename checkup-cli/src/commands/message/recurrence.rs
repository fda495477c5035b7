//! When maintenance recurs: a rule as in cron, in a time zone.

use std::time::Duration;

use checkup_core::{MaintenanceWindow, Timestamp};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// How far ahead windows are announced.
const AHEAD_DAYS: i32 = 400;

/// How many windows a post may have: one each day.
const MAX_WINDOWS: usize = 400;

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A rule such as `0 3 * * sun`: minute, hour, day of the month, month and weekday. If both days are restricted, either is enough, as in cron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recurrence {
    text: String,
    minutes: Vec<u8>,
    hours: Vec<u8>,
    days: Vec<u8>,
    months: Vec<u8>,
    weekdays: Vec<u8>,
    is_any_day: bool,
    is_any_weekday: bool,
}

impl Recurrence {
    /// Parses the five fields of a rule.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(format!(
                "expected five fields as in cron (minute, hour, day of the month, month, weekday), such as `0 3 * * sun`; found {text:?}"
            ));
        };
        let mut weekdays = field("weekday", weekday, (0, 7), &WEEKDAYS, 0)?;
        // 0 and 7 are Sunday.
        weekdays.iter_mut().for_each(|day| *day %= 7);
        Ok(Self {
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            minutes: field("minute", minute, (0, 59), &[], 0)?,
            hours: field("hour", hour, (0, 23), &[], 0)?,
            days: field("day of the month", day, (1, 31), &[], 0)?,
            months: field("month", month, (1, 12), &MONTHS, 1)?,
            weekdays,
            is_any_day: day == "*",
            is_any_weekday: weekday == "*",
        })
    }

    /// `0 3 * * sun Europe/Berlin`
    pub(crate) fn shown(&self, zone: &TimeZone) -> String {
        format!("{} {}", self.text, zone.iana_name().unwrap_or("UTC"))
    }

    /// The windows of the next 400 days that begin after the first one, each as long as that. A start in an hour that daylight saving time
    /// skips is an hour later.
    pub(crate) fn after(
        &self,
        first: MaintenanceWindow,
        zone: &TimeZone,
    ) -> Result<Vec<(Timestamp, Timestamp)>, String> {
        let length = first.to.since(first.from);
        let start = jiff::Timestamp::from_nanosecond(first.from.unix_nanos().into())
            .map_err(|error| format!("the start is out of range: {error}"))?;
        let mut date = zone.to_datetime(start).date();
        let mut windows = Vec::new();
        for _ in 0..=AHEAD_DAYS {
            if self.is_on(date) {
                for (hour, minute) in self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |m| (*hour, *m))) {
                    let from = begin(date.at(int(hour), int(minute), 0, 0), zone)?;
                    let is_new = windows.last().is_none_or(|(_, to)| from >= *to) && from >= first.to;
                    if is_new && from <= first.from.saturating_add(ahead()) {
                        windows.push((from, from.saturating_add(length)));
                    }
                }
                if windows.len() > MAX_WINDOWS {
                    return Err(format!("expected at most {MAX_WINDOWS} windows in {AHEAD_DAYS} days, found more"));
                }
            }
            date = date.tomorrow().map_err(|error| format!("the start is out of range: {error}"))?;
        }
        if windows.is_empty() {
            return Err(format!("expected a rule that recurs within {AHEAD_DAYS} days, found {:?}", self.text));
        }
        Ok(windows)
    }

    fn is_on(&self, date: Date) -> bool {
        let has = |all: &[u8], value: i8| u8::try_from(value).is_ok_and(|value| all.contains(&value));
        let of_month = has(&self.days, date.day());
        let of_week = has(&self.weekdays, date.weekday().to_sunday_zero_offset());
        let is_day = match (self.is_any_day, self.is_any_weekday) {
            (false, false) => of_month || of_week,
            _ => of_month && of_week,
        };
        is_day && has(&self.months, date.month())
    }
}

/// The time zone with this name.
pub(crate) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| format!("expected a time zone such as Europe/Berlin or UTC, found {name:?}"))
}

fn begin(time: DateTime, zone: &TimeZone) -> Result<Timestamp, String> {
    let moment = zone.to_timestamp(time).map_err(|error| format!("{time} is out of range: {error}"))?;
    let nanos = i64::try_from(moment.as_nanosecond()).map_err(|_| format!("{time} is out of range"))?;
    Ok(Timestamp::from_unix_nanos(nanos))
}

fn ahead() -> Duration {
    Duration::from_secs(86_400 * u64::from(AHEAD_DAYS.unsigned_abs()))
}

fn int(value: u8) -> i8 {
    i8::try_from(value).unwrap_or_default()
}

/// The values of a field, in ascending order: `*`, `5`, `1-5`, `*/2`, `mon,wed`. Names count from `first`.
fn field(what: &str, text: &str, (least, most): (u8, u8), names: &[&str], first: u8) -> Result<Vec<u8>, String> {
    let wrong = || format!("expected `*`, or numbers from {least} to {most}, for the {what}; found {text:?}");
    let value = |text: &str| -> Option<u8> {
        let named = names.iter().position(|name| text.to_ascii_lowercase().starts_with(name));
        let value = match named {
            Some(place) => u8::try_from(place).ok()? + first,
            None => text.parse().ok()?,
        };
        (least..=most).contains(&value).then_some(value)
    };
    let mut values = Vec::new();
    for part in text.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step: usize = step.parse().ok().filter(|step| *step > 0).ok_or_else(wrong)?;
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (value(from).ok_or_else(wrong)?, value(to).ok_or_else(wrong)?),
            None if part.contains('/') => (value(range).ok_or_else(wrong)?, most),
            None => value(range).map(|one| (one, one)).ok_or_else(wrong)?,
        };
        if from > to {
            return Err(wrong());
        }
        values.extend((from..=to).step_by(step));
    }
    values.sort_unstable();
    values.dedup();
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(from: &str, hours: u64) -> MaintenanceWindow {
        let from: Timestamp = from.parse().unwrap();
        MaintenanceWindow::new(from, from.saturating_add(Duration::from_secs(3600 * hours)))
    }

    fn starts(rule: &str, zone_name: &str, first: MaintenanceWindow, count: usize) -> Vec<String> {
        let windows = Recurrence::parse(rule).unwrap().after(first, &zone(zone_name).unwrap()).unwrap();
        assert!(windows.iter().all(|(from, to)| to.since(*from) == first.to.since(first.from)));
        windows.iter().take(count).map(|(from, _)| from.to_string()).collect()
    }

    #[test]
    fn a_rule_keeps_its_local_time_when_daylight_saving_time_changes() {
        // On 29 March 2026 the clocks go from 2:00 to 3:00.
        let sundays = starts("0 3 * * sun", "Europe/Berlin", first("2026-03-15T02:00:00Z", 2), 3);
        assert_eq!(sundays, ["2026-03-22T02:00:00Z", "2026-03-29T01:00:00Z", "2026-04-05T01:00:00Z"]);
        let skipped = starts("30 2 29 3 *", "Europe/Berlin", first("2026-03-01T02:00:00Z", 1), 1);
        assert_eq!(skipped, ["2026-03-29T01:30:00Z"], "2:30 does not exist that day");
    }

    #[test]
    fn fields_have_lists_ranges_steps_and_names() {
        let of = |rule| starts(rule, "UTC", first("2026-11-25T00:00:00Z", 1), 3);
        let day = |days: [u8; 3], time: &str| days.map(|day| format!("2026-11-{day}T{time}Z")).to_vec();
        assert_eq!(of("30 22 * * mon-fri"), day([25, 26, 27], "22:30:00"));
        assert_eq!(of("0 4 26,28,30 * *"), day([26, 28, 30], "04:00:00"));
        assert_eq!(of("0 4 */2 nov 7"), ["2026-11-25T04:00:00Z", "2026-11-27T04:00:00Z", "2026-11-29T04:00:00Z"]);
        assert_eq!(of("0 0 1 jan *"), ["2027-01-01T00:00:00Z"]);
        assert_eq!(of("0 */12 26 * *")[..2], ["2026-11-26T00:00:00Z", "2026-11-26T12:00:00Z"]);
    }

    #[test]
    fn a_rule_that_cannot_be_is_refused_with_what_was_expected() {
        for (rule, expected) in [
            ("0 3 * *", "expected five fields as in cron"),
            ("60 3 * * *", "numbers from 0 to 59, for the minute; found \"60\""),
            ("0 3 * * sonntag", "numbers from 0 to 7, for the weekday; found \"sonntag\""),
            ("0 3 5-1 * *", "for the day of the month; found \"5-1\""),
            ("0 3 */0 * *", "for the day of the month; found \"*/0\""),
        ] {
            let error = Recurrence::parse(rule).unwrap_err();
            assert!(error.contains(expected), "{rule}: {error}");
        }
        let never = Recurrence::parse("0 3 31 feb *").unwrap();
        assert!(never.after(first("2026-11-25T00:00:00Z", 1), &TimeZone::UTC).unwrap_err().contains("recurs"));
        let often = Recurrence::parse("*/30 * * * *").unwrap();
        let short =
            MaintenanceWindow::new(first("2026-11-25T00:00:00Z", 1).from, "2026-11-25T00:01:00Z".parse().unwrap());
        assert!(often.after(short, &TimeZone::UTC).unwrap_err().contains("at most 400 windows"));
        assert!(zone("Berlin").unwrap_err().contains("Europe/Berlin"));
    }
}
