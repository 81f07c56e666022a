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
};
const FEEDS = { live: "Binance USD-M Futures", testnet: "Binance testnet", sim: "Local exchange" };
const LOST = "Connection to the kernel lost – reload the page.";
const ANNOUNCE_EVERY_MS = 5_000;
const CURRENT = new Set(["live", "simulated", "delayed"]);
const SILENCE_S = 4; // a running kernel says something four times a second

/** Seconds as a person reads them: 0.2 s, 12 s, 3 min. */
function seconds(value) {
  if (value < 9.95) return `${value.toFixed(1)} s`;
  return value < 120 ? `${Math.round(value)} s` : `${Math.round(value / 60)} min`;
}

function milliseconds(value) {
  return Math.abs(value) < 1000 ? `${Math.round(value)} ms` : seconds(value / 1000);
}

const feedName = (feed) => FEEDS[feed] ?? (feed.includes("://") ? `Exchange at ${feed}` : feed);

export default () => {
  let link;
  let status = null;
  let receivedAt = 0;
  const take = (data) => {
    status = data;
    receivedAt = performance.now();
  };

  return {
    initialize({ model }) {
      link = connect(model, { onSnapshot: take, onDelta: take });
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
      const [rate, rateFact] = fact("Trades", "qnb-rate");
      const [age, ageFact] = fact("Since last trade", "qnb-age");
      const [lag, lagFact] = fact("Lag", "qnb-lag");
      rateFact.title = "Trades a second, of all symbols watched";
      lagFact.title = "From the exchange's push to our receipt, median of the newest trades; a wrong clock shows here too";
      const counts = h("dl", { className: "qnb-counts" });
      const details = h("details", { className: "qnb-details" }, h("summary", {}, "Counts"), counts);
      const spoken = h("span", { className: "qnb-spoken", role: "status", "aria-live": "polite" });
      const root = h(
        "section",
        { className: "qnb qnb-panel qnb-status", "aria-label": "Status of the feed" },
        h("span", { className: "qnb-state" }, icon, word),
        badge,
        feed,
        reason,
        h("span", { className: "qnb-facts" }, rateFact, ageFact, lagFact, details),
        spoken,
      );
      let announcedAt = -ANNOUNCE_EVERY_MS;

      function drawCounts() {
        const rows = Object.entries(status?.counts ?? {});
        while (counts.childElementCount > 2 * rows.length) counts.lastElementChild.remove();
        while (counts.childElementCount < 2 * rows.length) counts.append(h("dt"), h("dd"));
        rows.forEach(([name, value], k) => {
          setText(counts.children[2 * k], name);
          setText(counts.children[2 * k + 1], value.toLocaleString("en-US"));
        });
      }

      function announce(text) {
        if (spoken.textContent === text || performance.now() - announcedAt < ANNOUNCE_EVERY_MS) return;
        announcedAt = performance.now();
        spoken.textContent = text;
      }

      function draw() {
        const state = status?.state ?? "connecting";
        const elapsed = (performance.now() - receivedAt) / 1000;
        const [glyph, name] = link.connected ? (WORDS[state] ?? ["●", state]) : ["✕", "Disconnected"];
        const wait = status?.retry == null ? null : Math.max(0, status.retry - elapsed);
        const isSilent = state !== "stopped" && status !== null && elapsed > SILENCE_S;
        const silence = isSilent ? `Nothing heard from the kernel for ${seconds(elapsed)}. ` : "";
        const isCurrent = link.connected && !isSilent && CURRENT.has(state);
        const retry = wait === null ? "" : ` in ${Math.ceil(wait)} s`;
        setData(root, "state", state);
        setData(root, "connected", link.connected);
        setText(icon, glyph);
        setText(word, link.connected ? name + retry : name);
        badge.hidden = !status?.simulated;
        setText(feed, feedName(status?.feed ?? ""));
        setText(reason, link.connected ? silence + (status?.reason ?? "Waiting for the kernel…") : LOST);
        markPage(!isCurrent);
        reason.title = reason.textContent;
        setText(rate, isCurrent ? `${status.rate.toFixed(1)} /s` : "—");
        setText(age, status?.age == null ? "—" : seconds(status.age + elapsed));
        setText(lag, isCurrent && status.lag !== null ? milliseconds(status.lag) : "—");
        if (details.open) drawCounts();
        announce(link.connected ? `${name}${status?.simulated ? ", simulated" : ""}` : LOST);
      }

      /** What stands on the page is not the market's present: page.css makes all of it look so. */
      function markPage(isDated) {
        const page = root.closest(".qnb-page");
        if (page) setData(page, "dated", isDated);
      }

      const soon = eachFrame(draw);
      const stop = link.watch(soon);
      const timer = setInterval(soon, 200);
      details.addEventListener("toggle", draw);
      el.style.overflow = "visible"; // for the counts, which open over what is below
      el.append(root);
      draw();
      return () => {
        stop();
        clearInterval(timer);
      };
    },
  };
};
