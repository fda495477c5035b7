// What the data are: the summary and newer check files as series of points. Pure: no DOM, no clock, no network.
// Times are milliseconds since 1970, round-trip times microseconds, days integer days since 1970, all UTC.

import { DAY } from "./text.js";

const STATUS = { h: "healthy", g: "degraded", d: "down" };
/** The last millisecond that there is a date of. */
const LAST_TIME = 8.64e15;

/** Which of two states is worse. */
export const RANK = { down: 3, degraded: 2, stale: 1, healthy: 0 };

/** Data without anything in it. */
export function emptyData() {
  return { made: 0, recentFrom: 0, files: new Set(), unread: new Set(), windows: [], series: new Map() };
}

/** The data of a `summary.json`; throws if that is none. A series that is none costs that series alone. */
export function readSummary(json) {
  if (json?.version !== 1 || !Array.isArray(json.series)) throw new TypeError("not a summary of version 1");
  const data = emptyData();
  data.made = time(json.made) ?? 0;
  data.recentFrom = time(json.recent_from) ?? 0;
  data.files = new Set(array(json.files).filter(textOf));
  data.unread = new Set(array(json.unread).filter(textOf));
  data.windows = array(json.windows)
    .filter(isWindow)
    .map(({ from, to, title, text }) => ({ from, to, title: textOf(title), text: textOf(text) ?? "" }));
  for (const raw of json.series) {
    const series = readSeries(raw);
    if (series) data.series.set(series.key, series);
    else data.unread.add("summary.json");
  }
  return data;
}

/** What tells one check from another: its name and its endpoint. Two checks of one URL are two checks. */
export function checkKey(title, endpoint) {
  return JSON.stringify([title, endpoint]);
}

/**
 * Adds the results of a check file. Results that are there already are not counted twice: of one identity
 * (name, endpoint, location, time) there is one. Throws if it is not an array of results.
 */
export function addResults(data, results) {
  if (!Array.isArray(results)) throw new TypeError("not an array of results");
  const read = results.map(readResult);
  for (const result of read) addResult(data, result);
}

function addResult(data, { title, endpoint, location, threshold, point, message, maintenance }) {
  const key = seriesKey(title, endpoint, location);
  let series = data.series.get(key);
  if (!series) {
    series = { key, title, endpoint, location, threshold, days: [], incidents: [], messages: [], points: [] };
    data.series.set(key, series);
  }
  insert(series, point, threshold);
  // It was computed without this result.
  series.open = undefined;
  if (maintenance) {
    const window = {
      from: maintenance.from / 1e6,
      to: maintenance.to / 1e6,
      title: maintenance.all ? undefined : title,
      text: message,
    };
    const same = (other) => other.from === window.from && other.to === window.to && other.title === window.title;
    if (isWindow(window) && !data.windows.some(same)) data.windows.push(window);
  }
  for (const text of (message ?? "").split("\n")) {
    const known = series.messages.some((other) => other.at === point.at && other.text === text);
    if (text.trim() && !known) series.messages.push({ at: point.at, text });
  }
}

/** Puts a point in its place; nearly always that is the end. */
function insert(series, point, threshold) {
  const { points } = series;
  let index = points.length;
  while (index > 0 && points[index - 1].at > point.at) index -= 1;
  if (points[index - 1]?.at === point.at) return;
  if (index === points.length) series.threshold = threshold;
  points.splice(index, 0, point);
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
    threshold: number(raw.threshold) ?? 0,
    days: readDays(raw.days),
    open: Array.isArray(raw.open) ? readDays(raw.open) : undefined,
    incidents: array(raw.incidents).map(readIncident).filter(Boolean),
    messages: array(raw.messages).filter((message) => textOf(message?.text) && time(message.at) !== null),
    points: readPoints(raw.recent ?? {}),
  };
}

function readDays(rows) {
  return array(rows).filter(Array.isArray).map(readDay).filter(Boolean);
}

function readDay([day, healthy, degraded, down, excluded, p50, p90, p99]) {
  if (!Number.isInteger(day) || time(day * DAY) === null) return null;
  const counts = [healthy, degraded, down, excluded].map((count) => number(count) ?? 0);
  const [p, q, r] = [p50, p90, p99].map(number);
  return { day, healthy: counts[0], degraded: counts[1], down: counts[2], excluded: counts[3], p50: p, p90: q, p99: r };
}

function readIncident(raw) {
  if (time(raw?.from) === null) return null;
  const { from, to, continued } = raw;
  const status = raw.status === "degraded" ? "degraded" : "down";
  const reason = textOf(raw.reason) ?? null;
  // The day that it was found in, if that is not the one that it began in.
  const day = Number.isInteger(raw.day) ? raw.day : undefined;
  return { from, to: time(to) ?? undefined, status, reason, continued: continued === true, day };
}

function readPoints({ at, status, rtt, low, high, reasons, n }) {
  let sum = 0;
  const points = array(at).map((step, i) => {
    sum += number(step) ?? 0;
    const middle = number(rtt?.[i]);
    return {
      at: sum,
      status: STATUS[status?.[i]] ?? "down",
      rtt: middle,
      low: number(low?.[i]) ?? middle,
      high: number(high?.[i]) ?? middle,
      reason: textOf(reasons?.[i]) ?? null,
      n: number(n?.[i]) ?? 1,
    };
  });
  return points.filter((point) => time(point.at) !== null);
}

/** A result of a check file: upstream's format with our additions. */
function readResult(raw) {
  const at = time(Math.floor((number(raw?.timestamp) ?? NaN) / 1e6));
  if (typeof raw?.title !== "string" || at === null) throw new TypeError("not a check result");
  const times = array(raw.times).map((attempt) => ({ error: attempt?.error, rtt: (number(attempt?.rtt) ?? 0) / 1000 }));
  const succeeded = times.filter((attempt) => !attempt.error).map((attempt) => attempt.rtt);
  const status = raw.down ? "down" : raw.degraded ? "degraded" : "healthy";
  return {
    title: raw.title,
    endpoint: textOf(raw.endpoint) ?? "",
    location: textOf(raw.location) || undefined,
    threshold: (number(raw.threshold) ?? 0) / 1000,
    message: textOf(raw.message),
    maintenance: raw.maintenance,
    point: {
      at,
      status,
      rtt: median(succeeded),
      low: succeeded.length ? Math.min(...succeeded) : null,
      high: succeeded.length ? Math.max(...succeeded) : null,
      reason: status === "healthy" ? null : reasonOf(raw, times),
      n: 1,
    },
  };
}

function reasonOf(raw, times) {
  const failed = times.filter((attempt) => attempt.error);
  if (!failed.length) return textOf(raw.notice) ?? null;
  const error = String(failed[0].error);
  const reason = times.length === 1 ? error : `${error} (${failed.length} of ${times.length} attempts failed)`;
  return raw.because_of ? `down because of ${raw.because_of}: ${reason}` : reason;
}

/** The median; of an even number of values the mean of the middle two. Null if there is none. */
export function median(values) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value at a quantile, by the nearest rank. Null if there is none. */
export function quantile(sorted, q) {
  return sorted.length ? sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] : null;
}

/** The day of a time. */
export function dayOf(at) {
  return Math.floor(at / DAY);
}

function isWindow(window) {
  return time(window?.from) !== null && time(window.to) !== null && window.from < window.to;
}

/** A time that there can be a date of, or null: data may have anything. */
function time(value) {
  return Math.abs(number(value) ?? Infinity) <= LAST_TIME ? value : null;
}

function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function textOf(value) {
  return typeof value === "string" ? value : undefined;
}

function array(value) {
  return Array.isArray(value) ? value : [];
}
