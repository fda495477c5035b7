// The card of a check: its state in one line, a bar of days, and a panel with locations, chart and figures that opens on demand.

import { el, icon, scrollToId, setChildren, setText } from "./dom.js";
import { DAY, bdi, checkName, duration, moment, timeElement } from "./text.js";
import { phrase, say } from "./words.js";
import { dayOf } from "./model.js";
import { checksOf, dayTimes, daysOf, uptimes } from "./history.js";
import { verdictOf } from "./verdict.js";
import { loadDetail } from "./data.js";
import { incidentsOn } from "./events.js";
import { DayBar } from "./bars.js";
import { RoundTripChart } from "./chart.js";
import { dayTable, locationTable, placeName, reasonLine, stateWord, uptimeText, uptimeWindows } from "./locations.js";

/** Below this width in pixels, a bar has only as many days as a finger can tell apart. */
const NARROW_BAR = 480;
const NARROW_DAYS = 30;
/** The width of a figure that was never laid out. It scales when it is printed. */
const PRINT_WIDTH = 840;

/** Only cards near the window are drawn. They are drawn again when their width changes. */
const near = new IntersectionObserver(
  (entries) => entries.forEach((entry) => entry.target.card.comeNear(entry.isIntersecting)),
  { rootMargin: "400px" },
);
const widths = new ResizeObserver((entries) =>
  entries.forEach((entry) => {
    if (!entry.contentRect.width) return;
    entry.target.figure.resize(Math.floor(entry.contentRect.width));
    entry.target.closest(".card")?.card.draw();
  }),
);

/** The card of a check. It exists as long as the check is shown, so an open panel stays open and focus stays in place. */
export class CheckCard {
  /** `site` has the data, its version, the config and the time. */
  constructor(check, id, site) {
    this.id = id;
    this.near = false;
    this.open = false;
    this.icon = el("span", { class: "card-icon" });
    this.button = el(
      "button",
      { type: "button", "aria-expanded": "false", "aria-controls": `${id}-panel`, onclick: () => this.toggle() },
      bdi(checkName(check)),
    );
    this.state = el("p", { class: "card-state" });
    this.share = el("span", { class: "card-share" });
    this.places = el("ul", { class: "places", "aria-label": say("locations") });
    this.bar = new DayBar(checkName(check), (day) => site.openDay(check, day));
    this.oldest = el("span", {});
    this.uptimes = el("dl", { class: "uptimes" });
    this.panel = el("div", { class: "panel", id: `${id}-panel`, hidden: true });
    this.element = el(
      "li",
      { class: "card", id },
      el("div", { class: "card-head" }, this.icon, el("h3", {}, this.button), this.state, this.share),
      this.places,
      this.bar.element,
      el("div", { class: "below-bar" }, this.oldest, this.uptimes, el("span", { class: "today" }, say("today_utc"))),
      this.panel,
    );
    this.element.card = this;
    this.bar.element.figure = this.bar;
    near.observe(this.element);
    widths.observe(this.bar.element);
  }

  /** Shows a new verdict. */
  update(verdict, site) {
    this.verdict = verdict;
    this.site = site;
    const { now } = site;
    this.element.dataset.state = verdict.status;
    setChildren(this.icon, verdict.status, () => icon(verdict.status));
    setChildren(this.state, [verdict.status, verdict.since, duration(now - verdict.since)].join(), () => stateLine(verdict, now));
    setChildren(this.places, placesSignature(verdict), () => placesOf(verdict));
    this.places.hidden = !this.places.children.length;
    this.element.classList.toggle("is-waiting", verdict.status === "waiting");
    this.draw();
  }

  comeNear(near) {
    this.near = near;
    this.draw();
  }

  toggle(open = !this.open) {
    this.open = open;
    this.button.setAttribute("aria-expanded", open);
    this.element.classList.toggle("is-open", open);
    this.panel.hidden = !open;
    this.draw();
  }

  /** Opens the card and scrolls to it. */
  reveal() {
    this.toggle(true);
    this.button.focus({ preventScroll: true });
    scrollToId(this.id);
  }

  /** Draws the card even if it was never near the window. */
  drawForPrint() {
    this.near = true;
    this.bar.resize(this.bar.width || PRINT_WIDTH);
    this.draw();
    if (this.open && this.chart) this.chart.resize(this.chart.width || PRINT_WIDTH);
  }

  /** Draws what has changed, if the card is near the window. */
  draw() {
    if (!this.near || !this.site || this.verdict.status === "waiting") return;
    const { site, verdict } = this;
    const { data, now, config } = site;
    const windows = uptimeWindows(config.timeframe);
    const minute = Math.floor(now / 60_000);
    const narrow = this.bar.width < NARROW_BAR;
    const signature = [site.version, minute, narrow].join();
    if (this.drawn !== signature) {
      this.drawn = signature;
      this.days = daysWithTimes(verdict.check, site, this.detail);
      const shown = narrow ? this.days.slice(-NARROW_DAYS) : this.days;
      this.bar.set(shown, config.amber, now);
      setText(this.oldest, say("days_ago", { n: shown.length }));
      const spans = windows.map(([, span]) => span);
      const texts = uptimes(verdict.check.series, spans, data, now, config.quorum).map(uptimeText);
      setText(this.share, texts.at(-1));
      setChildren(this.uptimes, texts.join(), () =>
        windows.map(([name], i) => el("div", {}, el("dt", {}, name), el("dd", {}, texts[i]))),
      );
    }
    if (this.open) this.drawPanel(windows);
  }

  drawPanel(windows) {
    const { site, verdict } = this;
    if (!this.chart) this.makePanel();
    const signature = `${site.version},${Math.floor(site.now / 60_000)}`;
    if (this.panelDrawn === signature) return;
    this.panelDrawn = signature;
    const reason = verdict.bad.length ? reasonLine(verdict) : "";
    this.reason.hidden = !reason || verdict.fresh.length > 1;
    setText(this.reason, reason);
    const { detail } = site.data.figures.get(verdict.check.key) ?? {};
    if (detail === undefined) this.fillPanel(verdict, site, windows);
    else this.loadPanel(detail, windows);
  }

  fillPanel(verdict, { data, now }, windows) {
    this.locations.replaceChildren(locationTable(verdict, { data, now }, windows));
    this.chart.set(verdict.check, data, now);
    this.chart.element.hidden = this.figures.hidden = false;
    this.drawFigures();
  }

  /** Loads what the overview does not have, and shows it unless something newer is being loaded. */
  async loadPanel(id, windows) {
    const { site, panelDrawn } = this;
    const { now } = site;
    this.note.textContent ||= say("loading_check");
    try {
      const data = await loadDetail(id);
      const [check] = checksOf(data).values();
      if (!check || panelDrawn !== this.panelDrawn) return;
      this.detail = { check, data };
      this.note.textContent = "";
      this.fillPanel(verdictOf(check, site.config.quorum, now, data, true), { data, now }, windows);
      // The tips of the days have its round-trip times.
      this.drawn = null;
      this.draw();
    } catch (error) {
      this.note.textContent = say("load_failed", { why: error.message });
    }
  }

  makePanel() {
    const { check } = this.verdict;
    const name = checkName(check);
    this.chart = new RoundTripChart(name, this.site.config.timeframe);
    this.chart.surface.figure = this.chart;
    widths.observe(this.chart.surface);
    this.reason = el("p", { class: "reason", dir: "auto" });
    this.locations = el("div", { class: "scroll" });
    this.note = el("p", { class: "nothing", role: "status" });
    this.figures = el(
      "details",
      { class: "figures", ontoggle: () => this.drawFigures() },
      el("summary", {}, say("figures")),
      el("div", { tabindex: 0, role: "region", "aria-label": say("figures_of", { name }) }),
    );
    const endpoint = phrase("endpoint", { endpoint: el("code", { dir: "auto" }, check.endpoint) });
    // They appear when they are filled.
    this.chart.element.hidden = this.figures.hidden = true;
    this.panel.append(
      this.reason,
      this.note,
      this.locations,
      this.chart.element,
      ...(check.endpoint ? [el("p", { class: "endpoint" }, endpoint)] : []),
      this.figures,
    );
  }

  drawFigures() {
    if (!this.figures.open) return;
    const days = this.days.filter(({ times }) => times.healthy + times.degraded + times.down + times.maintenance);
    this.figures.lastChild.replaceChildren(this.chart.table(), dayTable(days));
  }
}

/** The days of the bar: the time in each state, the incidents, and the round-trip times of the locations. */
function daysWithTimes(check, site, detail = { check, data: site.data }) {
  const { data, now, config } = site;
  const count = Math.min(400, Math.max(7, Math.ceil(config.timeframe / DAY)));
  const today = dayOf(now);
  const times = dayTimes(check, today - count + 1, count, data, now, config.quorum);
  const events = site.eventsOf(check);
  const days = daysOf(detail.check, today, count, detail.data);
  return days.map((day, i) => ({ ...day, times: times[i], incidents: incidentsOn(day.day, events, check.key) }));
}

function stateLine({ status, underlying, since, first, maintenance }, now) {
  const word = el("strong", {}, stateWord(status));
  if (status === "maintenance") {
    const until = { state: word, time: moment(maintenance.to, now), underlying: say(underlying) };
    return phrase(underlying === "healthy" ? "until_then" : "until_then_is", until);
  }
  // What was always so is so since it is known, which says nothing.
  if (!since || (status === "healthy" && since <= first)) return [word];
  const length = duration(now - since);
  if (status === "healthy") return phrase("for", { state: word, length: timeElement(since, length) });
  const time = timeElement(since, moment(since, now));
  return status === "stale" ? phrase("since", { state: word, time }) : phrase("for_since", { state: word, length, time });
}

function placesSignature({ locations }) {
  return locations.map(({ location, status, stale }) => [location, status, stale].join()).join(";");
}

/** The locations, if their states differ. */
function placesOf({ locations }) {
  const states = locations.map(({ status, stale }) => (stale ? "stale" : status));
  if (new Set(states).size < 2) return [];
  return locations.map(({ location }, i) =>
    el("li", { "data-state": states[i] }, icon(states[i]), bdi(placeName(location)), el("span", { class: "sr" }, `: ${say(states[i])}`)),
  );
}
