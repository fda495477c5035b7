// The banner: the overall state in words that fit, and the title and icon of the browser tab.

import { ICONS, icon, setChildren, setText } from "./dom.js";
import { ago, duration, isSameDay, moment, timeElement } from "./text.js";
import { list, phrase, say } from "./words.js";
import { countsOf, stateIn } from "./groups.js";

const SIGNS = { healthy: "✓", degraded: "▲", down: "✕", stale: "?", maintenance: "‖", empty: "…", unknown: "?" };
const ICON_COLORS = { healthy: "#1f8a57", degraded: "#b7791f", down: "#cc3a2e", maintenance: "#3267b8" };

/** Shows the overall state of the checks that count. */
export function showOverall(overall, counted, verdicts, site) {
  const { config, now } = site;
  const state = ["empty", "unknown"].includes(overall) ? "stale" : overall;
  const words = headline(overall, counted, config);
  document.documentElement.dataset.state = state;
  setChildren(byId("overall-icon"), overall, () => icon(state));
  setText(byId("headline"), words);
  setText(document.querySelector("title"), `${SIGNS[overall]} ${words} · ${config.title}`);
  if (byId("announce").state !== words) {
    byId("announce").state = words;
    setText(byId("announce"), words);
    if (!config.favicon) setTabIcon(state);
  }
  const last = verdicts.reduce((latest, verdict) => Math.max(latest, verdict.last), 0);
  const line = last ? [`${summaryOf(verdicts)}. `, ...lastChecked(last, now)] : [nothingYet(overall, config)];
  setChildren(byId("subline"), line.map((word) => word.textContent ?? word).join(""), () => line);
}

/** The overall state in words: those of the settings, or with the number of checks that are affected. */
export function headline(overall, counted, { texts }) {
  if (Object.hasOwn(texts, overall)) return texts[overall];
  const of = (status) => counted.filter((verdict) => verdict.status === status).length;
  const total = counted.length;
  if (overall === "down") {
    if (total === 1) return say("only_down");
    const n = of("down");
    return n === total ? say("all_down", { total }) : say("some_down", { n, total });
  }
  if (overall === "degraded") return total === 1 ? say("only_degraded") : say("some_degraded", { n: of("degraded"), total });
  const keys = { healthy: "all_healthy", maintenance: "under_maintenance", stale: "all_stale", empty: "none_yet", unknown: "status_unknown" };
  return say(keys[overall]);
}

function lastChecked(last, now) {
  const since = ago(last, now);
  const time = moment(last, now);
  if (isSameDay(last, now)) return phrase("last_checked", { ago: timeElement(last, since), time });
  return phrase("last_checked_before", { ago: since, time: timeElement(last, time) });
}

function nothingYet(overall, { refresh }) {
  if (overall !== "unknown") return say("first_soon");
  return `${say("not_loaded")} ${refresh > 0 ? say("next_attempt", { length: duration(refresh) }) : say("reload")}`;
}

function summaryOf(verdicts) {
  const parts = countsOf(verdicts);
  const total = verdicts.length;
  if (parts.length > 1) return say("of_checks", { list: list(parts), total });
  const state = stateIn(verdicts[0].status);
  if (total === 1) return say("the_check_is", { state });
  return total === 2 ? say("both_checks_are", { state }) : say("all_checks_are", { n: total, state });
}

function setTabIcon(state) {
  const image = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='8' fill='${ICON_COLORS[state] ?? "#767e8a"}'/><path d='${ICONS[state]}' fill='none' stroke='#fff' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/></svg>`;
  document.querySelector("link[rel=icon]").href = `data:image/svg+xml,${encodeURIComponent(image)}`;
}

function byId(id) {
  return document.getElementById(id);
}
