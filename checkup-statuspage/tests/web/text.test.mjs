import assert from "node:assert/strict";
import test from "node:test";

import { checkName, duration, isolate, percent, rich, roundTrip, safeUrl, shorten } from "../../web/text.js";

/** The parts of a document that links and emphasis need. */
globalThis.document = {
  createElement: (tag) => ({
    tag,
    attributes: {},
    children: [],
    setAttribute(name, value) {
      this.attributes[name] = value;
    },
    append(...nodes) {
      this.children.push(...nodes);
    },
  }),
};

const shape = (nodes) =>
  nodes.map((node) => (typeof node === "string" ? node : [node.tag, node.attributes.href ?? null, ...node.children]));

test("durations have at most two units", () => {
  const cases = {
    0: "0 s",
    59_000: "59 s",
    60_000: "1 min",
    3_599_000: "59 min",
    3_600_000: "1 h",
    8_040_000: "2 h 14 min",
    90_000_000: "1 d 1 h",
    1_728_000_000: "20 d",
  };
  for (const [ms, words] of Object.entries(cases)) assert.equal(duration(Number(ms)), words);
});

test("100 % means all", () => {
  const cases = [
    [1, "100 %"],
    [0.99999, "99.99 %"],
    [0.9995, "99.95 %"],
    [0, "0.00 %"],
    [null, "no data"],
  ];
  for (const [share, words] of cases) assert.equal(percent(share), words);
});

test("round-trip times have fitting units", () => {
  const cases = [
    [400, "0.4 ms"],
    [12_345, "12 ms"],
    [999_000, "999 ms"],
    [1_254_000, "1.25 s"],
    [null, "none"],
  ];
  for (const [us, words] of cases) assert.equal(roundTrip(us), words);
});

test("a check with a blank name is shown by its endpoint", () => {
  assert.equal(checkName({ title: "API", endpoint: "https://example.com" }), "API");
  for (const title of ["", "   ", "\u200b\u00a0"])
    assert.equal(checkName({ title, endpoint: "https://example.com" }), "https://example.com");
  assert.equal(checkName({ title: " ", endpoint: "" }), "Unnamed check");
});

test("text from right to left is isolated from the sentence around it", () => {
  assert.equal(isolate("eu-west"), "eu-west");
  assert.equal(isolate("أوروبا"), "\u2068أوروبا\u2069");
  assert.equal(isolate("a\u202eb"), "\u2068a\u202eb\u2069");
});

test("a long text is cut, and says how much is missing", () => {
  assert.equal(shorten("short"), "short");
  assert.equal(shorten("x".repeat(1_000_000)), `${"x".repeat(2000)} … (998,000 more characters)`);
  assert.equal(shorten("ab😀c", 3), "ab … (3 more characters)", "no half of a pair is left");
  assert.ok(rich("*a* ".repeat(300_000)).length < 2010);
});

test("links and emphasis become elements", () => {
  assert.deepEqual(shape(rich("See [the notes](https://example.com/a), **now** or *soon*.")), [
    "See ",
    ["a", "https://example.com/a", "the notes"],
    ", ",
    ["strong", null, "now"],
    " or ",
    ["em", null, "soon"],
    ".",
  ]);
  assert.deepEqual(shape(rich("At https://example.com/x?a=1. Or (https://example.com/y)!")), [
    "At ",
    ["a", "https://example.com/x?a=1", "https://example.com/x?a=1"],
    ".",
    " Or (",
    ["a", "https://example.com/y", "https://example.com/y"],
    ")!",
  ]);
});

test("everything else stays text", () => {
  const texts = [
    "[x](javascript:alert(1))",
    "[x](data:text/html,hi)",
    "[x](//example.com)",
    "<b>no</b>",
    "2 * 3 * 4",
    "snake_case_name",
    "* item",
    "[x](ftp://example.com)",
  ];
  for (const text of texts)
    assert.deepEqual(
      shape(rich(text))
        .map((node) => (Array.isArray(node) ? "element" : node))
        .join(""),
      text,
    );
});

test("only URLs for the web and for mail are links", () => {
  for (const good of ["https://example.com", "http://example.com/a?b#c", "mailto:ops@example.com"])
    assert.equal(safeUrl(good), good);
  const bad = [
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:x",
    "file:///etc/passwd",
    "https://",
    7,
    null,
    undefined,
  ];
  for (const url of bad) assert.equal(safeUrl(url, true), null, String(url));
  assert.equal(safeUrl("logo.svg", true), "logo.svg");
  assert.equal(safeUrl("logo.svg"), null);
});
