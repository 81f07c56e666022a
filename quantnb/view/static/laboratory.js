import { eachFrame, h, setData, setText } from "./dom.js";
import { connect } from "./protocol.js";

const SIDES = { against: ["⚠", "Against"], for: ["✓", "For"], unknown: ["○", "Not known"], note: ["✎", "Note"] };
const PRICES = { level: "Prices", log: "Log prices" };
const EMPTY =
  "Press Run: the hedge ratio by five methods, every test of the spread, and first what speaks against the pair.";
const METHOD_COLUMNS = [
  ["Method", ""],
  ["Hedge ratio", "Units of x for one unit of y, or money for money on log prices. Do not believe it where the methods disagree on the sign of z."],
  ["± std. error", "One standard error, as if residuals were independent; on a spread that comes back slowly the ratio is less certain, by a factor of 2 and more."],
  ["Intercept", "What is left of y at x = 0, in units of y (or of its logarithm)."],
  ["z", "The newest bar's spread by the line known before it, in standard deviations. It is no probability: a spread has memory and fat tails."],
  ["Half-life, bars", "Until half of a deviation is gone, over the newest window; ∞: it does not come back. Do not believe it on a short window: it reads too short."],
];
const TEST_COLUMNS = [
  ["Test", ""],
  ["Statistic", ""],
  ["Rejects at 5\u00a0%", "The critical value, for this number of bars where there is one"],
  ["p", "Asymptotic; where it disagrees with the critical value, the latter decides"],
  ["n", "Bars or observations used"],
];

const mark = (side) =>
  h("span", { className: "qnb-lab-side" }, h("span", { "aria-hidden": "true" }, SIDES[side][0]), ` ${SIDES[side][1]}`);

const finding = (side, text, isAlarm) =>
  h("li", { "data-side": side, "data-alarm": String(isAlarm) }, mark(side), h("span", {}, text));

/** What the study says, in words: first what speaks against the pair. */
function findingsOf(result) {
  const notes = result.notes.map((text) => finding("note", text, false));
  return [...result.findings.map(({ side, text }, k) => finding(side, text, result.signs_differ && k === 0)), ...notes];
}

function methodRow({ key, name, title, cells, sign }) {
  const row = h("tr", { "data-method": key }, h("th", { scope: "row", title }, name), ...cells.map((text) => h("td", {}, text)));
  setData(row.children[4], "sign", sign);
  return row;
}

function testRow({ key, name, title, words, cells }) {
  const head = h("th", { scope: "row", title }, name, h("div", { className: "qnb-lab-words" }, words));
  return h("tr", { "data-test": key }, head, ...cells.map((text) => h("td", {}, text)));
}

function table(label, columns) {
  const head = h("tr", {}, ...columns.map(([name, title]) => h("th", { scope: "col", title }, name)));
  const body = h("tbody");
  const place = { className: "qnb-lab-scroll", tabIndex: 0, role: "region", "aria-label": label };
  return [h("div", place, h("table", {}, h("caption", {}, label), h("thead", {}, head), body)), body];
}

export default () => {
  let link;
  let state = null;
  let isAsked = false; // and not yet answered
  const take = (data) => {
    state = data;
    isAsked = false;
  };

  return {
    initialize({ model }) {
      link = connect(model, { onSnapshot: take, onDelta: take });
      return () => link.close();
    },
    render({ el }) {
      const pair = h("span", { className: "qnb-lab-pair" });
      const options = Object.entries(PRICES).map(([value, text]) => h("option", { value }, text));
      const prices = h("select", { className: "qnb-lab-prices", "aria-label": "What to study", title: "Prices: a ratio of units. Log prices: a ratio of money." }, ...options);
      const run = h("button", { type: "button", className: "qnb-lab-run", title: "Study the newest bars of the pair" }, "Run");
      const failure = h("div", { className: "qnb-message qnb-lab-failure", role: "status", "aria-live": "polite", "data-level": "error" });
      const of = h("div", { className: "qnb-lab-of", role: "status", "aria-live": "polite" });
      const findings = h("ul", { className: "qnb-lab-findings", "aria-label": "What the study says" });
      const [methods, methodRows] = table("Hedge ratio by method", METHOD_COLUMNS);
      const [tests, testRows] = table("Tests", TEST_COLUMNS);
      const result = h("div", { className: "qnb-lab-result" }, findings, methods, tests);
      const empty = h("div", { className: "qnb-waiting-text" }, EMPTY);
      const head = h("div", { className: "qnb-panel-head" }, h("h3", { className: "qnb-title" }, "Pair laboratory"), pair, prices, run);
      const panel = h("section", { className: "qnb qnb-panel qnb-lab", "aria-label": "Pair laboratory" }, head, failure, of, result, empty);
      let drawn = null; // the state whose result stands on the page

      function drawResult(shown) {
        if (drawn === null && shown) prices.value = shown.prices; // a reload goes on where it was
        findings.replaceChildren(...(shown ? findingsOf(shown) : []));
        methodRows.replaceChildren(...(shown?.methods ?? []).map(methodRow));
        testRows.replaceChildren(...(shown?.tests ?? []).map(testRow));
        methods.hidden = !shown?.methods.length;
        result.hidden = !shown;
        empty.hidden = Boolean(shown);
      }

      const isBusy = () => Boolean(state?.is_busy || (isAsked && link.connected));

      function draw() {
        setText(run, isBusy() ? "Computing…" : "Run");
        run.setAttribute("aria-disabled", String(isBusy())); // a disabled button would lose the focus
        panel.setAttribute("aria-busy", String(isBusy()));
        if (!state || state === drawn) return;
        const shown = state.result;
        drawResult(shown);
        drawn = state;
        setText(pair, state.pair);
        setText(failure, state.failure);
        setText(of, shown ? `${shown.stale ? `⚠ ${shown.stale} ` : ""}${shown.of}` : "");
        setData(panel, "stale", Boolean(shown?.stale));
      }

      run.addEventListener("click", () => {
        if (isBusy()) return;
        isAsked = true;
        link.send("run", { prices: prices.value });
        draw();
      });
      const soon = eachFrame(draw);
      const stop = link.watch(soon, el);
      el.append(panel);
      result.hidden = true;
      draw();
      return stop;
    },
  };
};
