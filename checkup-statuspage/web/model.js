// The data: the summary and newer check files as series of points. Pure: no DOM, no clock, no network.
// Times are milliseconds since 1970, round-trip times microseconds, days integer days since 1970, all UTC.

import { DAY } from "./text.js";

const STATUS = { h: "healthy", g: "degraded", d: "down" };
/** The last millisecond that a `Date` can have. */
const LAST_TIME = 8.64e15;

/** Which of two states is worse. */
export const RANK = { down: 3, degraded: 2, stale: 1, healthy: 0 };

/** The states of the work on an incident, in this order. */
const STATES = ["investigating", "identified", "monitoring", "resolved"];
const POST_ID = /^[!-~]{1,64}$/u;
/** How many further windows a post may have. */
const MAX_RECURRING = 400;

const PART = /^summary-\d+-\d+-[0-9a-f]{16}\.json$/u;

/** Empty data. */
export function emptyData() {
  return { made: 0, recentFrom: 0, files: new Set(), unread: new Set(), problems: [], parts: [], posts: new Map(), windows: [], ids: new Map(), series: new Map(), figures: new Map() };
}

/** The data of a `summary.json`; throws if it is not a summary. If a series is broken, only that series is left out. */
export function readSummary(json) {
  if (![1, 2].includes(json?.version) || !Array.isArray(json.series)) throw new TypeError("not a summary");
  const data = emptyData();
  data.made = time(json.made) ?? 0;
  data.recentFrom = time(json.recent_from) ?? 0;
  data.files = new Set(array(json.files).filter(textOf));
  data.unread = new Set(array(json.unread).filter(textOf));
  data.parts = array(json.parts).filter((part) => PART.test(part?.name) && Number.isInteger(part.to));
  data.problems = array(json.problems).filter(textOf).slice(0, 10);
  data.windows = array(json.windows)
    .filter(isWindow)
    .map(({ from, to, title, text, id, group }) => ({
      from,
      to,
      title: textOf(title),
      text: textOf(text) ?? "",
      id: textOf(id) ?? windowId(from, to),
      group: textOf(group),
    }));
  for (const { title, endpoint, at, id } of array(json.ids).filter(Boolean)) {
    const ids = array(id).map((text, i) => ({ onset: time(at?.[i]), id: textOf(text) }));
    data.ids.set(checkKey(title, endpoint), ids.filter((known) => known.onset !== null && known.id));
  }
  for (const post of array(json.posts)) takePost(data, post);
  for (const raw of json.series) {
    const series = readSeries(raw);
    if (series) data.series.set(series.key, series);
    else data.unread.add("summary.json");
  }
  data.figures = readFigures(json.overview ?? {}, data.made);
  data.leftOut = count(json.overview?.left_out) ?? 0;
  return data;
}

/** What an overview has of each check in place of its results: since when it is in its state, uptimes, the times of days, and incidents. */
function readFigures({ first, spans, checks }, made) {
  const figures = new Map();
  for (const raw of array(checks).filter(Boolean)) {
    const share = (i) => positive(raw.uptimes?.[i]);
    figures.set(checkKey(raw.title, raw.endpoint), {
      detail: textOf(raw.detail) ?? "",
      state: raw.state,
      since: time(raw.since),
      first: time(raw.first) ?? Infinity,
      uptimes: array(spans).map((span, i) => ({ share: share(2 * i), known: share(2 * i + 1) ?? 0, span })),
      days: readTimes(first, raw.days ?? {}),
      incidents: array(raw.incidents).filter(Boolean).map(readIncident).filter(Boolean).reverse(),
      made,
    });
  }
  return figures;
}

/** The milliseconds in each state other than healthy, by day. */
function readTimes(first, states) {
  const days = new Map();
  for (const state of ["degraded", "down", "maintenance", "unknown"]) {
    const steps = array(states[state]);
    let day = first;
    for (let i = 0; i < steps.length; i += 2) {
      day += count(steps[i]) ?? NaN;
      days.set(day, { ...days.get(day), [state]: Math.min(DAY, (count(steps[i + 1]) ?? 0) * 1000) });
    }
  }
  return days;
}

function readIncident({ id, from, to, last_seen: seen, status, segments, in_maintenance: inMaintenance }) {
  if (!textOf(id) || time(from) === null || !(status in RANK)) return null;
  const parts = array(segments).filter(Array.isArray).map(([letter, begin, length, locations, reasons]) => {
    const after = (start, span) => Math.min(LAST_TIME, start + (count(span) ?? 0));
    const at = after(from, begin);
    return { status: STATUS[letter] ?? "down", from: at, to: after(at, length), locations: array(locations), reasons: array(reasons).filter(textOf) };
  });
  const worst = parts.find((part) => part.status === status && part.reasons.length);
  if (!parts.length) return null;
  return { id, from, to: time(to) ?? undefined, lastSeen: time(seen) ?? undefined, status, reason: worst?.reasons[0] ?? null, segments: parts, inMaintenance: inMaintenance === true };
}

/** Adds the days of a part of the summary, which are older than those in it. Throws if it is not a part. */
export function addPart(data, json) {
  for (const part of readSummary(json).series.values()) {
    const series = data.series.get(part.key);
    if (!series) {
      data.series.set(part.key, part);
      continue;
    }
    const known = new Set(series.days.map(({ day }) => day));
    series.days.push(...part.days.filter(({ day }) => !known.has(day)));
    series.days.sort((a, b) => a.day - b.day);
    const first = series.runs[0]?.from ?? Infinity;
    series.runs.push(...part.runs.filter((run) => run.from < first));
    series.runs.sort((a, b) => a.from - b.from);
    series.prepared = undefined;
  }
}

/** What identifies a check: its name and its endpoint. Checks with different names are different, even if they have the same URL. */
export function checkKey(title, endpoint) {
  return JSON.stringify([title, endpoint]);
}

/**
 * Adds the results of a check file. A result is identified by name, endpoint, location and time, and none is
 * counted twice. Throws if it is not an array of results.
 */
export function addResults(data, results) {
  if (!Array.isArray(results)) throw new TypeError("not an array of results");
  const read = results.map(readResult);
  const touched = new Set();
  for (const result of read) touched.add(addResult(data, result));
  // Sorts only once, so that the order of the results does not affect the time that this takes.
  for (const series of touched) {
    if (!series) continue;
    const known = new Set();
    series.points.sort((a, b) => a.at - b.at);
    series.points = series.points.filter(({ at }) => !known.has(at) && known.add(at));
    series.threshold = series.newest.threshold;
  }
}

function addResult(data, { title, endpoint, location, threshold, point, message, maintenance, post }) {
  if (post) {
    takePost(data, post);
    // It is a post without a result, or with a copy of one.
    message = maintenance = undefined;
  }
  // No result is from before 1970, and one without a verdict says nothing about the check.
  if (point.at < 0 || point.status === "unknown") return null;
  const key = seriesKey(title, endpoint, location);
  let series = data.series.get(key);
  if (!series) {
    series = { key, title, endpoint, location, threshold, days: [], runs: [], messages: [], points: [] };
    data.series.set(key, series);
  }
  series.points.push(point);
  series.newest ??= { at: series.points[0].at, threshold: series.threshold };
  if (point.at >= series.newest.at) series.newest = { at: point.at, threshold };
  // They were computed without this result.
  series.open = undefined;
  series.prepared = undefined;
  if (maintenance) {
    const window = {
      from: millis(maintenance.from),
      to: millis(maintenance.to),
      title: maintenance.all ? undefined : title,
      text: message,
    };
    window.id = windowId(window.from, window.to);
    const same = (other) => other.from === window.from && other.to === window.to && other.title === window.title;
    const near = window.from <= point.at + LONGEST_WINDOW;
    const known = data.windows.some(same) || data.posts.has(postKey(window.id, window.title));
    if (near && isWindow(window) && !known) data.windows.push(window);
  }
  for (const text of (message ?? "").split("\n")) {
    const known = series.messages.some((other) => other.at === point.at && other.text === text);
    if (text.trim() && !known) series.messages.push({ at: point.at, text });
  }
  return series;
}

/** Adds a version of a post. The newest counts, in whichever order they are added. A version with `ended` withdraws its text and its window. */
function takePost(data, post) {
  if (!textOf(post?.id) || time(post.at) === null || time(post.revised) === null) return;
  if (post.at < 0 || post.revised < 0 || !POST_ID.test(post.id)) return;
  if (!isWindow(post) || post.from > post.revised + LONGEST_WINDOW) post = { ...post, from: undefined, to: undefined };
  const key = postKey(post.id, textOf(post.title));
  const known = data.posts.get(key);
  if (known && compare(orderOf(post), orderOf(known)) <= 0) return;
  data.posts.set(key, post);
  data.windows = data.windows.filter((window) => postKey(window.id, window.title) !== key);
  for (const [from, to] of [[post.from, post.to], ...array(post.more)].filter(Array.isArray).slice(0, 1 + MAX_RECURRING)) {
    const { id } = post;
    const window = { from, to, id, title: textOf(post.title), text: textOf(post.text) ?? "", group: textOf(post.group) };
    if (!post.ended && isWindow(window) && from <= post.revised + LONGEST_WINDOW) data.windows.push(window);
  }
  // Which results are in a window is part of what was computed.
  for (const series of data.series.values()) series.open = series.prepared = undefined;
}

/** The order of the versions of a post: by time, then by content, so that all readers choose the same one of two with the same time. */
function orderOf({ revised, ended, title, endpoint, at, id, text, state, incident, group, from, to }) {
  const optional = (value) => (value === undefined ? [0] : [1, value]);
  const about = textOf(title) === undefined ? [0] : [1, title, textOf(endpoint) ?? ""];
  const window = ended || time(from) === null ? [0] : [1, from, to];
  const rank = STATES.indexOf(state);
  const said = [at, id, ended ? "" : (textOf(text) ?? ""), rank, ...optional(textOf(incident)), ...optional(textOf(group))];
  return [revised, Number(Boolean(ended)), ...about, ...said, ...window];
}

/** Compares lists of numbers and strings by their first difference; strings by code points, as UTF-8 does. */
function compare(one, other) {
  for (let i = 0; i < Math.min(one.length, other.length); i += 1) {
    const [a, b] = typeof one[i] === "string" ? firstDifference(one[i], String(other[i])) : [one[i], other[i]];
    if (a !== b) return a < b ? -1 : 1;
  }
  return one.length - other.length;
}

function firstDifference(one, other) {
  const [a, b] = [[...one], [...other]];
  const i = a.findIndex((character, index) => character !== b[index]);
  const at = i < 0 ? a.length : i;
  return [a[at]?.codePointAt(0) ?? -1, b[at]?.codePointAt(0) ?? -1];
}

function postKey(id, title) {
  return JSON.stringify([id, title ?? null]);
}

/** The id of a window that is not from a post. */
function windowId(from, to) {
  return `w${Math.floor(from)}-${Math.floor(to)}`;
}

/** The posts about a check, or without a check those about all checks: `{ at, text, state, id, incident, group }`, oldest first, without the texts of windows. */
export function messagesOf(data, check) {
  const said = (check?.series ?? [])
    .flatMap((series) => series.messages)
    .filter(({ at }) => !data.posts.has(postKey(`r${Math.floor(at)}`, check.title)));
  for (const post of data.posts.values()) {
    const { title, endpoint, ended, from, at, text, state, id, incident, group } = post;
    const isAbout = check ? textOf(title) === check.title && (textOf(endpoint) ?? "") === check.endpoint : textOf(title) === undefined;
    if (isAbout && !ended && time(from) === null && textOf(text)) said.push({ at, text, state: textOf(state), id, incident: textOf(incident), group: textOf(group) });
  }
  const order = ({ at, id, text }) => [at, id ?? `r${Math.floor(at)}`, text];
  return said.sort((a, b) => compare(order(a), order(b)));
}

function seriesKey(title, endpoint, location) {
  return JSON.stringify([title, endpoint, location ?? ""]);
}

function readSeries(raw) {
  if (typeof raw?.title !== "string" || typeof raw.endpoint !== "string") return null;
  const location = textOf(raw.location);
  return {
    key: seriesKey(raw.title, raw.endpoint, location),
    title: raw.title,
    endpoint: raw.endpoint,
    location,
    threshold: positive(raw.threshold) ?? 0,
    days: readDays(raw.days),
    open: Array.isArray(raw.open) ? readDays(raw.open) : undefined,
    runs: raw.runs ? readRuns(raw.runs) : firstRuns(readDays(raw.days), array(raw.incidents)),
    messages: array(raw.messages).filter((message) => textOf(message?.text) && time(message.at) !== null),
    points: readPoints(raw.recent ?? {}),
  };
}

function readDays(rows) {
  return array(rows).filter(Array.isArray).map(readDay).filter(Boolean);
}

function readDay([day, healthy, degraded, down, excluded, p50, p90, p99]) {
  if (!Number.isInteger(day) || time(day * DAY) === null) return null;
  const counts = [healthy, degraded, down, excluded].map((value) => count(value) ?? 0);
  const [p, q, r] = [p50, p90, p99].map(positive);
  return { day, healthy: counts[0], degraded: counts[1], down: counts[2], excluded: counts[3], p50: p, p90: q, p99: r };
}

/** The runs of the closed days: which state, from when to when. If they are not in order, none of them are used. */
function readRuns({ at, length, every, status, n, reasons }) {
  let [from, before] = [0, -Infinity];
  const runs = array(at).map((step, i) => {
    from += number(step) ?? NaN;
    const run = {
      status: STATUS[status?.[i]],
      from,
      last: from + (count(length?.[i]) ?? NaN),
      interval: count(every?.[i]) ?? 0,
      count: count(n?.[i]) ?? 1,
      reasons: array(reasons?.[i])
        .filter((reason) => textOf(reason?.[0]))
        .map(([text, of]) => ({ text, count: count(of) ?? 1 })),
    };
    const right = run.status && time(run.from) !== null && time(run.last) !== null && run.from > before;
    before = run.last;
    return right ? run : null;
  });
  return runs.includes(null) ? [] : runs;
}

/** The runs for a summary of the first version: healthy days, interrupted by their incidents. */
function firstRuns(days, incidents) {
  const runs = [];
  const push = (status, from, to, interval, reason) => {
    if (from >= to) return;
    const reasons = textOf(reason) ? [{ text: reason, count: 1 }] : [];
    runs.push({ status, from, last: Math.max(from, to - 1), interval, count: Math.max(2, Math.round((to - from) / interval)), reasons });
  };
  for (const { day, healthy, degraded, down, excluded } of days) {
    const total = healthy + degraded + down + excluded;
    if (!total) continue;
    const interval = DAY / total;
    let at = day * DAY;
    const end = at + DAY;
    const known = incidents.filter((one) => time(one?.from) !== null && (Number.isInteger(one.day) ? one.day : dayOf(one.from)) === day);
    for (const { from, to, status, reason } of known.sort((a, b) => a.from - b.from)) {
      const begin = Math.min(Math.max(from, at), end);
      push("healthy", at, begin, interval);
      at = Math.min(Math.max(time(to) ?? end, begin), end);
      push(status === "degraded" ? "degraded" : "down", begin, at, interval, reason);
    }
    push("healthy", at, end, interval);
  }
  return runs;
}

function readPoints({ at, status, rtt, low, high, reasons, n }) {
  let sum = 0;
  const points = array(at).map((step, i) => {
    sum += number(step) ?? 0;
    const middle = positive(rtt?.[i]);
    return {
      at: sum,
      status: STATUS[status?.[i]] ?? "down",
      rtt: middle,
      low: positive(low?.[i]) ?? middle,
      high: positive(high?.[i]) ?? middle,
      reason: textOf(reasons?.[i]) ?? null,
      n: count(n?.[i]) ?? 1,
    };
  });
  return points.filter((point) => time(point.at) !== null);
}

/** A result of a check file: the format of the original Checkup, with our additions. */
function readResult(raw) {
  const at = time(millis(number(raw?.timestamp) ?? NaN));
  if (typeof raw?.title !== "string" || at === null) throw new TypeError("not a check result");
  const times = array(raw.times).map((attempt) => ({ error: attempt?.error, rtt: positive((number(attempt?.rtt) ?? 0) / 1000) ?? 0 }));
  const succeeded = times.filter((attempt) => !attempt.error).map((attempt) => attempt.rtt);
  const status = raw.down ? "down" : raw.degraded ? "degraded" : raw.unknown === true ? "unknown" : "healthy";
  return {
    title: raw.title,
    endpoint: textOf(raw.endpoint) ?? "",
    location: textOf(raw.location) || undefined,
    threshold: positive((number(raw.threshold) ?? 0) / 1000) ?? 0,
    message: textOf(raw.message),
    maintenance: raw.maintenance,
    post: raw.post ? postOf(raw) : undefined,
    point: {
      at,
      status,
      rtt: median(succeeded),
      low: succeeded.reduce((a, b) => (a === null || b < a ? b : a), null),
      high: succeeded.reduce((a, b) => (a === null || b > a ? b : a), null),
      reason: status === "healthy" ? null : reasonOf(raw, times),
      n: 1,
    },
  };
}

/** The post in an entry of a check file, in the form that a summary has. */
function postOf(raw) {
  const { id, at, posted, all, state, incident, group, recurrence, windows, ended } = raw.post;
  const window = ended ? undefined : raw.maintenance;
  return {
    id,
    at: millis(number(posted) ?? number(at) ?? NaN),
    revised: millis(number(at) ?? NaN),
    title: all ? undefined : raw.title,
    endpoint: all ? undefined : raw.endpoint,
    text: ended ? "" : raw.message,
    state,
    incident,
    group,
    recurrence,
    more: ended ? [] : array(windows).filter(Array.isArray).map(([from, to]) => [millis(from), millis(to)]),
    from: window && millis(window.from),
    to: window && millis(window.to),
    ended: ended === true,
  };
}

function reasonOf(raw, times) {
  const failed = times.filter((attempt) => attempt.error);
  if (!failed.length) return textOf(raw.notice) ?? null;
  const error = String(failed[0].error);
  const reason = times.length === 1 ? error : `${error} (${failed.length} of ${times.length} attempts failed)`;
  return raw.because_of ? `down because of ${raw.because_of}: ${reason}` : reason;
}

/** The median; for an even number of values, the mean of the middle two. Null without values. */
export function median(values) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value at a quantile, by the nearest rank. Null without values. */
export function quantile(sorted, q) {
  return sorted.length ? sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] : null;
}

/** Nanoseconds as whole milliseconds. A number cannot hold all digits of nanoseconds, so a value slightly below a whole millisecond counts as one. */
function millis(nanos) {
  return Math.floor(nanos / 1e6 + 0.0005);
}

/** The day of a time. */
export function dayOf(at) {
  return Math.floor(at / DAY);
}

/** Longer windows are mistakes, and would silence everything. */
const LONGEST_WINDOW = 400 * DAY;

function isWindow(window) {
  if (time(window?.from) === null || time(window.to) === null || window.from < 0) return false;
  return window.from < window.to && window.to - window.from <= LONGEST_WINDOW;
}

/** A time that a `Date` can have, or else null: data may contain anything. */
function time(value) {
  return Math.abs(number(value) ?? Infinity) <= LAST_TIME ? value : null;
}

function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A count: a whole number that is represented exactly. */
function count(value) {
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** A duration of up to a day, in microseconds. */
function positive(value) {
  return number(value) !== null && value >= 0 && value <= DAY * 1000 ? value : null;
}

function textOf(value) {
  return typeof value === "string" ? value : undefined;
}

function array(value) {
  return Array.isArray(value) ? value : [];
}
