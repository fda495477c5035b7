// Notices about the data: that they are made up, old, incomplete, or could not be loaded.

import { el, icon, setChildren } from "./dom.js";
import { clock, duration, moment } from "./text.js";
import { say } from "./words.js";

const MANY_NAMES = 3;

/** Shows the notices. */
export function showNotices(overall, verdicts, site) {
  const notes = notesOf(overall, verdicts, site);
  const signature = notes.map(({ state, text, more }) => [state, text, more].join()).join(";");
  setChildren(document.getElementById("notices"), signature, () =>
    notes.map(({ state, text, more }) =>
      el(
        "div",
        { class: "notice", "data-state": state },
        icon(state),
        el("p", {}, text),
        more && el("p", { class: "more", dir: "auto" }, more),
      ),
    ),
  );
}

function notesOf(overall, verdicts, { config, now, failure, notes, unread, loading }) {
  const all = [];
  if (config.demo) all.push({ state: "maintenance", text: say("demo") });
  if (failure) {
    const last = failure.loaded ? ` ${say("showing_last", { time: clock(failure.loaded) })}` : "";
    all.push({ state: "degraded", text: `${say("load_failed", { why: failure.message })}${last}` });
  }
  const last = verdicts.reduce((latest, verdict) => Math.max(latest, verdict.last), 0);
  if (overall === "stale" && last && verdicts.every(({ status }) => ["stale", "waiting"].includes(status))) {
    all.push({ state: "degraded", text: say("stale_note", { length: duration(now - last), time: moment(last, now) }) });
  }
  if (unread.length) {
    const names = unread.slice(0, MANY_NAMES).join(", ") + (unread.length > MANY_NAMES ? ", …" : "");
    all.push({ state: "degraded", text: say("unread", { n: unread.length }), more: names });
  }
  if (loading) all.push({ state: "loading", text: say("loading_older", { n: loading }) });
  for (const text of notes) all.push({ state: "degraded", text });
  return all;
}
