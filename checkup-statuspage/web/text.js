// Texts for times, durations and figures, and the small subset of Markdown that texts may contain.

import { el } from "./dom.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** A day in milliseconds. */
export const DAY = 24 * HOUR;

const LOCALE = "en-GB";
const CLOCK = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const CLOCK_SECONDS = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DATE = new Intl.DateTimeFormat(LOCALE, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const SHORT_DATE = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const UTC_DAY = new Intl.DateTimeFormat(LOCALE, {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const FIGURE = new Intl.NumberFormat(LOCALE);

/** A span of time in the two largest units that matter: "2 h 14 min". */
export function duration(ms) {
  if (ms < MINUTE) return `${Math.max(0, Math.round(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return pair(ms, HOUR, "h", MINUTE, "min");
  if (ms < 14 * DAY) return pair(ms, DAY, "d", HOUR, "h");
  return `${Math.floor(ms / DAY)} d`;
}

function pair(ms, large, largeName, small, smallName) {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${rest ? ` ${rest} ${smallName}` : ""}`;
}

/** "just now", "40 s ago", "2 h 14 min ago". */
export function ago(at, now) {
  return now - at < 5 * SECOND ? "just now" : `${duration(now - at)} ago`;
}

/** The time of day, with the date if it is not today: "14:02", "12 Oct, 14:02". */
export function moment(at, now) {
  const date = new Date(at);
  const today = date.toDateString() === new Date(now).toDateString();
  if (today) return CLOCK.format(date);
  const year = date.getFullYear() === new Date(now).getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${SHORT_DATE.format(date)}${year}, ${CLOCK.format(date)}`;
}

/** The time of day in minutes, or in seconds. */
export function clock(at, seconds = false) {
  return (seconds ? CLOCK_SECONDS : CLOCK).format(new Date(at));
}

/** The date of a time in the visitor's time zone. */
export function dateOf(at) {
  return DATE.format(new Date(at));
}

/** The date of a day of the data, which is in UTC. */
export function utcDay(day) {
  return UTC_DAY.format(new Date(day * DAY));
}

/** A `<time>` with a text. Its title is the full date. */
export function timeElement(at, text) {
  const date = new Date(at);
  return el("time", { datetime: date.toISOString(), title: `${dateOf(at)}, ${clock(at, true)}` }, text);
}

/** A share in percent, never rounded up, so 100 % means all. */
export function percent(share) {
  if (share === null || share === undefined) return "no data";
  if (share === 1) return "100 %";
  const hundredths = Math.floor(share * 10_000 + 1e-7);
  return `${(hundredths / 100).toFixed(2)} %`;
}

/** A round-trip time, from microseconds: "0.4 ms", "123 ms", "1.25 s". */
export function roundTrip(us) {
  if (us === null || us === undefined) return "none";
  const ms = us / 1000;
  if (ms < 10) return `${trim(ms, 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${trim(ms / 1000, 2)} s`;
}

function trim(number, digits) {
  return String(Number(number.toFixed(digits)));
}

/** A number with its noun: "1 check", "1,440 results". */
export function counted(number, noun, plural = `${noun}s`) {
  return `${figure(number)} ${number === 1 ? noun : plural}`;
}

/** An integer with thousands separators: "1,440". */
export function figure(number) {
  return FIGURE.format(number);
}

/** The name of a check as shown: its endpoint if the name is blank. */
export function checkName({ title, endpoint }) {
  const visible = [title, endpoint].find((text) => text && /[^\p{C}\p{Z}]/u.test(text));
  return isolate(shorten(visible ?? "Unnamed check"));
}

/** Text cut to a number of characters. It says how many are missing. */
export function shorten(text, most = MAX_SHOWN) {
  if (text.length <= most) return text;
  const kept = text.slice(0, most).replace(/[\uD800-\uDBFF]$/u, "");
  return `${kept} … (${counted(text.length - kept.length, "more character")})`;
}

const BIDI = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** Text to put into a sentence. Text that runs from right to left does not change the order of the sentence around it. */
export function isolate(text) {
  return BIDI.test(text) ? `\u2068${text}\u2069` : text;
}

/** "a", "a and b", "a, b and c". */
export function list(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** The longest text that is shown, in characters. A longer one would push everything else off the page. */
const MAX_SHOWN = 2000;

// A link, a bare URL, strong and emphasis. The text inside links and emphasis is plain.
const MARKUP =
  /\[([^\][\n]{1,300})\]\(([^\s()]{1,2000})\)|(https?:\/\/[^\s<>"'`\\^{|}]{1,2000})|\*\*(?=\S)([^*\n]{1,500}?\S)\*\*|\*\*(\S)\*\*|\*(?=\S)([^*\n]{1,500}?)\*/gu;

/** Text up to a number of characters, with links and emphasis as nodes. Everything else stays text. */
export function rich(whole, most = MAX_SHOWN) {
  const text = shorten(whole, most);
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(MARKUP)) {
    const [all, label, target, bare, strong, letter, emphasis] = match;
    const node = markup(label, target, bare, strong ?? letter, emphasis);
    if (!node) continue;
    nodes.push(text.slice(from, match.index), ...node);
    from = match.index + all.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

function markup(label, target, bare, strong, emphasis) {
  if (bare) {
    // Punctuation at the end belongs to the sentence, and so does a bracket that the URL did not open.
    const url = bare.replace(/[.,:;!?*_]+$/u, "").replace(/^([^(]*)\)+.*$/u, "$1");
    return [link(url, url), bare.slice(url.length)];
  }
  if (label) {
    const node = link(target, label);
    return node && [node];
  }
  if (strong) return [el("strong", {}, strong)];
  return emphasis && !/\s$/u.test(emphasis) ? [el("em", {}, emphasis)] : null;
}

/** A link if its URL is for the web or for mail, else null. */
export function link(target, label) {
  const url = safeUrl(target);
  return url && el("a", { href: url, rel: "noopener noreferrer" }, label);
}

/** The URL if its scheme is http, https or mailto, or if it is relative and `relative` is true; else null. */
export function safeUrl(target, relative = false) {
  if (typeof target !== "string") return null;
  if (/^(https?:\/\/|mailto:)/iu.test(target)) return URL.canParse(target) ? target : null;
  if (!relative || /^[a-z][a-z0-9+.-]*:/iu.test(target.replace(/[\u0000-\u0020]/gu, ""))) return null;
  return target;
}
