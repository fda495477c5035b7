// The language of the page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { ENGLISH } from "../../web/english.js";
import { duration, moment, percent, roundTrip, timeSpan } from "../../web/text.js";
import { figure, list, phrase, say, useLanguage, zoneName } from "../../web/words.js";

const GERMAN = JSON.parse(readFileSync(new URL("../../web/german.json", import.meta.url)));
const load = async () => GERMAN;

const NOON = Date.parse("2026-11-24T12:00:00Z");

test("numbers and lists read as sentences do", async () => {
  await useLanguage({}, ["en-GB"], load);
  assert.equal(say("unread", { n: 1 }), "1 file could not be read. Its results are missing here.");
  assert.equal(say("unread", { n: 1440 }), "1,440 files could not be read. Their results are missing here.");
  assert.equal(list(["a", "b", "c"]), "a, b and c");
  assert.equal(list(["a"]), "a");
});

test("a phrase keeps nodes where the text has them", async () => {
  const node = { textContent: "07:30" };
  assert.deepEqual(phrase("since", { state: "Down", time: node }), ["Down", " since ", node]);
});

test("the language is the visitor's, and dates follow its variant", async () => {
  assert.equal(await useLanguage({}, ["de-AT", "en"], load), "de");
  assert.equal(say("history"), GERMAN.history);
  assert.deepEqual([percent(0.9995), figure(1440), roundTrip(1_254_000)], ["99,95 %", "1\u00a0440", "1,25 s"]);
  assert.equal(await useLanguage({}, ["de"], load), "de");
  assert.equal(figure(1440), "1.440");
  assert.equal(await useLanguage({}, ["fr-FR", "en-US"], load), "en", "the first language that has texts");
  assert.match(timeSpan(NOON, NOON + 60_000, NOON), /M to .*M$/u);
  assert.equal(await useLanguage({}, ["fr-FR"], load), "en");
  assert.equal(say("history"), ENGLISH.history);
  await useLanguage({}, ["en-GB"], load);
});

test("a language of the settings comes before the visitor's, and their texts before the page's", async () => {
  assert.equal(await useLanguage({ language: "de" }, ["en-US"], load), "de");
  assert.equal(duration(3_600_000), "1 h");
  const words = { fr: { history: "Historique", "unread.one": "{n} fichier", "unread.other": "{n} fichiers" }, en: { history: "Past" } };
  assert.equal(await useLanguage({ words }, ["fr-CA"], load), "fr");
  assert.deepEqual([say("history"), say("unread", { n: 0 }), say("feed")], ["Historique", "0 fichier", ENGLISH.feed]);
  assert.equal(await useLanguage({ words }, ["en-GB"], load), "en");
  assert.equal(say("history"), "Past");
  await useLanguage({}, ["en-GB"], load);
  assert.equal(say("history"), ENGLISH.history);
});

test("odd languages of a browser do no harm", async () => {
  for (const odd of ["", "x", "!", "en_US", "zz-ZZ", "constructor", "__proto__"]) assert.equal((await useLanguage({}, [odd, "en-GB"], load)).startsWith("en"), true, odd);
  assert.match(moment(NOON, NOON), /\d\d:00/u);
});

test("texts in a file are loaded only when they are needed, and without them the page is in English", async () => {
  const fail = () => Promise.reject(new Error("no texts"));
  assert.equal(await useLanguage({ words: { de: GERMAN } }, ["de"], fail), "de");
  assert.equal(say("history"), GERMAN.history);
  assert.equal(await useLanguage({ words: { de: { history: "Früher" } } }, ["de"], load), "de");
  assert.deepEqual([say("history"), say("feed")], ["Früher", GERMAN.feed]);
  assert.equal(await useLanguage({}, ["de"], fail), "en");
  assert.equal(say("history"), ENGLISH.history);
  assert.equal(await useLanguage({}, ["en"], fail), "en");
});

test("every key has the same values in both languages", async () => {
  assert.deepEqual(Object.keys(GERMAN), Object.keys(ENGLISH));
});

test("the time zone is named", async () => {
  assert.ok(zoneName(NOON) === "UTC" || /^.+\/.+, UTC([+−-]\d.*)?$/u.test(zoneName(NOON)), zoneName(NOON));
});
