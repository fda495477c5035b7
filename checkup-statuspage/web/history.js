// Derives the past from the data: days, uptime and incidents. All functions are pure.

import { DAY } from "./text.js";
import { checkKey, dayOf, quantile } from "./model.js";
import { AHEAD, heldOf, incidentsFrom, joinedWindows, lengthsOf, overlay, runsUpTo, sweep } from "./sweep.js";

/** The checks of the data: name and endpoint, with a series for each location, in the order of their names. */
export function checksOf(data) {
  const checks = new Map();
  for (const series of data.series.values()) {
    const key = checkKey(series.title, series.endpoint);
    if (!checks.has(key)) checks.set(key, { key, title: series.title, endpoint: series.endpoint, series: [] });
    checks.get(key).series.push(series);
  }
  const byLocation = (a, b) => (a.location ?? "").localeCompare(b.location ?? "", "en", { numeric: true });
  for (const check of checks.values()) check.series.sort(byLocation);
  return checks;
}

/** The maintenance windows of a check: its own and those of all checks. */
export function windowsOf(data, title) {
  return data.windows.filter((window) => window.title === undefined || window.title === title);
}

/** What an overview has of the check of these series in place of all results. */
function figuresOf(data, [series]) {
  return series && data.figures.get(checkKey(series.title, series.endpoint));
}

/** Whether a time is in a maintenance window. */
export function inWindow(at, windows) {
  return windows.some((window) => window.from <= at && at < window.to);
}

/** How many milliseconds a check was in each state from `from` up to `now`, by the votes of these series and the maintenance windows. */
export function availability(seriesList, from, data, now, quorum) {
  return lengthsOf(statesOver(seriesList, from, now, data, now, quorum));
}

/** The states of a check from `from` up to `to`, in order and without gaps. */
function statesOver(seriesList, from, to, data, now, quorum) {
  const held = seriesList.map((series) => heldOf(runsUpTo(series, now + AHEAD), now));
  return overlay(sweep(held, quorum, from, to), windowsOver(seriesList, data));
}

/** The uptime of windows that end now and are this long: the share, and how much of the window is known. From one sweep. */
export function uptimes(seriesList, spans, data, now, quorum) {
  const figures = figuresOf(data, seriesList);
  if (figures) return spans.map((span) => figures.uptimes.find((one) => one.span === span) ?? { share: null, known: 0, span });
  const stretches = statesOver(seriesList, now - Math.max(...spans), now, data, now, quorum);
  return spans.map((span) => {
    const inside = stretches.filter(({ to }) => to > now - span).map((one) => ({ ...one, from: Math.max(one.from, now - span) }));
    const lengths = lengthsOf(inside);
    return { share: upTimeShare(lengths), known: knownShare(lengths), span };
  });
}

/** The milliseconds in each state on each of `count` UTC days from the day `first`, up to now. */
export function dayTimes(check, first, count, data, now, quorum) {
  const figures = figuresOf(data, check.series);
  if (figures) return Array.from({ length: count }, (_, i) => timesOn(first + i, figures));
  const days = Array.from({ length: count }, () => lengthsOf([]));
  const to = Math.min(now, (first + count) * DAY);
  for (const stretch of statesOver(check.series, first * DAY, to, data, now, quorum)) {
    for (let at = stretch.from; at < stretch.to; ) {
      const day = dayOf(at);
      const end = Math.min(stretch.to, (day + 1) * DAY);
      days[day - first][stretch.state] += end - at;
      at = end;
    }
  }
  return days;
}

/** The milliseconds in each state on a day, from an overview. */
function timesOn(day, { days, made }) {
  const times = { ...lengthsOf([]), ...days.get(day) };
  const length = Math.max(0, Math.min(made, (day + 1) * DAY) - day * DAY);
  const rest = length - times.degraded - times.down - times.maintenance - times.unknown;
  return { ...times, healthy: Math.max(0, rest) };
}

/**
 * The share of the known time outside maintenance in which a check was not down; null if no time is known. Degraded is up. It is a
 * share of time, not of results, because results are closer together after the interval has been shortened.
 */
export function uptime(seriesList, from, data, now, quorum) {
  return upTimeShare(availability(seriesList, from, data, now, quorum));
}

/** The share of known time that is not down. */
export function upTimeShare({ healthy, degraded, down }) {
  const known = healthy + degraded + down;
  return known ? (healthy + degraded) / known : null;
}

/** The share of the time that is known or in maintenance. */
export function knownShare({ healthy, degraded, down, maintenance, unknown }) {
  const known = healthy + degraded + down + maintenance;
  return known + unknown ? known / (known + unknown) : 0;
}

function windowsOver(seriesList, data) {
  return joinedWindows(seriesList.length ? windowsOf(data, seriesList[0].title) : []);
}

function noCounts() {
  return { healthy: 0, degraded: 0, down: 0, excluded: 0 };
}

function addCounts(sum, counts) {
  for (const name of ["healthy", "degraded", "down", "excluded"]) sum[name] += counts[name];
}

/**
 * The days of a check, `count` of them up to `today`: the counts over its locations, and the rows of each location.
 * A day without a row in the summary is counted from its points.
 */
export function daysOf(check, today, count, data) {
  const first = today - count + 1;
  const days = Array.from({ length: count }, (_, i) => ({ day: first + i, ...noCounts(), locations: [] }));
  for (const series of check.series) {
    for (const row of [...series.days, ...openDays(series, data)]) {
      const day = days[row.day - first];
      if (!day) continue;
      addCounts(day, row);
      day.locations.push({ location: series.location, row });
    }
  }
  return days;
}

/** The rows of the days that the summary has not closed: those that a server sends, computed from all results, or else computed from the points. */
export function openDays(series, data) {
  if (series.open) return series.open;
  const windows = windowsOf(data, series.title);
  const rows = new Map();
  for (const point of openPoints(series)) {
    const day = dayOf(point.at);
    if (!rows.has(day)) rows.set(day, { day, ...noCounts(), times: [] });
    const row = rows.get(day);
    const excluded = inWindow(point.at, windows);
    row[excluded ? "excluded" : point.status] += point.n;
    if (!excluded && point.rtt !== null) row.times.push(point.rtt);
  }
  return [...rows.values()].map(({ times, ...row }) => {
    times.sort((a, b) => a - b);
    return { ...row, p50: quantile(times, 0.5), p90: quantile(times, 0.9), p99: quantile(times, 0.99) };
  });
}

/** The points of the days after the last that the summary has closed. */
function openPoints(series) {
  const last = series.days.at(-1)?.day ?? -Infinity;
  return series.points.filter((point) => dayOf(point.at) > last);
}

/** The incidents of one location, oldest first. One without `to` is still open. */
export function incidentsOf(series, data, now) {
  return incidentsOfCheck({ ...series, series: [series] }, undefined, data, now).reverse();
}

/** The incidents of a check over its locations, newest first. */
export function incidentsOfCheck(check, quorum, data, now) {
  const figures = figuresOf(data, check.series);
  if (figures) return figures.incidents.map((incident) => ofCheck(incident, check));
  const locations = check.series.map((series) => ({
    location: series.location,
    runs: runsUpTo(series, now + AHEAD),
  }));
  const windows = windowsOver(check.series, data);
  const incidents = incidentsFrom(check, locations, windows, quorum, now, data.hysteresis?.get(check.title), data.ids?.get(checkKey(check.title, check.endpoint))).map((incident) => ofCheck(incident, check));
  return incidents.reverse();
}

function ofCheck(incident, check) {
  const locations = [...new Set(incident.segments.flatMap((segment) => segment.locations))].filter((name) => name !== null).sort();
  return { ...incident, check, locations };
}
