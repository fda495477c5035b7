// The language of the page: its texts, and how dates and numbers are written.

import { ENGLISH } from "./english.js";

/** The languages with texts in a file. */
const FILES = { de: "german.json" };
let texts = ENGLISH;
let plurals = new Intl.PluralRules("en");
let formats = formatsOf("en-GB");

/**
 * Chooses the language: the one of the settings, or else the first of the visitor's languages that has texts, or else English.
 * `words` of the settings replace texts, or add languages; `load` gets what is in a file. Dates follow the visitor's variant of the
 * language. Returns the language.
 */
export async function useLanguage({ language, words = {} }, preferred, load) {
  const wanted = language ? [language] : preferred;
  const isKnown = (tag) => [words, FILES, { en: 1 }].some((known) => Object.hasOwn(known, tag));
  let chosen = wanted.flatMap((tag) => [tag, baseOf(tag)]).find(isKnown) ?? "en";
  let own = words[chosen];
  if (FILES[chosen] && !Object.keys(ENGLISH).every((key) => own?.[key])) {
    try {
      own = { ...(await load(FILES[chosen])), ...own };
    } catch {
      chosen = "en";
      own = words.en;
    }
  }
  texts = { ...ENGLISH, ...own };
  const variant = preferred.find((tag) => baseOf(tag) === baseOf(chosen)) ?? chosen;
  const locale = [variant, chosen, "en-GB"].find(isLocale);
  plurals = new Intl.PluralRules(isLocale(chosen) ? chosen : "en");
  formats = formatsOf(locale);
  return chosen;
}

/** The text of a key with its values. If there are several forms, the number `n` chooses. */
export function say(key, values = {}) {
  return phrase(key, values).join("");
}

/** The same as a list, since values may be nodes. */
export function phrase(key, values = {}) {
  const parts = patternOf(key, values.n).split(/\{(\w+)\}/u);
  const filled = parts.flatMap((part, i) => (i % 2 ? shown(values[part] ?? `{${part}}`) : part));
  return filled.filter((part) => part !== "");
}

/** The first letter of a text as a capital, for the start of a sentence. */
export function capital(word) {
  return word.charAt(0).toLocaleUpperCase() + word.slice(1);
}

/** "a", "a and b", "a, b and c". */
export function list(words) {
  return words.length < 2 ? words.join("") : say("and", { list: words.slice(0, -1).join(", "), last: words.at(-1) });
}

/** An integer with separators of thousands: "1,440". */
export function figure(number) {
  return formats.figure.format(number);
}

/** A number with at most so many digits after the point, or with exactly as many. */
export function decimal(number, digits, isExact = false) {
  return number.toLocaleString(formats.locale, { minimumFractionDigits: isExact ? digits : 0, maximumFractionDigits: digits });
}

/** A time, by the name of a format: "clock", "seconds", "date", "short", "month", "utc" or "utcShort". */
export function timeText(at, format) {
  return formats[format].format(new Date(at));
}

/** The visitor's time zone: "Europe/Berlin, UTC+1". */
export function zoneName(now) {
  const parts = formats.zone.formatToParts(new Date(now));
  const offset = (parts.find(({ type }) => type === "timeZoneName")?.value ?? "UTC").replace("GMT", "UTC");
  const { timeZone } = formats.zone.resolvedOptions();
  return timeZone === "UTC" ? "UTC" : `${timeZone}, ${offset}`;
}

function patternOf(key, n) {
  return texts[key] ?? texts[`${key}.${plurals.select(n ?? 0)}`] ?? texts[`${key}.other`] ?? key;
}

function shown(value) {
  return typeof value === "number" ? figure(value) : value;
}

function baseOf(tag) {
  return tag.split("-")[0].toLowerCase();
}

function isLocale(tag) {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}

function formatsOf(locale) {
  const of = (options) => new Intl.DateTimeFormat(locale, options);
  const day = { weekday: "short", day: "numeric", month: "short", year: "numeric" };
  const clock = { hour: "2-digit", minute: "2-digit" };
  return {
    locale,
    clock: of(clock),
    seconds: of({ ...clock, second: "2-digit" }),
    date: of(day),
    short: of({ day: "numeric", month: "short" }),
    month: of({ month: "long", year: "numeric" }),
    utc: of({ ...day, timeZone: "UTC" }),
    utcShort: of({ day: "numeric", month: "short", timeZone: "UTC" }),
    zone: of({ timeZoneName: "shortOffset" }),
    figure: new Intl.NumberFormat(locale),
  };
}
