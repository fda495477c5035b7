// What happened, and how it is shown by day.

import assert from "node:assert/strict";
import test from "node:test";

import { describeDay, kindOf, redHeight } from "../../web/bars.js";
import { eventsOf, incidentFor, incidentsOn } from "../../web/events.js";
import { checksOf, dayTimes, uptimes } from "../../web/history.js";
import { addResults, emptyData, readSummary } from "../../web/model.js";
import { DAY } from "../../web/text.js";
import { missingOf, preparedSeries, verdictsOf } from "../../web/verdict.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const TODAY = Math.floor(NOW / DAY);

/** Data of one check: stretches of results a minute apart, such as `[["h", 600], ["d", 30]]`, the last of them now. */
function dataOf(stretches, more = {}) {
  const letters = stretches.map(([letter, count]) => letter.repeat(count)).join("");
  const recent = {
    at: [...letters].map((_, i) => (i ? MINUTE : NOW - (letters.length - 1) * MINUTE)),
    status: letters,
    rtt: [...letters].map((letter) => (letter === "d" ? null : 1000)),
    reasons: Object.fromEntries([...letters].map((letter, i) => [i, letter === "h" ? null : `because of ${letter}`])),
  };
  const data = readSummary({ version: 2, made: NOW, recent_from: 0, series: [{ title: "API", endpoint: "e", days: [], recent }], ...more });
  for (const series of data.series.values()) series.prepared = preparedSeries(series);
  return data;
}

const checkOf = (data) => [...checksOf(data).values()][0];
const eventsIn = (data) => eventsOf([...checksOf(data).values()], { data, config: { timeframe: 90 * DAY }, now: NOW });
const post = (minutesAgo, text, more = {}) => {
  const at = NOW - minutesAgo * MINUTE;
  return { id: text.replaceAll(" ", "-"), at, revised: at, title: "API", endpoint: "e", text, ...more };
};

test("messages belong to the incident at their time, or to the one that they name", () => {
  const posts = [
    post(25, "looking", { state: "investigating" }),
    post(65, "fixed", { state: "resolved" }),
    post(500, "unrelated"),
    post(3, "to all", { title: undefined, endpoint: undefined }),
  ];
  const data = dataOf([["h", 300], ["d", 20], ["h", 60], ["d", 30]], { posts });
  const events = eventsIn(data);
  const shape = events.map(({ kind, text, isOpen, messages }) => [kind, text ?? messages.map((one) => one.text).join(), isOpen]);
  assert.deepEqual(shape, [
    ["message", "to all", undefined],
    ["incident", "looking", true],
    ["incident", "fixed", false],
    ["message", "unrelated", undefined],
  ]);
  const [open, closed] = events.filter(({ kind }) => kind === "incident");
  const named = { at: NOW, text: "about the old one", incident: closed.incident.id };
  assert.equal(incidentFor(named, [open, closed]), closed);
  assert.equal(incidentFor({ ...named, incident: "gone" }, [open, closed]), null);
});

test("a short degradation is a short slowdown, unless it goes on or somebody wrote about it", () => {
  const isShort = (stretches, more) => eventsIn(dataOf(stretches, more)).find(({ kind }) => kind === "incident").isShort;
  assert.equal(isShort([["h", 60], ["g", 5], ["h", 60]]), true);
  assert.equal(isShort([["h", 60], ["g", 10], ["h", 60]]), false);
  assert.equal(isShort([["h", 60], ["d", 5], ["h", 60]]), false);
  assert.equal(isShort([["h", 60], ["g", 5]]), false);
  assert.equal(isShort([["h", 60], ["g", 5], ["h", 60]], { posts: [post(62, "we know")] }), false);
});

test("a location that fell silent while down was down when last seen", () => {
  const data = dataOf([["h", 60], ["d", 30]]);
  for (const series of data.series.values()) series.prepared = preparedSeries(series);
  const later = NOW + 5 * HOUR;
  const [event] = eventsOf([checkOf(data)], { data, config: { timeframe: 90 * DAY }, now: later });
  assert.equal(event.isOpen, false);
  assert.equal(event.incident.lastSeen, NOW);
  assert.equal(event.until, NOW);
});

test("the days of a check have its time in each state", () => {
  const data = dataOf([["h", 24 * 60], ["d", 6 * 60], ["h", 60]]);
  const [before, yesterday, today] = dayTimes(checkOf(data), TODAY - 2, 3, data, NOW, undefined);
  assert.equal(before.unknown, DAY);
  assert.deepEqual(today, { healthy: 6 * HOUR, degraded: 0, down: 6 * HOUR, maintenance: 0, unknown: 0 });
  assert.equal(yesterday.healthy + yesterday.unknown, DAY);
});

test("the red part of a day is as high as the share of downtime, and amber needs some time", () => {
  const day = (times) => ({ times: { healthy: 0, degraded: 0, down: 0, maintenance: 0, unknown: 0, ...times } });
  assert.equal(redHeight(day({ healthy: DAY })), 0);
  assert.equal(redHeight(day({ healthy: DAY - 5 * MINUTE, down: 5 * MINUTE })), 5, "it can be seen");
  assert.equal(redHeight(day({ healthy: DAY / 2, down: DAY / 2 })), 16);
  assert.equal(redHeight(day({ down: DAY })), 32);
  const kinds = [{ healthy: DAY - MINUTE, degraded: MINUTE }, { healthy: HOUR, degraded: HOUR }, { down: 1, degraded: HOUR }, { maintenance: 1 }, {}];
  assert.deepEqual(kinds.map((times) => kindOf(day(times), 20 * MINUTE)), ["healthy", "degraded", "down", "excluded", "none"]);
});

test("a day says when, how long and why", () => {
  const data = dataOf([["h", 600], ["d", 29], ["h", 60]]);
  const events = eventsIn(data);
  const [times] = dayTimes(checkOf(data), TODAY, 1, data, NOW, undefined);
  const incidents = incidentsOn(TODAY, events, checkOf(data).key);
  const { lines } = describeDay({ day: TODAY, times, incidents, locations: [] }, 20 * MINUTE, NOW);
  const text = lines.map((line) => line.slice(0, 2).join(" ").trim());
  assert.equal(text[1], "Down 29 min");
  assert.match(text[2], /^Down \d\d:\d\d to \d\d:\d\d: because of d$/u);
  assert.match(text.at(-1), /Enter/u);
  assert.equal(incidentsOn(TODAY - 1, events, checkOf(data).key).length, 0);
});

test("an uptime says of how much of the time it is", () => {
  const data = dataOf([["h", 60], ["d", 60]]);
  const [day, month] = uptimes(checkOf(data).series, [DAY, 30 * DAY], data, NOW, undefined);
  assert.ok(Math.abs(day.share - 0.5) < 0.01 && Math.abs(day.known - 2 / 24) < 0.01, JSON.stringify(day));
  assert.ok(month.known < 0.01);
});

test("configured checks without results wait, and those with old results are stale", () => {
  const data = dataOf([["h", 5]]);
  const old = { title: "Old", endpoint: "e", days: [], recent: { at: [NOW - 5 * DAY, MINUTE], status: "hd", rtt: [1, null] } };
  const both = readSummary({ version: 2, series: [old] });
  for (const [key, series] of both.series) data.series.set(key, { ...series, prepared: preparedSeries(series) });
  const config = { complete: true, groups: [{ name: "", checks: ["API", "Old", "New", "New"] }] };
  const checks = [...checksOf(data).values()];
  const known = verdictsOf(checks, undefined, NOW, data);
  const shape = (verdicts) => verdicts.map(({ check, status }) => [check.title, status]);
  assert.deepEqual(shape(known), [["API", "healthy"]]);
  assert.deepEqual(shape(missingOf(known, config, checks, NOW, data)), [["Old", "stale"], ["New", "waiting"]]);
  assert.deepEqual(missingOf(known, { ...config, complete: false }, checks, NOW, data), []);
});

test("the banner has words that fit", async () => {
  // Cards observe whether they are near the window.
  globalThis.IntersectionObserver = globalThis.ResizeObserver = class {};
  const { headline } = await import("../../web/banner.js");
  const words = (...states) => headline(states[0], states.map((status) => ({ status })), { texts: {} });
  assert.equal(words("down", "healthy", "healthy"), "Partial outage: 1 of 3 down");
  assert.equal(words("down", "down"), "Major outage: all 2 down");
  assert.equal(words("down"), "Outage");
  assert.equal(words("degraded", "healthy"), "Degraded service: 1 of 2");
  assert.equal(words("healthy", "healthy"), "All systems operational");
  assert.equal(headline("down", [], { texts: { down: "Service disruption" } }), "Service disruption");
});

test("30,000 checks in one file are read in little time", () => {
  const results = Array.from({ length: 30_000 }, (_, i) => ({ title: `check ${i}`, endpoint: "e", timestamp: NOW * 1e6, times: [{ rtt: 1e6 }], healthy: true }));
  const data = emptyData();
  addResults(data, results);
  for (const series of data.series.values()) series.prepared = preparedSeries(series);
  assert.equal(verdictsOf([...checksOf(data).values()], undefined, NOW, data).length, 30_000);
});
