// The state of a check over time: runs of equal results, the votes of locations, and incidents. All functions are pure.
// `checkup-core/src/history/` has the same in Rust, with the reasons. A test compares both over random histories.

import { DAY } from "./text.js";

/** How far ahead the clock of a node may be. Results that are later than this count only from their own time on. */
export const AHEAD = 20 * 60_000;
const VALID_AT_LEAST = 10 * 60_000;
const VALID_AT_MOST = 31 * DAY;
const INTERVALS = 3;
const NEIGHBOURS = 5;
const STEP = 10_000;
const MAX_REASONS = 4;
/** If the interval is at least this long, one bad result begins an incident, and one good result ends it. */
const LONG_INTERVAL = 10 * 60_000;
const RESULTS = 2;
/** Of this share of the intervals stretches must be apart to be two incidents: runs jitter. */
const APART = 0.9;
const BAD_RANK = { healthy: 0, degraded: 1, down: 2 };

/** How long a result is valid if no other follows. */
export function validity(interval) {
  return Math.min(VALID_AT_MOST, Math.max(VALID_AT_LEAST, INTERVALS * (interval ?? 0)));
}

/** The usual interval around one of these times: the median of the distances between its neighbours. Null for fewer than two times. */
export function usualIntervalAt(times, index) {
  const from = Math.max(0, index - NEIGHBOURS);
  const to = Math.min(times.length - 1, index + NEIGHBOURS);
  const distances = [];
  for (let i = from; i < to; i += 1) distances.push(times[i + 1] - times[i]);
  distances.sort((a, b) => a - b);
  return rounded(distances[distances.length >> 1] ?? null);
}

/** The interval without the jitter of the runs, if it is long enough to matter for the validity. */
const rounded = (interval) => (interval * INTERVALS < VALID_AT_LEAST ? interval : Math.floor((interval + STEP / 2) / STEP) * STEP);

/** The end of the validity of a run's last result. */
export function validUntil(run) {
  return run.last + validity(run.interval);
}

/** The last times of runs before `next`, in ascending order. Inside a run they are estimated from its interval. */
function timesBefore(runs, next) {
  const times = [];
  for (let r = runs.length - 1; r >= 0 && times.length < NEIGHBOURS; r -= 1) {
    const { from, last, interval, count } = runs[r];
    for (let i = 0, at = last; i < Math.min(count, NEIGHBOURS); i += 1, at -= interval) {
      if (i + 1 === count || at < from) at = from;
      if (at < (times.at(-1) ?? next)) times.push(at);
    }
  }
  return times.slice(0, NEIGHBOURS).reverse();
}

/** The runs of points in ascending order, which follow results of these times. */
export function runsOf(points, context) {
  const times = [...context, ...points.map((point) => point.at)];
  const runs = [];
  let open = false;
  let interval = usualIntervalAt(times, context.length);
  points.forEach((point, index) => {
    if (!open) {
      runs.push({ status: point.status, from: point.at, last: point.at, interval: 0, count: 0, reasons: [] });
    }
    const run = runs.at(-1);
    run.count += point.n ?? 1;
    run.last = point.at;
    if (point.reason !== null && point.reason !== undefined) addReason(run.reasons, point.reason, 1);
    const next = points[index + 1];
    const own = interval;
    const valid = validity(own);
    interval = usualIntervalAt(times, index + 1 + context.length);
    open = next?.status === point.status && next.at <= point.at + valid && validity(interval) === valid;
    if (!open) {
      run.interval = own ?? 0;
      sortReasons(run.reasons);
    }
  });
  return runs;
}

function addReason(reasons, text, count) {
  const known = reasons.find((reason) => reason.text === text);
  if (known) known.count += count;
  else if (reasons.length < MAX_REASONS) reasons.push({ text, count });
}

function sortReasons(reasons) {
  reasons.sort((a, b) => b.count - a.count || byBytes(a.text, b.text));
}

/** Compares texts by their UTF-8 bytes, as Rust does. */
function byBytes(a, b) {
  const [x, y] = [[...a], [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i += 1) {
    if (x[i] !== y[i]) return x[i].codePointAt(0) - y[i].codePointAt(0);
  }
  return x.length - y.length;
}

/**
 * Adds the runs of points that follow `before`: the last points of the runs, as far as they are known. How long those hold depends on what
 * follows, so their runs are made again.
 */
function extendRuns(runs, before, points) {
  if (!points.length) return runs;
  const redone = before.slice(-NEIGHBOURS);
  const kept = before.slice(0, -NEIGHBOURS).slice(-NEIGHBOURS - 1);
  const shorter = withoutLast(runs, kept.at(-1), redone);
  if (!shorter) return joinRuns(runs, runsOf(points, timesBefore(runs, points[0].at)));
  const all = [...redone, ...points];
  const context = kept.map((point) => point.at);
  const times = [...context, ...all.map((point) => point.at)];
  if (kept.length) shorter.at(-1).interval = usualIntervalAt(times, kept.length - 1) ?? 0;
  return joinRuns(shorter, runsOf(all, context));
}

/** The runs without the last points. Null if the runs are not of these points. */
function withoutLast(runs, kept, removed) {
  const left = runs.slice(-NEIGHBOURS - 1).map((run) => ({ ...run, reasons: run.reasons.map((reason) => ({ ...reason })) }));
  const isLast = (point) => left.at(-1)?.last === point?.at && left.at(-1)?.status === point?.status;
  for (let i = removed.length - 1; i >= 0; i -= 1) {
    const run = left.at(-1);
    if (!isLast(removed[i])) return null;
    const known = run.reasons.find(({ text }) => text === removed[i].reason);
    if (known) known.count -= 1;
    run.reasons = run.reasons.filter(({ count }) => count > 0);
    run.count -= removed[i].n ?? 1;
    run.last = (removed[i - 1] ?? kept)?.at;
    if (run.count <= 0) left.pop();
  }
  const untouched = runs.slice(0, -NEIGHBOURS - 1);
  return isLast(kept) && (kept || !untouched.length) ? [...untouched, ...left] : null;
}

/** Appends runs that follow. The first of them may continue the last. */
export function joinRuns(runs, more) {
  for (const run of more) {
    const last = runs.at(-1);
    // The interval of a single result is known once another follows.
    if (last && !last.interval && last.last < run.from) last.interval = run.interval || rounded(run.from - last.last);
    if (last?.status === run.status && validity(last.interval) === validity(run.interval) && run.from <= validUntil(last)) {
      last.last = Math.max(last.last, run.last);
      last.interval = run.interval;
      last.count += run.count;
      for (const { text, count } of run.reasons) addReason(last.reasons, text, count);
      sortReasons(last.reasons);
    } else {
      runs.push({ ...run, reasons: run.reasons.map((reason) => ({ ...reason })) });
    }
  }
  return runs;
}

/** All runs of a series up to a time: those of the summary, and those of later results. */
export function runsUpTo(series, time) {
  const { prepared, points } = series;
  const last = Math.max(points.at(-1)?.at ?? -Infinity, series.runs.at(-1)?.last ?? -Infinity);
  if (prepared?.runs && last <= time) return prepared.runs;
  const runs = joinRuns(
    [],
    series.runs.filter((run) => run.from <= time),
  );
  const after = runs.at(-1)?.last ?? -Infinity;
  const known = points.filter((point) => point.at <= time);
  const begin = known.findIndex((point) => point.at > after);
  return begin < 0 ? runs : extendRuns(runs, known.slice(0, begin), known.slice(begin));
}

/** When a run ends if another follows at `next`. Results from a clock that is slightly ahead count from now on. */
function endOf(run, next, now) {
  const until = Math.min(validUntil(run), next);
  return next > now && next <= now + AHEAD ? Math.min(until, now) : until;
}

/** The states of a location over time. */
export function heldOf(runs, now) {
  return runs
    .map((run, i) => ({
      from: Math.min(run.from, now),
      until: endOf(run, runs[i + 1]?.from ?? Infinity, now),
      status: run.status,
    }))
    .filter(({ from, until }) => from < until);
}

/** How many locations must be down for a check to be down: the majority, or the number in the config; at most all. */
export function neededOf(quorum, locations) {
  return Math.min(quorum || Math.floor(locations / 2) + 1, locations);
}

/** The state that results from votes. */
export function stateOfVotes(known, degraded, down, quorum) {
  if (!known) return "unknown";
  if (down && down >= neededOf(quorum, known)) return "down";
  return down + degraded ? "degraded" : "healthy";
}

/** The state of a check from `from` up to `to`, in stretches without gaps. Neighbouring stretches differ. */
export function sweep(locations, quorum, from, to) {
  const events = [];
  for (const held of locations.flat()) {
    const [begin, end] = [Math.max(held.from, from), Math.min(held.until, to)];
    if (begin < end) events.push([begin, held.status, 1], [end, held.status, -1]);
  }
  events.sort((a, b) => a[0] - b[0]);
  const counts = { healthy: 0, degraded: 0, down: 0 };
  const stretches = [];
  let next = 0;
  for (let at = from; at < to; ) {
    for (; next < events.length && events[next][0] <= at; next += 1) counts[events[next][1]] += events[next][2];
    const known = counts.healthy + counts.degraded + counts.down;
    const end = events[next]?.[0] ?? to;
    pushStretch(stretches, at, end, stateOfVotes(known, counts.degraded, counts.down, quorum));
    at = end;
  }
  return stretches;
}

function pushStretch(stretches, from, to, state) {
  if (from >= to) return;
  const last = stretches.at(-1);
  if (last && last.state === state && last.to === from) last.to = to;
  else stretches.push({ from, to, state });
}

/** Windows in order, joined where they overlap or touch. */
export function joinedWindows(windows) {
  const joined = [];
  for (const { from, to } of [...windows].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (from >= to) continue;
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** Lays maintenance over stretches. The windows are in order and do not overlap. */
export function overlay(stretches, windows) {
  const laid = [];
  for (const stretch of stretches) {
    let at = stretch.from;
    for (const window of windows) {
      if (window.to <= stretch.from || window.from >= stretch.to) continue;
      const [from, to] = [Math.max(window.from, at), Math.min(window.to, stretch.to)];
      pushStretch(laid, at, from, stretch.state);
      pushStretch(laid, from, to, "maintenance");
      at = to;
    }
    pushStretch(laid, at, stretch.to, stretch.state);
  }
  return laid;
}

/** The milliseconds in each state. */
export function lengthsOf(stretches) {
  const sum = { healthy: 0, degraded: 0, down: 0, maintenance: 0, unknown: 0 };
  for (const { from, to, state } of stretches) sum[state] += to - from;
  return sum;
}

/** How many results begin an incident at a location, or end it: as set, or by the interval. */
const neededResults = (set, interval) => set ?? (interval >= LONG_INTERVAL ? 1 : RESULTS);

/**
 * The smoothed states of a location: bad from the first of enough bad results to the first of enough good ones. `hysteresis` has
 * `failures` and `successes`, where they are set.
 */
export function smooth(runs, now, hysteresis = {}) {
  const ends = runs.map((run, i) => endOf(run, runs[i + 1]?.from ?? Infinity, now));
  const statuses = runs.map(() => "healthy");
  for (let start = 0; start < runs.length; ) {
    let end = start + 1;
    while (end < runs.length && ends[end - 1] >= Math.min(runs[end].from, now)) end += 1;
    smoothGroup(runs, statuses, start, end, ends[end - 1] > now, hysteresis);
    start = end;
  }
  return runs
    .map((run, i) => ({ from: Math.min(run.from, now), until: ends[i], status: statuses[i] }))
    .filter(({ from, until }) => from < until);
}

function smoothGroup(runs, statuses, start, end, goesOn, { failures, successes }) {
  let [bad, since, count, lastBad] = [false, null, 0, "down"];
  for (let i = start; i < end; i += 1) {
    const run = runs[i];
    const looksBad = run.status !== "healthy";
    if (looksBad === bad) [since, count] = [null, 0];
    else [since, count] = [since ?? i, count + run.count];
    if (since !== null && count >= neededResults(bad ? successes : failures, run.interval)) {
      bad = looksBad;
      for (let j = since; j < i; j += 1) statuses[j] = runs[j].status;
      [since, count] = [null, 0];
    }
    if (looksBad) lastBad = run.status;
    statuses[i] = !bad ? "healthy" : looksBad ? run.status : lastBad;
  }
  // If nothing follows, the last result counts.
  if (since !== null && bad && !goesOn) statuses.fill("healthy", since, end);
}

/**
 * The incidents of a check, oldest first. `locations` are `{ location, runs }`; the windows are in order and do not overlap.
 * An incident without `to` is still open. One with `lastSeen` ended because no location had a valid result any longer.
 */
export function incidentsFrom({ title, endpoint }, locations, windows, quorum, now, hysteresis = {}, ids = []) {
  const smoothed = locations.map(({ runs }) => smooth(runs, now, hysteresis));
  const start = Math.min(...smoothed.filter((held) => held.length).map((held) => held[0].from));
  if (!Number.isFinite(start)) return [];
  const stretches = sweep(smoothed, quorum, start, now);
  const places = locations.map(() => ({ held: 0, run: 0 }));
  const groups = [];
  stretches.forEach((stretch, i) => {
    if (stretch.state !== "degraded" && stretch.state !== "down") return;
    const part = { stretch, next: stretches[i + 1], found: factsBetween(stretch, locations, smoothed, places) };
    const before = groups.at(-1)?.at(-1);
    const interval = before?.found.interval;
    const apart = APART * interval * neededResults(hysteresis.successes, interval);
    if (before && (stretch.from === before.stretch.to || stretch.from - before.stretch.to < apart)) groups.at(-1).push(part);
    else groups.push([part]);
  });
  const incidents = groups.map((parts) => incidentOf(title, endpoint, parts, windows, now)).filter(Boolean);
  keepIds(incidents, title, endpoint, ids);
  return incidents.map(({ valid, ...incident }) => incident);
}

/** Gives incidents the ids that they had: those of the same onset, then those whose onset moved by less than the validity of a result. */
function keepIds(incidents, title, endpoint, ids) {
  const [used, own, moved] = [new Set(), new Set(), []];
  for (const incident of incidents) {
    const known = ids.find(({ onset, id }) => onset === incident.from && !used.has(id));
    if (known) used.add((incident.id = known.id));
    else moved.push(incident);
  }
  for (const incident of moved) {
    const distance = ({ onset }) => Math.abs(onset - incident.from);
    const near = ids.filter((known) => distance(known) < incident.valid && !used.has(known.id));
    near.sort((a, b) => distance(a) - distance(b) || (a.id < b.id ? -1 : 1));
    if (near.length) {
      used.add((incident.id = near[0].id));
      continue;
    }
    let onset = incident.from;
    while (used.has(incident.id) || own.has(incident.id)) incident.id = incidentId(title, endpoint, (onset -= 60_000));
    own.add(incident.id);
  }
}

function incidentOf(title, endpoint, parts, windows, now) {
  const segments = [];
  let inMaintenance = false;
  for (const { stretch, found } of parts) {
    const outside = overlay([stretch], windows);
    inMaintenance ||= outside.some(({ state }) => state === "maintenance");
    const reasons = [...new Set(found.reasons.map(({ text }) => text))].slice(0, MAX_REASONS);
    for (const { from, to, state } of outside) {
      if (state !== "maintenance") segments.push({ status: state, from, to, locations: found.locations, reasons });
    }
  }
  if (!segments.length) return null;
  const status = segments.some((segment) => segment.status === "down") ? "down" : "degraded";
  const worst = segments.find((segment) => segment.status === status && segment.reasons.length);
  const [first, last] = [parts[0].stretch, parts.at(-1).stretch];
  return {
    id: incidentId(title, endpoint, first.from),
    from: first.from,
    to: last.to < now ? last.to : undefined,
    lastSeen: parts.at(-1).next?.state === "unknown" ? Math.min(parts.at(-1).found.last, last.to) : undefined,
    status,
    reason: worst?.reasons[0] ?? null,
    segments,
    inMaintenance,
    /** How long the result at the onset is valid. */
    valid: validity(parts[0].found.interval),
  };
}

/** Which locations were bad in a stretch, and why. Stretches come in ascending order. */
function factsBetween({ from, to }, locations, smoothed, places) {
  const found = { locations: [], reasons: [], interval: 0, last: 0 };
  locations.forEach(({ location, runs }, l) => {
    const [held, place] = [smoothed[l], places[l]];
    while (place.held < held.length && held[place.held].until <= from) place.held += 1;
    let bad = false;
    for (let i = place.held; i < held.length && held[i].from < to; i += 1) bad ||= held[i].status !== "healthy";
    if (!bad) return;
    found.locations.push(location ?? null);
    while (place.run + 1 < runs.length && runs[place.run + 1].from <= from) place.run += 1;
    const inside = [];
    for (let i = place.run; i < runs.length && runs[i].from < to; i += 1) inside.push(runs[i]);
    const of = inside.filter((run) => run.status !== "healthy" && validUntil(run) > from);
    // While good results are too few to end the badness, the last bad ones say why.
    const first = held[place.held];
    if (first?.from <= from && first.status !== "healthy" && runs[place.run]?.status === "healthy") {
      const before = runs.slice(0, place.run).findLast((run) => run.status !== "healthy");
      if (before) of.unshift(before);
    }
    for (const run of of) {
      found.interval = Math.max(found.interval, run.interval);
      found.last = Math.max(found.last, run.last);
      for (const { text, count } of run.reasons) {
        const known = found.reasons.find((reason) => reason.status === run.status && reason.text === text);
        if (known) known.count += count;
        else found.reasons.push({ status: run.status, text, count });
      }
    }
  });
  found.locations.sort((a, b) => (a === null ? -1 : b === null ? 1 : byBytes(a, b)));
  found.reasons.sort(
    (a, b) => BAD_RANK[b.status] - BAD_RANK[a.status] || b.count - a.count || byBytes(a.text, b.text),
  );
  return found;
}

/** The id of an incident: the FNV-1a hash of name, endpoint and minute. */
function incidentId(title, endpoint, onset) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(`${title}\n${endpoint}\n${Math.floor(onset / 60_000)}`)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
