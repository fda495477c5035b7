// What the page fetches and what it does not, over a fake network.

import assert from "node:assert/strict";
import test from "node:test";

import { loaderOf } from "../../web/data.js";

// `moments.test.mjs` runs this file at other times, too.
const NOW = Date.parse(process.env.CHECKUP_TEST_NOW ?? "2026-11-22T09:33:20Z");
const HOUR = 3_600_000;
const name = (at) => `${at}000000-check.json`;
const file = (at, more = {}) => [
  { title: "API", endpoint: "e", timestamp: at * 1e6, times: [{ rtt: 1 }], healthy: true, ...more },
];

/** A folder on the web: `files` by name, as text or as a value that becomes JSON. Returns the paths that are fetched. */
function folder(files) {
  const asked = [];
  globalThis.fetch = async (url) => {
    const path = decodeURIComponent(url.pathname.slice(1));
    asked.push(path);
    const content = files[path];
    if (content === undefined) return new Response("", { status: 404 });
    if (content instanceof Error) throw content;
    return new Response(typeof content === "string" ? content : JSON.stringify(content));
  };
  return asked;
}

const loader = (more = {}) =>
  loaderOf({ source: { type: "index", url: "https://example.com/" }, timeframe: 24 * HOUR, ...more });

async function load(from, now = NOW) {
  const counts = [];
  let last;
  for await (const data of from.load(now)) {
    last = data;
    counts.push([...data.series.values()].reduce((sum, series) => sum + series.points.length, 0));
  }
  return { data: last, counts };
}

function index(files) {
  files["index.json"] = Object.fromEntries(
    Object.keys(files)
      .filter((key) => key.includes("-check"))
      .map((key) => [key, 1]),
  );
  return files;
}

test("without a summary, the check files of the timeframe are read, the newest first, in parts", async () => {
  const files = {};
  for (let i = 0; i < 70; i += 1) files[name(NOW - i * 60_000)] = file(NOW - i * 60_000);
  files[name(NOW - 25 * HOUR)] = file(NOW - 25 * HOUR);
  const asked = folder(index(files));
  const { counts, data } = await load(loader());
  assert.deepEqual(counts, [30, 60, 70]);
  const newest = Object.keys(files)
    .filter((key) => key.includes("-check"))
    .sort()
    .reverse();
  assert.deepEqual(new Set(asked.slice(2, 32)), new Set(newest.slice(0, 30)));
  assert.ok(!asked.includes(name(NOW - 25 * HOUR)));
  assert.equal([...data.series.values()][0].points[0].at, NOW - 69 * 60_000);
});

test("a file is fetched once", async () => {
  const files = index({ [name(NOW - 1000)]: file(NOW - 1000) });
  const asked = folder(files);
  const from = loader();
  await load(from);
  files[name(NOW)] = file(NOW);
  index(files);
  const { version } = from;
  const { counts } = await load(from);
  assert.deepEqual(counts, [2]);
  assert.equal(from.version, version + 1);
  await load(from);
  assert.equal(from.version, version + 1, "nothing is new");
  assert.equal(asked.filter((path) => path === name(NOW - 1000)).length, 1);
});

test("what the summary has is not fetched, nor what is older than its details", async () => {
  const files = {
    [name(NOW - 3 * HOUR)]: file(NOW - 3 * HOUR),
    [name(NOW - HOUR)]: file(NOW - HOUR),
    [name(NOW)]: file(NOW),
  };
  const summary = {
    version: 1,
    made: NOW,
    recent_from: NOW - 2 * HOUR,
    files: [name(NOW - HOUR)],
    unread: [],
    series: [],
  };
  files["summary.json"] = summary;
  const asked = folder(index(files));
  const from = loader();
  assert.deepEqual((await load(from)).counts, [1]);
  assert.deepEqual(
    asked.filter((path) => path.includes("-check")),
    [name(NOW)],
  );
  // With a new summary, what was read before and is not in it stays.
  files["summary.json"] = { ...summary, made: NOW + 1 };
  assert.deepEqual((await load(from)).counts, [1]);
  assert.deepEqual(
    asked.filter((path) => path.includes("-check")),
    [name(NOW)],
  );
});

test("an unreadable file loses only its own results, and is tried three times", async () => {
  const bad = [NOW - 3000, NOW - 2000, NOW - 1000].map(name);
  const files = index({
    [bad[0]]: "[{",
    [bad[1]]: { not: "results" },
    [bad[2]]: new TypeError("no network"),
    [name(NOW)]: file(NOW),
  });
  const asked = folder(files);
  const from = loader();
  for (let i = 0; i < 5; i += 1) assert.deepEqual((await load(from)).counts, [1]);
  assert.deepEqual(from.unread.sort(), bad);
  for (const path of bad) assert.equal(asked.filter((one) => one === path).length, 3);
});

test("a file that is complete at the next load is no longer reported", async () => {
  const files = index({ [name(NOW)]: "[{" });
  folder(files);
  const from = loader();
  await load(from);
  assert.equal(from.unread.length, 1);
  files[name(NOW)] = file(NOW);
  assert.deepEqual((await load(from)).counts, [1]);
  assert.equal(from.unread.length, 0);
});

test("only names of check files are fetched", async () => {
  const files = index({
    "../../etc/passwd-check.json": [],
    "x-check.json": [],
    "1795339999999000000-check.json.html": [],
    "https://evil.example/1795339999999000000-check.json": [],
  });
  const asked = folder(files);
  await load(loader());
  assert.deepEqual(
    asked.filter((path) => path.includes("check")),
    [],
  );
});

test("names may have a location and a hash", async () => {
  const named = `${NOW}000000-eu-west-0123456789abcdef-check.json`;
  folder(index({ [named]: file(NOW, { location: "eu-west" }) }));
  const { data } = await load(loader());
  assert.equal([...data.series.values()][0].location, "eu-west");
});

test("an empty folder has no results, and a list that cannot be read is an error after the summary", async () => {
  folder({});
  assert.deepEqual((await load(loader())).counts, [0]);
  const summary = {
    version: 1,
    made: NOW,
    recent_from: 0,
    series: [{ title: "API", endpoint: "e", recent: { at: [NOW], status: "h", rtt: [1] } }],
  };
  folder({ "summary.json": summary, "index.json": "{" });
  const seen = [];
  await assert.rejects(async () => {
    for await (const data of loader().load(NOW)) seen.push(data.series.size);
  }, /index\.json is not valid JSON/u);
  assert.deepEqual(seen, [1]);
});

test("an index that is not an object is an error", async () => {
  for (const bad of ["5", "[1, 2]", "null", '"x"']) {
    folder({ "index.json": bad });
    await assert.rejects(() => load(loader()), /index\.json is not an index/u, bad);
  }
});

/** A bucket's answer to a request for its list: a status and the name of the document's root. */
function listing(answers) {
  globalThis.XMLHttpRequest = class {
    open(_, url) {
      this.url = url;
    }
    overrideMimeType() {}
    send() {
      const [status, root, keys = []] = answers();
      const nodes = { Key: keys.map((key) => ({ textContent: key })) };
      this.status = status;
      this.response = root && {
        documentElement: { localName: root },
        getElementsByTagName: (tag) => nodes[tag] ?? [],
      };
      queueMicrotask(() => (status ? this.onload() : this.onerror()));
    }
  };
}

const bucket = () => loader({ source: { type: "s3", url: "https://example.com/", prefix: "checks/" } });

test("a bucket that refuses to be listed is read by its index", async () => {
  for (const answer of [[403], [401], [404], [200, "html"], [200, null], [0]]) {
    let lists = 0;
    listing(() => ((lists += 1), answer));
    const files = { [`checks/${name(NOW)}`]: file(NOW), "checks/index.json": { [name(NOW)]: NOW * 1e6 } };
    folder(files);
    const from = bucket();
    assert.deepEqual((await load(from)).counts, [1], String(answer));
    await load(from);
    assert.equal(lists, answer[0] ? 1 : 2, "a refusal is remembered, a failure is not");
  }
});

test("without an index, a bucket that refuses to be listed is an error", async () => {
  listing(() => [403]);
  folder({});
  await assert.rejects(() => load(bucket()), /the list of files: HTTP status 403/u);
});

test("a bucket that can be listed needs no index", async () => {
  listing(() => [200, "ListBucketResult", [`checks/${name(NOW)}`]]);
  const asked = folder({ [`checks/${name(NOW)}`]: file(NOW) });
  assert.deepEqual((await load(bucket())).counts, [1]);
  assert.ok(!asked.includes("checks/index.json"));
});

test("data that is not JSON is reported in plain words", async () => {
  globalThis.fetch = async () => new Response("<html>502 Bad Gateway</html>");
  const from = loaderOf({ source: { type: "api" }, timeframe: HOUR });
  await assert.rejects(() => load(from), { message: "summary.json is not valid JSON" });
});

test("a broken summary is noted, and the check files are read", async () => {
  folder(index({ "summary.json": "{", [name(NOW)]: file(NOW) }));
  const from = loader();
  assert.deepEqual((await load(from)).counts, [1]);
  assert.equal(from.notes.length, 1);
});

test("of too many files, the oldest are left out with a note", async () => {
  const files = {};
  for (let i = 0; i < 2100; i += 1) files[name(NOW - i * 1000)] = file(NOW - i * 1000);
  folder(index(files));
  const from = loader();
  const { counts } = await load(from);
  assert.equal(counts.at(-1), 2000);
  assert.match(from.notes[0], /^100 older files were left out/u);
});

test("data from a server is read again only if its tag changes, and the server's clock is used", async () => {
  let tag = '"a"';
  let reads = 0;
  const summary = { version: 1, made: NOW, recent_from: 0, series: [] };
  globalThis.fetch = async () => {
    const response = new Response(JSON.stringify(summary), {
      headers: { etag: tag, date: new Date(Date.now() + HOUR).toUTCString() },
    });
    response.json = async () => ((reads += 1), summary);
    return response;
  };
  const from = loaderOf({ source: { type: "api" }, timeframe: HOUR });
  await load(from);
  await load(from);
  assert.equal(reads, 1);
  assert.equal(from.version, 1);
  assert.ok(Math.abs(from.ahead - HOUR) < 5000);
  tag = '"b"';
  await load(from);
  assert.equal(reads, 2);
});
