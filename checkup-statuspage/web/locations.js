// The tables of a check: its locations, and its days.

import { el, icon } from "./dom.js";
import { DAY, ago, bdi, duration, isolate, moment, percent, roundTrip, shorten, timeElement, utcDay } from "./text.js";
import { capital, list, say } from "./words.js";
import { upTimeShare, uptimes } from "./history.js";

const MANY_PLACES = 5;
/** Below this share of the known time, an uptime says of how much it is. */
const NEARLY_ALL = 0.95;

/** The windows of uptime that are shown: names and lengths. */
export function uptimeWindows(timeframe) {
  const windows = [1, 7, 30, 90].map((days) => [days === 1 ? say("h", { n: 24 }) : duration(days * DAY), days * DAY]);
  return windows.filter(([, span]) => span === DAY || span <= timeframe);
}

/** An uptime as text. If much of the window is not known, it says of how much it is. */
export function uptimeText({ share, known, span }) {
  if (share === null || known >= NEARLY_ALL) return percent(share);
  return say("share_of", { share: percent(share), length: duration(known * span) });
}

/** The state of a check as a word at the start of a line. */
export function stateWord(state) {
  return capital(say(state));
}

export function placeName(location) {
  return location ? isolate(location) : say("unnamed_node");
}

/** Names of locations in a sentence: a few of them, and that there are more. */
export function placeNames(locations) {
  const names = locations.map(placeName);
  if (names.length <= MANY_PLACES) return list(names);
  return say("and_more", { list: names.slice(0, MANY_PLACES).join(", ") });
}

/** Where a check is not healthy, and why: "Down at eu-west: connection refused (1 of 3 locations)". */
export function reasonLine({ bad, reason, fresh }, most) {
  const text = reason ? isolate(shorten(reason, most)) : say("no_reason");
  if (fresh.length < 2) return text;
  const places = placeNames(bad.map(({ location }) => location));
  return say("reason_at", { state: stateWord(bad[0].status), places, reason: text, n: bad.length, total: fresh.length });
}

/** The table of locations. It has explicit roles because its cells are stacked on narrow screens. */
export function locationTable({ locations }, { data, now }, windows) {
  const head = [say("location"), say("state"), say("since_head"), say("last_check"), say("round_trip"), ...windows.map(([name]) => name)];
  const rows = locations.map((at) => {
    const state = at.stale ? "stale" : at.status;
    const shares = uptimes([at.series], windows.map(([, span]) => span), data, now);
    const cells = [
      el("span", { class: "inline-state", "data-state": state }, icon(state), stateWord(state)),
      timeElement(at.since, moment(at.since, now)),
      timeElement(at.at, ago(at.at, now)),
      at.rtt === null ? say("none") : roundTrip(at.rtt),
      ...shares.map(uptimeText),
    ];
    const name = el("th", { scope: "row", role: "rowheader" }, bdi(placeName(at.location)));
    const row = el(
      "tr",
      { role: "row" },
      name,
      cells.map((cell, i) => el("td", { role: "cell", "data-label": head[i + 1], class: i > 2 && "number" }, cell)),
    );
    const reason = at.status !== "healthy" && at.reason;
    return reason ? [row, reasonRow(reason, head.length)] : [row];
  });
  const headers = head.map((name, i) => el("th", { scope: "col", role: "columnheader", class: i > 3 && "number" }, name));
  return el(
    "table",
    { class: "locations", role: "table" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, headers)),
    rows.map((group) => el("tbody", { role: "rowgroup" }, group)),
  );
}

/** A reason in a row of its own, where it has room. */
function reasonRow(reason, columns) {
  const text = el("p", { class: "cell-reason", dir: "auto", title: shorten(reason) }, shorten(reason));
  return el("tr", { role: "row", class: "of-reason" }, el("td", { role: "cell", colspan: columns }, text));
}

/** The days as a table. */
export function dayTable(days) {
  const head = [say("day_head"), say("uptime"), stateWord("down"), stateWord("degraded"), say("in_maintenance_head"), say("not_known_head")];
  const rows = days.toReversed().map(({ day, times }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, utcDay(day)),
      el("td", {}, percent(upTimeShare(times))),
      ["down", "degraded", "maintenance", "unknown"].map((state) => el("td", {}, times[state] ? duration(times[state]) : "0")),
    ),
  );
  return el(
    "table",
    {},
    el("caption", {}, say("days_table")),
    el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows),
  );
}
