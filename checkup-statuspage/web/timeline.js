// The history: incidents with their messages, other messages and maintenance, by month and day, newest first.

import { el, scrollToId, setChildren } from "./dom.js";
import { checkName, dateOf, duration, utcDay } from "./text.js";
import { say, timeText, zoneName } from "./words.js";
import { incidentsOn } from "./events.js";
import { entryId, entryOf } from "./entries.js";

/** How many days are shown at a time, and how many entries at most: with many checks, a day may have hundreds. */
const DAYS_AT_A_TIME = 10;
const ENTRIES_AT_A_TIME = 20;

/** The section of the history. */
export class History {
  constructor(section) {
    this.section = section;
    this.events = [];
    this.steps = 1;
    this.withShort = false;
    /** The month that is shown, as the first day of it; null for the present one. */
    this.month = null;
    /** The check and the UTC day that are shown, instead of months. */
    this.only = null;
    this.target = null;
  }

  /** Shows these events, the newest first. */
  show(events, site) {
    this.events = events;
    this.site = site;
    this.section.hidden = false;
    this.draw();
  }

  draw() {
    const { site, only, section } = this;
    const goesOn = this.events.some(({ isOpen }) => isOpen);
    const minute = goesOn ? Math.floor(site.now / 60_000) : 0;
    const state = [site.version, minute, new Date(site.now).toDateString(), this.month, this.steps, this.withShort, only, this.target];
    const focus = section.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
    const changed = setChildren(section, JSON.stringify(state), () => (only ? this.dayContent() : this.content()));
    if (changed && focus) section.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
  }

  content() {
    const { site } = this;
    const short = this.events.filter(({ isShort }) => isShort).length;
    const listed = this.withShort ? this.events : this.events.filter(({ isShort }) => !isShort);
    const months = byKey(listed, ({ at }) => monthOf(at));
    const current = this.month ?? monthOf(site.now);
    const names = [...new Set([monthOf(site.now), current, ...months.keys()])].sort((a, b) => b - a);
    const days = [...byKey(months.get(current) ?? [], ({ at }) => dateOf(at))];
    const shown = firstOf(days, this.steps);
    const hasMore = shown.length < days.length || shown.at(-1)?.[1].length < days[shown.length - 1]?.[1].length;
    return [
      this.title(),
      el("div", { class: "history-tools" }, this.monthChoice(names, current), short > 0 && this.filter(short)),
      !listed.length && el("p", { class: "nothing" }, say("nothing", { length: duration(site.config.timeframe) })),
      listed.length > 0 && !days.length && el("p", { class: "nothing" }, say("nothing_month")),
      ...shown.map(([date, entries]) => this.daySection(date, entries)),
      hasMore && el("button", { type: "button", class: "all", "data-focus": "more", onclick: () => this.showMore() }, say("show_more")),
      this.zone(),
    ];
  }

  /** The incidents of one check on one day. */
  dayContent() {
    const { check, day } = this.only;
    const entries = incidentsOn(day, this.events, check.key);
    const values = { name: checkName(check), day: utcDay(day) };
    return [
      this.title(),
      el("div", { class: "history-tools" }, el("h3", { tabindex: -1, class: "month" }, say("day_filter", values)), this.showAllButton()),
      !entries.length && el("p", { class: "nothing" }, say("nothing_day", values)),
      ...[...byKey(entries, ({ at }) => dateOf(at))].map(([date, list]) => this.daySection(date, list)),
      this.zone(),
    ];
  }

  title() {
    return el("h2", { id: "timeline-title" }, say("history"));
  }

  zone() {
    return el("p", { class: "nothing zone" }, say("times_are", { zone: zoneName(this.site.now) }));
  }

  daySection(date, entries) {
    const items = entries.map((event) => entryOf(event, this.site.now));
    items.find(({ id }) => id && id === this.target)?.classList.add("is-target");
    return el("section", { class: "day-entries" }, el("h4", { class: "date" }, date), el("ol", {}, items));
  }

  monthChoice(names, current) {
    const at = names.indexOf(current);
    const step = (key, month, focus) =>
      month !== undefined &&
      el("button", { type: "button", "data-focus": focus, onclick: () => this.goTo(month) }, say(key, { month: timeText(month, "month") }));
    const title = el("h3", { class: "month", tabindex: -1 }, timeText(current, "month"));
    return el("div", { class: "months" }, title, step("earlier_month", names[at + 1], "earlier"), step("later_month", names[at - 1], "later"));
  }

  filter(count) {
    const change = (event) => {
      this.withShort = event.target.checked;
      this.draw();
    };
    const box = el("input", { type: "checkbox", "data-focus": "short", checked: this.withShort, onchange: change });
    return el("label", { class: "filter" }, box, " ", say("short_slowdowns", { n: count }));
  }

  showAllButton() {
    const all = () => {
      this.only = null;
      this.draw();
      this.section.querySelector(".month")?.focus();
    };
    return el("button", { type: "button", "data-focus": "all", onclick: all }, say("show_everything"));
  }

  showMore() {
    const next = this.section.querySelectorAll(".entry").length;
    this.steps += 1;
    this.draw();
    const first = this.section.querySelectorAll(".entry")[next];
    first?.setAttribute("tabindex", "-1");
    first?.focus();
  }

  goTo(month) {
    Object.assign(this, { month, steps: 1 });
    this.draw();
    this.section.querySelector(".month").focus();
  }

  /** Shows the incidents of a check on a UTC day. */
  showDay(check, day) {
    this.only = { check: { key: check.key, title: check.title, endpoint: check.endpoint }, day };
    this.draw();
    this.section.scrollIntoView();
    this.section.querySelector(".month").focus({ preventScroll: true });
  }

  /** Shows the incident with an id (`incident-…`), wherever it is. Returns whether there is one. */
  reveal(id) {
    const event = this.events.find((one) => one.kind === "incident" && entryId(one) === id);
    if (!event) return false;
    const month = monthOf(event.at);
    const withShort = this.withShort || event.isShort;
    const before = this.events.filter(({ at, isShort }) => monthOf(at) === month && at >= event.at && (withShort || !isShort));
    const days = byKey(before, ({ at }) => dateOf(at)).size;
    const steps = Math.max(Math.ceil(days / DAYS_AT_A_TIME), Math.ceil(before.length / ENTRIES_AT_A_TIME));
    Object.assign(this, { only: null, month, steps, withShort, target: id });
    this.draw();
    const entry = document.getElementById(id);
    entry.setAttribute("tabindex", "-1");
    entry.focus({ preventScroll: true });
    scrollToId(id, "center");
    return true;
  }
}

/** The first days with their entries, in so many steps. The last day may be cut. */
function firstOf(days, steps) {
  let room = ENTRIES_AT_A_TIME * steps;
  const shown = [];
  for (const [date, entries] of days.slice(0, DAYS_AT_A_TIME * steps)) {
    if (room > 0) shown.push([date, entries.slice(0, room)]);
    room -= entries.length;
  }
  return shown;
}

/** The first moment of a time's month in the visitor's time zone. */
function monthOf(at) {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), 1).getTime();
}

/** Things by a key, in their order. */
function byKey(things, keyOf) {
  const groups = new Map();
  for (const thing of things) {
    const key = keyOf(thing);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(thing);
  }
  return groups;
}
