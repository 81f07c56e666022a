import { eachFrame, h, patchChildren, setData, setText } from "./dom.js";
import { connect } from "./protocol.js";

const SAID_MS = 8_000; // then the room is the result's again
const SECONDS = { "1m": 60, "5m": 300, "15m": 900 };
const ADVICE = "The best of so many tests look good by luck alone: judge a pair by other bars than these.";
const IDLE = "No scan yet. It tests every pair for cointegration, in both directions, on bars fetched by REST.";

/** Columns: key, name, what it means, and the direction in which the best come first. */
const COLUMNS = [
  ["y", "y", "Leg y: log y = α + β log x", 1],
  ["x", "x", "Leg x", 1],
  ["statistic", "Engle–Granger", "Dickey–Fuller t value of the residual: the more negative, the more it comes back", 1],
  ["pvalue", "p", "Of this test alone (MacKinnon 1994)", 1],
  ["qvalue", "q", "Among all tests of this scan: the false-discovery rate at which the pair is kept (Benjamini–Hochberg)", 1],
  ["half_life", "Half-life, bars", "Of the residual, in bars and in time", 1],
  ["hedge_ratio", "Hedge ratio β", "Of logarithms: a ratio of money", -1],
  ["zscore", "z (fitted)", "Of the newest residual among those the line was fitted to. Fitted, and so no trading signal", -1],
  ["liquidity", "Volume", "Quote volume of the less liquid leg over these bars, in its quote asset (mostly USDT)", -1],
];

const sign = (text) => text.replace("-", "−");
const fixed = (value, digits, signDisplay = "auto") =>
  sign(value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay }));
const small = (value) => (value < 0.0001 ? "< 0.0001" : value.toFixed(4));
const short = (value) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];

function duration(seconds) {
  const [unit, length] = UNITS.find((each) => seconds >= each[1]) ?? UNITS.at(-1);
  return `${short(seconds / length)} ${unit}`;
}

const FORMATS = {
  statistic: (value) => fixed(value, 2),
  pvalue: small,
  qvalue: small,
  half_life: (value, seconds) => (value < 0.1 ? "< 0.1" : `${fixed(value, 1)} (${duration(value * seconds)})`),
  hedge_ratio: (value) => fixed(value, 4),
  zscore: (value) => fixed(value, 2, "exceptZero"),
  liquidity: (value) => value.toLocaleString("en-US", { notation: "compact", maximumSignificantDigits: 3 }),
};

function textOf(key, value, seconds) {
  if (value === null) return key === "half_life" ? "∞" : "—";
  return FORMATS[key](value, seconds);
}

/** Rows as objects, each with a key that no other table's row has. */
function rowsOf(table, generation) {
  const columns = Object.entries(table.rows);
  return table.rows.y.map((_y, k) => {
    const row = Object.fromEntries(columns.map(([name, values]) => [name, values[k]]));
    return { ...row, pair: `${row.y}/${row.x}`, key: `${generation} ${row.y}/${row.x}` };
  });
}

/** Compare two rows; what is not known comes last either way, and what never comes back after all that does. */
function comparison([key, direction]) {
  const never = key === "half_life" ? Infinity * direction : Infinity;
  return ({ [key]: a }, { [key]: b }) => {
    if (typeof a === "string") return direction * (a < b ? -1 : a > b ? 1 : 0);
    const [left, right] = [a, b].map((value) => (value === null ? never : direction * value));
    return left === right ? 0 : left - right;
  };
}

function makeRow(row, seconds, send) {
  const use = h("button", { type: "button", className: "qnb-screener-use" }, "Use");
  use.addEventListener("click", () => send("use_pair", { y: row.y, x: row.x }));
  const names = [row.y, row.x].map((name) => h("td", { className: "qnb-screener-symbol" }, name));
  const cells = COLUMNS.slice(2).map(([key]) => h("td", {}, textOf(key, row[key], seconds)));
  return h("tr", { "data-pair": row.pair }, h("td", {}, use), ...names, ...cells);
}

/** Say by words, and for the ear, which row is the session's pair. */
function mark(tr, pair) {
  const use = tr.querySelector("button");
  const isCurrent = tr.dataset.pair === pair;
  setData(tr, "current", isCurrent);
  setText(use, isCurrent ? "✓ In use" : "Use");
  const label = isCurrent ? `${tr.dataset.pair} is the session's pair` : `Make ${tr.dataset.pair} the session's pair`;
  use.setAttribute("aria-label", label);
  use.setAttribute("aria-pressed", String(isCurrent));
  use.title = label;
}

function makeHead(onSort) {
  const heads = COLUMNS.map(([key, name, title, direction]) => {
    const arrow = h("span", { className: "qnb-screener-arrow", "aria-hidden": "true" });
    const button = h("button", { type: "button", title, onclick: () => onSort(key, direction) }, name, arrow);
    return h("th", { scope: "col", "data-key": key }, button);
  });
  const row = h("tr", {}, h("th", { scope: "col" }, "Pair"), ...heads);
  const show = ([sorted, direction]) =>
    heads.forEach((head) => {
      const isSorted = head.dataset.key === sorted;
      head.setAttribute("aria-sort", isSorted ? (direction > 0 ? "ascending" : "descending") : "none");
      setText(head.querySelector(".qnb-screener-arrow"), isSorted ? (direction > 0 ? " ▲" : " ▼") : "");
    });
  return { row, show };
}

const option = (value, text) => h("option", { value }, text);
const labelled = (text, field) =>
  h("label", { className: "qnb-screener-field" }, h("span", { className: "qnb-screener-label" }, text), field);

/** What to scan; it is checked in the kernel. */
function makeForm(send) {
  const all = option("all", "All trading perpetuals");
  const watched = option("watched", "Watched symbols");
  const universe = h("select", { className: "qnb-screener-universe" }, all, watched);
  const timeframe = h("select", { className: "qnb-screener-timeframe" }, ...Object.keys(SECONDS).map((name) => option(name, name)));
  const bars = h("input", { type: "number", className: "qnb-screener-bars", min: 100, max: 1000, step: 100, value: 200 });
  const button = h("button", { type: "submit", className: "qnb-screener-run", disabled: true }, "Scan");
  const fields = [labelled("Universe", universe), labelled("Timeframe", timeframe), labelled("Bars, 100–1,000", bars)];
  const form = h("form", { className: "qnb-screener-form", noValidate: true, "aria-label": "Scan" }, ...fields, button);
  let isRunning = false;
  let shown = "";

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = bars.valueAsNumber;
    const asked = { universe: universe.value, timeframe: timeframe.value, n_bars: Number.isFinite(value) ? value : null };
    send(isRunning ? "cancel" : "scan", isRunning ? {} : asked);
  });

  function draw(state) {
    isRunning = state.is_running;
    button.disabled = false;
    setText(button, isRunning ? "Cancel" : "Scan");
    setText(all, state.n_all ? `All trading perpetuals (${state.n_all})` : "All trading perpetuals");
    setText(watched, `Watched symbols (${state.n_watched})`);
    for (const field of [universe, timeframe, bars]) field.disabled = isRunning;
    if (JSON.stringify(state.asked) === shown) return; // what a person has chosen since stays
    shown = JSON.stringify(state.asked);
    [universe.value, timeframe.value, bars.value] = [state.asked.universe, state.asked.timeframe, state.asked.n_bars];
  }
  return { form, draw };
}

function makeProgress() {
  const bar = h("progress", { "aria-label": "Scan" });
  const words = h("span", {});
  const element = h("div", { className: "qnb-screener-progress", hidden: true }, bar, words);
  function draw({ is_running: isRunning, progress }) {
    element.hidden = !isRunning;
    if (!isRunning || !progress) return;
    setText(words, progress.words);
    bar.setAttribute("aria-valuetext", progress.words);
    if (progress.of) [bar.max, bar.value] = [progress.of, progress.n];
    else bar.removeAttribute("value");
  }
  return { element, draw };
}

/** What the table rests on, in a line: bars, their end, and what is significant. */
function originOf(table) {
  const until = table.until === null ? "" : `, the last closed at ${new Date(table.until).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const shown = Math.min(table.rows.y.length, table.n_tests).toLocaleString("en-US");
  return `The best ${shown} of ${table.n_tests.toLocaleString("en-US")} tests; ${table.n_bars} bars of ${table.timeframe}${until}; 5 % critical value ${fixed(table.critical, 2)}.`;
}

/** The result's sentences above the table. */
function makeSummary() {
  const simulated = h("strong", { className: "qnb-badge" }, "SIMULATED");
  const words = h("p", { className: "qnb-screener-words", role: "status" });
  const advice = h("p", { className: "qnb-screener-advice" }, ADVICE);
  const origin = h("p", { className: "qnb-faint" });
  const reasons = h("ul");
  const summary = h("summary");
  const leftOut = h("details", { className: "qnb-screener-left-out" }, summary, reasons);
  const element = h("div", { className: "qnb-screener-summary" }, words, advice, leftOut, origin);

  function draw(table, generation) {
    [advice, origin].forEach((each) => (each.hidden = !table));
    leftOut.hidden = !table?.left_out.length;
    if (!table) return setText(words, IDLE);
    if (element.dataset.generation === String(generation)) return;
    element.dataset.generation = generation;
    words.replaceChildren(...(table.is_simulated ? [simulated, " "] : []), table.words);
    setText(origin, originOf(table));
    const n = table.left_out.length;
    setText(summary, `${n} ${n === 1 ? "symbol" : "symbols"} left out`);
    reasons.replaceChildren(...table.left_out.map(([symbol, reason]) => h("li", {}, h("b", {}, symbol), ` ${reason}`)));
  }
  return { element, draw };
}

export default () => {
  let link;
  let state = null;
  let table = null;
  let rows = [];
  let generation = 0;
  let said = { text: "", level: "info" };
  const tellViews = new Set();

  function take({ table: next, ...head }) {
    state = head;
    if (next === undefined) return;
    table = next;
    generation += 1;
    rows = table ? rowsOf(table, generation) : [];
  }

  function say(content) {
    said = content;
    tellViews.forEach((view) => view());
  }

  return {
    initialize({ model }) {
      let timer;
      const hear = (content) => {
        if (content.kind !== "said") return;
        clearTimeout(timer);
        say(content);
        if (said.level === "info") timer = setTimeout(() => say({ text: "", level: "info" }), SAID_MS);
      };
      link = connect(model, { onSnapshot: take, onDelta: take, onMessage: hear });
      return () => link.close();
    },
    render({ el }) {
      let order = ["statistic", 1];
      const form = makeForm(link.send);
      const progress = makeProgress();
      const summary = makeSummary();
      const message = h("div", { className: "qnb-message", role: "status", "aria-live": "polite" });
      const filter = h("input", { type: "search", className: "qnb-screener-filter", placeholder: "Filter by symbol…", "aria-label": "Filter pairs by symbol", maxLength: 32 });
      const head = makeHead((key, direction) => {
        order = order[0] === key ? [key, -order[1]] : [key, direction];
        scroller.scrollTop = 0;
        draw();
      });
      const body = h("tbody");
      const nothing = h("div", { className: "qnb-waiting-text" });
      const scroller = h(
        "div",
        { className: "qnb-screener-scroll", tabIndex: 0, role: "region", "aria-label": "Pairs" },
        h("table", {}, h("thead", {}, head.row), body),
        nothing,
      );

      function drawRows() {
        const wanted = filter.value.trim().toUpperCase();
        const found = rows.filter((row) => row.pair.toUpperCase().includes(wanted)).sort(comparison(order));
        const seconds = SECONDS[table?.timeframe];
        patchChildren(body, found, (row) => row.key, (row) => makeRow(row, seconds, link.send));
        const pair = state.pair.join("/");
        for (const tr of body.children) mark(tr, pair);
        nothing.hidden = found.length > 0;
        setText(nothing, rows.length ? `No pair with “${filter.value}”.` : "No pair could be tested.");
        head.show(order);
      }

      function draw() {
        if (!state) return;
        form.draw(state);
        progress.draw(state);
        const { text, level } = said.text ? said : { text: state.note, level: state.level };
        setText(message, text);
        setData(message, "level", level);
        summary.draw(table, generation);
        scroller.hidden = filter.hidden = !table;
        drawRows();
      }

      const soon = eachFrame(draw);
      const stop = link.watch(soon, el);
      tellViews.add(soon);
      filter.addEventListener("input", soon);
      const title = h("h3", { className: "qnb-title" }, "Screener");
      const bar = h("div", { className: "qnb-panel-head" }, title, filter);
      form.form.append(message); // beside the button: what it says must not move the rows under a pointer
      const setup = h("div", { className: "qnb-screener-setup" }, form.form, progress.element, summary.element);
      el.append(h("section", { className: "qnb qnb-panel qnb-screener", "aria-label": "Screener" }, bar, setup, scroller));
      draw();
      return () => {
        stop();
        tellViews.delete(soon);
      };
    },
  };
};
