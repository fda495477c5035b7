// What the page derives from data, without a browser: `node --test checkup-statuspage/tests/web/`.

import assert from "node:assert/strict";
import test from "node:test";

import { addResults, dayOf, emptyData, median, readSummary } from "../../web/model.js";
import { checksOf, daysOf, incidentsOf, incidentsOfCheck, openDays, uptime } from "../../web/history.js";
import { countedOf, groupsOf, overallOf, preparedSeries, usualInterval, verdictOf, verdictsOf } from "../../web/verdict.js";
import { DAY } from "../../web/text.js";

const MINUTE = 60_000;
const TODAY = 20_778;
const NOW = TODAY * DAY + 12 * 60 * MINUTE;

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
  for (const one of data.series.values()) one.prepared = preparedSeries(one, data);
  return data;
}

const only = (data) => [...data.series.values()][0];
const verdict = (data, quorum, now = NOW) => verdictOf([...checksOf(data).values()][0], quorum, now, data);
const at = (location, letters, more = {}) => series(letters, { location, ...more });

test("what is no summary of version 1 is refused, and a broken series costs itself alone", () => {
  for (const bad of [null, [], "", { version: 2, series: [] }, { version: 1 }])
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
    for (const { from, to } of incidentsOfCheck(check, undefined, data))
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

test("uptime counts degraded as up, and leaves maintenance out", () => {
  const data = summary([series("hhgd")]);
  assert.equal(uptime([only(data)], NOW - DAY / 2, data), 3 / 4);
  const planned = summary([series("hhgd")], { windows: [{ from: NOW, to: NOW + 1, title: "API", text: "" }] });
  assert.equal(uptime([only(planned)], NOW - DAY / 2, planned), 1);
  const others = summary([series("hhgd")], { windows: [{ from: NOW, to: NOW + 1, title: "Web", text: "" }] });
  assert.equal(uptime([only(others)], NOW - DAY / 2, others), 3 / 4);
});

test("uptime of a longer time takes closed days whole, and the points of the others", () => {
  const days = [
    [TODAY - 10, 0, 0, 100, 0, null, null, null],
    [TODAY - 2, 90, 0, 10, 5, 1, 2, 3],
  ];
  const data = summary([series("hhhhhhhhhh", { days })]);
  assert.equal(uptime([only(data)], NOW - 7 * DAY, data), 100 / 110);
  assert.equal(uptime([only(data)], NOW - 30 * DAY, data), 100 / 210);
  assert.equal(uptime([only(data)], NOW - MINUTE, data), 1);
});

test("joined points weigh as much as the results that they stand for", () => {
  const data = summary([
    series("hd", { recent: { at: [NOW - MINUTE, MINUTE], status: "hd", rtt: [1, null], n: [9, 1] } }),
  ]);
  assert.equal(uptime([only(data)], NOW - DAY / 2, data), 0.9);
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

test("an incident is from the first bad result to the recovery, with the worst status and its reason", () => {
  const data = summary([series("hhgddghhd")]);
  const first = only(data).points[0].at;
  assert.deepEqual(
    incidentsOf(only(data), data).map(({ continued, ...rest }) => rest),
    [
      { from: first + 2 * MINUTE, to: first + 6 * MINUTE, status: "down", reason: "reason 3" },
      { from: NOW, to: undefined, status: "down", reason: "reason 8" },
    ],
  );
});

test("incidents of single days are joined over the days", () => {
  const day = (n) => [TODAY - n, 5, 0, 5, 0, 1, 1, 1];
  const incidents = [
    { from: (TODAY - 3) * DAY + 5, status: "degraded", reason: "slow" },
    { from: (TODAY - 2) * DAY + 1, status: "down", reason: "off", continued: true },
    { from: (TODAY - 1) * DAY + 1, status: "down", reason: "off", continued: true },
  ];
  const data = summary([series("dh", { days: [day(3), day(2), day(1)], incidents })]);
  assert.deepEqual(incidentsOf(only(data), data), [
    { from: (TODAY - 3) * DAY + 5, to: NOW, status: "down", reason: "off" },
  ]);
});

test("an incident that the next day does not continue ended with its day", () => {
  const days = [
    [TODAY - 2, 5, 0, 5, 0, 1, 1, 1],
    [TODAY - 1, 5, 0, 5, 0, 1, 1, 1],
  ];
  const incidents = [
    { from: (TODAY - 2) * DAY + 5, status: "down", reason: "a" },
    { from: (TODAY - 1) * DAY + 9, status: "down", reason: "b" },
  ];
  const data = summary([series("h", { days, incidents })]);
  assert.deepEqual(
    incidentsOf(only(data), data).map(({ from, to }) => [from, to]),
    [
      [(TODAY - 2) * DAY + 5, (TODAY - 1) * DAY],
      [(TODAY - 1) * DAY + 9, NOW],
    ],
  );
});

test("an incident that goes on from the day before is joined by the day that it was found in", () => {
  const days = [
    [TODAY - 2, 5, 0, 5, 0, 1, 1, 1],
    [TODAY - 1, 5, 0, 5, 0, 1, 1, 1],
  ];
  const incidents = [
    { from: (TODAY - 2) * DAY - 5, day: TODAY - 2, status: "down", reason: "a" },
    { from: (TODAY - 1) * DAY + 1, status: "down", reason: "b", continued: true },
  ];
  const data = summary([series("h", { days, incidents })]);
  assert.deepEqual(incidentsOf(only(data), data), [
    { from: (TODAY - 2) * DAY - 5, to: NOW, status: "down", reason: "a" },
  ]);
});

test("an incident ends with the first good day after it, though there are later results in detail", () => {
  const days = [
    [TODAY - 2, 5, 0, 5, 0, 1, 1, 1],
    [TODAY - 1, 5, 0, 0, 0, 1, 1, 1],
  ];
  const incidents = [{ from: (TODAY - 2) * DAY + 5, status: "down", reason: "a" }];
  const data = summary([series("h", { days, incidents })]);
  assert.equal(incidentsOf(only(data), data)[0].to, (TODAY - 1) * DAY);
});

test("incidents of locations that overlap are one", () => {
  const data = summary([at("eu", "hdddh"), at("us", "hhddd"), at("ap", "hhhhh")]);
  const [incident, ...rest] = incidentsOfCheck([...checksOf(data).values()][0], undefined, data);
  assert.equal(rest.length, 0);
  assert.deepEqual([incident.locations, incident.to, incident.from], [["eu", "us"], undefined, NOW - 3 * MINUTE]);
  assert.equal(incident.status, "down");
});

test("an incident at fewer locations than the quorum is a degradation", () => {
  const data = summary([at("eu", "hdh"), at("us", "hhh"), at("ap", "hhg")]);
  const found = (quorum) =>
    incidentsOfCheck([...checksOf(data).values()][0], quorum, data).map(({ status, locations }) => [status, locations]);
  assert.deepEqual(found(undefined), [
    ["degraded", ["ap"]],
    ["degraded", ["eu"]],
  ]);
  assert.deepEqual(found(1), [
    ["degraded", ["ap"]],
    ["down", ["eu"]],
  ]);
});

test("an incident that begins when another has ended is another", () => {
  const data = summary([at("eu", "dhh"), at("us", "hdh")]);
  assert.equal(incidentsOfCheck([...checksOf(data).values()][0], undefined, data).length, 2);
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

test("a check is down since the first location that is, and healthy since the last that is", () => {
  const data = summary([at("a", "hhddd"), at("b", "hhhdd"), at("c", "hhhhh")]);
  assert.equal(verdict(data).since, NOW - 2 * MINUTE);
  const recovered = summary([at("a", "hddhh"), at("b", "hdddh")]);
  assert.equal(verdict(recovered).since, NOW);
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

test("the usual interval is that of the results, not of joined points", () => {
  const points = [
    { at: 0, n: 1 },
    { at: 5 * MINUTE, n: 5 },
    { at: 10 * MINUTE, n: 5 },
  ];
  assert.equal(usualInterval({ points }), MINUTE);
  assert.equal(usualInterval({ points: points.slice(0, 1) }), null);
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

test("checks stand in their groups, the others after them without a heading", () => {
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
