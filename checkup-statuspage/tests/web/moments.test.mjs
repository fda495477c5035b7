// Runs the other suites near the start and the end of a UTC day, at both changes of daylight saving time and on a leap day.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";

const MOMENTS = [
  "2026-11-25T00:01:00Z",
  "2026-11-25T02:30:00Z",
  "2026-11-25T12:00:00Z",
  "2026-11-25T23:59:00Z",
  "2026-03-29T01:30:00Z",
  "2026-10-25T01:30:00Z",
  "2028-02-29T00:01:00Z",
  "2028-02-29T12:00:00Z",
];
const ZONES = ["Europe/Berlin", "America/Los_Angeles"];
const SUITES = ["data", "model", "text"];

function run(suite, environment) {
  const file = fileURLToPath(new URL(`${suite}.test.mjs`, import.meta.url));
  // Without this, a suite that a suite starts reports to its parent instead of by its exit code.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const env = { ...inherited, ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [file], { env }, (error, output) => resolve({ failed: Boolean(error), output }));
  });
}

for (const now of MOMENTS) {
  test(`the suites pass at ${now}`, async () => {
    for (const zone of ZONES) {
      const runs = await Promise.all(SUITES.map((suite) => run(suite, { CHECKUP_TEST_NOW: now, TZ: zone })));
      for (const { failed, output } of runs) {
        assert.ok(!failed, `${zone}: ${output}`);
        assert.match(output, /pass [1-9]/u, "tests have run");
      }
    }
  });
}
