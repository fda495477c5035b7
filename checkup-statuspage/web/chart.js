// The chart of round-trip times: the median of each location as a line, its spread as an area, the threshold as a dashed line, and
// marks at the bottom for results that were not healthy. The last 24 hours are from results, and longer ranges from daily statistics.

import { el, svg } from "./dom.js";
import { median } from "./model.js";
import { DAY, clock, duration, isolate, roundTrip, timeSpan, utcDay } from "./text.js";
import { say, timeText } from "./words.js";
import { openDays } from "./history.js";
import { Scrubber } from "./scrub.js";

const CHART_HEIGHT = 168;
const PLOT = { top: 10, left: 54, right: 6, bottom: 22 };
const BUCKET = 10 * 60_000;
/** The ranges in days. The first is in steps of ten minutes, the others are in days. */
const RANGES = [1, 7, 30, 90];
/** A gap of more than this many steps ends a line. */
const LONGEST_GAP = { [BUCKET]: 3, [DAY]: 1 };
/** The lines of locations also differ in their dashes. They repeat after the sixth. */
const DASHES = [null, "7 3", "2 3", "9 3 2 3", "4 2", "1 2"];
/** The least top of the scale in microseconds: below it, its steps would have the same names. */
const LEAST_TOP = 300;
/** The share of a day's results from which its state is marked. */
const MARKED = 0.01;

/** The chart of a check with a choice of ranges. */
export class RoundTripChart {
  constructor(title, timeframe) {
    this.title = title;
    this.days = 1;
    this.plot = svg("svg", { "aria-hidden": "true", height: CHART_HEIGHT, width: "100%" });
    this.surface = el("div", { class: "chart-surface" }, this.plot);
    this.scrubber = new Scrubber(this.surface, "");
    this.legend = el("ul", { class: "legend" });
    const ranges = RANGES.filter((days) => days === 1 || days * DAY <= timeframe);
    this.buttons = ranges.map((days) =>
      el("button", { type: "button", "aria-pressed": String(days === 1), onclick: () => this.choose(days) }, rangeName(days)),
    );
    const choice = el("div", { class: "ranges", role: "group", "aria-label": say("chart_title") }, this.buttons);
    const head = el("div", { class: "chart-head" }, el("h4", {}, say("chart_title")), ranges.length > 1 && choice);
    this.element = el("div", { class: "chart" }, head, this.surface, this.legend);
  }

  choose(days) {
    this.days = days;
    this.buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent === rangeName(days))));
    this.set(this.check, this.data, this.now);
  }

  /** Shows the times of a check up to `now`. */
  set(check, data, now) {
    Object.assign(this, { check, data, now });
    const isDays = this.days > 1;
    this.step = isDays ? DAY : BUCKET;
    this.count = isDays ? this.days : DAY / BUCKET;
    const to = isDays ? (Math.floor(now / DAY) + 1) * DAY : Math.ceil(now / BUCKET) * BUCKET;
    this.from = to - this.count * this.step;
    this.lines = check.series.map((series) => ({
      name: series.location ? isolate(series.location) : say(check.series.length > 1 ? "unnamed_node" : "median"),
      threshold: series.threshold,
      buckets: isDays ? daysAsBuckets(series, data, this.from, this.count) : bucketsOf(series.points, this.from, this.count),
    }));
    this.threshold = Math.max(0, ...this.lines.map((line) => line.threshold));
    this.isEmpty = !this.lines.some((line) => line.buckets.some((bucket) => bucket && bucket.mid !== null));
    this.scale = scaleOf(this.lines, this.threshold);
    this.drawLegend();
    this.draw();
    this.scrubber.label = say("chart_label", { name: this.title, range: rangeName(this.days) });
    this.scrubber.set({
      count: this.count,
      describe: (i) => this.describe(i),
      place: (i) => this.x(i + 0.5) / this.width,
      find: (x) =>
        Math.min(this.count - 1, Math.max(0, Math.floor(((x * this.width - PLOT.left) / this.plotWidth()) * this.count))),
      show: (i) => this.mark(i),
    });
  }

  resize(width) {
    if (this.width === width) return;
    this.width = width;
    this.draw();
  }

  plotWidth() {
    return this.width - PLOT.left - PLOT.right;
  }

  x(bucket) {
    return PLOT.left + (bucket / this.count) * this.plotWidth();
  }

  y(us) {
    const height = CHART_HEIGHT - PLOT.top - PLOT.bottom;
    return PLOT.top + height * (1 - Math.min(1.02, us / this.scale.max));
  }

  draw() {
    if (!this.width || !this.lines) return;
    // Printed at another width than on the screen, it is scaled.
    this.plot.setAttribute("viewBox", `0 0 ${this.width} ${CHART_HEIGHT}`);
    this.cursor = svg("line", {
      class: "cursor-line",
      y1: PLOT.top,
      y2: CHART_HEIGHT - PLOT.bottom,
      visibility: "hidden",
    });
    this.plot.replaceChildren(
      ...this.grid(),
      ...this.lines.map((line, i) =>
        svg("path", { class: "spread", "data-line": i % DASHES.length, d: this.spreadPath(line.buckets) }),
      ),
      ...this.thresholdLine(),
      ...this.lines.map((line, i) =>
        svg("path", {
          class: "median",
          "data-line": i % DASHES.length,
          "stroke-dasharray": DASHES[i % DASHES.length],
          d: this.medianPath(line.buckets),
        }),
      ),
      ...this.marks(),
      this.cursor,
    );
  }

  grid() {
    const right = this.width - PLOT.right;
    const nodes = [];
    for (const value of this.scale.ticks) {
      const y = this.y(value);
      nodes.push(svg("line", { class: "grid", x1: PLOT.left, x2: right, y1: y, y2: y }));
      nodes.push(
        svg(
          "text",
          { class: "tick", x: PLOT.left - 8, y: y + 4, "text-anchor": "end" },
          value ? roundTrip(value) : "0",
        ),
      );
    }
    if (this.isEmpty) {
      const middle = { class: "tick", x: (PLOT.left + right) / 2, y: CHART_HEIGHT / 2, "text-anchor": "middle" };
      nodes.push(svg("text", middle, say("no_times")));
    }
    for (const [at, words] of this.days > 1 ? this.dayTicks() : this.hourTicks()) {
      const x = this.x((at - this.from) / this.step);
      if (x < PLOT.left + 14 || x > right - 14) continue;
      nodes.push(svg("text", { class: "tick", x, y: CHART_HEIGHT - 5, "text-anchor": "middle" }, words));
    }
    return nodes;
  }

  hourTicks() {
    const step = this.width < 480 ? 6 : 3;
    const first = new Date(this.from);
    first.setMinutes(0, 0, 0);
    const hours = Array.from({ length: 26 }, (_, i) => first.getTime() + i * 3_600_000);
    return hours.filter((at) => at >= this.from && new Date(at).getHours() % step === 0).map((at) => [at, clock(at)]);
  }

  dayTicks() {
    const step = Math.ceil(this.days / (this.width < 480 ? 4 : 8));
    const days = Array.from({ length: this.count }, (_, i) => this.from + (i + 0.5) * DAY);
    return days.filter((_, i) => (this.count - 1 - i) % step === 0).map((at) => [at, timeText(at, "utcShort")]);
  }

  thresholdLine() {
    if (this.isEmpty || !this.threshold || this.threshold > this.scale.max) return [];
    const y = this.y(this.threshold);
    return [svg("line", { class: "threshold", x1: PLOT.left, x2: this.width - PLOT.right, y1: y, y2: y })];
  }

  medianPath(buckets) {
    return linesOf(buckets, LONGEST_GAP[this.step])
      .map((run) => {
        const points = run.map((i) => `${this.x(i + 0.5).toFixed(1)} ${this.y(buckets[i].mid).toFixed(1)}`);
        // A lone bucket is a short dash.
        return points.length === 1 ? `M${points[0]}h2` : `M${points.join("L")}`;
      })
      .join("");
  }

  spreadPath(buckets) {
    const at = (i, value) => `${this.x(i + 0.5).toFixed(1)} ${this.y(value).toFixed(1)}`;
    const lines = linesOf(buckets, LONGEST_GAP[this.step]).filter((line) => line.length > 1);
    const shapes = lines.map((line) => {
      const [above, below] = [line, line.toReversed()].map((steps, k) => steps.map((i) => at(i, buckets[i][k ? "low" : "high"])).join("L"));
      return `M${above}L${below}z`;
    });
    return shapes.join("");
  }

  /** Marks on the axis: crosses for down, triangles for degraded. */
  marks() {
    const y = CHART_HEIGHT - PLOT.bottom;
    const nodes = [];
    for (let i = 0; i < this.count; i += 1) {
      const states = this.lines.map((line) => line.buckets[i]?.status);
      const x = this.x(i + 0.5);
      if (states.includes("down"))
        nodes.push(svg("path", { class: "mark-down", d: `M${x - 3} ${y - 3}l6 6m0-6l-6 6` }));
      else if (states.includes("degraded"))
        nodes.push(svg("path", { class: "mark-degraded", d: `M${x} ${y - 4}l3.5 6h-7z` }));
    }
    return nodes;
  }

  mark(i) {
    this.cursor?.setAttribute("visibility", i === null ? "hidden" : "visible");
    if (i === null) return;
    this.cursor.setAttribute("x1", this.x(i + 0.5));
    this.cursor.setAttribute("x2", this.x(i + 0.5));
  }

  describe(i) {
    const lines = this.lines.map((line) => {
      const bucket = line.buckets[i];
      if (!bucket) return [line.name, say("no_results")];
      const state = bucket.status === "healthy" ? undefined : bucket.status;
      const words = [];
      if (state) words.push(say(state));
      if (bucket.mid !== null) {
        const [middle, low, high] = [bucket.mid, bucket.low, bucket.high].map(roundTrip);
        words.push(bucket.low === bucket.high ? middle : this.spreadWords(middle, low, high));
      }
      return [line.name, words.join(" "), state];
    });
    return { title: this.nameOf(i), lines };
  }

  spreadWords(middle, low, high) {
    return this.days > 1 ? say("rtt_line", { median: middle, high }) : say("spread_figures", { middle, low, high });
  }

  nameOf(i, length = 1) {
    const start = this.from + i * this.step;
    if (this.days > 1) return say("day_utc", { day: utcDay(start / DAY) });
    return timeSpan(start, start + length * this.step, start);
  }

  drawLegend() {
    const sample = (attributes, kind) =>
      svg(
        "svg",
        { class: "sample", viewBox: "0 0 24 8", "aria-hidden": "true" },
        svg(kind === "area" ? "rect" : "path", attributes),
      );
    const items = this.lines.map((line, i) => {
      const dash = DASHES[i % DASHES.length];
      return el(
        "li",
        {},
        sample({ class: "median", "data-line": i % DASHES.length, "stroke-dasharray": dash, d: "M0 4h24" }),
        line.name,
      );
    });
    items.push(
      el(
        "li",
        {},
        sample({ class: "spread", "data-line": 0, width: 24, height: 8, rx: 2 }, "area"),
        say(this.days > 1 ? "spread_days" : "spread"),
      ),
    );
    if (this.threshold) {
      const key = this.threshold > this.scale.max ? "threshold_above" : "threshold";
      const name = say(key, { time: roundTrip(this.threshold) });
      items.push(el("li", {}, sample({ class: "threshold", d: "M0 4h24" }), name));
    }
    this.legend.replaceChildren(...items);
  }

  /** The same as a table with one row per hour, or per day. */
  table() {
    const [rows, length] = [[], this.days > 1 ? 1 : 6];
    for (let i = this.count - length; i >= 0; i -= length) {
      if (!this.lines.some((line) => line.buckets.slice(i, i + length).some(Boolean))) continue;
      const cells = this.lines.map((line) => el("td", {}, cellOf(line.buckets.slice(i, i + length).filter(Boolean))));
      rows.push(el("tr", {}, el("th", { scope: "row" }, this.nameOf(i, length)), cells));
    }
    const names = this.lines.map((line) => el("th", { scope: "col" }, line.name));
    return el(
      "table",
      {},
      el("caption", {}, say("hours_table")),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, say("time_head")), names)),
      el("tbody", {}, rows),
    );
  }
}

function rangeName(days) {
  return days === 1 ? say("h", { n: 24 }) : duration(days * DAY);
}

function cellOf(buckets) {
  if (!buckets.length) return say("no_results");
  const bad = ["down", "degraded"].find((state) => buckets.some((bucket) => bucket.status === state));
  const times = buckets.map((bucket) => bucket.mid).filter((mid) => mid !== null);
  return [bad && say(bad), times.length && roundTrip(median(times))].filter(Boolean).join(", ");
}

/** Points in steps of ten minutes: the median, the spread, and the worst status. */
function bucketsOf(points, from, count) {
  const buckets = new Array(count).fill(null);
  for (const point of points) {
    const i = Math.floor((point.at - from) / BUCKET);
    if (i < 0 || i >= count) continue;
    const bucket = (buckets[i] ??= { times: [], low: Infinity, high: 0, status: "healthy" });
    if (point.status === "down" || bucket.status === "healthy") bucket.status = point.status;
    if (point.rtt === null) continue;
    bucket.times.push(point.rtt);
    bucket.low = Math.min(bucket.low, point.low);
    bucket.high = Math.max(bucket.high, point.high);
  }
  for (const bucket of buckets) if (bucket) bucket.mid = median(bucket.times);
  return buckets;
}

/** The daily statistics: the median, up to the slowest 1 %, and the worst status that is more than a single result. */
function daysAsBuckets(series, data, from, count) {
  const buckets = new Array(count).fill(null);
  for (const row of [...series.days, ...openDays(series, data)]) {
    const i = row.day - from / DAY;
    const total = row.healthy + row.degraded + row.down;
    if (i < 0 || i >= count || !total) continue;
    const status = ["down", "degraded"].find((state) => row[state] > total * MARKED) ?? "healthy";
    buckets[i] = { mid: row.p50, low: row.p50, high: row.p99 ?? row.p50, status };
  }
  return buckets;
}

/** Lines through neighbouring buckets with times, as lists of their indexes. A gap that is too long ends a line. */
function linesOf(buckets, longestGap) {
  const found = [];
  buckets.forEach((bucket, i) => {
    if (!bucket || bucket.mid === null) return;
    const line = found.at(-1);
    if (line && i - line.at(-1) <= longestGap) line.push(i);
    else found.push([i]);
  });
  return found;
}

/** From zero to a round number above nearly all values. A single slow result must not flatten the others. */
function scaleOf(lines, threshold) {
  const highs = lines.flatMap((line) =>
    line.buckets.filter((bucket) => bucket && bucket.mid !== null).map((bucket) => bucket.high),
  );
  highs.sort((a, b) => a - b);
  const usual = highs.length ? highs[Math.floor((highs.length - 1) * 0.985)] : 1000;
  const mids = Math.max(0, ...lines.flatMap((line) => line.buckets.map((bucket) => bucket?.mid ?? 0)));
  let top = Math.max(usual, Math.min(mids, usual * 3), LEAST_TOP) * 1.1;
  if (threshold && threshold < top * 3) top = Math.max(top, threshold * 1.08);
  const step = [1, 2, 2.5, 5, 10]
    .map((digit) => digit * 10 ** Math.floor(Math.log10(top / 3)))
    .find((size) => top / size <= 4);
  const max = Math.ceil(top / step) * step;
  const ticks = [];
  for (let value = 0; value <= max + step / 2; value += step) ticks.push(value);
  return { max, ticks };
}
