// The page: reads the settings, loads the data repeatedly, and shows it.

import { link, rich, safeUrl } from "./text.js";
import { say, useLanguage } from "./words.js";
import { emptyData } from "./model.js";
import { checksOf } from "./history.js";
import { eventsOf } from "./events.js";
import { countedOf, missingOf, overallOf, preparedSeries, verdictsOf } from "./verdict.js";
import { loadJson, loaderOf, resolved } from "./data.js";
import { CheckList } from "./groups.js";
import { showOverall } from "./banner.js";
import { showNotices } from "./notices.js";
import { showIncidents, showMaintenance } from "./current.js";
import { History } from "./timeline.js";

/** How often texts that depend on the time are updated: "2 min ago" becomes "3 min ago". */
const TICK = 15_000;

const config = JSON.parse(document.getElementById("config").textContent);
document.documentElement.lang = await useLanguage(config, navigator.languages ?? [navigator.language], loadJson);
const loader = loaderOf(config);
const checkList = new CheckList(document.getElementById("checks"));
const history = new History(document.getElementById("timeline"));
const site = {
  config,
  data: emptyData(),
  version: 0,
  failure: null,
  notes: [],
  unread: [],
  loading: 0,
  loaded: 0,
  settled: false,
  openDay: (check, day) => history.showDay(check, day),
  eventsOf: (check) => eventsByCheck.get(check.key) ?? [],
};
let checks = [];
/** What happened: for which version and minute it was derived, and all of it, also by check. */
let events = { signature: null, all: [] };
let eventsByCheck = new Map();
let busy = false;
/** Whether the address has a part to open that is not shown yet. */
let isWanted = location.hash.length > 1;

frame();
load();
setInterval(show, TICK);
// Only cards near the window are drawn, but paper has all of them.
addEventListener("beforeprint", () => checkList.drawForPrint(true));
addEventListener("afterprint", () => checkList.drawForPrint(false));
addEventListener("hashchange", () => {
  isWanted = true;
  reveal();
});
if (config.refresh > 0) {
  setInterval(() => document.hidden || load(), config.refresh);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - site.loaded > config.refresh) load();
  });
}
addEventListener("online", load);

/** Shows what does not change with the data. */
function frame() {
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = say(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(node.dataset.label));
  const { description } = config;
  if (description) document.getElementById("description").replaceChildren(...rich(description, Infinity));
  addLinks("links", config.links);
  addLinks("footer-links", config.footer ?? []);
}

function addLinks(id, links) {
  const nodes = links
    .filter(({ url }) => safeUrl(url, true))
    .map(({ text, url }) => link(String(resolved(url)), text))
    .filter(Boolean);
  const list = document.getElementById(id);
  list.replaceChildren(...nodes);
  list.hidden = !nodes.length;
}

/** Loads what is new. If that fails, the last data stays, and a notice says so. */
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
  // Data may arrive in parts, and what the address names may be in the last one.
  if (isWanted) isWanted = false;
}

/** Takes over changed data. Whatever is derived from it is derived here, once. */
function adopt(data) {
  if (site.version === loader.version) return;
  site.data = data;
  site.version = loader.version;
  checks = [...checksOf(data).values()];
  for (const series of data.series.values()) series.prepared ??= preparedSeries(series);
}

/** Shows the current state. Until the first load has ended, the page says that it is loading. */
function show() {
  if (!site.settled) return;
  const now = Date.now() + loader.ahead;
  const { data } = site;
  Object.assign(site, {
    now,
    notes: [...loader.notes, ...data.problems.map((text) => say("note", { text })), ...(data.leftOut ? [say("incidents_left_out", { n: data.leftOut })] : [])],
    loading: loader.loading ?? 0,
    unread: [...new Set([...data.unread, ...(loader.unread ?? [])])],
  });
  const known = verdictsOf(checks, config.quorum, now, data);
  const verdicts = [...known, ...missingOf(known, config, checks, now, data)];
  const counted = countedOf(verdicts, config);
  const isUnknown = site.failure && !site.loaded && !known.length;
  const overall = isUnknown ? "unknown" : overallOf(counted);
  deriveEvents(now);
  showOverall(overall, counted, verdicts, site);
  showNotices(overall, verdicts, site);
  checkList.show(verdicts, site);
  showIncidents(counted, events.all, (check) => checkList.idOf(check), site);
  showMaintenance(site);
  if (verdicts.length) history.show(events.all, site);
  document.getElementById("main").removeAttribute("aria-busy");
  document.getElementById("foot").hidden = false;
  if (isWanted) reveal();
}

/** Derives what happened, once for each change of the data and each minute: what goes on may have ended. */
function deriveEvents(now) {
  const signature = `${site.version},${Math.floor(now / 60_000)}`;
  if (events.signature === signature) return;
  events = { signature, all: eventsOf(checks, site) };
  eventsByCheck = new Map();
  for (const event of events.all) {
    const key = event.check?.key;
    if (!eventsByCheck.has(key)) eventsByCheck.set(key, []);
    eventsByCheck.get(key).push(event);
  }
}

/** Opens what the address names: a check or an incident. */
function reveal() {
  const id = location.hash.slice(1);
  if (!id || !site.settled) return;
  if (history.reveal(id) || checkList.reveal(id)) isWanted = false;
}
