// The card of a check: its state in one line, a bar of days, and a panel with locations, chart and figures that opens on demand.

import { el, icon, setChildren, setText } from "./dom.js";
import { DAY, ago, checkName, duration, isolate, moment, percent, roundTrip, shorten, timeElement, utcDay } from "./text.js";
import { dayOf } from "./model.js";
import { daysOf, upShare, uptime } from "./history.js";
import { DayBar } from "./bars.js";
import { RoundTripChart } from "./chart.js";

/** The names of the states, as shown. */
export const STATE_WORDS = {
  healthy: "Healthy",
  degraded: "Degraded",
  down: "Down",
  stale: "No fresh results",
  maintenance: "Maintenance",
};

/** Below this width in pixels, a bar has fewer days, so that a finger can select each. */
const NARROW_BAR = 480;
const NARROW_DAYS = 30;
/** The width of a figure that has not been laid out yet. It scales when it is printed. */
const PRINT_WIDTH = 840;

let cardCount = 0;

/** Only cards near the window are drawn. They are drawn again when their width changes. */
const near = new IntersectionObserver(
  (entries) => entries.forEach((entry) => entry.target.card.comeNear(entry.isIntersecting)),
  { rootMargin: "400px" },
);
const widths = new ResizeObserver((entries) =>
  entries.forEach((entry) => {
    entry.target.figure.resize(Math.floor(entry.contentRect.width));
    entry.target.closest(".card")?.card.draw();
  }),
);

/** The card of a check. It exists as long as the check is shown, so an open panel stays open and focus stays in place. */
export class CheckCard {
  constructor(check) {
    const id = `check-${(cardCount += 1)}`;
    this.id = id;
    this.near = false;
    this.open = false;
    this.icon = el("span", { class: "card-icon" });
    this.button = el(
      "button",
      { type: "button", "aria-expanded": "false", "aria-controls": `${id}-panel`, onclick: () => this.toggle() },
      checkName(check),
    );
    this.state = el("p", { class: "card-state" });
    this.reason = el("p", { class: "reason", dir: "auto", hidden: true });
    this.places = el("ul", { class: "places", "aria-label": "Locations" });
    this.bar = new DayBar(checkName(check));
    this.oldest = el("span", {});
    this.uptimes = el("dl", { class: "uptimes" });
    this.panel = el("div", { class: "panel", id: `${id}-panel`, hidden: true });
    this.element = el(
      "li",
      { class: "card", id },
      el("div", { class: "card-head" }, this.icon, el("h3", {}, this.button), this.state),
      this.reason,
      this.places,
      this.bar.element,
      el("div", { class: "below-bar" }, this.oldest, this.uptimes, el("span", { class: "today" }, "Today")),
      this.panel,
    );
    this.element.card = this;
    this.bar.element.figure = this.bar;
    near.observe(this.element);
    widths.observe(this.bar.element);
  }

  /** Shows a new verdict. `site` has the data, its version, the config and the time. */
  update(verdict, site) {
    this.verdict = verdict;
    this.site = site;
    const { now } = site;
    this.element.dataset.state = verdict.status;
    setChildren(this.icon, verdict.status, () => icon(verdict.status));
    setChildren(this.state, [verdict.status, verdict.since, duration(now - verdict.since)].join(), () =>
      stateLine(verdict, now),
    );
    const reason = verdict.bad.length ? reasonLine(verdict) : "";
    this.reason.hidden = !reason;
    setText(this.reason, reason);
    setChildren(this.places, placesSignature(verdict), () => placesOf(verdict));
    this.places.hidden = !this.places.children.length;
    this.draw();
  }

  comeNear(near) {
    this.near = near;
    this.draw();
  }

  toggle(open = !this.open) {
    this.open = open;
    this.button.setAttribute("aria-expanded", open);
    this.panel.hidden = !open;
    this.draw();
  }

  /** Opens the card and scrolls to it once the cards before it have their sizes. */
  reveal() {
    this.toggle(true);
    this.button.focus({ preventScroll: true });
    requestAnimationFrame(() => this.element.scrollIntoView());
  }

  /** Draws the card even if it has never been near the window. */
  drawForPrint() {
    this.near = true;
    this.bar.resize(this.bar.width || PRINT_WIDTH);
    this.draw();
    if (this.open) this.chart.resize(this.chart.width || PRINT_WIDTH);
  }

  /** Draws what has changed, if the card is near the window. */
  draw() {
    if (!this.near || !this.site) return;
    const { site, verdict } = this;
    const { data, now, config } = site;
    const today = dayOf(now);
    const narrow = this.bar.width < NARROW_BAR;
    const signature = `${site.version},${today},${narrow}`;
    if (this.drawn !== signature) {
      this.drawn = signature;
      this.days = daysOf(verdict.check, today, barDays(config.timeframe), data);
      const shown = narrow ? this.days.slice(-NARROW_DAYS) : this.days;
      this.bar.set(shown);
      setText(this.oldest, `${shown.length} days ago`);
    }
    const windows = uptimeWindows(config.timeframe);
    const shares = windows.map(([, span]) => percent(uptime(verdict.check.series, now - span, data, now, config.quorum)));
    setChildren(this.uptimes, shares.join(), () =>
      windows.map(([name], i) => el("div", {}, el("dt", {}, name), el("dd", {}, shares[i]))),
    );
    if (this.open) this.drawPanel(windows);
  }

  drawPanel(windows) {
    const { site, verdict } = this;
    if (!this.chart) {
      this.chart = new RoundTripChart(checkName(verdict.check));
      this.chart.surface.figure = this.chart;
      widths.observe(this.chart.surface);
      this.locations = el("div", { class: "scroll" });
      this.figures = el(
        "details",
        { class: "figures", ontoggle: () => this.drawFigures() },
        el("summary", {}, "Figures as tables"),
        el("div", { tabindex: 0, role: "region", "aria-label": `${checkName(verdict.check)}: figures` }),
      );
      const title = (text) => el("h4", {}, text);
      this.panel.append(
        this.locations,
        title("Round-trip time, last 24 hours"),
        this.chart.element,
        el("p", { class: "endpoint" }, "Endpoint: ", el("code", { dir: "auto" }, verdict.check.endpoint)),
        this.figures,
      );
    }
    const signature = `${site.version},${Math.floor(site.now / 60_000)}`;
    if (this.panelDrawn === signature) return;
    this.panelDrawn = signature;
    this.locations.replaceChildren(locationTable(verdict, site, windows));
    this.chart.set(verdict.check, site.now);
    this.drawFigures();
  }

  drawFigures() {
    if (!this.figures.open) return;
    this.figures.lastChild.replaceChildren(
      this.chart.table("Median round-trip time by hour, newest first"),
      dayTable(this.days.filter((day) => day.healthy + day.degraded + day.down + day.excluded)),
    );
  }
}

/** The number of days in the bar. */
function barDays(timeframe) {
  return Math.min(400, Math.max(7, Math.ceil(timeframe / DAY)));
}

function uptimeWindows(timeframe) {
  const windows = [
    ["24 h", DAY],
    ["7 d", 7 * DAY],
    ["30 d", 30 * DAY],
    ["90 d", 90 * DAY],
  ];
  return windows.filter(([, span]) => span === DAY || span <= timeframe);
}

function stateLine({ status, underlying, since, maintenance }, now) {
  const word = el("strong", {}, STATE_WORDS[status]);
  if (status === "maintenance")
    return [
      word,
      ` until ${moment(maintenance.to, now)}`,
      underlying === "healthy" ? "" : ` (${STATE_WORDS[underlying].toLowerCase()})`,
    ];
  if (!since) return [word];
  if (status === "healthy") return [word, " for ", timeElement(since, duration(now - since))];
  if (status === "stale") return [word, " since ", timeElement(since, moment(since, now))];
  return [word, ` for ${duration(now - since)}, since `, timeElement(since, moment(since, now))];
}

/** Where a check is not healthy, and why: "Down at eu-west: connection refused (1 of 3 locations)". */
export function reasonLine({ bad, reason, fresh }) {
  const text = reason ? isolate(shorten(reason)) : "no reason given";
  if (fresh.length < 2) return text;
  const names = bad.map((location) => placeName(location.location));
  const where = names.slice(0, 5).join(", ") + (names.length > 5 ? " and more" : "");
  return `${STATE_WORDS[bad[0].status]} at ${where}: ${text} (${bad.length} of ${fresh.length} locations)`;
}

function placesSignature({ locations }) {
  return locations.map(({ location, status, stale }) => [location, status, stale].join()).join(";");
}

function placesOf({ locations }) {
  if (locations.length === 1 && !locations[0].location) return [];
  return locations.map(({ location, status, stale }) => {
    const state = stale ? "stale" : status;
    return el(
      "li",
      { "data-state": state },
      icon(state),
      placeName(location),
      el("span", { class: "sr" }, `: ${STATE_WORDS[state].toLowerCase()}`),
    );
  });
}

function placeName(location) {
  return location ? isolate(location) : "unnamed node";
}

/** The table of locations. It has explicit roles because its cells are stacked on narrow screens. */
function locationTable({ locations }, { data, now }, windows) {
  const head = ["Location", "State", "Since", "Last check", "Round trip", ...windows.map(([name]) => name)];
  const reasons = locations.filter((at) => at.status !== "healthy").map((at) => at.reason);
  // A reason that all locations share is already above the table.
  const isShared = reasons.length === locations.length && new Set(reasons).size === 1;
  const rows = locations.map((at) => {
    const state = at.stale ? "stale" : at.status;
    const reason = at.status !== "healthy" && !isShared && at.reason;
    const cells = [
      [
        el("span", { class: "inline-state", "data-state": state }, icon(state), STATE_WORDS[state]),
        reason && el("p", { class: "cell-reason", dir: "auto", title: shorten(reason) }, shorten(reason)),
      ],
      [timeElement(at.since, moment(at.since, now))],
      [timeElement(at.at, ago(at.at, now))],
      [at.rtt === null ? "none" : roundTrip(at.rtt)],
      ...windows.map(([, span]) => [percent(uptime([at.series], now - span, data, now))]),
    ];
    return el(
      "tr",
      { role: "row" },
      el("th", { scope: "row", role: "rowheader" }, placeName(at.location)),
      cells.map((cell, i) => el("td", { role: "cell", "data-label": head[i + 1], class: i > 2 && "number" }, cell)),
    );
  });
  const headers = head.map((name, i) =>
    el("th", { scope: "col", role: "columnheader", class: i > 3 && "number" }, name),
  );
  return el(
    "table",
    { class: "locations", role: "table" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, headers)),
    el("tbody", { role: "rowgroup" }, rows),
  );
}

function dayTable(days) {
  const head = ["Day (UTC)", "Uptime", "Healthy", "Degraded", "Down", "In maintenance"];
  const rows = days.toReversed().map((day) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, utcDay(day.day)),
      [percent(upShare(day)), day.healthy, day.degraded, day.down, day.excluded].map((value) =>
        el("td", {}, String(value)),
      ),
    ),
  );
  return el(
    "table",
    {},
    el("caption", {}, "Results by day, newest first"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        head.map((name) => el("th", { scope: "col" }, name)),
      ),
    ),
    el("tbody", {}, rows),
  );
}
