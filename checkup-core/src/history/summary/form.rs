//! The JSON of a summary. It is columnar and in whole milliseconds and microseconds, since a page has to load it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::series::{Incident, Posted, Span, day_of};
use super::{DayStats, MAX_WINDOWS, Point, Series, Summary, Window};
use crate::{Status, Timestamp};

pub(crate) const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Form {
    version: u32,
    made: Millis,
    recent_from: Millis,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    files: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    unread: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    days: BTreeMap<i64, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    windows: Vec<WindowForm>,
    #[serde(default)]
    series: Vec<SeriesForm>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WindowForm {
    from: Millis,
    to: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    text: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct SeriesForm {
    title: String,
    endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Micros::is_zero")]
    threshold: Micros,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days: Vec<DayForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    incidents: Vec<IncidentForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    messages: Vec<MessageForm>,
    #[serde(default, skip_serializing_if = "Columns::is_empty")]
    recent: Columns,
}

/// Day, healthy, degraded, down, excluded, p50, p90, p99.
#[derive(Debug, Serialize, Deserialize)]
struct DayForm(i64, u64, u64, u64, u64, Option<Micros>, Option<Micros>, Option<Micros>);

#[derive(Debug, Serialize, Deserialize)]
struct IncidentForm {
    from: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Millis>,
    status: StatusForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    continued: bool,
    /// The day, if it is not that of `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MessageForm {
    at: Millis,
    text: String,
}

/// The results in detail.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Columns {
    at: Vec<i64>,
    status: String,
    rtt: Vec<Option<Micros>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    low: Vec<Option<Micros>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    high: Vec<Option<Micros>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    reasons: BTreeMap<usize, String>,
}

/// A time in milliseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Millis(i64);

/// A duration in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Micros(u64);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StatusForm {
    Healthy,
    Degraded,
    Down,
}

impl From<Summary> for Form {
    fn from(summary: Summary) -> Self {
        Self {
            version: VERSION,
            made: summary.made.into(),
            recent_from: summary.recent_from.into(),
            files: summary.files,
            unread: summary.unread,
            days: summary.days,
            windows: summary.windows.into_iter().map(WindowForm::from).collect(),
            series: summary.series.into_iter().map(SeriesForm::from).collect(),
        }
    }
}

impl TryFrom<Form> for Summary {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        if form.version != VERSION {
            return Err(format!("expected version {VERSION} of a summary, found {}", form.version));
        }
        let mut series = form.series.into_iter().map(Series::try_from).collect::<Result<Vec<_>, _>>()?;
        series.sort_by(|a, b| a.key().cmp(&b.key()));
        let mut windows: Vec<_> = form.windows.into_iter().map(Window::from).collect();
        windows.sort();
        windows.truncate(MAX_WINDOWS);
        Ok(Self {
            made: form.made.into(),
            recent_from: form.recent_from.into(),
            windows,
            unread: form.unread,
            series,
            files: form.files,
            days: form.days,
        })
    }
}

impl From<Series> for SeriesForm {
    fn from(series: Series) -> Self {
        Self {
            recent: Columns::of(&series.recent),
            title: series.name,
            endpoint: series.endpoint,
            location: series.location,
            threshold: series.threshold_rtt.into(),
            days: series.days.into_iter().map(DayForm::from).collect(),
            incidents: series.spans.into_iter().map(IncidentForm::from).collect(),
            messages: series
                .messages
                .into_iter()
                .map(|one| MessageForm { at: one.at.into(), text: one.text })
                .collect(),
        }
    }
}

impl TryFrom<SeriesForm> for Series {
    type Error = String;

    fn try_from(form: SeriesForm) -> Result<Self, String> {
        let mut series = Self {
            name: form.title,
            endpoint: form.endpoint,
            location: form.location,
            threshold_rtt: form.threshold.into(),
            days: form.days.into_iter().map(DayStats::from).collect(),
            messages: form.messages.into_iter().map(|one| Posted { at: one.at.into(), text: one.text }).collect(),
            recent: form.recent.points()?,
            spans: form.incidents.into_iter().map(Span::from).collect(),
        };
        // Whoever wrote it, what is searched must be in order.
        series.days.sort_by_key(|stats| stats.day);
        series.days.dedup_by_key(|stats| stats.day);
        series.messages.sort();
        series.recent.sort_by_key(|point| point.timestamp);
        series.recent.dedup_by_key(|point| point.timestamp);
        series.spans.sort_by_key(|span| span.incident.from);
        Ok(series)
    }
}

impl Columns {
    fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    fn of(points: &[Point]) -> Self {
        let mut columns = Self::default();
        let mut last = 0;
        let is_spread = points.iter().any(|point| point.spread.is_some());
        for (index, point) in points.iter().enumerate() {
            let at = Millis::from(point.timestamp).0;
            columns.at.push(at.saturating_sub(last));
            last = at;
            columns.status.push(letter(point.status));
            columns.rtt.push(point.rtt.map(Micros::from));
            if is_spread {
                let ends = point.spread.or(point.rtt.map(|rtt| (rtt, rtt)));
                columns.low.push(ends.map(|(low, _)| low.into()));
                columns.high.push(ends.map(|(_, high)| high.into()));
            }
            if let Some(reason) = &point.reason {
                columns.reasons.insert(index, reason.clone());
            }
        }
        columns
    }

    fn points(mut self) -> Result<Vec<Point>, String> {
        let count = self.at.len();
        let is_spread = !self.low.is_empty();
        let is_right = self.status.len() == count && self.rtt.len() == count;
        if !is_right || is_spread && (self.low.len() != count || self.high.len() != count) {
            return Err(format!("expected {count} values in each column of `recent`"));
        }
        let mut at = 0_i64;
        let mut points = Vec::with_capacity(count);
        for (index, letter) in self.status.bytes().enumerate() {
            at = at.saturating_add(self.at[index]);
            let spread = if is_spread { self.low[index].zip(self.high[index]) } else { None };
            points.push(Point {
                timestamp: Millis(at).into(),
                status: status(letter)?,
                rtt: self.rtt[index].map(Duration::from),
                spread: spread.filter(|(low, high)| low.0 != high.0).map(|(low, high)| (low.into(), high.into())),
                reason: self.reasons.remove(&index),
            });
        }
        Ok(points)
    }
}

fn letter(status: Status) -> char {
    match status {
        Status::Healthy => 'h',
        // A summary has no results without a verdict.
        Status::Degraded | Status::Unknown => 'g',
        Status::Down => 'd',
    }
}

fn status(letter: u8) -> Result<Status, String> {
    match letter {
        b'h' => Ok(Status::Healthy),
        b'g' => Ok(Status::Degraded),
        b'd' => Ok(Status::Down),
        other => Err(format!("expected h, g or d for a status, found {:?}", char::from(other))),
    }
}

impl From<Window> for WindowForm {
    fn from(window: Window) -> Self {
        Self { from: window.from.into(), to: window.to.into(), title: window.name, text: window.text }
    }
}

impl From<WindowForm> for Window {
    fn from(form: WindowForm) -> Self {
        Self { from: form.from.into(), to: form.to.into(), name: form.title, text: form.text }
    }
}

impl From<DayStats> for DayForm {
    fn from(stats: DayStats) -> Self {
        let DayStats { day, healthy, degraded, down, excluded, p50, p90, p99 } = stats;
        Self(
            day,
            healthy,
            degraded,
            down,
            excluded,
            p50.map(Micros::from),
            p90.map(Micros::from),
            p99.map(Micros::from),
        )
    }
}

impl From<DayForm> for DayStats {
    fn from(form: DayForm) -> Self {
        let DayForm(day, healthy, degraded, down, excluded, p50, p90, p99) = form;
        let [p50, p90, p99] = [p50, p90, p99].map(|time| time.map(Duration::from));
        Self { day, healthy, degraded, down, excluded, p50, p90, p99 }
    }
}

impl From<Span> for IncidentForm {
    fn from(span: Span) -> Self {
        let Incident { from, to, status, reason } = span.incident;
        let day = Some(span.day).filter(|day| *day != day_of(from));
        Self {
            from: from.into(),
            to: to.map(Millis::from),
            status: status.into(),
            reason,
            continued: span.continued,
            day,
        }
    }
}

impl From<IncidentForm> for Span {
    fn from(form: IncidentForm) -> Self {
        let (from, to) = (form.from.into(), form.to.map(Timestamp::from));
        Self {
            day: form.day.unwrap_or(day_of(from)),
            incident: Incident { from, to, status: form.status.into(), reason: form.reason },
            continued: form.continued,
        }
    }
}

impl From<Status> for StatusForm {
    fn from(status: Status) -> Self {
        match status {
            Status::Healthy => Self::Healthy,
            Status::Degraded | Status::Unknown => Self::Degraded,
            Status::Down => Self::Down,
        }
    }
}

impl From<StatusForm> for Status {
    fn from(form: StatusForm) -> Self {
        match form {
            StatusForm::Healthy => Self::Healthy,
            StatusForm::Degraded => Self::Degraded,
            StatusForm::Down => Self::Down,
        }
    }
}

impl From<Timestamp> for Millis {
    fn from(time: Timestamp) -> Self {
        Self(time.unix_nanos().div_euclid(1_000_000))
    }
}

impl From<Millis> for Timestamp {
    fn from(Millis(millis): Millis) -> Self {
        Self::from_unix_nanos(millis.saturating_mul(1_000_000))
    }
}

impl From<Duration> for Micros {
    fn from(time: Duration) -> Self {
        Self(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }
}

impl From<Micros> for Duration {
    fn from(Micros(micros): Micros) -> Self {
        Self::from_micros(micros)
    }
}

impl Micros {
    fn is_zero(&self) -> bool {
        self.0 == 0
    }
}
