// The timeline: incidents, operators' messages and maintenance by day, newest first.

import { el, icon, setChildren } from "./dom.js";
import { DAY, checkName, clock, dateOf, duration, isolate, list, moment, rich, shorten, timeElement } from "./text.js";
import { incidentsOfCheck } from "./history.js";
import { messagesOf } from "./model.js";

const AT_FIRST = 20;

/** Shows the timeline. `site.version` changes with the data. */
export function showTimeline(checks, site) {
  const section = document.getElementById("timeline");
  section.hidden = false;
  if (section.version !== site.version)
    Object.assign(section, { version: site.version, events: eventsOf(checks, site) });
  const { events } = section;
  // The length of an open incident changes every minute. Nothing else is replaced, so that focus stays.
  const goesOn = events.some(({ incident }) => incident && incident.to === undefined);
  const today = new Date(site.now).toDateString();
  const signature = [site.version, today, goesOn && Math.floor(site.now / 60_000), section.all].join();
  setChildren(section, signature, () => {
    const shown = section.all ? events : events.slice(0, AT_FIRST);
    return [
      el("h2", { id: "timeline-title" }, "Timeline"),
      !events.length && el("p", { class: "nothing" }, `No incidents in the last ${duration(site.config.timeframe)}.`),
      ...byDay(shown).map(([date, entries]) =>
        el(
          "section",
          { class: "day-entries" },
          el("h3", {}, date),
          el(
            "ol",
            {},
            entries.map((event) => entryOf(event, site.now)),
          ),
        ),
      ),
      shown.length < events.length &&
        el(
          "button",
          { type: "button", class: "all", onclick: () => showAll(section, checks, site) },
          `Show all ${events.length} entries`,
        ),
    ];
  });
}

function showAll(section, checks, site) {
  section.all = true;
  const next = section.querySelectorAll("li").length;
  showTimeline(checks, site);
  const entry = section.querySelectorAll("li")[next];
  entry?.setAttribute("tabindex", "-1");
  entry?.focus();
}

/** Everything that happened in the timeframe, newest first. */
function eventsOf(checks, { data, config, now }) {
  const oldest = now - config.timeframe;
  const events = [];
  for (const check of checks) {
    for (const incident of incidentsOfCheck(check, config.quorum, data, now)) {
      if ((incident.to ?? now) >= oldest) events.push({ kind: "incident", at: incident.from, incident });
    }
    // The text of a window is shown with the window, and a message of several locations only once.
    const said = new Set();
    const announced = new Set(data.windows.flatMap((window) => (window.text ?? "").split("\n")));
    for (const { at, text, state } of messagesOf(data, check)) {
      const key = `${Math.floor(at / 300_000)} ${text}`;
      if (at < oldest || said.has(key) || announced.has(text)) continue;
      said.add(key);
      events.push({ kind: "message", at, title: checkName(check), text, state });
    }
  }
  for (const { at, text, state } of messagesOf(data)) {
    if (at >= oldest) events.push({ kind: "message", at, title: "All checks", text, state });
  }
  for (const window of data.windows) {
    if (window.to >= oldest && window.from <= now) events.push({ kind: "maintenance", at: window.from, window });
  }
  return events.sort((a, b) => b.at - a.at);
}

function byDay(events) {
  const days = new Map();
  for (const event of events) {
    const date = dateOf(event.at);
    if (!days.has(date)) days.set(date, []);
    days.get(date).push(event);
  }
  return [...days];
}

function entryOf(event, now) {
  if (event.kind === "incident") return incidentEntry(event.incident, now);
  if (event.kind === "message") {
    return el(
      "li",
      { class: "entry", "data-state": "message" },
      icon("message"),
      el("p", {}, el("b", {}, event.title), event.state ? ` ${wordOf(event.state)} at ` : " Message at ", timeElement(event.at, clock(event.at))),
      el("p", { class: "said", dir: "auto" }, rich(event.text)),
    );
  }
  const { from, to, title, text } = event.window;
  const what = el("b", {}, title ? isolate(title) : "All checks");
  return el(
    "li",
    { class: "entry", "data-state": "maintenance" },
    icon("maintenance"),
    el("p", {}, what, " Maintenance ", span(from, to, now)),
    text && el("p", { class: "said", dir: "auto" }, rich(text)),
  );
}

/** The word for a state: "Identified". */
function wordOf(state) {
  return state.charAt(0).toUpperCase() + state.slice(1, 30);
}

function incidentEntry({ check, status, from, to, reason, locations }, now) {
  const state = el("strong", {}, status === "down" ? "down" : "degraded");
  const words =
    to === undefined
      ? [" has been ", state, ` for ${duration(now - from)}, since `, timeElement(from, clock(from))]
      : [" was ", state, ` for ${duration(to - from)}, `, span(from, to, now)];
  const where = check.series.length > 1 && locations.length ? ` at ${list(locations.map(isolate))}` : "";
  return el(
    "li",
    { class: "entry", "data-state": status },
    icon(status),
    el("p", {}, el("b", {}, checkName(check)), words, where),
    reason && el("p", { class: "reason", dir: "auto" }, shorten(reason)),
  );
}

/** "14:02 to 14:31", with the day of the end if it differs. */
function span(from, to, now) {
  const end = dateOf(from) === dateOf(to) || to - from < DAY / 2 ? clock(to) : moment(to, now);
  return el("span", {}, timeElement(from, clock(from)), " to ", timeElement(to, end));
}
