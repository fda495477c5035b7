// The page: reads the settings, loads the data repeatedly, and shows it.

import { el, setChildren } from "./dom.js";
import { link, rich, safeUrl } from "./text.js";
import { emptyData } from "./model.js";
import { checksOf } from "./history.js";
import { countedOf, groupsOf, overallOf, preparedSeries, verdictsOf } from "./verdict.js";
import { loaderOf, resolved } from "./data.js";
import { barKey } from "./bars.js";
import { CheckCard } from "./card.js";
import { showNotices, showOverall, showProblems } from "./overview.js";
import { showTimeline } from "./timeline.js";

/** How often texts that depend on the time are updated: "2 min ago" becomes "3 min ago". */
const TICK = 15_000;
const OPEN_AT_FIRST = 3;

const config = JSON.parse(document.getElementById("config").textContent);
const loader = loaderOf(config);
const cards = new Map();
const site = { config, data: emptyData(), version: 0, failure: null, notes: [], unread: [], loading: 0, loaded: 0, settled: false };
let checks = new Map();
let busy = false;

frame();
load();
setInterval(show, TICK);
// Only cards near the window are drawn, but a printed page has all of them.
addEventListener("beforeprint", () => cards.forEach((card) => card.drawForPrint()));
if (config.refresh > 0) {
  setInterval(() => document.hidden || load(), config.refresh);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - site.loaded > config.refresh) load();
  });
}
addEventListener("online", load);

/** Shows what does not change with the data. */
function frame() {
  const brand = document.getElementById("brand");
  const logo = safeUrl(config.logo, true) ?? (/^data:image\//u.test(config.logo) ? config.logo : null);
  if (logo) brand.prepend(el("img", { src: resolved(logo), alt: "", height: 28 }));
  const links = config.links
    .filter(({ url }) => safeUrl(url, true))
    .map(({ text, url }) => link(String(resolved(url)), text))
    .filter(Boolean);
  document.getElementById("links").append(...links);
  document.getElementById("links").hidden = !links.length;
  document.getElementById("foot").prepend(barKey());
  if (config.description) document.getElementById("description").append(...rich(config.description, Infinity));
}

/** Loads new data. If that fails, the old data stays, and a notice says so. */
async function load() {
  if (busy) return;
  busy = true;
  try {
    for await (const data of loader.load(Date.now())) {
      adopt(data);
      site.settled = true;
      show();
    }
    site.failure = null;
    site.loaded = Date.now() + loader.ahead;
  } catch (error) {
    site.failure = { message: error.message, loaded: site.loaded };
  }
  busy = false;
  site.settled = true;
  show();
}

/** Takes over changed data. Everything that is derived from it is derived here, once. */
function adopt(data) {
  if (site.version === loader.version) return;
  site.data = data;
  site.version = loader.version;
  checks = checksOf(data);
  for (const series of data.series.values()) series.prepared = preparedSeries(series);
}

/** Shows the current state. Until the first load has ended, the page says that it is loading. */
function show() {
  if (!site.settled) return;
  const now = Date.now() + loader.ahead;
  const { data } = site;
  Object.assign(site, {
    now,
    notes: [...loader.notes, ...data.problems.map((text) => `Note: ${text}.`)],
    loading: loader.loading ?? 0,
    unread: [...new Set([...data.unread, ...(loader.unread ?? [])])],
  });
  const verdicts = verdictsOf([...checks.values()], config.quorum, now, data);
  const present = countedOf(verdicts, config);
  const overall = site.failure && !site.loaded && !verdicts.length ? "unknown" : overallOf(present);
  showCards(verdicts);
  showOverall(overall, verdicts, site);
  showNotices(overall, verdicts, site);
  showProblems(present, cards, site);
  if (verdicts.length) showTimeline([...checks.values()], site);
  document.getElementById("main").removeAttribute("aria-busy");
  document.getElementById("foot").hidden = false;
}

function showCards(verdicts) {
  const grouped = groupsOf(verdicts, config);
  const bad = verdicts.filter((verdict) => ["down", "degraded"].includes(verdict.status));
  for (const verdict of verdicts) {
    const { key } = verdict.check;
    if (!cards.has(key)) {
      cards.set(key, new CheckCard(verdict.check));
      if (verdicts.length === 1 || bad.slice(0, OPEN_AT_FIRST).includes(verdict)) cards.get(key).toggle(true);
    }
    cards.get(key).update(verdict, site);
  }
  const signature = JSON.stringify(
    grouped.map((group) => [group.name, group.verdicts.map((verdict) => verdict.check.key)]),
  );
  const focused = document.activeElement;
  const changed = setChildren(document.getElementById("checks"), signature, () =>
    grouped.map((group, i) => sectionOf(group, i)),
  );
  // Keyboard focus stays on its check when the order changes.
  if (changed && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

function sectionOf({ name, verdicts }, i) {
  const items = el(
    "ul",
    { class: "cards" },
    verdicts.map((verdict) => cards.get(verdict.check.key).element),
  );
  // Every group has a heading for navigation with screen readers. If the group has no name, it is not visible.
  return el(
    "section",
    { class: "group", "aria-labelledby": `group-${i}` },
    el("h2", { id: `group-${i}`, class: name ? null : "sr", dir: "auto" }, name || (i ? "Other checks" : "Checks")),
    items,
  );
}
