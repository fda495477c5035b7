// The bar of days: one column per day. Shape and colour both show the state:
// full height is healthy, lower is degraded, broken in two is down, an outline is maintenance only, a stub is no data.

import { el, svg } from "./dom.js";
import { counted, figure, isolate, percent, roundTrip, utcDay } from "./text.js";
import { upShare } from "./history.js";
import { Scrubber } from "./scrub.js";

const BAR_HEIGHT = 36;
const KINDS = ["healthy", "degraded", "down", "excluded", "none"];

/** The kind of a day, which is the worst state of its results. */
export function kindOf(day) {
  if (day.down) return "down";
  if (day.degraded) return "degraded";
  if (day.healthy) return "healthy";
  return day.excluded ? "excluded" : "none";
}

/** The bar of a check. It is drawn once its width is known, and again when the width or the days change. */
export class DayBar {
  constructor(title) {
    this.paths = Object.fromEntries(KINDS.map((kind) => [kind, svg("path", { class: `day ${kind}` })]));
    this.cursor = svg("rect", { class: "cursor", y: 0, height: BAR_HEIGHT, rx: 2, visibility: "hidden" });
    this.drawing = svg(
      "svg",
      // If it is printed at another width than on the screen, it is scaled.
      { "aria-hidden": "true", height: BAR_HEIGHT, width: "100%", preserveAspectRatio: "none" },
      this.cursor,
      ...Object.values(this.paths),
    );
    this.element = el("div", { class: "days" }, this.drawing);
    this.scrubber = new Scrubber(this.element, `${title}: uptime by day`);
    this.days = [];
  }

  set(days) {
    this.days = days;
    this.draw();
    this.scrubber.set({
      count: days.length,
      describe: (i) => describeDay(days[i]),
      place: (i) => (i + 0.5) / days.length,
      find: (x) => Math.floor(x * days.length),
      show: (i) => this.mark(i),
    });
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
      const kind = kindOf(day);
      shapes[kind] += column(kind, i * pitch + gap / 2, pitch - gap);
    });
    for (const kind of KINDS) this.paths[kind].setAttribute("d", shapes[kind]);
    this.cursor.setAttribute("width", pitch.toFixed(2));
  }

  mark(i) {
    this.cursor.setAttribute("visibility", i === null ? "hidden" : "visible");
    if (i !== null) this.cursor.setAttribute("x", ((i * this.width) / this.days.length).toFixed(2));
  }
}

function column(kind, x, width) {
  const r = Math.min(2, width / 3);
  const [top, bottom] = [2, BAR_HEIGHT - 2];
  switch (kind) {
    case "down":
      return block(x, top, width, 18, r) + block(x, 24, width, bottom - 24, r);
    case "degraded":
      return block(x, 12, width, bottom - 12, r);
    case "none":
      return block(x, bottom - 6, width, 6, Math.min(r, 1));
    default:
      return block(x, top, width, bottom - top, r);
  }
}

/** A rectangle with round corners as a path. */
function block(x, y, width, height, r) {
  const f = (value) => Number(value.toFixed(2));
  const [w, h] = [f(width - 2 * r), f(height - 2 * r)];
  const corner = (dx, dy) => `a${f(r)} ${f(r)} 0 0 1 ${f(dx)} ${f(dy)}`;
  return `M${f(x + r)} ${f(y)}h${w}${corner(r, r)}v${h}${corner(-r, r)}h${-w}${corner(-r, -r)}v${-h}${corner(r, -r)}z`;
}

/** The legend of the shapes. */
export function barKey() {
  const words = {
    healthy: "healthy",
    degraded: "degraded",
    down: "down",
    excluded: "maintenance only",
    none: "no results",
  };
  const items = KINDS.map((kind) => {
    const sample = svg("path", { class: `day ${kind}`, d: column(kind, 1, 7) });
    return el("li", {}, svg("svg", { viewBox: `0 0 9 ${BAR_HEIGHT}`, "aria-hidden": "true" }, sample), words[kind]);
  });
  return el("ul", { class: "key", "aria-label": "Key of the daily bars" }, items);
}

/** The statistics of a day as text. */
export function describeDay(day) {
  const title = `${utcDay(day.day)} (UTC)`;
  const total = day.healthy + day.degraded + day.down;
  if (!total && !day.excluded) return { title, lines: [["", "no results"]] };
  const lines = [];
  if (total) lines.push(["Uptime", percent(upShare(day)), kindOf(day)]);
  if (day.down) lines.push(["Down", `${counted(day.down, "result")} of ${figure(total)}`, "down"]);
  if (day.degraded) lines.push(["Degraded", `${counted(day.degraded, "result")} of ${figure(total)}`, "degraded"]);
  if (!day.down && !day.degraded && total) lines.push(["", `all ${counted(total, "result")} healthy`]);
  if (day.excluded) lines.push(["Maintenance", `${counted(day.excluded, "result")} left out`, "maintenance"]);
  for (const { location, row } of day.locations) {
    if (row.p50 !== null)
      lines.push([location ? isolate(location) : "Round trip", `${roundTrip(row.p50)}, 99 % in ${roundTrip(row.p99)}`]);
  }
  return { title, lines };
}
