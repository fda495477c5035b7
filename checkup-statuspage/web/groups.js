// The checks in their groups, which can be closed; with many checks, compact rows and a search field.

import { el, icon, setChildren, setText } from "./dom.js";
import { duration } from "./text.js";
import { list, say } from "./words.js";
import { RANK } from "./model.js";
import { uptimes } from "./history.js";
import { groupsOf } from "./verdict.js";
import { CheckCard } from "./card.js";
import { barKey } from "./bars.js";
import { uptimeText } from "./locations.js";

/** From this many checks on, groups in which all is healthy are closed. */
const CLOSED_FROM = 20;
/** From this many checks on, there is a search field, and checks are compact rows. */
const SEARCH_FROM = 30;
/** How many checks of a large group are shown at first, and how many more each time. */
const ROWS_AT_FIRST = 40;
const MORE_ROWS = 200;
const ROWS_ON_PAPER = 1000;

/** The section with all checks. */
export class CheckList {
  constructor(element) {
    this.element = element;
    this.cards = new Map();
    this.groups = new Map();
    this.ids = new Map();
    this.query = "";
    this.sections = el("div", { class: "groups" });
  }

  /** Shows the verdicts. `site` has the data, its version, the config and the time. */
  show(verdicts, site) {
    this.verdicts = verdicts;
    this.site = site;
    for (const { check } of verdicts) this.idOf(check);
    if (!this.tools && verdicts.length) this.makeTools();
    if (this.tools) this.search.hidden = verdicts.length < SEARCH_FROM;
    this.sections.classList.toggle("compact", verdicts.length >= SEARCH_FROM);
    this.draw();
  }

  makeTools() {
    this.input = el("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false", oninput: () => this.find(this.input.value) });
    this.search = el("div", { class: "search", role: "search" }, el("label", { for: "search" }, say("search")), this.input);
    this.count = el("p", { class: "search-count", role: "status" });
    this.search.append(this.count);
    this.tools = el("div", { class: "tools" }, this.search, barKey(this.site.config.amber));
    this.element.replaceChildren(this.tools, this.sections);
  }

  find(query) {
    this.query = query.trim().toLowerCase();
    this.draw();
  }

  draw() {
    const { config } = this.site;
    const found = this.query ? this.verdicts.filter((verdict) => matches(verdict, this.query, config)) : this.verdicts;
    const grouped = groupsOf(found, config);
    if (this.count) {
      const words = found.length ? say("found", { n: found.length, total: this.verdicts.length }) : say("none_found");
      setText(this.count, this.query ? words : "");
    }
    const focused = document.activeElement;
    const sections = grouped.map((group, i) => this.groupFor(group, i, grouped.length));
    for (const [i, section] of sections.entries()) section.update(grouped[i], this.query !== "");
    const signature = sections.map(({ id }) => id).join();
    setChildren(this.sections, signature, () => sections.map(({ element }) => element));
    // Keyboard focus stays on its check when the order changes.
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
  }

  groupFor({ name, verdicts }, i, count) {
    const key = JSON.stringify(name);
    if (!this.groups.has(key)) {
      const isOnly = count === 1 && !this.query;
      this.groups.set(key, new GroupSection(this, name, `group-${this.groups.size}`, isOnly, i));
    }
    const group = this.groups.get(key);
    group.isOnly = count === 1;
    group.whole = this.query ? group.whole : verdicts;
    return group;
  }

  cardFor(verdict) {
    const { key } = verdict.check;
    if (!this.cards.has(key)) {
      this.cards.set(key, new CheckCard(verdict.check, this.idOf(verdict.check), this.site));
      if (this.verdicts.length === 1) this.cards.get(key).toggle(true);
    }
    const card = this.cards.get(key);
    card.update(verdict, this.site);
    return card;
  }

  /** The id of a check for links: its name in letters that need no escape, and a part of a hash. */
  idOf({ key, title }) {
    if (!this.ids.has(key)) {
      const name = title.toLowerCase().replace(/[^a-z0-9]+/gu, "-").replace(/^-+|-+$/gu, "").slice(0, 60);
      let hash = 5381;
      for (const letter of key) hash = (Math.imul(hash, 33) ^ letter.codePointAt(0)) >>> 0;
      this.ids.set(key, `check-${[name, hash.toString(16).slice(-4)].filter(Boolean).join("-")}`);
    }
    return this.ids.get(key);
  }

  /** Opens the check with an id, wherever it is. Returns whether there is one. */
  reveal(id) {
    const verdict = this.verdicts?.find(({ check }) => this.idOf(check) === id);
    if (!verdict) return false;
    if (this.input) this.input.value = "";
    this.find("");
    const group = [...this.groups.values()].find(({ whole }) => whole?.includes(verdict));
    group?.showCheck(verdict);
    this.cardFor(verdict).reveal();
    return true;
  }

  /** Draws all checks for paper, where nothing can be opened. Afterwards, what was closed is closed again. */
  drawForPrint(isPrint) {
    if (!this.site) return;
    this.isPrint = isPrint;
    this.draw();
    if (isPrint) for (const card of this.cards.values()) if (card.element.isConnected) card.drawForPrint();
  }
}

/** A group: a heading with a state and an uptime, and its checks if it is open. */
class GroupSection {
  constructor(owner, name, id, isOnly, i) {
    Object.assign(this, { owner, name, id, isOnly, limit: ROWS_AT_FIRST, chosen: null });
    const title = name || say(i || !isOnly ? "other_checks" : "checks");
    this.button = el("button", { type: "button", "aria-controls": `${id}-cards`, onclick: () => this.choose() }, el("bdi", {}, title));
    this.icon = el("span", { class: "group-icon" });
    this.state = el("p", { class: "group-state" });
    this.heading = el("h2", { id }, this.button);
    this.items = el("ul", { class: "cards", id: `${id}-cards` });
    this.more = el("button", { type: "button", class: "all", onclick: () => this.showMore() });
    this.head = el("div", { class: "group-head" }, this.icon, this.heading, this.state);
    this.element = el("section", { class: "group", "aria-labelledby": id }, this.head, this.items, this.more);
  }

  update({ verdicts }, isSearch) {
    const { site, verdicts: all } = this.owner;
    this.verdicts = verdicts;
    const bad = verdicts.filter(({ status }) => status !== "healthy");
    const isFew = all.length < CLOSED_FROM || this.isOnly;
    const { isPrint } = this.owner;
    this.isOpen = isSearch || isPrint || (this.chosen ?? (isFew || bad.length > 0));
    // The only group needs no heading that is seen: the banner says the same.
    this.head.classList.toggle("sr", this.isOnly && !this.name);
    this.button.setAttribute("aria-expanded", this.isOpen);
    this.items.hidden = !this.isOpen;
    this.summarize(verdicts, bad, site);
    // A large group that opened because something is wrong shows that, and the rest on demand.
    const isLarge = verdicts.length > ROWS_AT_FIRST && this.chosen === null && bad.length && !isSearch && !this.isOnly && !isPrint;
    const limit = isPrint ? ROWS_ON_PAPER : this.limit;
    const rows = verdicts.length > limit ? [...bad, ...verdicts.filter(({ status }) => status === "healthy")] : verdicts;
    const listed = (isLarge ? bad : rows).slice(0, limit);
    this.more.hidden = !this.isOpen || listed.length === verdicts.length;
    const rest = Math.min(MORE_ROWS, verdicts.length - listed.length);
    setText(this.more, say("show_more_checks", { n: rest, total: verdicts.length }));
    this.isLarge = isLarge;
    if (!this.isOpen) return;
    const cards = listed.map((verdict) => this.owner.cardFor(verdict).element);
    setChildren(this.items, listed.map(({ check }) => check.key).join("\n"), () => cards);
  }

  summarize(verdicts, bad, { config, data, now, version }) {
    const worst = verdicts.reduce((a, b) => ((RANK[b.status] ?? 0.5) > (RANK[a.status] ?? 0.5) ? b : a)).status;
    setChildren(this.icon, worst, () => icon(worst));
    this.head.dataset.state = worst;
    const minute = Math.floor(now / 60_000);
    const signature = [version, minute, verdicts.length, bad.map(({ status }) => status)].join();
    if (this.summary === signature) return;
    this.summary = signature;
    const words = bad.length
      ? say("group_some", { list: list(countsOf(bad)), total: verdicts.length })
      : say("group_all_healthy", { n: verdicts.length });
    const uptime = meanUptime(verdicts, config, data, now);
    setText(this.state, uptime.share === null ? words : `${words} · ${duration(config.timeframe)} ${uptimeText(uptime).replaceAll(" ", "\u00a0")}`);
  }

  choose() {
    this.chosen = !this.isOpen;
    this.limit = this.chosen ? Math.max(this.limit, MORE_ROWS) : ROWS_AT_FIRST;
    this.owner.draw();
  }

  showMore() {
    const next = this.items.children.length;
    this.chosen = true;
    this.limit = this.isLarge ? MORE_ROWS : this.limit + MORE_ROWS;
    this.owner.draw();
    this.items.children[next]?.querySelector("button")?.focus();
  }

  showCheck(verdict) {
    this.chosen = true;
    this.limit = Math.max(this.limit, this.whole.indexOf(verdict) + 1);
    this.owner.draw();
  }
}

/** "1 down", "2 degraded". */
export function countsOf(verdicts) {
  return ["down", "degraded", "stale", "maintenance", "waiting", "healthy"].flatMap((state) => {
    const n = verdicts.filter(({ status }) => status === state).length;
    return n ? [say("number_state", { n, state: stateIn(state) })] : [];
  });
}

/** A state inside a sentence about checks. */
export function stateIn(state) {
  return say({ stale: "without_fresh", maintenance: "in_maintenance" }[state] ?? state);
}

/** The mean of the uptimes of checks, and how much of the time is known of them. */
function meanUptime(verdicts, { timeframe, quorum }, data, now) {
  const all = verdicts.map(({ check }) => uptimes(check.series, [timeframe], data, now, quorum)[0]).filter(({ share }) => share !== null);
  if (!all.length) return { share: null, known: 0, span: timeframe };
  const mean = (key) => all.reduce((sum, one) => sum + one[key], 0) / all.length;
  return { share: all.every(({ share }) => share === 1) ? 1 : Math.min(mean("share"), 0.999999), known: mean("known"), span: timeframe };
}

/** Whether a check has these words in its name, its group, its endpoint or its locations. */
function matches({ check, locations }, query, { groups }) {
  const group = groups.find(({ checks }) => checks.includes(check.title))?.name ?? "";
  const text = [check.title, check.endpoint, group, ...locations.map(({ location }) => location ?? "")].join("\n").toLowerCase();
  return query.split(/\s+/u).every((word) => text.includes(word));
}
