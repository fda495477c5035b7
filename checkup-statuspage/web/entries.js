// What happened, as entries of lists: an incident with its course and messages, a message, a window of maintenance.

import { el, icon } from "./dom.js";
import { DAY, bdi, checkName, clock, duration, isSameDay, isolate, moment, rich, shorten, spanElements, timeElement } from "./text.js";
import { capital, list, phrase, say } from "./words.js";
import { placeNames, stateWord } from "./locations.js";

const LONGEST_REASON = 300;

/** An entry of the history. */
export function entryOf(event, now) {
  if (event.kind === "incident") return incidentEntry(event, now);
  if (event.kind === "message") return messageEntry(event);
  return maintenanceEntry(event.window, now);
}

/** The id of an incident's entry, which is its permalink, too. */
export function entryId(event) {
  return `incident-${event.incident.id}`;
}

function incidentEntry(event, now) {
  const { incident, check, messages } = event;
  const { segments, reason, inMaintenance } = incident;
  const id = entryId(event);
  const isLong = segments.length > 1;
  const where = !isLong && check.series.length > 1 ? placesIn(segments[0]) : "";
  const because = reason ? isolate(shorten(reason, LONGEST_REASON)) : "";
  return el(
    "li",
    { class: "entry", "data-state": incident.status, id },
    icon(incident.status),
    el("p", {}, el("b", {}, bdi(checkName(check))), " ", courseOf(event, now), " ", permalink(id)),
    (because || where) && !isLong && el("p", { class: "reason", dir: "auto" }, [where, because].filter(Boolean).join(": ")),
    isLong && el("ol", { class: "segments" }, segments.map((segment) => segmentLine(segment, check, now))),
    inMaintenance && el("p", { class: "reason" }, say("cut_by_maintenance")),
    messages.length > 0 && el("ol", { class: "updates" }, messages.map((message) => updateLine(message, event.at))),
  );
}

function permalink(id) {
  return el("a", { class: "permalink", href: `#${id}`, "aria-label": say("permalink"), title: say("permalink") }, "#");
}

/** "down for 34 min, since 07:30", "down for 29 min, 14:02 to 14:31", "down when last seen, 20:03". */
export function courseOf({ incident, at, until, isOpen }, now) {
  const state = el("strong", {}, say(incident.status));
  const span = spanElements(at, until, now);
  if (incident.lastSeen !== undefined) return phrase("last_seen", { state, time: span });
  const length = duration(until - at);
  if (isOpen) return phrase("for_since", { state, length, time: timeElement(at, moment(at, now)) });
  return phrase("was_for", { state, length, span });
}

function placesIn({ locations }) {
  return locations.length ? placeNames(locations) : "";
}

function segmentLine({ status, from, to, locations, reasons }, { series }, now) {
  const words = { state: el("strong", { "data-state": status }, stateWord(status)), span: spanElements(from, to, now), length: duration(to - from) };
  const isSome = series.length > 1 && locations.length > 0;
  const line = isSome ? phrase("segment_at", { ...words, places: placeNames(locations) }) : phrase("segment", words);
  return el("li", { dir: "auto" }, line, reasons.length > 0 && `: ${list(reasons.slice(0, 2).map((reason) => isolate(shorten(reason, LONGEST_REASON))))}`);
}

/** A message with its state and time. */
export function updateLine({ at, text, state }, near, most) {
  const time = timeElement(at, isSameDay(at, near) ? clock(at) : moment(at, near));
  const kind = el("b", {}, capital(state ? say(state.slice(0, 30)) : say("update")));
  return el("li", { class: "update" }, el("p", { class: "update-head" }, phrase("message_at", { kind, time })), said(text, most));
}

function messageEntry({ at, check, text, state }) {
  const name = el("b", {}, check ? bdi(checkName(check)) : say("announcement"));
  const kind = state ? capital(say(state.slice(0, 30))) : say("update");
  const time = timeElement(at, clock(at));
  const words = check ? [name, " ", ...phrase("message_at", { kind, time })] : phrase("message_at", { kind: name, time });
  return el("li", { class: "entry", "data-state": "message" }, icon("message"), el("p", {}, words), said(text));
}

function maintenanceEntry({ from, to, title, text }, now) {
  const what = el("b", {}, title ? bdi(shorten(title)) : say("all_checks"));
  const words = phrase("maintenance_span", { span: spanElements(from, to, now) });
  return el("li", { class: "entry", "data-state": "maintenance" }, icon("maintenance"), el("p", {}, what, " ", words), text && said(text));
}

/** What an operator wrote. */
export function said(text, most) {
  return el("p", { class: "said", dir: "auto" }, rich(text, most));
}

/** Windows of several checks with the same times and text, as one with all names. */
export function joinedByText(windows) {
  const joined = new Map();
  for (const { from, to, title, text } of windows) {
    const key = JSON.stringify([from, to, text]);
    if (!joined.has(key)) joined.set(key, { from, to, text, titles: [] });
    joined.get(key).titles.push(title);
  }
  return [...joined.values()].sort((a, b) => a.from - b.from);
}

/** The names of the checks of joined windows. */
export function namesOf({ titles }) {
  if (titles.includes(undefined)) return say("all_checks");
  const names = titles.map((title) => isolate(shorten(title, 200)));
  return names.length > 5 ? say("and_more", { list: names.slice(0, 5).join(", ") }) : list(names);
}

/** When a window is: "26 Nov, 04:04 to 05:04". */
export function windowSpan({ from, to }, now) {
  return say("from_to", { from: moment(from, now), to: endOfSpan(from, to, now) });
}
