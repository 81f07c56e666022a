import { clock } from "./clock.js";
import { eachFrame, h, patchChildren, setText, withMinus } from "./dom.js";
import { connect } from "./protocol.js";
import { makeRecipe, recipeButton } from "./recipe.js";

const KINDS = { zscore: "Z-score", price_change: "Price change %", break: "Break of the hedge" };
const REACHES = { zscore: "Reaches, ±", price_change: "Reaches, ± %", break: "Reaches, × 5 % value" };
const UNITS = { zscore: "", price_change: " %", break: " ×" };
const SEVERITIES = { info: ["●", "Info"], warning: ["▲", "Warning"], critical: ["✖", "Critical"] };
const SAID_MS = 8_000; // then the room is the list's again
const DEFAULT_THRESHOLD = { zscore: 2, price_change: 0.5, break: 1.5 };

/** The name of a pair, which in a narrow panel breaks between its legs. */
const breakable = (name) => name.split(/(?<=\/)/).flatMap((leg) => [leg, h("wbr")]);

function labelled(label, field) {
  return h("label", { className: "qnb-field" }, h("span", { className: "qnb-label" }, label), field);
}

function select(css, options) {
  const entries = Object.entries(options).map(([value, text]) => h("option", { value }, text));
  return h("select", { className: css }, ...entries);
}

function numberField(css, value, min) {
  return h("input", { type: "number", className: css, value, min, step: "any", required: true });
}

/** The form for a rule; it is checked again, and for good, in the kernel. */
function makeForm(send) {
  const kind = select("qnb-rule-kind", KINDS);
  const threshold = numberField("qnb-rule-threshold", DEFAULT_THRESHOLD.zscore, 0);
  const span = numberField("qnb-rule-span", 60, 1);
  const symbol = select("qnb-rule-symbol", { "": "All symbols" });
  const severities = Object.entries(SEVERITIES).map(([name, [, word]]) => [name, word]);
  const severity = select("qnb-rule-severity", Object.fromEntries(severities));
  severity.value = "warning";
  const cooldown = numberField("qnb-rule-cooldown", 30, 0);
  const exit = numberField("qnb-rule-exit", 0.5, 0);
  const add = h("button", { type: "submit", className: "qnb-rule-add" }, "Add rule");
  const previewTip = "How often it would have fired on the bars at hand, and what the plain rule would have made";
  const preview = h("button", { type: "button", className: "qnb-rule-try", title: previewTip }, "Preview");
  const ofPrice = [labelled("Within, s", span), labelled("Symbol", symbol)];
  const ofZscore = labelled("Exit, |z| (preview)", exit);
  const reaches = labelled(REACHES.zscore, threshold);
  const fields = [
    labelled("When", kind),
    reaches,
    ...ofPrice,
    ofZscore,
    labelled("Severity", severity),
    labelled("Cooldown, s", cooldown),
  ];

  function showKind() {
    ofPrice.forEach((field) => (field.hidden = kind.value !== "price_change"));
    ofZscore.hidden = kind.value !== "zscore";
    setText(reaches.firstElementChild, REACHES[kind.value]);
  }
  kind.addEventListener("change", () => {
    threshold.value = DEFAULT_THRESHOLD[kind.value];
    showKind();
  });
  showKind();

  const value = (field) => (Number.isFinite(field.valueAsNumber) ? field.valueAsNumber : null);
  function rule() {
    const ofKind = kind.value === "price_change" ? { span_s: value(span), symbol: symbol.value } : { span_s: 60, symbol: "" };
    return { kind: kind.value, threshold: value(threshold), severity: severity.value, cooldown_s: value(cooldown), ...ofKind };
  }

  const buttons = h("div", { className: "qnb-rule-buttons" }, preview, add);
  const form = h("form", { className: "qnb-rule-form", noValidate: true, "aria-label": "New rule" }, ...fields, buttons);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send("add_rule", { rule: rule() });
  });
  preview.addEventListener("click", () => send("preview", { rule: rule(), exit: value(exit) }));

  function offer(symbols) {
    const chosen = symbol.value;
    const options = ["", ...symbols];
    patchChildren(symbol, options, String, (name) => h("option", { value: name }, name || "All symbols"));
    symbol.value = options.includes(chosen) ? chosen : "";
  }
  return { form, offer };
}

function severityMark(severity) {
  const [icon, word] = SEVERITIES[severity] ?? ["●", severity];
  return h("span", { className: "qnb-severity" }, h("span", { "aria-hidden": "true" }, icon), ` ${word}`);
}

function removeButton(label, onclick) {
  return h("button", { type: "button", className: "qnb-icon-button qnb-remove", "aria-label": label, title: label, onclick }, "✕");
}

function makeRule(rule, send) {
  const wait = h("span", { className: "qnb-faint" }, `cooldown ${rule.cooldown_s} s`);
  const remove = removeButton(`Remove the rule: ${rule.text}`, () => send("remove_rule", { id: rule.rule_id }));
  const data = { "data-rule-id": rule.rule_id, "data-severity": rule.severity };
  const text = h("span", { className: "qnb-rule-text" }, rule.text);
  return h("li", { className: "qnb-rule", ...data }, severityMark(rule.severity), text, wait, remove);
}

function makeAlert(alert, send, open) {
  const sign = alert.kind !== "break" && alert.value > 0 ? "+" : "";
  const value = `${sign}${alert.value.toFixed(2)}${UNITS[alert.kind] ?? ""}`.replace("-", "−");
  const data = { "data-alert-id": alert.id, "data-severity": alert.severity, title: alert.text };
  return h(
    "li",
    { className: "qnb-alert", ...data },
    h("time", { dateTime: new Date(alert.time).toISOString() }, clock.time(alert.time, 0)),
    severityMark(alert.severity),
    h("span", { className: "qnb-alert-symbol" }, ...breakable(alert.symbol)),
    h("span", { className: "qnb-alert-value" }, alert.doubt ? `⚠ ${value}` : value),
    recipeButton(`Alert of ${alert.symbol}`, () => open(alert)),
    removeButton(`Remove the alert: ${alert.text}`, () => send("remove_alert", { id: alert.id })),
  );
}

export default () => {
  let link;
  let state = null;
  let said = { text: "", level: "info" };
  const tellViews = new Set();
  const recipes = new Set();

  return {
    initialize({ model }) {
      const take = (data) => {
        state = data;
      };
      let timer;
      const forget = () => {
        said = { text: "", level: "info" };
        tellViews.forEach((view) => view());
      };
      const hear = (content) => {
        recipes.forEach((recipe) => recipe.fill(content));
        if (content.kind !== "said") return;
        said = content;
        clearTimeout(timer);
        if (said.level === "info") timer = setTimeout(forget, SAID_MS);
        tellViews.forEach((view) => view());
      };
      link = connect(model, { onSnapshot: take, onDelta: take, onMessage: hear });
      return () => link.close();
    },
    render({ el }) {
      const { form, offer } = makeForm(link.send);
      const recipe = makeRecipe();
      recipes.add(recipe);
      const open = (alert) => {
        recipe.open(alert.id, `${alert.symbol}, ${clock.time(alert.time, 0)} ${clock.zone}`, [alert.text, alert.cause]);
        link.send("reproduce", { what: alert.id });
      };
      const message = h("div", { className: "qnb-message", role: "status", "aria-live": "polite" });
      const previewWords = h("span", {});
      const clear = removeButton("Clear the preview", () => link.send("clear_preview"));
      const preview = h("div", { className: "qnb-rule-preview", role: "status", hidden: true }, previewWords, clear);
      const rules = h("ul", { className: "qnb-rules", "aria-label": "Rules" });
      const alerts = h("ul", { className: "qnb-alert-list", "aria-label": "Alerts, newest first" });
      const noRules = h("div", { className: "qnb-faint qnb-none" }, "No rules yet.");
      const noAlerts = h("div", { className: "qnb-waiting-text" }, "No active alerts.");
      const count = h("span", { className: "qnb-faint" });

      function draw() {
        setText(message, said.text);
        message.dataset.level = said.level;
        if (!state) return;
        offer(state.symbols);
        patchChildren(rules, state.rules, (rule) => rule.rule_id, (rule) => makeRule(rule, link.send));
        patchChildren(alerts, state.alerts, (alert) => clock.keyed(alert.id), (alert) => makeAlert(alert, link.send, open));
        preview.hidden = !state.preview;
        setText(previewWords, state.preview ? withMinus(`${state.preview.rule}: ${state.preview.words}`) : "");
        noRules.hidden = state.rules.length > 0;
        noAlerts.hidden = state.alerts.length > 0;
        setText(count, state.alerts.length ? `${state.alerts.length} active · times ${clock.zone}` : "");
      }

      const soon = eachFrame(draw);
      const stop = link.watch(soon, el);
      const unwatch = clock.watch(soon);
      tellViews.add(soon);
      const bar = h("div", { className: "qnb-panel-head" }, h("h3", { className: "qnb-title" }, "Alerts"), count);
      const setup = h("div", { className: "qnb-alert-setup" }, form, message, preview, noRules, rules);
      const list = h("div", { className: "qnb-alert-scroll", tabIndex: 0, role: "region", "aria-label": "Active alerts" }, alerts, noAlerts);
      el.append(h("section", { className: "qnb qnb-panel qnb-alerts", "aria-label": "Alerts" }, bar, setup, list, recipe.element));
      draw();
      return () => {
        stop();
        unwatch();
        recipes.delete(recipe);
        tellViews.delete(soon);
      };
    },
  };
};
