// What matters now: open incidents with the operators' latest words, announcements, and maintenance that runs or is planned.

import { el, icon, setChildren } from "./dom.js";
import { DAY, ago, bdi, checkName, duration, moment, timeElement } from "./text.js";
import { phrase, say } from "./words.js";
import { entryId, joinedByText, namesOf, said, updateLine, windowSpan } from "./entries.js";
import { reasonLine } from "./locations.js";

const BAD = ["down", "degraded", "stale"];
const MANY_PROBLEMS = 20;
const LONGEST_LINE = 300;
const LONGEST_MESSAGE = 800;
const MANY_WINDOWS = 5;
/** How long an announcement is at the top. */
const ANNOUNCED = DAY;

/** Shows what is wrong now, the worst and longest first, and what is announced. `idOf` gives the id of a check's card. */
export function showIncidents(verdicts, events, idOf, { now }) {
  const section = document.getElementById("incidents");
  const bad = verdicts.filter(({ status }) => BAD.includes(status));
  bad.sort((a, b) => BAD.indexOf(a.status) - BAD.indexOf(b.status) || (a.since ?? 0) - (b.since ?? 0));
  // If every check is stale, the headline says so, and a list of all checks would add nothing.
  const others = verdicts.filter(({ status }) => !["stale", "maintenance", "waiting"].includes(status));
  const listed = others.length ? bad : [];
  const announced = events.filter(({ kind, check, at, state }) => kind === "message" && !check && now - at < ANNOUNCED && state !== "resolved");
  section.hidden = !listed.length && !announced.length;
  const shown = listed.slice(0, MANY_PROBLEMS).map((verdict) => ({ verdict, ...wordsAbout(verdict, events) }));
  const signature = JSON.stringify([
    shown.map(({ verdict, event, messages }) => [
      verdict.check.key,
      verdict.status,
      verdict.since,
      duration(now - verdict.since),
      verdict.bad.length && reasonLine(verdict, LONGEST_LINE),
      event && entryId(event),
      messages.map(({ at, text }) => [at, text]),
    ]),
    announced.map(({ at, text }) => [at, text]),
    listed.length,
  ]);
  const openDetails = section.querySelectorAll("details[open]").length > 0;
  setChildren(section, signature, () => [
    el("h2", { id: "incidents-title" }, say(listed.length ? "incidents_now" : "announcement")),
    el("ul", { class: "problems" }, announced.map(announcementLine), shown.map((one) => problemLine(one, idOf, now, openDetails))),
    listed.length > MANY_PROBLEMS && el("p", { class: "more" }, say("more_checks", { n: listed.length - MANY_PROBLEMS })),
  ]);
}

/** The open incident of a check, and what operators wrote about it, the latest first. */
function wordsAbout({ check, since }, events) {
  const own = events.filter((event) => event.check?.key === check.key);
  const event = own.find(({ kind, isOpen }) => kind === "incident" && isOpen);
  const alone = own.filter(({ kind, at }) => kind === "message" && at >= since - ANNOUNCED / 24);
  const messages = [...(event?.messages ?? []), ...alone].sort((a, b) => b.at - a.at);
  return { event, messages };
}

function problemLine({ verdict, event, messages }, idOf, now, openDetails) {
  const { status, check } = verdict;
  const [latest, ...earlier] = messages;
  return el(
    "li",
    { "data-state": status },
    icon(status),
    el("p", { class: "problem" }, el("a", { href: `#${idOf(check)}` }, bdi(checkName(check))), " ", stateWords(verdict, now)),
    verdict.bad.length > 0 && el("p", { class: "reason", dir: "auto" }, reasonLine(verdict, LONGEST_LINE)),
    latest && el("ol", { class: "updates" }, updateLine(latest, now, LONGEST_MESSAGE)),
    earlier.length > 0 &&
      el(
        "details",
        { class: "earlier", open: openDetails },
        el("summary", {}, say("earlier_updates", { n: earlier.length })),
        el("ol", { class: "updates" }, earlier.map((message) => updateLine(message, now, LONGEST_MESSAGE))),
      ),
    event && el("p", { class: "to-history" }, el("a", { href: `#${entryId(event)}` }, say("in_history"))),
  );
}

function stateWords({ status, since, locations }, now) {
  const strong = (state) => el("strong", {}, say(state));
  if (status === "stale") {
    if (!since) return [strong("stale")];
    const worst = ["down", "degraded"].find((state) => locations.some((at) => at.status === state));
    const time = timeElement(since, moment(since, now));
    return worst ? phrase("last_seen", { state: strong(worst), time }) : [strong("stale"), ", ", say("last_result", { ago: ago(since, now) })];
  }
  if (!since) return [strong(status)];
  return phrase("for_since", { state: strong(status), length: duration(now - since), time: timeElement(since, moment(since, now)) });
}

function announcementLine({ at, text }) {
  const line = phrase("message_at", { kind: el("strong", {}, say("announcement")), time: timeElement(at, moment(at, Date.now())) });
  return el("li", { "data-state": "maintenance" }, icon("message"), el("p", { class: "problem" }, line), said(text, LONGEST_MESSAGE));
}

/** Shows the maintenance that runs, above the checks, and what is planned, below them. */
export function showMaintenance({ data, now }) {
  const windows = joinedByText(data.windows.filter(({ to }) => to > now));
  const running = windows.filter(({ from }) => from <= now);
  const planned = windows.filter(({ from }) => from > now);
  showWindows(document.getElementById("running"), "maintenance_now", running, (one) => say("until", { time: moment(one.to, now) }));
  showWindows(document.getElementById("planned"), "maintenance_planned", planned, (one) => windowSpan(one, now));
}

function showWindows(section, title, windows, when) {
  section.hidden = !windows.length;
  const lines = windows.map((window) => [namesOf(window), when(window), window.text ?? ""]);
  setChildren(section, JSON.stringify([lines, section.all]), () => {
    const listed = section.all ? lines : lines.slice(0, MANY_WINDOWS);
    const rest = lines.length - listed.length;
    const showAll = () => {
      section.all = true;
      showWindows(section, title, windows, when);
      section.querySelectorAll("li")[MANY_WINDOWS]?.focus();
    };
    return [
      el("h2", { id: `${section.id}-title` }, say(title)),
      el("ul", { class: "problems" }, listed.map(windowLine)),
      rest > 0 && el("button", { type: "button", class: "all", onclick: showAll }, say("more_windows", { n: rest })),
    ];
  });
}

function windowLine([names, time, text]) {
  const line = el("p", { class: "problem" }, el("b", {}, el("bdi", {}, names)), " ", time);
  return el("li", { "data-state": "maintenance", tabindex: -1 }, icon("maintenance"), line, text && said(text, LONGEST_MESSAGE));
}
