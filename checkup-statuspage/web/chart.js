// The chart of the round-trip times of the last 24 hours: the median of each location as a line, its spread as an area,
// the threshold as a dashed line, and marks at the bottom for results that were not healthy.

import { el, svg } from "./dom.js";
import { median } from "./model.js";
import { clock, roundTrip } from "./text.js";
import { Scrubber } from "./scrub.js";

const CHART_HEIGHT = 168;
const PLOT = { top: 10, left: 54, right: 6, bottom: 22 };
const CHART_SPAN = 24 * 3_600_000;
const BUCKET = 10 * 60_000;
const BUCKETS = CHART_SPAN / BUCKET;
/** The lines of locations also differ in their dashes. The patterns repeat after the sixth. */
const DASHES = [null, "7 3", "2 3", "9 3 2 3", "4 2", "1 2"];

/** The chart of a check: `series` with their points, up to `now`. */
export class RoundTripChart {
  constructor(title) {
    this.plot = svg("svg", { "aria-hidden": "true", height: CHART_HEIGHT, width: "100%" });
    this.surface = el("div", { class: "chart-surface" }, this.plot);
    this.scrubber = new Scrubber(this.surface, `${title}: round-trip time in the last 24 hours`);
    this.legend = el("ul", { class: "legend" });
    this.element = el("div", { class: "chart" }, this.surface, this.legend);
  }

  set(check, now) {
    const to = Math.ceil(now / BUCKET) * BUCKET;
    this.from = to - CHART_SPAN;
    this.lines = check.series.map((series) => ({
      name: series.location ?? (check.series.length > 1 ? "unnamed node" : "Median"),
      threshold: series.threshold,
      buckets: bucketsOf(series.points, this.from),
    }));
    this.threshold = Math.max(0, ...this.lines.map((line) => line.threshold));
    this.scale = scaleOf(this.lines, this.threshold);
    this.drawLegend();
    this.draw();
    this.scrubber.set({
      count: BUCKETS,
      describe: (i) => this.describe(i),
      place: (i) => this.x(i + 0.5) / this.width,
      find: (x) =>
        Math.min(BUCKETS - 1, Math.max(0, Math.floor(((x * this.width - PLOT.left) / this.plotWidth()) * BUCKETS))),
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
    return PLOT.left + (bucket / BUCKETS) * this.plotWidth();
  }

  y(us) {
    const height = CHART_HEIGHT - PLOT.top - PLOT.bottom;
    return PLOT.top + height * (1 - Math.min(1.02, us / this.scale.max));
  }

  draw() {
    if (!this.width || !this.lines) return;
    // If it is printed at another width than on the screen, it is scaled.
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
    const step = this.width < 480 ? 6 : 3;
    const first = new Date(this.from);
    first.setMinutes(0, 0, 0);
    for (let at = first.getTime(); at <= this.from + CHART_SPAN; at += 3_600_000) {
      if (at < this.from || new Date(at).getHours() % step) continue;
      const x = this.x((at - this.from) / BUCKET);
      if (x < PLOT.left + 14 || x > right - 14) continue;
      nodes.push(svg("text", { class: "tick", x, y: CHART_HEIGHT - 5, "text-anchor": "middle" }, clock(at)));
    }
    return nodes;
  }

  thresholdLine() {
    if (!this.threshold || this.threshold > this.scale.max) return [];
    const y = this.y(this.threshold);
    return [svg("line", { class: "threshold", x1: PLOT.left, x2: this.width - PLOT.right, y1: y, y2: y })];
  }

  medianPath(buckets) {
    return runs(buckets)
      .map((run) => {
        const points = run.map((i) => `${this.x(i + 0.5).toFixed(1)} ${this.y(buckets[i].mid).toFixed(1)}`);
        // A single bucket is drawn as a short dash.
        return points.length === 1 ? `M${points[0]}h2` : `M${points.join("L")}`;
      })
      .join("");
  }

  spreadPath(buckets) {
    const at = (i, value) => `${this.x(i + 0.5).toFixed(1)} ${this.y(value).toFixed(1)}`;
    return runs(buckets)
      .filter((run) => run.length > 1)
      .map(
        (run) =>
          `M${run.map((i) => at(i, buckets[i].high)).join("L")}L${run
            .reverse()
            .map((i) => at(i, buckets[i].low))
            .join("L")}z`,
      )
      .join("");
  }

  /** Marks on the axis: crosses for down, triangles for degraded. */
  marks() {
    const y = CHART_HEIGHT - PLOT.bottom;
    const nodes = [];
    for (let i = 0; i < BUCKETS; i += 1) {
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
    const start = this.from + i * BUCKET;
    const lines = this.lines.map((line) => {
      const bucket = line.buckets[i];
      if (!bucket) return [line.name, "no results"];
      const state = bucket.status === "healthy" ? undefined : bucket.status;
      const words = [];
      if (state) words.push(state);
      if (bucket.mid !== null) words.push(roundTrip(bucket.mid));
      if (bucket.mid !== null && bucket.low !== bucket.high)
        words.push(`(${roundTrip(bucket.low)} to ${roundTrip(bucket.high)})`);
      return [line.name, words.join(" "), state];
    });
    return { title: `${clock(start)} to ${clock(start + BUCKET)}`, lines };
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
        "fastest to slowest",
      ),
    );
    if (this.threshold) {
      const above = this.threshold > this.scale.max ? ", above the chart" : "";
      items.push(
        el("li", {}, sample({ class: "threshold", d: "M0 4h24" }), `threshold ${roundTrip(this.threshold)}${above}`),
      );
    }
    this.legend.replaceChildren(...items);
  }

  /** The chart's data as a table with one row per hour. */
  table(caption) {
    const rows = [];
    for (let i = BUCKETS - 6; i >= 0; i -= 6) {
      if (!this.lines.some((line) => line.buckets.slice(i, i + 6).some(Boolean))) continue;
      const cells = this.lines.map((line) => {
        const buckets = line.buckets.slice(i, i + 6).filter(Boolean);
        const bad = ["down", "degraded"].find((state) => buckets.some((bucket) => bucket.status === state));
        const times = buckets.map((bucket) => bucket.mid).filter((mid) => mid !== null);
        return el(
          "td",
          {},
          buckets.length ? [bad, times.length && roundTrip(median(times))].filter(Boolean).join(", ") : "no results",
        );
      });
      rows.push(
        el(
          "tr",
          {},
          el("th", { scope: "row" }, `${clock(this.from + i * BUCKET)} to ${clock(this.from + (i + 6) * BUCKET)}`),
          cells,
        ),
      );
    }
    return el(
      "table",
      {},
      el("caption", {}, caption),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", { scope: "col" }, "Time"),
          this.lines.map((line) => el("th", { scope: "col" }, line.name)),
        ),
      ),
      el("tbody", {}, rows),
    );
  }
}

/** Points in steps of ten minutes: the median, the spread, and the worst status. */
function bucketsOf(points, from) {
  const buckets = new Array(BUCKETS).fill(null);
  for (const point of points) {
    const i = Math.floor((point.at - from) / BUCKET);
    if (i < 0 || i >= BUCKETS) continue;
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

/** Runs of neighbouring buckets with times, as lists of indexes. A gap of half an hour ends a run. */
function runs(buckets) {
  const found = [];
  buckets.forEach((bucket, i) => {
    if (!bucket || bucket.mid === null) return;
    const run = found.at(-1);
    if (run && i - run.at(-1) <= 3) run.push(i);
    else found.push([i]);
  });
  return found;
}

/** The range from zero to a round number above nearly all values, so that a single slow result does not flatten the others. */
function scaleOf(lines, threshold) {
  const highs = lines.flatMap((line) =>
    line.buckets.filter((bucket) => bucket && bucket.mid !== null).map((bucket) => bucket.high),
  );
  highs.sort((a, b) => a - b);
  const usual = highs.length ? highs[Math.floor((highs.length - 1) * 0.985)] : 1000;
  const mids = Math.max(0, ...lines.flatMap((line) => line.buckets.map((bucket) => bucket?.mid ?? 0)));
  let top = Math.max(usual, Math.min(mids, usual * 3), 100) * 1.1;
  if (threshold && threshold < top * 3) top = Math.max(top, threshold * 1.08);
  const step = [1, 2, 2.5, 5, 10]
    .map((digit) => digit * 10 ** Math.floor(Math.log10(top / 3)))
    .find((size) => top / size <= 4);
  const max = Math.ceil(top / step) * step;
  const ticks = [];
  for (let value = 0; value <= max + step / 2; value += step) ticks.push(value);
  return { max, ticks };
}
