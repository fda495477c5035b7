// What the page derives from data, without a browser: `node --test checkup-statuspage/tests/web/`.

import assert from "node:assert/strict";
import test from "node:test";

import { addPart, addResults, dayOf, emptyData, median, readSummary } from "../../web/model.js";
import { checksOf, daysOf, incidentsOf, incidentsOfCheck, openDays, uptime } from "../../web/history.js";
import { countedOf, groupsOf, overallOf, preparedSeries, verdictOf, verdictsOf } from "../../web/verdict.js";
import { smooth, usualIntervalAt, validity } from "../../web/sweep.js";
import { DAY } from "../../web/text.js";

const MINUTE = 60_000;
// `moments.test.mjs` runs this file at other times, too.
const NOW = Date.parse(process.env.CHECKUP_TEST_NOW ?? "2026-11-21T12:00:00Z");
const TODAY = Math.floor(NOW / DAY);

/** A series with a letter for each result, a minute apart, the last of them now. */
function series(letters, more = {}) {
  const first = NOW - (letters.length - 1) * MINUTE;
  const reasons = Object.fromEntries(
    [...letters].map((letter, i) => [i, letter === "h" ? null : `reason ${i}`]).filter(([, reason]) => reason),
  );
  return {
    title: "API",
    endpoint: "https://example.com",
    days: [],
    incidents: [],
    messages: [],
    recent: {
      at: [...letters].map((_, i) => (i ? MINUTE : first)),
      status: letters,
      rtt: [...letters].map((letter) => (letter === "d" ? null : 1000)),
      reasons,
    },
    ...more,
  };
}

function summary(list, more = {}) {
  const data = readSummary({
    version: 1,
    made: NOW,
    recent_from: TODAY * DAY,
    files: [],
    unread: [],
    days: {},
    windows: [],
    series: list,
    ...more,
  });
  for (const one of data.series.values()) one.prepared = preparedSeries(one);
  return data;
}

const only = (data) => [...data.series.values()][0];
const verdict = (data, quorum, now = NOW) => verdictOf([...checksOf(data).values()][0], quorum, now, data);
const at = (location, letters, more = {}) => series(letters, { location, ...more });

test("anything that is not a summary is refused, and a broken series costs only itself", () => {
  for (const bad of [null, [], "", { version: 3, series: [] }, { version: 1 }])
    assert.throws(() => readSummary(bad), TypeError);
  const data = summary([series("h"), { title: 7 }, null]);
  assert.equal(data.series.size, 1);
  assert.deepEqual([...data.unread], ["summary.json"]);
});

test("points are read from columns", () => {
  const data = summary([
    series("hg", {
      recent: {
        at: [NOW - 5, 5],
        status: "hg",
        rtt: [1, 2],
        low: [1, 1],
        high: [1, 3],
        reasons: { 1: "slow" },
        n: [4, 1],
      },
    }),
  ]);
  assert.deepEqual(only(data).points, [
    { at: NOW - 5, status: "healthy", rtt: 1, low: 1, high: 1, reason: null, n: 4 },
    { at: NOW, status: "degraded", rtt: 2, low: 1, high: 3, reason: "slow", n: 1 },
  ]);
});

test("a check file's results are added once, whatever the order", () => {
  const data = emptyData();
  const result = (ns, more) => ({
    title: "API",
    endpoint: "e",
    timestamp: ns,
    times: [{ rtt: 3_000_000 }, { rtt: 1_000_000 }],
    threshold: 5_000_000,
    healthy: true,
    ...more,
  });
  const later = result((NOW + 1000) * 1e6, {
    healthy: undefined,
    down: true,
    times: [{ rtt: 1, error: "refused" }, { rtt: 2_000_000 }],
  });
  addResults(data, [later, result(NOW * 1e6)]);
  addResults(data, [result(NOW * 1e6, { message: "We know." })]);
  const { points, messages, threshold } = only(data);
  assert.deepEqual(
    points.map(({ at: time, status, rtt, reason }) => [time, status, rtt, reason]),
    [
      [NOW, "healthy", 2000, null],
      [NOW + 1000, "down", 2000, "refused (1 of 2 attempts failed)"],
    ],
  );
  assert.deepEqual(messages, [{ at: NOW, text: "We know." }]);
  assert.equal(threshold, 5000);
});

test("two checks of one URL are two checks", () => {
  const data = summary([series("h"), series("d", { title: "API 2" })]);
  assert.deepEqual(
    [...checksOf(data).values()].map((check) => check.title),
    ["API", "API 2"],
  );
});

test("an alien file is refused as a whole, so that it costs itself alone", () => {
  const data = emptyData();
  for (const bad of [
    {},
    "text",
    7,
    [{ title: "x" }],
    [null],
    [
      { title: "ok", timestamp: 1 },
      { title: "x", timestamp: "no" },
    ],
  ]) {
    assert.throws(() => addResults(data, bad), TypeError);
  }
  assert.equal(data.series.size, 0);
});

test("whatever is in a summary or a file, what can be shown is shown", () => {
  const odd = [null, true, "x", -1e300, 1e300, NaN, {}, [], ["x"], { a: 1 }];
  for (const value of odd) {
    const one = {
      ...series("hd"),
      threshold: value,
      location: value,
      days: [[value, 1, 1, 1, 1], [TODAY - 1, value, 2, value, value, value], value],
      incidents: [{ from: value }, { from: NOW - DAY, to: value, status: value, reason: value }, value],
      messages: [{ at: value, text: "a" }, { at: NOW, text: value }, value],
      recent: { at: [NOW - MINUTE, MINUTE, value], status: value, rtt: [value, 2, value], reasons: value, n: value },
    };
    const data = summary([one, value], {
      windows: [{ from: value, to: NOW }, { from: NOW - 1, to: NOW, title: value, text: value }, value],
      made: value,
      unread: value,
      files: value,
    });
    const [check] = checksOf(data).values();
    assert.equal(check.series[0].days.length, 1);
    daysOf(check, TODAY, 90, data);
    for (const { at: time } of check.series[0].points) new Date(time).toISOString();
    for (const { from, to } of incidentsOfCheck(check, undefined, data, NOW))
      [from, to ?? 0].map((time) => new Date(time).toISOString());
    assert.ok(["healthy", "degraded", "down", "stale"].includes(verdictOf(check, undefined, NOW, data).underlying));
    const result = {
      title: "API",
      timestamp: NOW * 1e6,
      times: [{ rtt: value, error: value }, value],
      threshold: value,
      location: value,
      notice: value,
      message: value,
      maintenance: value,
      endpoint: value,
      down: value,
    };
    addResults(data, [result]);
    if (typeof value !== "number") assert.throws(() => addResults(data, [{ ...result, timestamp: value }]), TypeError);
  }
  assert.throws(() => addResults(emptyData(), [{ title: "API", timestamp: 1e300 }]), TypeError);
});

test("days have the counts of all locations, and today is counted from points", () => {
  const days = [[TODAY - 1, 10, 2, 1, 3, 100, 200, 300]];
  const data = summary([at("eu", "hd", { days }), at("us", "hh", { days })]);
  const found = daysOf([...checksOf(data).values()][0], TODAY, 3, data);
  assert.deepEqual(
    found.map(({ day, healthy, degraded, down, excluded }) => [day - TODAY, healthy, degraded, down, excluded]),
    [
      [-2, 0, 0, 0, 0],
      [-1, 20, 4, 2, 6],
      [0, 3, 0, 1, 0],
    ],
  );
  assert.deepEqual(
    found[1].locations.map(({ location }) => location),
    ["eu", "us"],
  );
});

test("quantiles of an open day are of the nearest rank", () => {
  const rtt = Array.from({ length: 100 }, (_, i) => i + 1);
  const data = summary([
    series("h".repeat(100), { recent: { at: rtt.map((_, i) => (i ? 1 : NOW - 99)), status: "h".repeat(100), rtt } }),
  ]);
  const [row] = openDays(only(data), data);
  assert.deepEqual([row.p50, row.p90, row.p99], [50, 90, 99]);
});

test("the rows of open days that a server sends are used, until a newer result is added", () => {
  const at = DAY * 20_000;
  const recent = { at: [at, 60_000], status: "hh", rtt: [7000, 90_000], n: [200, 1] };
  const series = { title: "API", endpoint: "e", recent, open: [[20_000, 201, 0, 0, 0, 7000, 8000, 188_000]] };
  const data = readSummary({ version: 1, series: [series] });
  const [read] = data.series.values();
  const today = () => openDays(read, data).map(({ healthy, p50, p99 }) => [healthy, p50, p99]);
  assert.deepEqual(today(), [[201, 7000, 188_000]]);
  addResults(data, [{ title: "API", endpoint: "e", timestamp: (at + 120_000) * 1e6, times: [{ rtt: 5e6 }], healthy: true }]);
  assert.deepEqual(today(), [[202, 7000, 90_000]]);
});

test("a check is down when the majority is, and degraded when fewer are", () => {
  const three = (a, b, c) => verdict(summary([at("a", a), at("b", b), at("c", c)])).status;
  assert.equal(three("hh", "hh", "hh"), "healthy");
  assert.equal(three("hd", "hh", "hh"), "degraded");
  assert.equal(three("hg", "hh", "hh"), "degraded");
  assert.equal(three("hd", "hd", "hh"), "down");
  assert.equal(verdict(summary([at("a", "hd"), at("b", "hh")])).status, "degraded");
  assert.equal(verdict(summary([at("a", "hd"), at("b", "hh")]), 1).status, "down");
  assert.equal(verdict(summary([at("a", "hd")]), 5).status, "down");
});

test("old results do not count, and with no fresh one a check is stale", () => {
  const data = summary([at("a", "hhhd"), at("b", "hhhh")]);
  assert.equal(verdict(data, undefined, NOW + 9 * MINUTE).status, "degraded");
  assert.equal(verdict(data, undefined, NOW + 11 * MINUTE).status, "stale");
  const hourly = { at: [NOW - 120 * MINUTE, 60 * MINUTE, 60 * MINUTE], status: "hhh", rtt: [1, 1, 1] };
  const slow = summary([series("h", { recent: hourly })]);
  assert.equal(verdict(slow, undefined, NOW + 170 * MINUTE).status, "healthy");
  assert.equal(verdict(slow, undefined, NOW + 190 * MINUTE).status, "stale");
});

test("checks that nobody runs any more are left out, unless all are so", () => {
  const days = [[TODAY - 5, 5, 0, 0, 0, 1, 1, 1]];
  const retired = { ...series(""), title: "Old", days, recent: undefined };
  const names = (data) =>
    verdictsOf([...checksOf(data).values()], undefined, NOW, data).map((one) => [one.check.title, one.status]);
  assert.deepEqual(names(summary([series("h"), retired])), [["API", "healthy"]]);
  const dead = summary([retired]);
  assert.deepEqual(names(dead), [["Old", "stale"]]);
  assert.equal(verdict(dead).last, (TODAY - 4) * DAY - 1);
});

test("a check in maintenance is not held against the whole", () => {
  const window = { from: NOW - MINUTE, to: NOW + MINUTE, title: "API", text: "" };
  const data = summary([series("hd"), series("hh", { title: "Web" })], { windows: [window] });
  const verdicts = [...checksOf(data).values()].map((check) => verdictOf(check, undefined, NOW, data));
  assert.deepEqual(
    verdicts.map(({ status, underlying }) => [status, underlying]),
    [
      ["maintenance", "down"],
      ["healthy", "healthy"],
    ],
  );
  assert.equal(overallOf(verdicts), "maintenance");
});

test("a clock that is ahead does not hide the present", () => {
  const recent = { at: [NOW - MINUTE, MINUTE, 21 * MINUTE], status: "hdh", rtt: [1, null, 1] };
  const ahead = verdict(summary([series("h", { recent })]));
  assert.deepEqual([ahead.status, ahead.since, ahead.last], ["down", NOW, NOW]);
  const soon = { ...recent, at: [NOW - MINUTE, MINUTE, 19 * MINUTE] };
  assert.equal(verdict(summary([series("h", { recent: soon })])).status, "healthy");
});

test("a check that was removed does not make the whole stale", () => {
  const old = { at: [NOW - 60 * MINUTE, MINUTE], status: "hd", rtt: [1, null] };
  const data = summary([series("hh"), series("h", { title: "Old", recent: old })]);
  const verdicts = verdictsOf([...checksOf(data).values()], undefined, NOW, data);
  const overall = (config) => overallOf(countedOf(verdicts, config));
  assert.equal(overall({ complete: true, groups: [{ name: "", checks: ["API"] }] }), "healthy");
  assert.equal(overall({ complete: true, groups: [{ name: "", checks: ["API", "Old"] }] }), "stale");
  assert.equal(overall({ groups: [{ name: "", checks: ["API"] }] }), "stale");
});

test("the whole is as bad as its worst check", () => {
  const overall = (...states) => overallOf(states.map((status) => ({ status })));
  assert.equal(overall(), "empty");
  assert.equal(overall("healthy", "degraded", "down", "stale"), "down");
  assert.equal(overall("healthy", "stale", "degraded"), "degraded");
  assert.equal(overall("healthy", "stale"), "stale");
  assert.equal(overall("healthy"), "healthy");
});

test("checks are in their groups, the others after them without a heading", () => {
  const verdicts = ["c", "a", "b", "d"].map((title) => ({
    status: title === "b" ? "down" : "healthy",
    check: { key: title, title },
  }));
  const names = (config) =>
    groupsOf(verdicts, config).map((group) => [group.name, group.verdicts.map((one) => one.check.title).join("")]);
  const groups = [{ name: "One", checks: ["b", "a", "missing"] }];
  assert.deepEqual(names({ groups, order: "config" }), [
    ["One", "ba"],
    ["", "cd"],
  ]);
  assert.deepEqual(names({ groups, order: "name" }), [
    ["One", "ab"],
    ["", "cd"],
  ]);
  assert.deepEqual(names({ groups: [], order: "status" }), [["", "bacd"]]);
});

test("the median of an even number of values is the mean of the middle two", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([]), null);
  assert.equal(dayOf(TODAY * DAY - 1), TODAY - 1);
});

test("uptime is a share of time: degraded is up, and maintenance and unknown time do not count", () => {
  const data = summary([series("hhgdhh")]);
  const share = (from, of = data) => uptime([only(of)], NOW - from, of, NOW);
  assert.equal(share(5 * MINUTE), 4 / 5);
  assert.equal(share(DAY), 4 / 5, "before the first result nothing is known");
  const window = { from: NOW - 2 * MINUTE, to: NOW - MINUTE, title: "API", text: "" };
  assert.equal(share(5 * MINUTE, summary([series("hhgdhh")], { windows: [window] })), 1);
  const others = summary([series("hhgdhh")], { windows: [{ ...window, title: "Web" }] });
  assert.equal(share(5 * MINUTE, others), 4 / 5);
});

test("uptime of several locations is that of their votes", () => {
  const data = summary([at("a", "hdddh"), at("b", "hhdhh"), at("c", "hhhhh")]);
  assert.equal(uptime([...checksOf(data).values()][0].series, NOW - 4 * MINUTE, data, NOW), 3 / 4);
});

test("runs of closed days and points after them are one time", () => {
  const runs = {
    at: [NOW - 3 * DAY, DAY, 60 * MINUTE],
    length: [DAY - MINUTE, 59 * MINUTE, 2 * DAY - 70 * MINUTE],
    every: [MINUTE, MINUTE, MINUTE],
    status: "hdh",
    n: [1440, 60, 2800],
    reasons: { 1: [["refused", 60]] },
  };
  const data = summary([series("hhhhhhhhhh", { runs })]);
  const [incident, ...rest] = incidentsOf(only(data), data, NOW);
  assert.equal(rest.length, 0);
  const shown = [incident.from - NOW, incident.to - NOW, incident.status, incident.reason];
  assert.deepEqual(shown, [-2 * DAY, -2 * DAY + 60 * MINUTE, "down", "refused"]);
  assert.equal(uptime([only(data)], NOW - 3 * DAY, data, NOW), 1 - 60 / (3 * 1440));
  assert.equal(uptime([only(data)], NOW - DAY, data, NOW), 1);
});

test("runs that cannot be are none", () => {
  const runs = { at: [NOW, -5], length: [0, 0], every: [0, 0], status: "hd", n: [1, 1] };
  for (const odd of [runs, { ...runs, at: [NOW, 5], status: "hx" }, { ...runs, at: [NOW, 5], length: [9, 0] }, 7, {}])
    assert.equal(summary([series("h", { runs: odd })]).series.values().next().value.runs.length, 0);
});

test("a summary of the first version has its days and incidents", () => {
  const days = [
    [TODAY - 2, 5, 0, 5, 0, 1, 1, 1],
    [TODAY - 1, 10, 0, 0, 0, 1, 1, 1],
  ];
  const incidents = [{ from: (TODAY - 2) * DAY + 60 * MINUTE, status: "down", reason: "off" }];
  const data = summary([series("h".repeat(12), { days, incidents })], { version: 1 });
  const [incident] = incidentsOf(only(data), data, NOW);
  assert.deepEqual(
    [incident.from, incident.to, incident.reason],
    [(TODAY - 2) * DAY + 60 * MINUTE, (TODAY - 1) * DAY, "off"],
  );
});

test("an incident is from the first of two bad results to the first of two good ones", () => {
  const data = summary([series("hdhggddghgdhhhd")]);
  const first = only(data).points[0].at;
  const found = incidentsOf(only(data), data, NOW);
  assert.equal(found.length, 1, "single bad results are none");
  assert.deepEqual([found[0].from - first, found[0].to - first], [3 * MINUTE, 11 * MINUTE]);
  assert.deepEqual(
    found[0].segments.map(({ status }) => status),
    ["degraded", "down", "degraded", "down"],
  );
  assert.deepEqual([found[0].status, found[0].reason], ["down", "reason 5"]);
});

test("an incident of several locations is down only while the quorum is", () => {
  const data = summary([at("eu", "hddddh"), at("us", "hhhddd"), at("ap", "hhhhhh")]);
  const [incident, ...rest] = incidentsOfCheck([...checksOf(data).values()][0], undefined, data, NOW);
  assert.equal(rest.length, 0);
  assert.deepEqual([incident.locations, incident.to, incident.from], [["eu", "us"], undefined, NOW - 4 * MINUTE]);
  const lengths = incident.segments.map(({ status, from, to }) => [status, (to - from) / MINUTE]);
  assert.deepEqual(lengths, [
    ["degraded", 2],
    ["down", 2],
  ]);
});

test("an incident at fewer locations than the quorum is a degradation", () => {
  const data = summary([at("eu", "hddhh"), at("us", "hhhhh"), at("ap", "hhhhg")]);
  const found = (quorum) =>
    incidentsOfCheck([...checksOf(data).values()][0], quorum, data, NOW).map(({ status, locations }) => [status, locations]);
  assert.deepEqual(found(undefined), [["degraded", ["eu"]]]);
  assert.deepEqual(found(1), [["down", ["eu"]]]);
});

test("a location that falls silent ends its incident, which is marked", () => {
  const data = summary([series("hhdd")]);
  const later = NOW + 60 * MINUTE;
  const [incident] = incidentsOf(only(data), data, later);
  assert.deepEqual([incident.to, incident.lastSeen], [NOW + 10 * MINUTE, NOW]);
  assert.equal(incidentsOf(only(data), data, NOW + MINUTE)[0].to, undefined);
});

test("a check is down since the quorum is, and healthy since the last location is", () => {
  const data = summary([at("a", "hhdddd"), at("b", "hhhddd"), at("c", "hhhhhh")]);
  assert.equal(verdict(data).since, NOW - 2 * MINUTE);
  const recovered = summary([at("a", "hddhh"), at("b", "hdddh")]);
  assert.equal(verdict(recovered).since, NOW);
});

test("the usual interval is that of the neighbours", () => {
  const times = [0, 1, 2, 3, 100, 101, 102].map((minute) => minute * MINUTE);
  assert.equal(usualIntervalAt(times, 3), MINUTE);
  assert.equal(usualIntervalAt([5], 0), null);
  assert.equal(validity(60 * MINUTE), 180 * MINUTE);
  assert.deepEqual(smooth([], NOW), []);
});

test("results in any order are in order, and each once", () => {
  const data = emptyData();
  const result = (i) => ({ title: "API", timestamp: (NOW - i * 1000) * 1e6, times: [{ rtt: 1 }], healthy: true });
  addResults(data, Array.from({ length: 50_000 }, (_, i) => result(i)));
  addResults(data, [result(7), result(49_999)]);
  const { points } = only(data);
  assert.equal(points.length, 50_000);
  assert.ok(points.every((point, i) => !i || point.at > points[i - 1].at));
});

test("maintenance of centuries is left out, and so are negative and huge numbers", () => {
  const data = summary([series("h", { days: [[TODAY - 1, 1e308, -5, 2, 0, -1, 1e300, 3]] })], {
    windows: [{ from: -9e15, to: 9e15, text: "" }, { from: NOW, to: NOW + 401 * DAY, text: "" }],
  });
  assert.equal(data.windows.length, 0);
  const [day] = only(data).days;
  assert.deepEqual([day.healthy, day.degraded, day.down, day.p50, day.p90, day.p99], [0, 0, 2, null, null, 3]);
});

test("the days of a part are added before those of the summary", () => {
  const runs = (from, length) => ({ at: [from], length: [length], every: [MINUTE], status: "h", n: [9], reasons: {} });
  const day = (n) => [TODAY - n, 9, 0, 0, 0, 1, 1, 1];
  const data = summary([series("hh", { days: [day(1)], runs: runs((TODAY - 1) * DAY, DAY - MINUTE) })], {
    parts: [{ name: "summary-1-2-0123456789abcdef.json", from: 1, to: TODAY - 2 }, { name: "../x", from: 1, to: 2 }],
  });
  assert.equal(data.parts.length, 1);
  const older = [series("", { recent: undefined, days: [day(3), day(2)], runs: runs((TODAY - 3) * DAY, 2 * DAY - MINUTE) })];
  addPart(data, { version: 2, series: older });
  assert.deepEqual(
    only(data).days.map((one) => one.day - TODAY),
    [-3, -2, -1],
  );
  assert.equal(uptime([only(data)], NOW - 4 * DAY, data, NOW), 1);
  assert.throws(() => addPart(data, {}), TypeError);
});

test("a result without a verdict says nothing about the check", () => {
  const data = emptyData();
  addResults(data, [{ title: "API", timestamp: NOW * 1e6, times: [{ rtt: 1, error: "too many open files" }], unknown: true }]);
  assert.equal(data.series.size, 0);
});
