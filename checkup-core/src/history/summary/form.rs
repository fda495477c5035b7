//! The JSON of a summary: columns, whole milliseconds and microseconds, since a page has to load it.
//!
//! Impossible values are left out and reported, as small a part as possible: derived data must neither stop
//! maintenance nor override the check files that it was derived from.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::columns::{Millis, PointColumns, RunColumns, day_row, read_day};
use super::day::DAYS;
use super::series::Series;
use super::{CurrentPost, DayStats, KnownId, MAX_SERIES, MAX_WINDOWS, Posted, Summary, Window, first_version};
use crate::PostState;

/// The version that is written.
pub(crate) const VERSION: u32 = 2;

/// The version that earlier releases wrote.
const FIRST: u32 = 1;

#[derive(Debug, Deserialize)]
struct Form {
    version: u32,
    made: Value,
    recent_from: Value,
    #[serde(default)]
    files: Value,
    #[serde(default)]
    unread: Value,
    #[serde(default)]
    days: BTreeMap<String, Value>,
    #[serde(default)]
    posts: Vec<Value>,
    #[serde(default)]
    windows: Vec<Value>,
    #[serde(default)]
    ids: Vec<Value>,
    #[serde(default)]
    parts: Vec<Value>,
    #[serde(default)]
    series: Vec<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WindowForm {
    from: Millis,
    to: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PostForm {
    id: String,
    at: Millis,
    revised: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incident: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recurrence: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more: Vec<(Millis, Millis)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ended: bool,
}

/// The ids that incidents of a check have had.
#[derive(Debug, Serialize, Deserialize)]
struct IdsForm {
    title: String,
    endpoint: String,
    at: Vec<Millis>,
    id: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MessageForm {
    at: Millis,
    text: String,
}

#[derive(Debug, Deserialize)]
struct SeriesForm {
    title: String,
    endpoint: String,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    threshold: Value,
    #[serde(default)]
    days: Vec<Vec<Value>>,
    /// A key of the first version.
    #[serde(default)]
    incidents: Vec<Value>,
    #[serde(default)]
    runs: Option<Box<RawValue>>,
    #[serde(default)]
    messages: Vec<Value>,
    #[serde(default)]
    recent: Option<Box<RawValue>>,
}

/// Days of the summary that are in a file of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The file's name.
    pub(crate) name: String,
    /// The first and the last day in it.
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            version: u32,
            // Filled in when the file is written.
            check: &'static str,
            made: Millis,
            recent_from: Millis,
            #[serde(skip_serializing_if = "BTreeSet::is_empty")]
            files: &'a BTreeSet<String>,
            #[serde(skip_serializing_if = "BTreeSet::is_empty")]
            unread: &'a BTreeSet<String>,
            #[serde(skip_serializing_if = "BTreeSet::is_empty")]
            problems: &'a BTreeSet<String>,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            days: &'a BTreeMap<i64, String>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            posts: Vec<PostForm>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            windows: Vec<WindowForm>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            ids: Vec<IdsForm>,
            #[serde(skip_serializing_if = "<[Part]>::is_empty")]
            parts: &'a [Part],
            series: &'a [Series],
        }
        let windows = self.windows.iter().map(|window| WindowForm {
            from: window.from.into(),
            to: window.to.into(),
            title: window.name.clone(),
            text: window.text.clone(),
            id: Some(window.id.clone()).filter(|id| *id != Window::plain_id(window.from, window.to)),
            group: window.group.clone(),
        });
        Written {
            version: VERSION,
            check: "0000000000000000",
            made: self.made.into(),
            recent_from: self.recent_from.into(),
            files: &self.files,
            unread: &self.unread,
            problems: &self.problems,
            days: &self.days,
            posts: self.posts.values().map(PostForm::of).collect(),
            windows: windows.collect(),
            ids: self.ids.iter().map(IdsForm::of).collect(),
            parts: &self.parts,
            series: &self.series,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Summary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Form::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<Form> for Summary {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        if form.version != VERSION && form.version != FIRST {
            return Err(format!("expected version {VERSION} of a summary, found {}", form.version));
        }
        let time = |value: &Value, key: &str| {
            let millis = value.as_i64().ok_or_else(|| format!("expected milliseconds in `{key}`, found {value}"))?;
            Ok::<_, String>(Millis(millis).into())
        };
        let mut summary = Self {
            made: time(&form.made, "made")?,
            recent_from: time(&form.recent_from, "recent_from")?,
            files: strings(form.files),
            unread: strings(form.unread),
            parts: form.parts.into_iter().filter_map(|part| serde_json::from_value(part).ok()).collect(),
            ..Self::new()
        };
        let is_first = form.version == FIRST;
        for (key, made_of) in form.days {
            let day = key.parse::<i64>().ok().filter(|day| DAYS.contains(day));
            match (day, made_of.as_str()) {
                // Data that an earlier release derived is derived again where the check files exist.
                (Some(day), Some(_)) if is_first => drop(summary.days.insert(day, String::new())),
                (Some(day), Some(made_of)) => drop(summary.days.insert(day, made_of.to_owned())),
                _ => summary.report("days of the summary with an impossible key were left out"),
            }
        }
        for post in form.posts.into_iter().take(MAX_WINDOWS * 2) {
            match serde_json::from_value::<PostForm>(post).map(CurrentPost::from) {
                Ok(post) if post.is_possible() => summary.take_post(post),
                _ => summary.report("posts of the summary that cannot be read were left out"),
            }
        }
        for window in form.windows.into_iter().take(MAX_WINDOWS) {
            match serde_json::from_value::<WindowForm>(window) {
                Ok(WindowForm { from, to, title, text, id, group }) => {
                    let (from, to) = (from.into(), to.into());
                    let id = id.unwrap_or_else(|| Window::plain_id(from, to));
                    summary.announce(Window { from, to, name: title, text, id, group });
                }
                Err(_) => summary.report("maintenance windows of the summary that cannot be read were left out"),
            }
        }
        for ids in form.ids.into_iter().take(MAX_SERIES) {
            match serde_json::from_value::<IdsForm>(ids).ok().and_then(IdsForm::read) {
                Some((check, ids)) => drop(summary.ids.insert(check, ids)),
                None => summary.report("ids of incidents in the summary that cannot be read were left out"),
            }
        }
        for raw in form.series.iter().take(MAX_SERIES) {
            match serde_json::from_str::<SeriesForm>(raw.get()) {
                Ok(form) => {
                    let mut of = Reading { is_first, is_odd: false, lost_recent: false };
                    let series = of.series(form);
                    summary.series.push(series);
                    if of.lost_recent {
                        summary.files.clear();
                    }
                    if of.is_odd {
                        summary.distrust();
                        summary.report("impossible values in the summary were left out");
                    }
                }
                Err(_) => {
                    summary.distrust();
                    summary.files.clear();
                    summary.report("a series of the summary that cannot be read was left out");
                }
            }
        }
        if form.series.len() > MAX_SERIES {
            summary.report("the summary has more than 200,000 checks and locations: the others were left out");
        }
        summary.changed_windows.clear();
        summary.sort();
        summary.series.dedup_by(|a, b| a.key() == b.key());
        Ok(summary)
    }
}

impl IdsForm {
    fn of(((title, endpoint), ids): (&(String, String), &Vec<KnownId>)) -> Self {
        let (at, id) = ids.iter().map(|(onset, id)| (Millis::from(*onset), id.clone())).unzip();
        Self { title: title.clone(), endpoint: endpoint.clone(), at, id }
    }

    fn read(self) -> Option<((String, String), Vec<KnownId>)> {
        let is_id = |id: &String| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_right = self.at.len() == self.id.len() && self.id.iter().all(is_id);
        let ids = self.at.into_iter().map(Into::into).zip(self.id).collect();
        is_right.then_some(((self.title, self.endpoint), ids))
    }
}

impl PostForm {
    fn of(post: &CurrentPost) -> Self {
        let (title, endpoint) = post.check.clone().unzip();
        let (from, to) = post.window.unzip();
        Self {
            id: post.message.id.clone(),
            at: post.message.at.into(),
            revised: post.revised.into(),
            title,
            endpoint,
            text: post.message.text.clone(),
            state: post.message.state.map(|state| state.as_str().to_owned()),
            incident: post.message.incident.clone(),
            from: from.map(Into::into),
            to: to.map(Into::into),
            group: post.message.group.clone(),
            recurrence: post.recurrence.as_ref().map(|(rule, _)| rule.clone()),
            more: post
                .recurrence
                .iter()
                .flat_map(|(_, windows)| windows)
                .map(|(from, to)| ((*from).into(), (*to).into()))
                .collect(),
            ended: post.ended,
        }
    }
}

impl From<PostForm> for CurrentPost {
    fn from(form: PostForm) -> Self {
        Self {
            revised: form.revised.into(),
            ended: form.ended,
            check: form.title.map(|title| (title, form.endpoint.unwrap_or_default())),
            message: Posted {
                at: form.at.into(),
                id: form.id,
                text: form.text,
                state: form.state.as_deref().and_then(PostState::named),
                incident: form.incident,
                group: form.group,
            },
            window: form.from.zip(form.to).map(|(from, to)| (from.into(), to.into())),
            recurrence: form
                .recurrence
                .map(|rule| (rule, form.more.into_iter().map(|(from, to)| (from.into(), to.into())).collect())),
        }
    }
}

/// What was found while a series was read.
struct Reading {
    is_first: bool,
    is_odd: bool,
    lost_recent: bool,
}

impl Reading {
    fn series(&mut self, form: SeriesForm) -> Series {
        let mut series = Series::new((&form.title, &form.endpoint, form.location.as_deref()));
        series.threshold_rtt = super::columns::micros(&form.threshold).unwrap_or_default();
        let rows = form.days.len();
        series.days = form.days.iter().filter_map(|row| read_day(row)).filter(DayStats::is_plausible).collect();
        self.is_odd |= series.days.len() < rows;
        // No matter what wrote it, the columns that are searched must be sorted.
        series.days.sort_by_key(|stats| stats.day);
        series.days.dedup_by_key(|stats| stats.day);
        for message in form.messages {
            match serde_json::from_value::<MessageForm>(message) {
                Ok(one) => series.messages.push(Posted::in_result(one.at.into(), one.text)),
                Err(_) => self.is_odd = true,
            }
        }
        series.sort_messages();
        if let Some(raw) = form.runs.filter(|_| !self.is_first) {
            match serde_json::from_str::<RunColumns>(raw.get())
                .map_err(|error| error.to_string())
                .and_then(RunColumns::runs)
            {
                Ok(runs) => series.runs = runs,
                Err(_) => self.is_odd = true,
            }
        }
        if self.is_first {
            series.runs = first_version::runs(&series.days, &form.incidents);
        }
        if let Some(raw) = form.recent {
            let columns = serde_json::from_str::<PointColumns>(raw.get()).map_err(|error| error.to_string());
            match columns.and_then(PointColumns::points) {
                Ok(points) => series.recent = points,
                Err(_) => (self.is_odd, self.lost_recent) = (true, true),
            }
        }
        series.recent.sort_by_key(|point| point.timestamp);
        series.recent.dedup_by_key(|point| point.timestamp);
        series
    }
}

impl Serialize for Series {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Series", 8)?;
        form.serialize_field("title", &self.name)?;
        form.serialize_field("endpoint", &self.endpoint)?;
        if let Some(location) = &self.location {
            form.serialize_field("location", location)?;
        }
        if !self.threshold_rtt.is_zero() {
            form.serialize_field("threshold", &super::columns::Micros::from(self.threshold_rtt))?;
        }
        if !self.days.is_empty() {
            form.serialize_field("days", &self.days.iter().map(day_row).collect::<Vec<_>>())?;
        }
        if !self.runs.is_empty() {
            form.serialize_field("runs", &RunColumns::of(&self.runs))?;
        }
        if !self.messages.is_empty() {
            let of = |one: &Posted| MessageForm { at: one.at.into(), text: one.text.clone() };
            form.serialize_field("messages", &self.messages.iter().map(of).collect::<Vec<_>>())?;
        }
        if !self.recent.is_empty() {
            form.serialize_field("recent", &PointColumns::of(&self.recent))?;
        }
        form.end()
    }
}

fn strings(value: Value) -> BTreeSet<String> {
    let Value::Array(values) = value else { return BTreeSet::new() };
    values.into_iter().filter_map(|value| if let Value::String(text) = value { Some(text) } else { None }).collect()
}
