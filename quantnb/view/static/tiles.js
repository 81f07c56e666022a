import { eachFrame, formatNumber, h, setData, setText } from "./dom.js";
import { connect } from "./protocol.js";
import { makeRecipe, recipeButton } from "./recipe.js";

const LABELS = {
  ticks: "Total ticks",
  volume: "Total volume",
  spread: "Average spread",
  zscore: "Z-score",
  half_life: "Half-life",
  correlation: "Correlation",
  edge: "Expected edge",
  alerts: "Active alerts",
};
const SIGNED = new Set(["spread", "zscore", "correlation", "edge"]);
const DIGITS = { ticks: 0, alerts: 0, zscore: 2, half_life: 1, correlation: 3, edge: 2 };

/** Digits after the point that leave about five significant ones. */
function digitsFor(value) {
  const magnitude = Math.abs(value);
  if (magnitude >= 1000 || magnitude === 0) return 2;
  return Math.min(8, Math.max(2, 4 - Math.floor(Math.log10(magnitude))));
}

/** A number by its magnitude, thousands grouped, with a true minus and, where the sign matters, a plus. */
function format(name, { value, digits: given }) {
  const isLarge = name === "volume" && value >= 1e6;
  const digits = given ?? DIGITS[name] ?? digitsFor(value);
  const text = formatNumber(value, {
    notation: isLarge ? "compact" : "standard",
    minimumFractionDigits: isLarge ? 2 : digits,
    maximumFractionDigits: isLarge ? 2 : digits,
    signDisplay: SIGNED.has(name) ? "exceptZero" : "auto",
  });
  return text.replace("-", "−");
}

/** What the number rests on. */
function evidence(name, n) {
  const count = formatNumber(n);
  return name === "alerts" ? `${count} ${n === 1 ? "rule" : "rules"}` : `n = ${count}`;
}

/** All that is known about a number, a sentence each. */
function sentences({ value, unit, n, waiting, doubts, parts }) {
  const number = value === null ? waiting : `${value} ${unit}`.trim();
  return [number, value === null ? "" : `n = ${formatNumber(n)}`, ...parts, ...doubts.map((doubt) => `⚠ ${doubt}`)];
}

const direction = (value) => (value > 0 ? "up" : value < 0 ? "down" : "none");

export default () => {
  let link;
  const tiles = {};
  const take = (data) => Object.assign(tiles, data);
  const recipes = new Set();
  const hear = (content) => recipes.forEach((recipe) => recipe.fill(content));

  return {
    initialize({ model }) {
      link = connect(model, { onSnapshot: take, onDelta: take, onMessage: hear });
      return () => link.close();
    },
    render({ el }) {
      const recipe = makeRecipe();
      recipes.add(recipe);
      const ask = (name) => {
        if (!tiles[name]) return;
        recipe.open(name, LABELS[name], sentences(tiles[name]).slice(1)); // the number stands under its recipe
        link.send("reproduce", { what: name });
      };
      const make = ([name, label]) => {
        const value = h("span", { className: "qnb-tile-value qnb-skeleton" }, "—");
        const n = h("span", { className: "qnb-tile-n qnb-faint" });
        const note = h("div", { className: "qnb-tile-note qnb-faint" }, "\u00a0");
        const tile = h(
          "div",
          { className: "qnb-panel qnb-tile", role: "group", "aria-label": label, "data-tile": name, "data-value": "" },
          h("div", { className: "qnb-tile-head" }, h("span", { className: "qnb-label" }, label), recipeButton(label, () => ask(name))),
          h("div", { className: "qnb-tile-row" }, value, n),
          note,
        );
        return [name, { tile, value, n, note }];
      };
      const parts = Object.fromEntries(Object.entries(LABELS).map(make));

      function drawTile(name, { tile, value, n, note }) {
        const measure = tiles[name];
        if (!measure) return;
        const isWaiting = measure.value === null;
        setData(tile, "value", isWaiting ? "" : measure.value);
        value.classList.remove("qnb-skeleton");
        setText(value, isWaiting ? "—" : format(name, measure));
        setData(value, "sign", SIGNED.has(name) && !isWaiting ? direction(measure.value) : "none");
        setText(n, isWaiting ? "" : evidence(name, measure.n));
        const doubts = (!isWaiting && measure.doubts) || [];
        setData(tile, "doubt", doubts.length ? "true" : "false");
        setText(note, (isWaiting ? measure.waiting : doubts[0] || measure.unit) || "\u00a0");
        tile.title = sentences(measure).filter(Boolean).join("\n");
      }

      const draw = () => Object.entries(parts).forEach(([name, part]) => drawTile(name, part));
      const stop = link.watch(eachFrame(draw), el);
      el.append(h("div", { className: "qnb qnb-tiles" }, ...Object.values(parts).map((part) => part.tile), recipe.element));
      draw();
      return () => {
        stop();
        recipes.delete(recipe);
      };
    },
  };
};
