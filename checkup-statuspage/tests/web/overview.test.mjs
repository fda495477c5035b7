// The overview of many checks, without a browser; and check files that are larger than any real one.

import assert from "node:assert/strict";
import test from "node:test";

import { addResults, emptyData, readSummary } from "../../web/model.js";
import { checksOf, dayTimes, incidentsOfCheck, uptimes } from "../../web/history.js";
import { eventsOf } from "../../web/events.js";
import { verdictsOf } from "../../web/verdict.js";
import { DAY } from "../../web/text.js";

const MINUTE = 60_000;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const TODAY = Math.floor(NOW / DAY);

function overview(check = {}, more = {}) {
  const figures = {
    title: "API",
    endpoint: "e",
    detail: "0123456789abcdef",
    state: "degraded",
    since: NOW - 5 * MINUTE,
    first: NOW - 40 * DAY,
    uptimes: [0.9, 1, null, 0.25],
    days: { down: [0, 3600, 2, 60], degraded: [2, 300] },
    incidents: [{ id: "a", from: NOW - DAY, to: NOW - DAY + 9 * MINUTE, status: "down", segments: [["d", 0, 9 * MINUTE, ["eu"], ["refused"]]] }],
    ...check,
  };
  const series = { title: "API", endpoint: "e", location: "eu", runs: { at: [NOW - MINUTE], length: [MINUTE], every: [MINUTE], status: "h", n: [2] }, recent: { at: [NOW], status: "h", rtt: [7000] } };
  return { version: 2, made: NOW, recent_from: NOW, series: [series], overview: { first: TODAY - 2, spans: [DAY, 30 * DAY], left_out: 3, checks: [figures], ...more } };
}

test("the figures of a check are those of the overview", () => {
  const data = readSummary(overview());
  const [check] = checksOf(data).values();
  assert.deepEqual(uptimes(check.series, [DAY, 30 * DAY, 7 * DAY], data, NOW), [
    { share: 0.9, known: 1, span: DAY },
    { share: null, known: 0.25, span: 30 * DAY },
    { share: null, known: 0, span: 7 * DAY },
  ]);
  const days = dayTimes(check, TODAY - 3, 5, data, NOW);
  const zero = { healthy: 0, degraded: 0, down: 0, maintenance: 0, unknown: 0 };
  assert.deepEqual(days[1], { ...zero, down: 3_600_000, healthy: DAY - 3_600_000 });
  assert.deepEqual(days[2], { ...zero, healthy: DAY });
  assert.deepEqual(days[3], { ...zero, down: 60_000, degraded: 300_000, healthy: DAY / 2 - 360_000 }, "up to now");
  assert.deepEqual(days[4], zero, "tomorrow");
  const [incident] = incidentsOfCheck(check, undefined, data, NOW);
  assert.deepEqual([incident.reason, incident.locations, incident.to], ["refused", ["eu"], NOW - DAY + 9 * MINUTE]);
  assert.equal(data.leftOut, 3);
  const [verdict] = verdictsOf([check], undefined, NOW, data);
  assert.equal(verdict.first, NOW - 40 * DAY);
  assert.equal(verdict.since, NOW - MINUTE, "the state is another than that of the overview");
});

test("whatever is in an overview, what can be shown is shown", () => {
  for (const value of [null, true, "x", -1e300, 1e300, NaN, -1, Number.MAX_SAFE_INTEGER, {}, [], ["x"], [[]], { a: 1 }]) {
    const keys = ["detail", "state", "since", "first", "uptimes", "days", "incidents"];
    const checks = keys.map((key) => overview({ [key]: value }));
    const wholes = ["first", "spans", "left_out", "checks"].map((key) => overview({}, { [key]: value }));
    const days = overview({ days: { down: value, degraded: [value, 5], unknown: [0, value] }, uptimes: [value, value] });
    const incident = { id: "a", from: NOW, status: "down", segments: [["d", 0, 1, [], []]] };
    const incidents = Object.keys({ ...incident, to: 0, last_seen: 0 }).map((key) => overview({ incidents: [value, { ...incident, [key]: value }] }));
    const segments = [0, 1, 2, 3, 4].map((i) => overview({ incidents: [{ ...incident, segments: [incident.segments[0].with(i, value), value] }] }));
    for (const json of [...checks, ...wholes, days, ...incidents, ...segments, { ...overview(), overview: value }]) {
      const data = readSummary(json);
      const [check] = checksOf(data).values();
      for (const { share, known } of uptimes(check.series, [DAY], data, NOW)) assert.ok((share ?? 0) >= 0 && known >= 0);
      for (const times of dayTimes(check, TODAY - 9, 10, data, NOW)) {
        for (const time of Object.values(times)) assert.ok(time >= 0 && time <= DAY, JSON.stringify(json.overview));
      }
      for (const { at, until, incident } of eventsOf([check], { data, config: { timeframe: 90 * DAY }, now: NOW })) {
        const times = [at, until, ...incident.segments.flatMap(({ from, to }) => [from, to])];
        for (const time of times) new Date(time).toISOString();
      }
      assert.equal(verdictsOf([check], undefined, NOW, data)[0].status, "healthy");
    }
  }
});

test("a result with 200,000 attempts is read", () => {
  const data = emptyData();
  const times = Array.from({ length: 200_000 }, (_, i) => ({ rtt: 1e6 + i * 1000 }));
  addResults(data, [{ title: "API", timestamp: NOW * 1e6, times }]);
  const [point] = [...data.series.values()][0].points;
  assert.deepEqual([point.rtt, point.low, point.high], [100_999.5, 1000, 200_999]);
});
