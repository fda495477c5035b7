// What happened: incidents with the messages that belong to them, other messages, and maintenance. Pure.

import { DAY } from "./text.js";
import { incidentsOfCheck } from "./history.js";
import { messagesOf } from "./model.js";

/** A degradation that is shorter than this is a short slowdown. */
const SHORT_SLOWDOWN = 10 * 60_000;
/** How long before and after an incident a message may belong to it. */
const BEFORE = 10 * 60_000;
const AFTER = DAY;
/** What is posted at several locations at about the same time is one message. */
const SAME_MESSAGE = 300_000;

/** Everything that happened from `oldest` on, newest first: `{ kind, at, until, check, … }`. */
export function eventsOf(checks, { data, config, now }) {
  const oldest = now - config.timeframe;
  const events = [];
  for (const check of checks) {
    const incidents = incidentsOfCheck(check, config.quorum, data, now).map((incident) => eventOf(incident, now));
    for (const message of ownMessages(data, check)) {
      const incident = incidentFor(message, incidents);
      if (incident) incident.messages.push(message);
      else events.push({ kind: "message", until: message.at, check, ...message });
    }
    for (const incident of incidents) incident.isShort &&= !incident.messages.length;
    events.push(...incidents);
  }
  for (const message of messagesOf(data)) events.push({ kind: "message", until: message.at, check: null, ...message });
  for (const window of data.windows) {
    if (window.from <= now) events.push({ kind: "maintenance", at: window.from, until: window.to, window });
  }
  return events.filter(({ until }) => until >= oldest).sort((a, b) => b.at - a.at);
}

function eventOf(incident, now) {
  const { from, to, lastSeen, status, check } = incident;
  const until = lastSeen ?? to ?? now;
  const isOpen = to === undefined;
  const isShort = !isOpen && status === "degraded" && until - from < SHORT_SLOWDOWN;
  return { kind: "incident", at: from, until, check, incident, isOpen, isShort, messages: [] };
}

/** The messages about a check, each once, without those that a window of maintenance shows. */
function ownMessages(data, check) {
  const said = new Set();
  const announced = new Set(data.windows.flatMap((window) => (window.text ?? "").split("\n")));
  return messagesOf(data, check).filter(({ at, text }) => {
    const key = `${Math.floor(at / SAME_MESSAGE)} ${text}`;
    return !announced.has(text) && !said.has(key) && said.add(key);
  });
}

/** The incident that a message belongs to: the one that it names, else the one at its time, else the last one before it. */
export function incidentFor(message, incidents) {
  if (message.incident) return incidents.find(({ incident }) => incident.id === message.incident) ?? null;
  const near = incidents.filter(({ at, until, isOpen }) => at - BEFORE <= message.at && (isOpen || message.at <= until + AFTER));
  const during = ({ until, isOpen }) => Number(isOpen || message.at <= until);
  const isDown = ({ incident }) => Number(incident.status === "down");
  near.sort((a, b) => during(b) - during(a) || isDown(b) - isDown(a) || b.at - a.at);
  return near[0] ?? null;
}

/** The incidents of a check that touch a UTC day, newest first. */
export function incidentsOn(day, events, key) {
  const [from, to] = [day * DAY, (day + 1) * DAY];
  return events.filter((event) => event.kind === "incident" && event.check.key === key && event.at < to && event.until > from);
}
