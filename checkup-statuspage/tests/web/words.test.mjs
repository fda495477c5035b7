// The language of the page.

import assert from "node:assert/strict";
import test from "node:test";

import { ENGLISH } from "../../web/english.js";
import { GERMAN } from "../../web/german.js";
import { duration, moment, percent, roundTrip, timeSpan } from "../../web/text.js";
import { figure, list, phrase, say, useLanguage, zoneName } from "../../web/words.js";

const NOON = Date.parse("2026-11-24T12:00:00Z");

test("numbers and lists read as sentences do", () => {
  useLanguage({}, ["en-GB"]);
  assert.equal(say("unread", { n: 1 }), "1 file could not be read. Its results are missing here.");
  assert.equal(say("unread", { n: 1440 }), "1,440 files could not be read. Their results are missing here.");
  assert.equal(list(["a", "b", "c"]), "a, b and c");
  assert.equal(list(["a"]), "a");
});

test("a phrase keeps nodes where the text has them", () => {
  const node = { textContent: "07:30" };
  assert.deepEqual(phrase("since", { state: "Down", time: node }), ["Down", " since ", node]);
});

test("the language is the visitor's, and dates follow its variant", () => {
  assert.equal(useLanguage({}, ["de-AT", "en"]), "de");
  assert.equal(say("history"), GERMAN.history);
  assert.deepEqual([percent(0.9995), figure(1440), roundTrip(1_254_000)], ["99,95 %", "1\u00a0440", "1,25 s"]);
  assert.equal(useLanguage({}, ["de"]), "de");
  assert.equal(figure(1440), "1.440");
  assert.equal(useLanguage({}, ["fr-FR", "en-US"]), "en", "the first language that has texts");
  assert.match(timeSpan(NOON, NOON + 60_000, NOON), /M to .*M$/u);
  assert.equal(useLanguage({}, ["fr-FR"]), "en");
  assert.equal(say("history"), ENGLISH.history);
  useLanguage({}, ["en-GB"]);
});

test("a language of the settings comes before the visitor's, and their texts before the page's", () => {
  assert.equal(useLanguage({ language: "de" }, ["en-US"]), "de");
  assert.equal(duration(3_600_000), "1 h");
  const words = { fr: { history: "Historique", "unread.one": "{n} fichier", "unread.other": "{n} fichiers" }, en: { history: "Past" } };
  assert.equal(useLanguage({ words }, ["fr-CA"]), "fr");
  assert.deepEqual([say("history"), say("unread", { n: 0 }), say("feed")], ["Historique", "0 fichier", ENGLISH.feed]);
  assert.equal(useLanguage({ words }, ["en-GB"]), "en");
  assert.equal(say("history"), "Past");
  useLanguage({}, ["en-GB"]);
  assert.equal(say("history"), ENGLISH.history);
});

test("odd languages of a browser do no harm", () => {
  for (const odd of ["", "x", "!", "en_US", "zz-ZZ", "constructor", "__proto__"]) assert.equal(useLanguage({}, [odd, "en-GB"]).startsWith("en"), true, odd);
  assert.match(moment(NOON, NOON), /\d\d:00/u);
});

test("every key has the same values in both languages", () => {
  assert.deepEqual(Object.keys(GERMAN), Object.keys(ENGLISH));
});

test("the time zone is named", () => {
  assert.ok(zoneName(NOON) === "UTC" || /^.+\/.+, UTC([+−-]\d.*)?$/u.test(zoneName(NOON)), zoneName(NOON));
});
