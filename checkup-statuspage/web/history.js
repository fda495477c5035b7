// What follows from the data about the past: days, uptime and incidents. Pure.

import { DAY } from "./text.js";
import { RANK, checkKey, dayOf, quantile } from "./model.js";

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

/** Whether a time is in a maintenance window. */
export function inWindow(at, windows) {
  return windows.some((window) => window.from <= at && at < window.to);
}

/** The counts of results from `from` up to now; results in maintenance windows are `excluded` and in no other count. */
export function countsSince(series, from, data) {
  const windows = windowsOf(data, series.title);
  const counts = noCounts();
  // From the time on that the points are complete, they tell exactly; before, whole days are taken where they are closed.
  const exact = from >= data.recentFrom;
  const closed = new Set(exact ? [] : series.days.map((row) => row.day));
  if (!exact) {
    for (const row of series.days) if (row.day >= dayOf(from)) addCounts(counts, row);
  }
  for (const point of series.points) {
    if (point.at < from || closed.has(dayOf(point.at))) continue;
    counts[inWindow(point.at, windows) ? "excluded" : point.status] += point.n;
  }
  return counts;
}

/** The share of counted results that are not down, over all locations; null if there are none. Degraded is up. */
export function uptime(seriesList, from, data) {
  const counts = noCounts();
  for (const series of seriesList) addCounts(counts, countsSince(series, from, data));
  return upShare(counts);
}

/** The share of counts that is not down; null if nothing was counted. */
export function upShare({ healthy, degraded, down }) {
  const total = healthy + degraded + down;
  return total ? (healthy + degraded) / total : null;
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

/** The rows of the days that the summary has not closed: those that a server sends, which are of all results, else from the points. */
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

/**
 * The incidents of a series, oldest first: from the first result that is not healthy to the recovery.
 * Those of the summary are of single days and are joined here; those of open days follow from the points.
 * One without `to` goes on.
 */
export function incidentsOf(series, data) {
  const points = openPoints(series);
  const openSpans = spansOf(points, windowsOf(data, series.title));
  const incidents = [];
  let lastDay = 0;
  for (const { continued, day: ofDay, ...span } of [...series.incidents, ...openSpans]) {
    const before = incidents.at(-1);
    const day = ofDay ?? dayOf(span.from);
    if (before && before.to === undefined && continued && dayAfter(lastDay, series, points) === day) {
      worsen(before, span.status, span.reason);
      before.to = span.to;
    } else {
      // One that nobody continues ended with its day.
      if (before) before.to ??= (lastDay + 1) * DAY;
      incidents.push(span);
    }
    lastDay = day;
  }
  const last = incidents.at(-1);
  if (last && last.to === undefined && !openSpans.length) {
    // Its day is closed, and what came after it was good.
    const closed = series.days.find((row) => row.day > lastDay);
    last.to = closed ? closed.day * DAY : points[0]?.at;
  }
  return incidents;
}

/** The incidents of points. `continued`: it began with the first of them. */
function spansOf(points, windows) {
  const spans = [];
  let open = null;
  points
    .filter((point) => !inWindow(point.at, windows))
    .forEach(({ at, status, reason }, i) => {
      if (status === "healthy") {
        if (open) open.to = at;
        open = null;
      } else if (open) {
        worsen(open, status, reason);
      } else {
        open = { from: at, to: undefined, status, reason, continued: i === 0 };
        spans.push(open);
      }
    });
  return spans;
}

/** The next day with results after a day. */
function dayAfter(day, series, points) {
  const closed = series.days.find((row) => row.day > day)?.day;
  if (closed !== undefined) return closed;
  const point = points.find(({ at }) => dayOf(at) > day);
  return point && dayOf(point.at);
}

/** An incident has the worst status of its results, and the reason of the first that had it. */
function worsen(incident, status, reason) {
  if (RANK[status] > RANK[incident.status]) {
    incident.status = status;
    incident.reason = reason;
  }
}

/** How many locations make a check down: the majority, or those that the config says; at most all. */
export function neededOf(quorum, locations) {
  return Math.min(quorum ?? Math.floor(locations / 2) + 1, locations);
}

/**
 * The incidents of a check, newest first: those of its locations that overlap are one, since for people they are.
 * It is `down` if that was so at enough locations. `src/view/timeline.rs` does the same for the feed.
 */
export function incidentsOfCheck(check, quorum, data) {
  const all = check.series.flatMap((series) =>
    (series.prepared?.incidents ?? incidentsOf(series, data)).map((incident) => ({
      incident,
      location: series.location ?? "",
    })),
  );
  all.sort((a, b) => a.incident.from - b.incident.from || (a.location < b.location ? -1 : 1));
  const merged = [];
  let end;
  for (const part of all) {
    const { from, to } = part.incident;
    if (merged.length && (end === undefined || from < end)) {
      merged.at(-1).push(part);
      end = end === undefined || to === undefined ? undefined : Math.max(end, to);
    } else {
      merged.push([part]);
      end = to;
    }
  }
  return merged.map((parts) => together(check, parts, neededOf(quorum, check.series.length))).reverse();
}

/** One incident of those of several locations. */
function together(check, parts, needed) {
  const incidents = parts.map(({ incident }) => incident);
  const down = new Set(parts.filter(({ incident }) => incident.status === "down").map(({ location }) => location));
  const goesOn = incidents.some(({ to }) => to === undefined);
  const why = incidents.find(({ status, reason }) => status === "down" && reason !== null) ?? incidents[0];
  return {
    check,
    from: incidents[0].from,
    to: goesOn ? undefined : Math.max(...incidents.map(({ to }) => to)),
    status: down.size >= needed ? "down" : "degraded",
    reason: why.reason,
    locations: [...new Set(parts.map(({ location }) => location).filter(Boolean))].sort(),
  };
}
