import { clock } from "./clock.js";
import { makeDetails } from "./details.js";
import { eachFrame, h, setData, setText } from "./dom.js";
import { connect } from "./protocol.js";

const WORDS = {
  stopped: ["■", "Stopped"],
  connecting: ["◌", "Connecting"],
  live: ["●", "Live"],
  delayed: ["◔", "Delayed"],
  stale: ["▲", "Stale"],
  reconnecting: ["↻", "Reconnecting"],
  blocked: ["✕", "Blocked"],
  simulated: ["●", "Running"],
  offline: ["✕", "Disconnected"],
};
const FEEDS = { live: "Binance USD-M Futures", testnet: "Binance testnet", sim: "Local exchange" };
const LOST = {
  dead: "Connection to the kernel lost – reload the page.",
  lost: "Connection to the notebook's server lost – trying again.",
};
const UNHEARD = "Connection to the kernel lost – reload the page if it does not come back.";
const ANNOUNCE_EVERY_MS = 5_000;
const CURRENT = new Set(["live", "simulated", "delayed"]);
const SILENCE_S = 4; // a running session says something four times a second
const TICK_MS = 400; // time passes on the page although nothing was heard
const IDLE_SILENCE_S = 9; // one that does not run is asked for a life sign every five seconds

/** Seconds as a person reads them: 0.2 s, 12 s, 3 min. */
function seconds(value) {
  if (value < 9.95) return `${value.toFixed(1)} s`;
  return value < 120 ? `${Math.round(value)} s` : `${Math.round(value / 60)} min`;
}

function milliseconds(value) {
  return Math.abs(value) < 1000 ? `${Math.round(value)} ms` : seconds(value / 1000);
}

const feedName = (feed) => FEEDS[feed] ?? (feed.includes("://") ? `Exchange at ${feed}` : feed);

/** Say how things stand when the kernel says nothing: what it said last is then no longer so. */
function judge(link, status, elapsed) {
  if (!link.connected) return ["offline", LOST[link.trouble] ?? UNHEARD];
  if (status === null) return ["connecting", "Waiting for the kernel…"];
  const silence = status.running ? elapsed : link.silence / 1000;
  if (silence <= (status.running ? SILENCE_S : IDLE_SILENCE_S)) return [status.state, status.reason];
  const why = link.trouble === "busy" ? "it is busy, perhaps with a cell" : "it may be busy or gone";
  return ["stale", `Nothing heard from the kernel for ${seconds(silence)}: ${why}. ${status.reason}`];
}

export default () => {
  let link;
  let status = null;
  let receivedAt = 0;
  const readers = new Set(); // views with their details open

  const tellKernel = () => link.send("details", { open: readers.size > 0 });
  const take = (data) => {
    status = { ...status, ...data };
    receivedAt = performance.now();
  };
  const begin = (data) => {
    status = null;
    take(data);
    if (readers.size && !data.ledger) tellKernel(); // it has forgotten this page
  };

  return {
    initialize({ model }) {
      link = connect(model, { onSnapshot: begin, onDelta: take });
      return () => link.close();
    },
    render({ el }) {
      const fact = (label, css) => {
        const value = h("span", { className: `qnb-fact-value ${css}` }, "—");
        return [value, h("span", { className: "qnb-fact" }, h("span", { className: "qnb-faint" }, label), value)];
      };
      const icon = h("span", { className: "qnb-state-icon", "aria-hidden": "true" });
      const word = h("span", { className: "qnb-state-word" });
      const badge = h("span", { className: "qnb-badge", hidden: true }, "SIMULATED");
      const feed = h("span", { className: "qnb-feed", title: "Where the trades come from" });
      const reason = h("span", { className: "qnb-reason" });
      const history = h("span", { className: "qnb-history", title: "Trades and bars from before the start, and what was missed" });
      const [rate, rateFact] = fact("Trades", "qnb-rate");
      const [age, ageFact] = fact("Since last trade", "qnb-age");
      const [lag, lagFact] = fact("Lag", "qnb-lag");
      const [coverage, coverageFact] = fact("Coverage", "qnb-coverage");
      rateFact.title = "Trades a second, of all symbols watched";
      lagFact.title = "From the exchange's push to our receipt, median of the newest trades; a wrong clock shows here too";
      coverageFact.title = "Trades held, of all that there were since the start; rounded down";
      const spoken = h("span", { className: "qnb-spoken", role: "status", "aria-live": "polite" });
      const details = makeDetails(`qnb-details-${link.id}-${Math.random().toString(36).slice(2)}`);
      const more = h(
        "button",
        { type: "button", className: "qnb-more", "aria-expanded": "false", "aria-controls": details.element.id, title: "Gaps, streams, counts and what happened" },
        "Details",
      );
      const clockTitle = "The clock of times in tables: UTC, as exchanges write them, or this computer's. Charts are in UTC.";
      const clockButton = h("button", { type: "button", className: "qnb-clock", title: clockTitle, onclick: () => clock.change() });
      const root = h(
        "section",
        { className: "qnb qnb-panel qnb-status", "aria-label": "Status of the feed" },
        h(
          "div",
          { className: "qnb-status-bar" },
          h("span", { className: "qnb-state" }, icon, word),
          badge,
          feed,
          h("span", { className: "qnb-words" }, reason, " ", history),
          h("span", { className: "qnb-facts" }, rateFact, ageFact, lagFact, coverageFact, clockButton, more),
          spoken,
        ),
        details.element,
      );
      let announcedAt = -ANNOUNCE_EVERY_MS;
      let drawnAt = 0;

      function announce(text) {
        if (spoken.textContent === text || performance.now() - announcedAt < ANNOUNCE_EVERY_MS) return;
        announcedAt = performance.now();
        spoken.textContent = text;
      }

      function draw() {
        drawnAt = performance.now();
        const elapsed = (drawnAt - receivedAt) / 1000;
        const [state, why] = judge(link, status, elapsed);
        const [glyph, name] = WORDS[state] ?? ["●", state];
        const wait = status?.retry == null || !link.connected ? null : Math.max(0, status.retry - elapsed);
        const isCurrent = CURRENT.has(state);
        setData(root, "state", state);
        setData(root, "connected", link.connected);
        setText(icon, glyph);
        setText(word, wait === null ? name : `${name} in ${Math.ceil(wait)} s`);
        badge.hidden = !status?.simulated;
        setText(feed, feedName(status?.feed ?? ""));
        setText(reason, why);
        reason.title = why;
        markPage(!isCurrent);
        setText(history, link.connected ? (status?.history ?? "") : "");
        setText(rate, isCurrent ? `${status.rate.toFixed(1)} /s` : "—");
        setText(age, status?.age == null ? "—" : seconds(status.age + elapsed));
        setText(lag, isCurrent && status.lag !== null ? milliseconds(status.lag) : "—");
        setText(coverage, status?.coverage ?? "");
        coverageFact.hidden = !status?.coverage;
        setData(coverage, "whole", status?.coverage?.startsWith("100 ") ?? true);
        setText(clockButton, `Times: ${clock.zone}`);
        clockButton.setAttribute("aria-pressed", String(clock.isLocal));
        if (readers.has(draw)) details.draw(status, elapsed, seconds);
        announce(link.connected ? `${name}${status?.simulated ? ", simulated" : ""}` : why);
      }

      /** What stands on the page is not the market's present: page.css makes all of it look so. */
      function markPage(isDated) {
        const page = root.closest(".qnb-page");
        if (page) setData(page, "dated", isDated);
      }

      function toggle() {
        if (!readers.delete(draw)) readers.add(draw);
        const isOpen = readers.has(draw);
        more.setAttribute("aria-expanded", String(isOpen));
        details.element.hidden = !isOpen;
        tellKernel();
        draw();
      }

      const soon = eachFrame(draw);
      const stop = link.watch(soon, el);
      const unwatch = clock.watch(soon);
      const timer = setInterval(() => performance.now() - drawnAt >= TICK_MS && soon(), TICK_MS / 2);
      more.addEventListener("click", toggle);
      el.append(root);
      draw();
      return () => {
        stop();
        unwatch();
        clearInterval(timer);
        if (readers.delete(draw)) tellKernel();
      };
    },
  };
};
