// What follows from the data about the present: the state of each location, check and group, and of all. Pure.

import { RANK, checkKey } from "./model.js";
import { windowsOf } from "./history.js";
import { AHEAD, heldOf, runsUpTo, stateOfVotes, sweep, validUntil, validity } from "./sweep.js";

/** A check without a result for this long was probably removed. */
const GONE = 25 * 3_600_000;

/** What is derived from a series once for each change of the data, not for each moment. */
export function preparedSeries(series) {
  return { runs: runsUpTo(series, Infinity) };
}

/**
 * The state of a check over its locations: the sweep over time at this moment. At least `quorum` of the known locations (default:
 * the majority; at most all) must be down for it to be down; if fewer are, or any is degraded, it is degraded. With no valid result
 * it is stale.
 */
export function verdictOf(check, quorum, now, data, gone = false) {
  const here = check.series.filter((series) => lastRunOf(series, now) && (gone || isCurrent(series, now)));
  const locations = here.map((series) => atLocation(series, now));
  const fresh = locations.filter((location) => !location.stale);
  const of = (status) => fresh.filter((location) => location.status === status);
  const [down, degraded] = [of("down"), of("degraded")];
  const stale = !fresh.length;
  const status = stale ? "stale" : stateOfVotes(fresh.length, degraded.length, down.length, quorum);
  const bad = down.length ? down : degraded;
  const figures = data.figures.get(check.key);
  const maintenance = windowsOf(data, check.title).find((window) => window.from <= now && now < window.to);
  return {
    check,
    status: maintenance ? "maintenance" : status,
    underlying: status,
    maintenance,
    locations,
    bad,
    fresh,
    since: figures?.state === status ? figures.since : sinceWhen(here, quorum, now, stale),
    first: figures?.first ?? Math.min(...check.series.map((series) => runsUpTo(series, now + AHEAD)[0]?.from ?? Infinity)),
    last: Math.max(0, ...check.series.map((series) => lastRunOf(series, now)?.last ?? 0)),
    reason: bad.find((location) => location.reason)?.reason ?? null,
    freshFor: Math.max(validity(0), ...here.map((series) => validity(lastRunOf(series, now).interval))),
  };
}

/** When the present state of the check began in the sweep; if it is stale, when the last result was. */
function sinceWhen(seriesList, quorum, now, stale) {
  if (!seriesList.length) return null;
  if (stale) return Math.max(...seriesList.map((series) => lastRunOf(series, now).last));
  const held = seriesList.map((series) => heldOf(runsUpTo(series, now + AHEAD), now));
  const starts = held.filter((one) => one.length).map((one) => one[0].from);
  const stretches = sweep(held, quorum, Math.min(...starts), now);
  const counts = { healthy: 0, degraded: 0, down: 0 };
  for (const one of held) {
    const present = one.find(({ from, until }) => from <= now && now < until);
    if (present) counts[present.status] += 1;
  }
  const state = stateOfVotes(counts.healthy + counts.degraded + counts.down, counts.degraded, counts.down, quorum);
  const last = stretches.at(-1);
  return last?.state === state ? last.from : now;
}

/** The verdicts of all checks. Those that were probably removed are left out, unless all are like that. */
export function verdictsOf(checks, quorum, now, data) {
  const current = checks
    .filter((check) => check.series.some((series) => lastRunOf(series, now) && isCurrent(series, now)))
    .map((check) => verdictOf(check, quorum, now, data));
  return current.length ? current : checks.map((check) => verdictOf(check, quorum, now, data, true));
}

/**
 * The checks that the config names and that are not among the verdicts: those with old results only, as stale, and those without
 * any, as waiting. Only where the config names every check.
 */
export function missingOf(verdicts, config, checks, now, data) {
  if (!config.complete) return [];
  const there = new Set(verdicts.map(({ check }) => check.title));
  const old = new Map(checks.map((check) => [check.title, check]));
  const names = new Set(config.groups.flatMap((group) => group.checks).filter((name) => !there.has(name)));
  return [...names].map((title) => (old.has(title) ? verdictOf(old.get(title), config.quorum, now, data, true) : waiting(title)));
}

function waiting(title) {
  const check = { key: checkKey(title, ""), title, endpoint: "", series: [] };
  const nothing = { maintenance: undefined, locations: [], bad: [], fresh: [], since: null, first: Infinity, last: 0, reason: null, freshFor: 0 };
  return { check, status: "waiting", underlying: "waiting", ...nothing };
}

function lastRunOf(series, now) {
  return runsUpTo(series, now + AHEAD).at(-1);
}

function isCurrent(series, now) {
  const run = lastRunOf(series, now);
  return now - run.last <= GONE || validUntil(run) > now;
}

function atLocation(series, now) {
  const run = lastRunOf(series, now);
  const point = series.points.findLast(({ at }) => at <= now + AHEAD);
  const stale = validUntil(run) <= now;
  return {
    series,
    location: series.location,
    status: run.status,
    stale,
    since: sinceWhen([series], undefined, now, false),
    at: run.last,
    rtt: point ? point.rtt : (series.days.at(-1)?.p50 ?? null),
    reason: point ? point.reason : (run.reasons[0]?.text ?? null),
  };
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

/** The worst state of several verdicts. Of checks in maintenance nothing is expected, and those that wait have none. */
export function overallOf(verdicts) {
  const known = verdicts.filter((verdict) => verdict.status !== "waiting");
  if (!known.length) return "empty";
  const counted = known.filter((verdict) => verdict.status !== "maintenance");
  if (!counted.length) return "maintenance";
  const worst = counted.reduce((a, b) => (RANK[b.status] > RANK[a.status] ? b : a)).status;
  return worst === "healthy" && counted.length < known.length ? "maintenance" : worst;
}

/** Checks in their groups: those of the config in its order, then the others without a heading. */
export function groupsOf(verdicts, config) {
  const rest = new Map();
  for (const verdict of verdicts) {
    const { title } = verdict.check;
    if (!rest.has(title)) rest.set(title, []);
    rest.get(title).push(verdict);
  }
  const groups = config.groups.map(({ name, checks }) => {
    const members = checks.flatMap((title) => rest.get(title) ?? []);
    for (const title of checks) rest.delete(title);
    return { name, verdicts: ordered(members, config.order) };
  });
  const others = ordered([...rest.values()].flat(), config.order === "config" ? "name" : config.order);
  // What the config has without a group, and what it does not have, is one.
  const nameless = groups.find(({ name }) => !name);
  if (nameless) nameless.verdicts.push(...others);
  else groups.push({ name: "", verdicts: others });
  return groups.filter((group) => group.verdicts.length);
}

function ordered(verdicts, order) {
  const byName = (a, b) => a.check.title.localeCompare(b.check.title, "en", { numeric: true });
  if (order === "name") return [...verdicts].sort(byName);
  if (order === "status")
    return [...verdicts].sort((a, b) => (RANK[b.status] ?? 0) - (RANK[a.status] ?? 0) || byName(a, b));
  return verdicts;
}
