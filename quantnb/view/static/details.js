/** What stands behind the status bar: the gap ledger, the streams, the counts and the notes. */

import { clock } from "./clock.js";
import { h, patchChildren, setText } from "./dom.js";
import { paintings } from "./latency.js";

const FATES = { open: "↻", closed: "✓", lost: "✕" };
const STREAMS = {
  live: ["●", "live"],
  quiet: ["◔", "quiet: no trades happen"],
  waiting: ["◌", "waiting for first data"],
  silent: ["▲", "silent: data are due"],
  stale: ["✕", "stale: no connection"],
};
const PARTS = ["stored", "duplicate", "late", "rejected"];
const BESIDE = [
  ["ignored", "Messages of a kind that is not used"],
  ["flagged", "Trades that are stored and look wrong, such as a price far from the mark"],
  ["recovered", "Missing trades that came late or were fetched"],
  ["gaps", "Holes in the ids of trades, ever"],
  ["missing", "Trades that were missing in them, those recovered since among them"],
];
// The kernel's word for a part of the way, what to call it, and what exactly is measured.
const WAY = [
  ["received", "Exchange → received", "From the exchange's push of a trade to our receipt: between two clocks, so a wrong one shows here whole"],
  ["computed", "Received → computed", "From our receipt until a picture of the market holds the trade; there are four a second, and most of this is the wait for the next"],
  ["answered", "Computed → in the browser, at most", "From the picture until the kernel has this page's answer to it: the way there and back, by the kernel's clock"],
  ["painted", "In the browser → painted", "From a chart's news to the end of the frame in which it is drawn, by this browser's clock; charts in sight only"],
];

const integer = (value) => value.toLocaleString("en-US");

/** Time of day, with the day where it is not today. */
function moment(epochMs) {
  const [day, today] = [epochMs, Date.now()].map((each) => clock.date(each));
  return day === today ? clock.time(epochMs) : `${day.slice(5)} ${clock.time(epochMs)}`;
}

function timeCell({ from, to }) {
  const [start, end] = [from, to].map((epochMs) => new Date(epochMs).toISOString());
  const until = clock.date(from) === clock.date(to) ? clock.time(to) : moment(to);
  const [first, last] = [`${moment(from)} –`, until].map((text) => h("span", {}, text));
  return h("td", { className: "qnb-gap-time", role: "cell", title: `${start} to ${end}` }, first, " ", last);
}

// Narrow tables are laid out as blocks, which would take their meaning from a screen reader: so it is said again.
const cell = (css, text, props = {}) => h("td", { className: css, role: "cell", ...props }, text);

function table(css, label, names) {
  const body = h("tbody", { role: "rowgroup" });
  const heads = names.map((name) => h("th", { scope: "col", role: "columnheader" }, name));
  const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads));
  const grid = h("table", { className: css, role: "table", "aria-label": label }, head, body);
  return { body, grid, scroller: h("div", { className: "qnb-details-scroll", tabIndex: 0, role: "region", "aria-label": label }, grid) };
}

const mark = (icon) => h("span", { className: "qnb-mark", "aria-hidden": "true" }, icon);

function makeGap(row) {
  const fate = h("td", { className: "qnb-fate", role: "cell" }, mark(FATES[row.state] ?? "?"), ` ${row.fate}`);
  return h(
    "tr",
    { role: "row", "data-state": row.state, "data-symbol": row.symbol },
    cell("qnb-gap-symbol", row.symbol),
    cell("qnb-gap-ids", row.ids),
    cell("qnb-gap-n", row.n ? integer(row.n) : "—", { "data-n": row.n }),
    timeCell(row),
    cell("qnb-gap-cause", row.cause),
    fate,
  );
}

function makeStream([name, state]) {
  const [icon, words] = STREAMS[state] ?? ["?", state];
  const judged = h("td", { className: "qnb-stream-state", role: "cell" }, mark(icon), ` ${words}`);
  const named = h("td", { className: "qnb-stream-name", role: "cell" }, ...name.split(/(?=@)/).flatMap((part) => [part, h("wbr")]));
  const row = h("tr", { role: "row", "data-state": state }, named, judged);
  row.append(cell("qnb-stream-age", ""), cell("qnb-stream-rate", ""));
  return row;
}

function section(title, ...children) {
  const rest = h("span", { className: "qnb-faint" });
  const head = h("h4", { className: "qnb-details-title" }, `${title} `, rest);
  return [h("section", { className: "qnb-details-part", "aria-label": title }, head, ...children), rest];
}

function drawLedger({ rows, n }, { body, scroller }, empty, rest) {
  patchChildren(body, rows, (row) => clock.keyed(JSON.stringify(row)), makeGap);
  setText(scroller.querySelector("th:nth-child(4)"), `From – to (${clock.zone})`);
  scroller.hidden = rows.length === 0;
  empty.hidden = rows.length > 0;
  setText(rest, n > rows.length ? `newest ${rows.length} of ${integer(n)}` : "");
}

function drawStreams({ rows, n }, { body }, rest, elapsed, seconds) {
  const keyOf = ([name, state]) => `${name} ${state}`;
  patchChildren(body, rows, keyOf, makeStream);
  for (const row of rows) {
    const [, , age, rate] = row;
    const [, , ageCell, rateCell] = body.qnbChildren.get(keyOf(row)).children;
    setText(ageCell, age === null ? "—" : seconds(age + elapsed));
    setText(rateCell, `${rate.toFixed(1)} /s`);
  }
  const nLive = rows.filter(([, state]) => state === "live").length + n - rows.length;
  const left = n > rows.length ? `, the first ${rows.length} shown` : "";
  setText(rest, n ? `${integer(nLive)} of ${integer(n)} live${left}` : "");
}

function drawCounts(counts, sum, beside) {
  const parts = PARTS.map((name) => `${integer(counts[name])} ${name}`).join(" + ");
  const lost = counts.unaccounted ? ` — ${integer(counts.unaccounted)} not accounted for` : "";
  setText(sum, `${integer(counts.received)} received = ${parts}${lost}`);
  sum.dataset.adds = String(!counts.unaccounted);
  BESIDE.forEach(([name], k) => setText(beside.children[k].lastElementChild, integer(counts[name])));
}

function drawLatency(told, { body }) {
  WAY.forEach(([key], k) => {
    const [n, ...shares] = key === "painted" ? paintings.percentiles() : (told[key] ?? [0, null, null, null]);
    const [, ...cells] = body.children[k].children;
    [integer(n), ...shares.map(tenths)].forEach((text, column) => setText(cells[column], text));
  });
}

/** Milliseconds: with a tenth where that is much of them. */
const tenths = (ms) => (ms === null ? "—" : ms.toFixed(Math.abs(ms) < 9.95 ? 1 : 0).replace("-", "−"));

/** Make the details; `draw` takes the kernel's sections, the seconds since they came and how to say seconds. */
export function makeDetails(id) {
  const ledger = table("qnb-ledger", "Gaps, newest first", ["Symbol", "Missing ids", "Trades", "From – to", "Cause", "What became of it"]);
  const noGaps = h("p", { className: "qnb-no-gaps" }, mark("✓"), " No trade is missing.");
  const streams = table("qnb-streams", "Streams, those that are not live first", ["Stream", "State", "Age", "Rate"]);
  const sum = h("p", { className: "qnb-count-sum" });
  const pairs = BESIDE.map(([name, title]) => h("div", { title }, h("dt", {}, name), h("dd", {}, "—")));
  const beside = h("dl", { className: "qnb-count-list" }, ...pairs);
  const latency = table("qnb-latency", "Latency of the newest minute, in ms", ["From → to, ms", "n", "p50", "p95", "p99"]);
  latency.body.append(
    ...WAY.map(([key, name, title]) =>
      h("tr", { role: "row", "data-part": key, title }, cell("", name), ...Array.from({ length: 4 }, () => cell("", "—"))),
    ),
  );
  const notes = h("ol", { className: "qnb-notes" });
  const noNotes = h("p", { className: "qnb-faint" }, "Nothing out of the ordinary.");
  const [gapPart, gapRest] = section("Gaps", noGaps, ledger.scroller);
  const [streamPart, streamRest] = section("Streams", streams.scroller);
  const memory = h("p", { className: "qnb-count-memory qnb-faint" });
  const [countPart] = section("Counts", sum, beside, memory);
  const [latencyPart, latencyRest] = section("Latency", latency.scroller);
  latencyRest.textContent = "of the newest minute";
  const [notePart] = section("What happened", noNotes, notes);
  const element = h(
    "div",
    { className: "qnb-details", id, hidden: true, role: "region", "aria-label": "Details of the feed" },
    h("div", { className: "qnb-details-parts" }, h("div", {}, gapPart, latencyPart, countPart), h("div", {}, streamPart, notePart)),
  );

  function draw(told, elapsed, seconds) {
    if (!told?.ledger) return;
    drawLedger(told.ledger, ledger, noGaps, gapRest);
    drawStreams(told.streams, streams, streamRest, elapsed, seconds);
    drawCounts(told.counts, sum, beside);
    setText(memory, told.memory);
    drawLatency(told.latency, latency);
    const numbered = told.notes.map((text, k) => [told.notes.length - k, text]);
    patchChildren(notes, numbered, ([n, text]) => `${n} ${text}`, ([, text]) => h("li", {}, text));
    noNotes.hidden = numbered.length > 0;
  }

  return { element, draw };
}
