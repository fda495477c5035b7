// What follows from the data about the present: the state of each location, check and group, and of all. Pure.

import { DAY } from "./text.js";
import { RANK } from "./model.js";
import { incidentsOf, neededOf, windowsOf } from "./history.js";

/** However often a check runs, its last result counts as the present for this long. */
const FRESH_AT_LEAST = 10 * 60_000;
/** How far the clocks of nodes may be ahead: what is later than that is not the present. */
const AHEAD = 20 * 60_000;
/** How many of the latest steps from result to result tell what is usual. */
const LATEST = 23;

/** The usual time between two results of a series: the median of the latest. Null with fewer than two results. */
export function usualInterval({ points }) {
  const steps = [];
  for (let i = points.length - 1; i > 0 && steps.length < LATEST; i -= 1) {
    // A point may stand for several results.
    const { at, n } = points[i];
    for (let j = 0; j < n && steps.length < LATEST; j += 1) steps.push((at - points[i - 1].at) / n);
  }
  steps.sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? null;
}

/** What is derived from a series once for each change of the data, not for each moment. */
export function preparedSeries(series, data) {
  const interval = usualInterval(series);
  return { interval, freshFor: Math.max(FRESH_AT_LEAST, 3 * (interval ?? 0)), incidents: incidentsOf(series, data) };
}

/**
 * The state of a check over its locations. At least `quorum` fresh locations (default: the majority; at most all) must
 * be down for it to be down; if fewer are, or any is degraded, it is degraded. With no fresh result it is stale.
 */
export function verdictOf(check, quorum, now, data) {
  const locations = check.series.map((series) => atLocation(series, now, data)).filter(Boolean);
  const fresh = locations.filter((location) => !location.stale);
  const of = (status) => fresh.filter((location) => location.status === status);
  const needed = neededOf(quorum, fresh.length);
  const [down, degraded] = [of("down"), of("degraded")];
  const stale = !fresh.length;
  const status = stale
    ? "stale"
    : down.length >= needed
      ? "down"
      : down.length || degraded.length
        ? "degraded"
        : "healthy";
  const bad = down.length ? down : degraded;
  const maintenance = windowsOf(data, check.title).find((window) => window.from <= now && now < window.to);
  return {
    check,
    status: maintenance ? "maintenance" : status,
    underlying: status,
    maintenance,
    locations,
    bad,
    fresh,
    since: sinceWhen(stale ? locations : fresh, bad, stale),
    last: Math.max(
      0,
      ...locations.map((location) => location.at),
      ...(locations.length ? [] : check.series.map(lastOf)),
    ),
    reason: bad.find((location) => location.reason)?.reason ?? null,
    freshFor: Math.max(FRESH_AT_LEAST, ...check.series.map((series) => series.prepared.freshFor)),
  };
}

/** Since when a check is as it is: of the locations with its worst status the earliest; and healthy only since the last of them is. */
function sinceWhen(counted, bad, stale) {
  const times = (bad.length ? bad : counted).map((location) => (stale ? location.at : location.since));
  if (!times.length) return null;
  return bad.length ? Math.min(...times) : Math.max(...times);
}

/** The latest that the data have of a series without points: the end of its last day. */
function lastOf({ days }) {
  return days.length ? (days.at(-1).day + 1) * DAY - 1 : 0;
}

/** The verdicts of all checks. Those without a result in detail, which nobody runs any more, are left out, unless all are so. */
export function verdictsOf(checks, quorum, now, data) {
  const verdicts = checks.map((check) => verdictOf(check, quorum, now, data));
  const current = verdicts.filter((verdict) => verdict.locations.length);
  return current.length ? current : verdicts;
}

function atLocation(series, now, data) {
  const points = knownPoints(series, now);
  const last = points.at(-1);
  if (!last) return null;
  return {
    series,
    location: series.location,
    status: last.status,
    stale: now - last.at > series.prepared.freshFor,
    since: sinceOf(series, points),
    at: last.at,
    rtt: last.rtt,
    reason: last.reason,
  };
}

/** The points without those of a clock that is ahead: each would be the latest until its time comes. */
function knownPoints({ points }, now) {
  let count = points.length;
  while (count && points[count - 1].at > now + AHEAD) count -= 1;
  return count === points.length ? points : points.slice(0, count);
}

/**
 * Since when a series is healthy, or is not, at the last of its points. As long as there are points, they tell; what
 * is longer is known from the incidents, or else from what the data begin with.
 */
function sinceOf({ days, prepared }, points) {
  const isBad = ({ status }) => status !== "healthy";
  const bad = isBad(points.at(-1));
  for (let i = points.length - 1; i > 0; i -= 1) if (isBad(points[i - 1]) !== bad) return points[i].at;
  const first = points[0].at;
  const incident = prepared.incidents.filter(({ from }) => from <= first).at(-1);
  if (bad) return incident && incident.to === undefined ? incident.from : first;
  if (incident) return incident.to ?? first;
  return days.length ? Math.min(days[0].day * DAY, first) : first;
}

/**
 * The verdicts that count for the whole. Where the config names every check, one that it does not name and that has no
 * fresh result was removed, or has another name now.
 */
export function countedOf(verdicts, config) {
  if (!config.complete) return verdicts;
  const known = new Set(config.groups.flatMap((group) => group.checks));
  return verdicts.filter(({ check, underlying }) => underlying !== "stale" || known.has(check.title));
}

/** The worst state of several verdicts. Of checks in maintenance nothing is expected. */
export function overallOf(verdicts) {
  if (!verdicts.length) return "empty";
  const counted = verdicts.filter((verdict) => verdict.status !== "maintenance");
  if (!counted.length) return "maintenance";
  const worst = counted.reduce((a, b) => (RANK[b.status] > RANK[a.status] ? b : a)).status;
  return worst === "healthy" && counted.length < verdicts.length ? "maintenance" : worst;
}

/** Checks in their groups: those of the config in its order, then the others without a heading. */
export function groupsOf(verdicts, config) {
  const rest = new Map(verdicts.map((verdict) => [verdict.check.key, verdict]));
  const groups = config.groups.map(({ name, checks }) => {
    const members = checks.flatMap((title) => [...rest.values()].filter((verdict) => verdict.check.title === title));
    for (const member of members) rest.delete(member.check.key);
    return { name, verdicts: ordered(members, config.order) };
  });
  groups.push({ name: "", verdicts: ordered([...rest.values()], config.order === "config" ? "name" : config.order) });
  return groups.filter((group) => group.verdicts.length);
}

function ordered(verdicts, order) {
  const byName = (a, b) => a.check.title.localeCompare(b.check.title, "en", { numeric: true });
  if (order === "name") return [...verdicts].sort(byName);
  if (order === "status")
    return [...verdicts].sort((a, b) => (RANK[b.status] ?? 0) - (RANK[a.status] ?? 0) || byName(a, b));
  return verdicts;
}
