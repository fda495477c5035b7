// Builds nodes. Data is never markup: all text becomes text nodes.

const SVG = "http://www.w3.org/2000/svg";

/** An element: `el("p", {class: "note"}, "text", node, …)`. Attributes named `on…` are listeners. Null leaves an attribute out. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element, with the same arguments. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Sets the text of an element if it differs, so that screen readers announce only changes. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Replaces the children of an element if `signature` differs from the last one. Returns whether it did. */
export function setChildren(element, signature, make) {
  if (element.signature === signature) return false;
  element.signature = signature;
  element.replaceChildren(...[make()].flat().filter(Boolean));
  return true;
}

/** How many frames it takes until everything near the window is drawn and has its size. */
const FRAMES = 4;

/** Scrolls to the element with an id, once what is above it has its size. */
export function scrollToId(id, block = "start", frames = FRAMES) {
  document.getElementById(id)?.scrollIntoView({ block });
  if (frames > 0) requestAnimationFrame(() => scrollToId(id, block, frames - 1));
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The marks of states. Shapes differ as well as colours: a tick, an exclamation mark, a cross, a question mark, bars. */
export const ICONS = {
  healthy: "M5 8.4l2.1 2.1L11 6.2",
  degraded: "M8 4.6v4M8 11.2v.2",
  down: "M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8",
  stale: "M6.2 6.4a1.9 1.9 0 1 1 2.6 1.8q-.8.4-.8 1.2M8 11.5v.1",
  maintenance: "M6.4 5.4v5.2M9.6 5.4v5.2",
  loading: "M5 8h.1M8 8h.1M11 8h.1",
  waiting: "M5 8h.1M8 8h.1M11 8h.1",
  message: "M4.8 5.6h6.4M4.8 8h4",
};

/** The backgrounds of marks that are not on a disc. */
const PLATES = {
  degraded: "M8 .9 15.6 14.3H.4z",
  message:
    "M2.5 2h11A1.5 1.5 0 0 1 15 3.5v6A1.5 1.5 0 0 1 13.5 11H9l-4 3.5V11H2.5A1.5 1.5 0 0 1 1 9.5v-6A1.5 1.5 0 0 1 2.5 2z",
};

/** The icon of a state. It is decorative: the text next to it says the same. */
export function icon(state) {
  const plate = PLATES[state];
  const shape = plate
    ? svg("path", { class: "plate", d: plate })
    : svg("circle", { class: "plate", cx: 8, cy: 8, r: 7.5 });
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true", "data-state": state },
    shape,
    svg("path", { class: "mark", d: ICONS[state] ?? ICONS.stale }),
  );
}
