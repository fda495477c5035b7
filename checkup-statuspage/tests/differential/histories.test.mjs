// The page derives the same from the same results as `checkup-core`, over random histories. `.ci/browser` makes them:
// cargo run -p checkup-core --example random_histories -- 2000 > target/histories.jsonl

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import test from "node:test";

import { addResults, emptyData, readSummary } from "../../web/model.js";
import { availability, checksOf, incidentsOfCheck } from "../../web/history.js";
import { preparedSeries, verdictOf } from "../../web/verdict.js";
import { DAY } from "../../web/text.js";

const FILE = process.env.HISTORIES ?? new URL("../../../target/histories.jsonl", import.meta.url);
const AT_LEAST = 2000;

test("the page derives the same as checkup-core over random histories", async () => {
  let count = 0;
  let incidents = 0;
  for await (const line of createInterface({ input: createReadStream(FILE) })) {
    const expected = JSON.parse(line);
    const { seed, now, quorum, failures, successes } = expected;
    const data = expected.summary ? readSummary(expected.summary) : emptyData();
    addResults(data, expected.results.filter(({ timestamp }) => timestamp / 1e6 >= data.recentFrom));
    for (const series of data.series.values()) series.prepared = preparedSeries(series);
    data.hysteresis = new Map([["API", { failures, successes }]]);
    const check = [...checksOf(data).values()][0];
    if (!check) continue;
    const verdict = verdictOf(check, quorum, now, data, true);
    const state = verdict.underlying === "stale" ? "unknown" : verdict.underlying;
    assert.equal(state, expected.state, `seed ${seed}`);
    if (state !== "unknown") assert.equal(verdict.since, expected.since, `seed ${seed}`);
    const lengths = [1, 3].map((days) => availability(check.series, now - days * DAY, data, now, quorum));
    assert.deepEqual(lengths, expected.availability, `seed ${seed}`);
    const found = incidentsOfCheck(check, quorum, data, now).reverse().map(shown);
    assert.deepEqual(found, expected.incidents, `seed ${seed}`);
    incidents += found.length;
    count += 1;
  }
  assert.ok(count >= AT_LEAST * 0.9, `only ${count} histories`);
  assert.ok(incidents >= count, `only ${incidents} incidents`);
});

function shown({ id, from, to, lastSeen, status, reason, inMaintenance, segments }) {
  return { id, from, to: to ?? null, lastSeen: lastSeen ?? null, status, reason, inMaintenance, segments };
}
