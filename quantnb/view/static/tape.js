import { clock } from "./clock.js";
import { eachFrame, formatNumber, h, patchChildren, setData, setText } from "./dom.js";
import { connect } from "./protocol.js";

const MAX_ROWS = 200;
const HEAD_ROWS = 16; // more than the panel is high: the others are made when someone goes down to them
const ROW_PX = 24;
const OUT_OF_SIGHT_MS = 1_000; // between two updates that nobody sees; a search in the page still finds new trades
const COLUMNS = [
  ["Time", "When the exchange matched the trade"],
  ["Symbol", ""],
  ["Price, USDT", "▲ the buyer took the price, ▼ the seller did"],
  ["Size", "In coins or contracts of the symbol"],
  ["Volume, USDT", "Price × size"],
  ["% change", "Against the close of the symbol's last closed bar"],
  ["Spread, USDT", "Of the pair, at the last closed bar"],
  ["Z-score", "Of the pair's spread, at the last closed bar"],
];

/** Digits after the point that leave five significant ones. */
const significant = (value) =>
  value === 0 ? 2 : Math.min(8, Math.max(2, 4 - Math.floor(Math.log10(Math.abs(value)))));

function number(value, digits, signDisplay = "auto") {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay };
  return formatNumber(value, format).replace("-", "−");
}

const signed = (value, digits) => (value === null ? "—" : number(value, digits, "exceptZero"));

const direction = (text) => (text.startsWith("+") ? "up" : text.startsWith("−") ? "down" : "none");

/** The newest rows of each symbol, as the kernel told them. */
function makeStore() {
  let rows = []; // newest first
  let digits = {};
  let spreadDigits = null;

  function take({ reset, digits: nextDigits, spread_digits: nextSpreadDigits, rows: columns }) {
    const fresh = columns.sequence.map((sequence, k) => ({
      sequence,
      symbol: columns.symbol[k],
      time: columns.time[k],
      price: columns.price[k],
      size: columns.size[k],
      isSell: columns.sell[k] === 1,
      change: columns.change[k],
      spread: columns.spread[k],
      zscore: columns.zscore[k],
    }));
    digits = nextDigits;
    spreadDigits = nextSpreadDigits;
    const held = {};
    rows = (reset ? fresh : fresh.concat(rows)).filter(({ symbol }) => {
      held[symbol] = (held[symbol] ?? 0) + 1;
      return symbol in digits && held[symbol] <= MAX_ROWS;
    });
  }

  return {
    take,
    /** By the exchange's time: symbols arrive in bursts, one after the other. */
    newest: (search) =>
      rows
        .filter((row) => row.symbol.toUpperCase().includes(search))
        .sort((a, b) => b.time - a.time || b.sequence - a.sequence)
        .slice(0, MAX_ROWS),
    digitsOf: (row) => ({
      price: digits[row.symbol] ?? significant(row.price),
      spread: spreadDigits ?? significant(row.spread ?? 0),
    }),
    /** The number of the trade that came last; trades are numbered as they come. */
    get newestSequence() {
      return rows[0]?.sequence ?? 0;
    },
  };
}

function blankRow() {
  const row = h("tr", {}, ...COLUMNS.map(() => h("td", {}, " ")));
  row.children[1].className = "qnb-tape-symbol";
  row.children[2].append(h("span", { role: "img" }, " "));
  return row;
}

/** Write a trade into a row, by preference into one that has gone out at the bottom: making one costs more. */
function fillRow(element, row, digits) {
  const [time, symbol, price, size, volume, change, spread, zscore] = element.children;
  const write = (cell, text) => (cell.firstChild.data = text);
  const [glyph, sign, side] = row.isSell ? ["▼", "down", "sell"] : ["▲", "up", "buy"];
  const changed = signed(row.change, 3);
  Object.assign(element.dataset, { sequence: row.sequence, symbol: row.symbol });
  write(time, clock.time(row.time));
  time.title = new Date(row.time).toISOString();
  write(symbol, row.symbol);
  write(price, `${number(row.price, digits.price)} `);
  setData(price, "sign", sign);
  const arrow = price.lastChild;
  write(arrow, glyph);
  setData(arrow, "sign", sign);
  arrow.ariaLabel = arrow.title = side;
  write(size, formatNumber(row.size, { maximumFractionDigits: 8 }));
  write(volume, number(row.price * row.size, 2));
  write(change, changed);
  setData(change, "sign", direction(changed));
  write(spread, signed(row.spread, digits.spread));
  write(zscore, signed(row.zscore, 2));
  return element;
}

export default () => {
  let link;
  const store = makeStore();

  return {
    initialize({ model }) {
      link = connect(model, { onSnapshot: store.take, onDelta: store.take });
      return () => link.close();
    },
    render({ el }) {
      const search = h("input", { type: "search", className: "qnb-tape-search", placeholder: "Search symbol…", "aria-label": "Search by symbol", maxLength: 32 });
      const pause = h("button", { type: "button", className: "qnb-tape-pause", "aria-pressed": "false" }, "Pause");
      const refresh = h("button", { type: "button", className: "qnb-tape-refresh", title: "Show the newest trades now" }, "Refresh");
      const note = h("span", { className: "qnb-tape-note qnb-faint" });
      const body = h("tbody");
      const head = h("tr", {}, ...COLUMNS.map(([name, title]) => h("th", { scope: "col", title }, name)));
      const waiting = h("div", { className: "qnb-waiting-text" }, "Waiting for trades…");
      const rest = h("div", { "aria-hidden": "true" }); // the room of the rows that are not made
      const scroller = h(
        "div",
        { className: "qnb-tape-scroll", tabIndex: 0, role: "region", "aria-label": "Trades, newest first" },
        h("table", {}, h("thead", {}, head), body),
        rest,
        waiting,
      );
      let listed = []; // the rows as of the last update; a pause holds them
      let isAtTop = true;
      let isInSight = true;
      let drawnAt = -OUT_OF_SIGHT_MS;
      let isPaused = false;
      let pausedAt = 0; // the newest trade when the pause began
      let isRefreshing = false;

      /** Make the rows that may be looked at, and keep what a person reads where it is, unless they stand at the top. */
      function patch() {
        const isHeadEnough = isAtTop && !isPaused && !scroller.matches(":focus-within");
        const rows = isHeadEnough ? listed.slice(0, HEAD_ROWS) : listed;
        const top = isAtTop ? 0 : scroller.scrollTop;
        const anchor = top > 0 ? Array.from(body.children).find((row) => row.offsetTop + row.offsetHeight > top) : null;
        const before = anchor?.offsetTop;
        patchChildren(body, rows, (row) => clock.keyed(row.sequence), (row, spare) => fillRow(spare ?? blankRow(), row, store.digitsOf(row)));
        rest.style.height = `${(listed.length - rows.length) * ROW_PX}px`;
        if (anchor?.isConnected) scroller.scrollTop = top + anchor.offsetTop - before;
      }

      function update() {
        listed = store.newest(search.value.trim().toUpperCase());
        patch();
        waiting.hidden = listed.length > 0;
        setText(waiting, search.value ? `No trades of “${search.value}” yet.` : "Waiting for trades…");
      }

      function draw() {
        const now = performance.now();
        if (!isInSight && !isRefreshing && now - drawnAt < OUT_OF_SIGHT_MS) return;
        drawnAt = now;
        if (!isPaused || isRefreshing) update();
        if (isRefreshing) pausedAt = store.newestSequence;
        isRefreshing = false;
        const behind = Math.max(0, store.newestSequence - pausedAt); // after a clear the numbers start over
        setText(head.firstElementChild, `Time (${clock.zone})`);
        setText(note, isPaused ? `Paused · ${formatNumber(behind)} new` : "");
      }

      const soon = eachFrame(draw);
      const stop = link.watch(soon, el);
      const unwatch = clock.watch(() => {
        patch(); // what a pause holds, too
        soon();
      });
      const sight = new IntersectionObserver(([entry]) => {
        isInSight = entry.isIntersecting;
        soon();
      });
      sight.observe(scroller);
      scroller.addEventListener("scroll", () => {
        const wasAtTop = isAtTop;
        isAtTop = scroller.scrollTop <= 0;
        if (wasAtTop !== isAtTop) patch();
      });
      scroller.addEventListener("focusin", patch);
      search.addEventListener("input", update);
      pause.addEventListener("click", () => {
        isPaused = !isPaused;
        pausedAt = store.newestSequence;
        pause.setAttribute("aria-pressed", String(isPaused));
        setText(pause, isPaused ? "Resume" : "Pause");
        patch();
        soon();
      });
      refresh.addEventListener("click", () => {
        isRefreshing = true;
        scroller.scrollTop = 0;
        link.send("refresh");
      });
      const title = h("h3", { className: "qnb-title" }, "Trades");
      const bar = h("div", { className: "qnb-panel-head" }, title, note, search, pause, refresh);
      el.append(h("section", { className: "qnb qnb-panel qnb-tape", "aria-label": "Trades" }, bar, scroller));
      draw();
      return () => {
        stop();
        unwatch();
        sight.disconnect();
      };
    },
  };
};
