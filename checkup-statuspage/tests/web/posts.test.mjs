// Posts: the page and `checkup-core` choose the same versions and the same order. `tests/serve/posts.rs` reads the same cases.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { addResults, emptyData, messagesOf, readSummary } from "../../web/model.js";
import { checksOf } from "../../web/history.js";

const { cases } = JSON.parse(readFileSync(new URL("posts.json", import.meta.url), "utf8"));
const ABOUT = { title: "API", endpoint: "https://example.com", series: [] };

/** What a page shows of these results: its messages and its windows. */
function shown(data) {
  const check = [...checksOf(data).values()][0] ?? ABOUT;
  return {
    messages: messagesOf(data, check).map(({ at, text, state }) => [at, text, state]),
    windows: data.windows.map(({ from, to, text }) => [from, to, text]),
  };
}

for (const { name, results, messages, windows } of cases) {
  test(name, () => {
    const expected = { messages, windows };
    for (const [order, list] of Object.entries({ forwards: results, backwards: results.toReversed(), twice: [...results, ...results] })) {
      const data = emptyData();
      addResults(data, list);
      const found = shown(data);
      const states = messages.map((message) => message.length > 2);
      found.messages = found.messages.map(([at, text, state], i) => (states[i] ? [at, text, state] : [at, text]));
      assert.deepEqual(found, expected, order);
    }
  });
}

test("posts of a summary are read as those of check files are", () => {
  const post = { id: "a", at: 5, revised: 7, title: "API", endpoint: "https://example.com", text: "one" };
  const window = { ...post, id: "w", text: "disks", from: 5, to: 9 };
  const posts = [post, { ...post, text: "two" }, window, { ...window, to: 8 }, { ...post, id: "gone", ended: true }];
  for (const list of [posts, posts.toReversed()]) {
    const data = readSummary({ version: 2, made: 9, recent_from: 0, posts: list, series: [] });
    assert.deepEqual(shown(data), { messages: [[5, "two", undefined]], windows: [[5, 9, "disks"]] });
  }
});
