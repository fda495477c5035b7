// Reading a figure point by point: with a pointer, a finger, or the keyboard (as a slider that screen readers announce).

import { el } from "./dom.js";

const GAP = 10;
let tip = null;
/** The scrubber whose point is shown. */
let active = null;

/**
 * Makes an element readable in `count` steps. `describe(i)` returns `{title, lines: [[label, value, state], …]}`,
 * `place(i)` returns the step's position across the element from 0 to 1, and `show(i)` marks it (null: no step).
 * `choose(i)`, if there is one, is what a click or Enter does. The first tap of a finger only shows the step.
 */
export class Scrubber {
  constructor(element, label) {
    this.element = element;
    this.at = null;
    this.steps = { count: 0 };
    this.label = label;
    element.addEventListener("pointermove", (event) => this.point(event));
    element.addEventListener("pointerdown", (event) => {
      this.before = event.pointerType === "touch" ? this.at : null;
      this.point(event);
      this.isSecond = event.pointerType !== "touch" || this.before === this.at;
    });
    element.addEventListener("click", () => this.isSecond && this.choose());
    // A lifted finger leaves, too, but what it tapped should stay readable.
    element.addEventListener("pointerleave", (event) => event.pointerType === "touch" || this.leave());
    element.addEventListener(
      "focus",
      () => element.matches(":focus-visible") && this.go(this.at ?? this.steps.count - 1),
    );
    element.addEventListener("blur", () => this.leave());
    element.addEventListener("keydown", (event) => this.key(event));
  }

  /** Sets new figures. A point that is being read stays selected. */
  set(steps) {
    this.steps = steps;
    const attributes = {
      role: "slider",
      tabindex: 0,
      "aria-label": this.label,
      "aria-valuemin": 0,
      "aria-valuemax": Math.max(0, steps.count - 1),
    };
    for (const [name, value] of Object.entries(attributes)) this.element.setAttribute(name, value);
    this.speak(Math.min(this.at ?? steps.count - 1, steps.count - 1));
    if (this.at !== null) this.go(this.at);
  }

  point(event) {
    const box = this.element.getBoundingClientRect();
    this.go(this.steps.find((event.clientX - box.left) / box.width));
  }

  key(event) {
    const now = this.at ?? this.steps.count - 1;
    const last = this.steps.count - 1;
    const to = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageUp: now + 7,
      PageDown: now - 7,
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === "Escape") this.leave();
    if (event.key === "Enter") this.choose();
    if (to === undefined) return;
    event.preventDefault();
    this.go(Math.min(last, Math.max(0, to)));
  }

  go(index) {
    if (!(index >= 0 && index < this.steps.count)) return;
    if (active !== this) active?.leave();
    active = this;
    this.at = index;
    this.speak(index);
    this.steps.show(index);
    showTip(this.element, this.steps.place(index), this.steps.describe(index));
  }

  choose() {
    const { at } = this;
    if (at === null || !this.steps.choose?.(at)) return;
    this.leave();
  }

  leave() {
    if (active === this) active = null;
    this.at = null;
    this.steps.show?.(null);
    if (tip) tip.hidden = true;
  }

  speak(index) {
    if (index < 0) return;
    const { title, lines } = this.steps.describe(index);
    this.element.setAttribute("aria-valuenow", index);
    this.element.setAttribute(
      "aria-valuetext",
      [title, ...lines.map(([label, value]) => (label ? `${label} ${value}` : value))].join(", "),
    );
  }
}

// A tap elsewhere closes the tip that a tap opened.
if (typeof document !== "undefined") {
  document.addEventListener("pointerdown", (event) => active && !active.element.contains(event.target) && active.leave());
}

function showTip(element, place, { title, lines }) {
  if (!tip) {
    tip = el("div", { class: "tip", "aria-hidden": "true" });
    document.body.append(tip);
  }
  tip.replaceChildren(
    el("p", { class: "tip-title" }, title),
    el(
      "dl",
      {},
      lines.map(([label, value, state]) =>
        el("div", { "data-state": state }, label && el("dt", {}, label), el("dd", { class: label ? null : "whole" }, value)),
      ),
    ),
  );
  tip.hidden = false;
  const box = element.getBoundingClientRect();
  const half = tip.offsetWidth / 2;
  const width = document.documentElement.clientWidth;
  const x = Math.min(Math.max(box.left + place * box.width, half + GAP), width - half - GAP);
  const above = box.top - tip.offsetHeight - GAP;
  tip.style.setProperty("left", `${Math.round(x - half + scrollX)}px`);
  tip.style.setProperty("top", `${Math.round((above > 0 ? above : box.bottom + GAP) + scrollY)}px`);
}
