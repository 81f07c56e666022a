/**
 * The little that all panels need of the DOM. Text goes in as text nodes, so nothing from an exchange or
 * a user is ever read as HTML.
 */

/**
 * Make an element: properties, `data-*` and `aria-*` attributes by their names, listeners as `onclick`.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Change a text only when it differs: an untouched node costs no layout and keeps a selection. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Change a data attribute only when it differs. */
export function setData(element, name, value) {
  if (element.dataset[name] !== String(value)) element.dataset[name] = value;
}

const formats = new Map();

/**
 * A number in English, as `toLocaleString` writes it; but a format is made once, which costs fifty times its use.
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function formatNumber(value, options = {}) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat("en-US", options));
  return formats.get(key).format(value);
}

/**
 * Draw at most once per animation frame, however often asked; a hidden tab draws when it is shown again.
 * @param {() => void} draw
 * @returns {() => void}
 */
export function eachFrame(draw) {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      draw();
    });
  };
}

/** A sentence from the kernel with true minus signs. */
export const withMinus = (text) => text.replace(/(^|[\s(±])-(?=\d)/g, "$1−");

/**
 * Make a parent's children follow a list, by key: what stays is not touched, so focus, selection and scroll
 * position stay too.
 * @template T
 * @param {HTMLElement} parent
 * @param {T[]} items in the order wanted
 * @param {(item: T) => string | number} keyOf
 * @param {(item: T, spare?: HTMLElement) => HTMLElement} make from a child whose item has gone, if it likes
 */
export function patchChildren(parent, items, keyOf, make) {
  const known = (parent.qnbChildren ??= new Map());
  const wanted = new Map(items.map((item) => [keyOf(item), item]));
  const spare = [];
  for (const [key, child] of known) {
    if (wanted.has(key)) continue;
    child.remove();
    spare.push(child);
  }
  let next = parent.firstElementChild;
  for (const [key, item] of wanted) {
    const child = known.get(key) ?? make(item, spare.pop());
    wanted.set(key, child);
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  parent.qnbChildren = wanted;
}
