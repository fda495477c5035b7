// The bar of days: one column per day. The red part is as high as the share of the day that the check was down. Shape and colour both
// show the state: full height is up, lower is degraded, an outline is maintenance only, a stub is no data.

import { el, svg } from "./dom.js";
import { DAY, clock, duration, isolate, percent, roundTrip, shorten, timeSpan, utcDay } from "./text.js";
import { capital, say } from "./words.js";
import { upTimeShare } from "./history.js";
import { Scrubber } from "./scrub.js";

const BAR_HEIGHT = 36;
const [BAR_TOP, BAR_BOTTOM] = [2, 34];
/** The least height of a red part: less could not be seen. */
const LEAST_RED = 5;
const GAP_ABOVE_RED = 2;
const KINDS = ["healthy", "degraded", "down", "excluded", "none"];
const MANY_INCIDENTS = 3;
const LONGEST_TIP = 160;

/** The kind of a day: down if the check was, degraded only if it was for as long as the threshold. */
export function kindOf({ times }, threshold) {
  if (times.down) return "down";
  if (times.degraded >= threshold) return "degraded";
  if (times.healthy + times.degraded) return "healthy";
  return times.maintenance ? "excluded" : "none";
}

/** The height of the red part of a day in pixels. */
export function redHeight({ times }) {
  const share = 1 - (upTimeShare(times) ?? 1);
  const whole = BAR_BOTTOM - BAR_TOP;
  return share ? Math.max(LEAST_RED, Math.round(share * whole * 10) / 10) : 0;
}

/** The bar of a check. It is drawn once its width is known, and again when the width or the days change. */
export class DayBar {
  /** `open(day)` shows the incidents of a day. */
  constructor(title, open) {
    this.paths = Object.fromEntries(KINDS.map((kind) => [kind, svg("path", { class: `day ${kind}` })]));
    this.cursor = svg("rect", { class: "cursor", y: 0, height: BAR_HEIGHT, rx: 2, visibility: "hidden" });
    this.drawing = svg(
      "svg",
      // Printed at another width than on the screen, it is scaled.
      { "aria-hidden": "true", height: BAR_HEIGHT, width: "100%", preserveAspectRatio: "none" },
      this.cursor,
      ...Object.values(this.paths),
    );
    this.element = el("div", { class: "days" }, this.drawing);
    this.scrubber = new Scrubber(this.element, say("uptime_by_day", { name: title }));
    this.days = [];
    this.open = open;
  }

  /** Shows these days: `times` has the milliseconds in each state, `incidents` what touched the day, `locations` round-trip times. */
  set(days, threshold, now) {
    this.days = days;
    this.threshold = threshold;
    this.draw();
    this.scrubber.set({
      count: days.length,
      describe: (i) => describeDay(days[i], threshold, now),
      place: (i) => (i + 0.5) / days.length,
      find: (x) => Math.floor(x * days.length),
      show: (i) => this.mark(i),
      choose: (i) => this.choose(days[i]),
    });
  }

  choose({ day, incidents }) {
    if (!incidents.length) return false;
    this.open(day);
    return true;
  }

  resize(width) {
    if (this.width === width) return;
    this.width = width;
    this.draw();
  }

  draw() {
    if (!this.width || !this.days.length) return;
    this.drawing.setAttribute("viewBox", `0 0 ${this.width} ${BAR_HEIGHT}`);
    const pitch = this.width / this.days.length;
    const gap = pitch > 6 ? 2.5 : pitch > 4.5 ? 1.5 : 0.8;
    const shapes = Object.fromEntries(KINDS.map((kind) => [kind, ""]));
    this.days.forEach((day, i) => {
      for (const [kind, shape] of columnOf(day, this.threshold, i * pitch + gap / 2, pitch - gap)) shapes[kind] += shape;
    });
    for (const kind of KINDS) this.paths[kind].setAttribute("d", shapes[kind]);
    this.cursor.setAttribute("width", pitch.toFixed(2));
  }

  mark(i) {
    this.cursor.setAttribute("visibility", i === null ? "hidden" : "visible");
    this.element.classList.toggle("can-open", i !== null && this.days[i].incidents.length > 0);
    if (i !== null) this.cursor.setAttribute("x", ((i * this.width) / this.days.length).toFixed(2));
  }
}

/** The shapes of a day: pairs of a kind and a path. */
function columnOf(day, threshold, x, width) {
  const kind = kindOf(day, threshold);
  if (kind !== "down") return [[kind, column(kind, x, width, BAR_BOTTOM)]];
  const red = redHeight(day);
  const bottom = BAR_BOTTOM - red;
  const above = day.times.degraded >= threshold ? "degraded" : "healthy";
  const room = bottom - GAP_ABOVE_RED - BAR_TOP;
  const shapes = [["down", block(x, bottom, width, red, radius(width))]];
  if (room > 2) shapes.push([above, column(above, x, width, bottom - GAP_ABOVE_RED)]);
  return shapes;
}

function column(kind, x, width, bottom) {
  if (kind === "none") return block(x, bottom - 6, width, 6, Math.min(radius(width), 1));
  const top = kind === "degraded" ? Math.min(12, bottom - 2) : BAR_TOP;
  return block(x, top, width, bottom - top, radius(width));
}

function radius(width) {
  return Math.min(2, width / 3);
}

/** A rectangle with round corners as a path. */
function block(x, y, width, height, round) {
  const f = (value) => Number(value.toFixed(2));
  const r = Math.min(round, height / 2);
  const [w, h] = [f(width - 2 * r), f(height - 2 * r)];
  const corner = (dx, dy) => `a${f(r)} ${f(r)} 0 0 1 ${f(dx)} ${f(dy)}`;
  return `M${f(x + r)} ${f(y)}h${w}${corner(r, r)}v${h}${corner(-r, r)}h${-w}${corner(-r, -r)}v${-h}${corner(r, -r)}z`;
}

/** The key of the shapes. */
export function barKey(threshold) {
  const samples = {
    healthy: { healthy: DAY },
    degraded: { degraded: Math.max(DAY, threshold) },
    down: { healthy: DAY * 0.6, down: DAY * 0.4 },
    excluded: { maintenance: DAY },
    none: {},
  };
  const items = KINDS.map((kind) => {
    const times = { healthy: 0, degraded: 0, down: 0, maintenance: 0, unknown: 0, ...samples[kind] };
    const shapes = columnOf({ times }, threshold, 1, 7).map(([of, d]) => svg("path", { class: `day ${of}`, d }));
    const key = kind === "excluded" ? "key_maintenance" : `key_${kind}`;
    const picture = svg("svg", { viewBox: `0 0 9 ${BAR_HEIGHT}`, "aria-hidden": "true" }, ...shapes);
    return el("li", {}, picture, say(key, { length: duration(threshold) }));
  });
  return el("ul", { class: "key", "aria-label": say("key") }, items);
}

/** A day as text: when and how long the check was not healthy, and why. */
export function describeDay({ day, times, incidents, locations }, threshold, now) {
  const title = say("day_utc", { day: utcDay(day) });
  const known = times.healthy + times.degraded + times.down;
  if (!known && !times.maintenance) return { title, lines: [["", say("no_results")]] };
  const lines = [];
  if (known) lines.push([say("uptime"), percent(upTimeShare(times)), kindOf({ times }, threshold)]);
  for (const state of ["down", "degraded"]) {
    if (times[state]) lines.push([capital(say(state)), duration(times[state]), state]);
  }
  const isDown = ({ incident }) => Number(incident.status === "down");
  const worst = [...incidents].sort((a, b) => isDown(b) - isDown(a));
  for (const { at, until, isOpen, incident } of worst.slice(0, MANY_INCIDENTS)) {
    const [from, to] = [Math.max(at, day * DAY), Math.min(until, (day + 1) * DAY)];
    const isNow = isOpen && to === until && incident.lastSeen === undefined;
    const when = isNow
      ? say("since", { state: capital(say(incident.status)), time: clock(from) })
      : `${capital(say(incident.status))} ${timeSpan(from, to, from)}`;
    const why = incident.reason ? `: ${isolate(shorten(incident.reason, LONGEST_TIP))}` : "";
    lines.push(["", `${when}${why}`]);
  }
  if (incidents.length > MANY_INCIDENTS) lines.push(["", say("more_incidents", { n: incidents.length - MANY_INCIDENTS })]);
  const isToday = now < (day + 1) * DAY;
  if (known && !times.down && !times.degraded) lines.push(["", say(isToday ? "healthy_so_far" : "all_day_healthy")]);
  if (times.maintenance) lines.push([say("in_maintenance_head"), duration(times.maintenance), "maintenance"]);
  if (times.unknown > DAY / 20) lines.push(["", say("not_known", { length: duration(times.unknown) })]);
  for (const { location, row } of locations) {
    if (row.p50 === null) continue;
    const value = say("rtt_line", { median: roundTrip(row.p50), high: roundTrip(row.p99) });
    lines.push([location ? isolate(location) : say("round_trip"), value]);
  }
  if (incidents.length) lines.push(["", say("open_day")]);
  return { title, lines };
}
