// Texts for times, durations and figures, and the small subset of Markdown that texts may contain.

import { el } from "./dom.js";
import { decimal, phrase, say, timeText, zoneName } from "./words.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** A day in milliseconds. */
export const DAY = 24 * HOUR;

/** A span of time in the two largest units that matter: "2 h 14 min". */
export function duration(ms) {
  if (ms < MINUTE) return say("s", { n: Math.max(0, Math.round(ms / SECOND)) });
  if (ms < HOUR) return say("min", { n: Math.floor(ms / MINUTE) });
  if (ms < DAY) return pair(ms, HOUR, "h", MINUTE, "min");
  if (ms < 14 * DAY) return pair(ms, DAY, "d", HOUR, "h");
  return say("d", { n: Math.floor(ms / DAY) });
}

function pair(ms, large, largeName, small, smallName) {
  const rest = Math.floor((ms % large) / small);
  const whole = say(largeName, { n: Math.floor(ms / large) });
  return rest ? `${whole} ${say(smallName, { n: rest })}` : whole;
}

/** "just now", "40 s ago", "2 h 14 min ago". */
export function ago(at, now) {
  return now - at < 5 * SECOND ? say("just_now") : say("ago", { length: duration(now - at) });
}

/** Whether two times are of one day in the visitor's time zone. */
export function isSameDay(a, b) {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** The time of day, with the date if it is not today: "14:02", "12 Oct, 14:02". */
export function moment(at, now) {
  if (isSameDay(at, now)) return clock(at);
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return say("date_time", { date: isThisYear ? timeText(at, "short") : dateOf(at), time: clock(at) });
}

/** The time of day in minutes, or in seconds. */
export function clock(at, seconds = false) {
  return timeText(at, seconds ? "seconds" : "clock");
}

/** The date of a time in the visitor's time zone. */
export function dateOf(at) {
  return timeText(at, "date");
}

/** The date of a day of the data, which is in UTC. */
export function utcDay(day) {
  return timeText(day * DAY, "utc");
}

/** A `<time>` with a text. Its title is the full date with the time zone. */
export function timeElement(at, text) {
  const title = `${say("date_time", { date: dateOf(at), time: clock(at, true) })} (${zoneName(at)})`;
  return el("time", { datetime: new Date(at).toISOString(), title }, text);
}

/** "14:02 to 14:31", with the day of the end if it differs. */
export function timeSpan(from, to, now) {
  return say("from_to", { from: clock(from), to: endOfSpan(from, to, now) });
}

/** The same as nodes that have the exact times. */
export function spanElements(from, to, now) {
  return phrase("from_to", { from: timeElement(from, clock(from)), to: timeElement(to, endOfSpan(from, to, now)) });
}

/** The end of a span, with its date if it is needed. */
export function endOfSpan(from, to, now) {
  return isSameDay(from, to) || to - from < DAY / 2 ? clock(to) : moment(to, now);
}

/** A share in percent, never rounded up: 100 % means all. */
export function percent(share) {
  if (share === null || share === undefined) return say("no_data");
  if (share === 1) return say("percent", { n: 100 });
  return say("percent", { n: decimal(Math.floor(share * 10_000 + 1e-7) / 100, 2, true) });
}

/** A round-trip time, from microseconds: "0.4 ms", "123 ms", "1.25 s". */
export function roundTrip(us) {
  if (us === null || us === undefined) return say("none");
  const ms = us / 1000;
  if (ms < 10) return `${decimal(ms, 1)} ms`;
  if (ms < 1000) return `${decimal(ms, 0)} ms`;
  return `${decimal(ms / 1000, 2)} s`;
}

/** The name of a check as shown: its endpoint if the name is blank. */
export function checkName({ title, endpoint }) {
  const visible = [title, endpoint].find((text) => text && /[^\p{C}\p{Z}]/u.test(text));
  return isolate(shorten(visible ?? say("unnamed_check")));
}

/** A name that may be in another writing direction than the text around it. */
export function bdi(name) {
  return el("bdi", {}, name);
}

/** Text cut to a number of characters. It says how many are missing. */
export function shorten(text, most = MAX_SHOWN) {
  if (text.length <= most) return text;
  const kept = text.slice(0, most).replace(/[\uD800-\uDBFF]$/u, "");
  return `${kept} … (${say("more_characters", { n: text.length - kept.length })})`;
}

const BIDI = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** Text to put into a sentence. If it runs from right to left, the sentence around it does not change its order. */
export function isolate(text) {
  return BIDI.test(text) ? `\u2068${text}\u2069` : text;
}

/** The longest text that is shown. A longer one would push everything else off the page. */
const MAX_SHOWN = 2000;

// A link, a bare URL, strong and emphasis. The text inside links and emphasis is plain.
const MARKUP =
  /\[([^\][\n]{1,300})\]\(([^\s()]{1,2000})\)|(https?:\/\/[^\s<>"'\u0060\\^{|}]{1,2000})|\*\*(?=\S)([^*\n]{1,500}?\S)\*\*|\*\*(\S)\*\*|\*(?=\S)([^*\n]{1,500}?)\*/gu;

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
