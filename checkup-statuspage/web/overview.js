// The top of the page: the overall state, current problems with their start, and notices about the data.

import { el, icon, setChildren, setText } from "./dom.js";
import { ago, checkName, clock, counted, duration, isolate, list, moment, rich, timeElement } from "./text.js";
import { STATE_WORDS, reasonLine } from "./card.js";

const BAD = ["down", "degraded", "stale"];
const SIGNS = { healthy: "✓", degraded: "▲", down: "✕", stale: "?", maintenance: "‖", empty: "…", unknown: "?" };
const ICON_COLORS = { healthy: "#1f8a57", degraded: "#b7791f", down: "#cc3a2e", maintenance: "#3267b8" };
const ICON_MARKS = {
  healthy: "M4.8 8.3l2.2 2.2L11.2 6",
  degraded: "M8 4v4.6M8 11.4v.2",
  down: "M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2",
  maintenance: "M6.3 5.2v5.6M9.7 5.2v5.6",
};

/** Shows the overall state: text, colour and icon, and the title and icon of the browser tab. */
export function showOverall(overall, verdicts, site) {
  const { config, now } = site;
  const state = ["empty", "unknown"].includes(overall) ? "stale" : overall;
  const headline = overall === "unknown" ? "Status unknown" : config.texts[overall];
  document.documentElement.dataset.state = state;
  setChildren(byId("overall-icon"), overall, () => icon(state));
  setText(byId("headline"), headline);
  setText(document.querySelector("title"), `${SIGNS[overall]} ${headline} · ${config.title}`);
  if (byId("announce").state !== overall) {
    byId("announce").state = overall;
    setText(byId("announce"), headline);
    setTabIcon(state);
  }
  const last = Math.max(0, ...verdicts.map((verdict) => verdict.last));
  const words = last
    ? [summaryOf(verdicts), ". Last checked ", timeElement(last, ago(last, now)), `, at ${moment(last, now)}.`]
    : [overall === "unknown" ? unknownText(config) : "They will appear here after the first check."];
  setChildren(byId("subline"), words.map((word) => word.textContent ?? word).join(""), () => words);
}

function unknownText({ refresh }) {
  const next = refresh > 0 ? `The next attempt is within ${duration(refresh)}.` : "Reload the page to try again.";
  return `The results could not be loaded. ${next}`;
}

function summaryOf(verdicts) {
  const parts = ["down", "degraded", "stale", "maintenance", "healthy"].map((state) => {
    const number = verdicts.filter((verdict) => verdict.status === state).length;
    if (!number) return null;
    if (number === verdicts.length)
      return number < 3
        ? `${number === 1 ? "The check is" : "Both checks are"} ${inWords(state)}`
        : `All ${number} checks are ${inWords(state)}`;
    return `${number} ${inWords(state)}`;
  });
  return (
    list(parts.filter(Boolean)) + (parts.filter(Boolean).length > 1 ? ` of ${counted(verdicts.length, "check")}` : "")
  );
}

function inWords(state) {
  return { stale: "without fresh results", maintenance: "in maintenance" }[state] ?? state;
}

/** Lists the checks with problems, the worst and longest first, with links to their cards. */
export function showProblems(verdicts, cards, { now }) {
  const section = byId("problems");
  const bad = verdicts.filter((verdict) => BAD.includes(verdict.status));
  bad.sort((a, b) => BAD.indexOf(a.status) - BAD.indexOf(b.status) || (a.since ?? 0) - (b.since ?? 0));
  // If every check is stale, the headline says so, and a list of all checks would add nothing.
  const listed = bad.every((verdict) => verdict.status === "stale") && bad.length === verdicts.length ? [] : bad;
  section.hidden = !listed.length;
  const line = (verdict) => problemLine(verdict, cards.get(verdict.check.key), now);
  const signature = listed
    .map((verdict) =>
      [
        verdict.check.key,
        verdict.status,
        verdict.since,
        duration(now - verdict.since),
        verdict.bad.length && reasonLine(verdict),
      ].join(),
    )
    .join(";");
  setChildren(section, signature, () => [
    el("h2", { id: "problems-title" }, "Current problems"),
    el("ul", { class: "problems" }, listed.slice(0, 20).map(line)),
    listed.length > 20 && el("p", { class: "more" }, `And ${counted(listed.length - 20, "more check")}, below.`),
  ]);
}

function problemLine(verdict, card, now) {
  const { status, since } = verdict;
  const open = () => card.reveal();
  const when =
    status === "stale"
      ? [since ? `last result ${ago(since, now)}` : "no results"]
      : since
        ? [`for ${duration(now - since)}, since `, timeElement(since, moment(since, now))]
        : [];
  return el(
    "li",
    { "data-state": status },
    icon(status),
    el(
      "p",
      {},
      el("a", { href: `#${card.id}`, onclick: open }, checkName(verdict.check)),
      " ",
      el("strong", {}, STATE_WORDS[status].toLowerCase()),
      " ",
      when,
    ),
    verdict.bad.length > 0 && el("p", { class: "reason", dir: "auto" }, reasonLine(verdict)),
  );
}

/** Shows notices: demo data, data that is old or cannot be loaded, unreadable files, and maintenance. */
export function showNotices(overall, verdicts, site) {
  const notes = notesOf(overall, verdicts, site);
  const signature = notes.map(({ state, text, more }) => [state, text, more].join()).join(";");
  setChildren(byId("notices"), signature, () =>
    notes.map(({ state, text, more }) =>
      el(
        "div",
        { class: "notice", "data-state": state },
        icon(state),
        el("p", {}, text),
        more && el("p", { class: "more", dir: "auto" }, rich(more)),
      ),
    ),
  );
}

function notesOf(overall, verdicts, { config, data, now, failure, notes, unread, loading }) {
  const all = [];
  if (config.demo) all.push({ state: "maintenance", text: "Demo: the data on this page is made up." });
  if (failure) {
    const shown = failure.loaded ? ` Showing the last data, loaded at ${clock(failure.loaded)}.` : "";
    all.push({ state: "degraded", text: `New data could not be loaded: ${failure.message}.${shown}` });
  }
  const last = Math.max(0, ...verdicts.map((verdict) => verdict.last));
  if (overall === "stale" && last && verdicts.every((verdict) => verdict.status === "stale")) {
    all.push({
      state: "degraded",
      text: `No results for ${duration(now - last)}, since ${moment(last, now)}. The page shows the state at that time. The current state is unknown.`,
    });
  }
  for (const window of data.windows) {
    if (window.from > now + 7 * 86_400_000 || window.to <= now) continue;
    const what = window.title ? isolate(window.title) : "all checks";
    const text =
      window.from <= now
        ? `Maintenance of ${what} until ${moment(window.to, now)}.`
        : `Maintenance of ${what} from ${moment(window.from, now)} to ${moment(window.to, now)}.`;
    all.push({ state: "maintenance", text, more: window.text });
  }
  if (unread.length) {
    const names = unread.slice(0, 3).join(", ") + (unread.length > 3 ? ", …" : "");
    all.push({
      state: "degraded",
      text: `${counted(unread.length, "file")} could not be read. ${unread.length > 1 ? "Their" : "Its"} results are missing here.`,
      more: names,
    });
  }
  if (loading) all.push({ state: "loading", text: `Loading older results: ${counted(loading, "file")} left.` });
  for (const text of notes) all.push({ state: "degraded", text });
  return all;
}

function setTabIcon(state) {
  const mark = ICON_MARKS[state] ?? "M8 8h.1";
  const image = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='8' fill='${ICON_COLORS[state] ?? "#767e8a"}'/><path d='${mark}' fill='none' stroke='#fff' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/></svg>`;
  document.querySelector("link[rel=icon]").href = `data:image/svg+xml,${encodeURIComponent(image)}`;
}

function byId(id) {
  return document.getElementById(id);
}
