import { h, setText } from "./dom.js";
import { randomName } from "./protocol.js";

const KINDS = { trades: "Trades", bars: "Bars", analytics: "Analytics", alerts: "Alerts" };
const FORMATS = { csv: "CSV", parquet: "Parquet" };
const PATIENCE_MS = 60_000;

const TYPES = { csv: "text/csv", parquet: "application/vnd.apache.parquet" };

function select(label, css, options) {
  const entries = Object.entries(options).map(([value, text]) => h("option", { value }, text));
  return h("select", { className: css, "aria-label": label }, ...entries);
}

/** Hand a finished file to the browser, as a click on a link would. */
function save(chunks, name, format) {
  const url = URL.createObjectURL(new Blob(chunks, { type: TYPES[format] }));
  const link = h("a", { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

const size = (bytes) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** One form, one browser: what it asks for comes to it alone, a chunk at a time. */
export default () => ({
  render({ model, el }) {
    const client = randomName();
    const what = select("What to export", "qnb-export-kind", KINDS);
    const format = select("Format", "qnb-export-format", FORMATS);
    const button = h("button", { type: "button", className: "qnb-export-button" }, "Export");
    const progress = h("progress", { hidden: true, max: 1, "aria-label": "Download" });
    const message = h("div", { className: "qnb-message", role: "status", "aria-live": "polite" });
    let file = null; // {file, name, size, format, chunks, received} while one is coming
    let timer;

    function say(text, level = "info") {
      setText(message, text);
      message.dataset.level = level;
    }

    function finish(text, level) {
      clearTimeout(timer);
      file = null;
      button.disabled = false;
      progress.hidden = true;
      say(text, level);
    }

    function ask(content) {
      clearTimeout(timer);
      timer = setTimeout(() => finish("No answer from the kernel. Reload the page and try again.", "error"), PATIENCE_MS);
      model.send({ ...content, client });
    }

    function takeNext() {
      if (file.received < file.size) {
        ask({ kind: "chunk", file: file.file, offset: file.received });
        return;
      }
      save(file.chunks, file.name, file.format);
      finish(`${file.name} (${size(file.size)}) is in your downloads.`);
    }

    function start() {
      button.disabled = true;
      progress.hidden = false;
      progress.removeAttribute("value");
      say("Preparing…");
      ask({ kind: "export", what: what.value, format: format.value });
    }

    function onMessage(content, buffers) {
      if (content?.to !== client) return;
      if (content.kind === "failed") finish(content.text, "error");
      else if (content.kind === "file") {
        file = { ...content, format: format.value, chunks: [], received: 0 };
        takeNext();
      } else if (content.kind === "chunk" && file?.file === content.file && file.received === content.offset) {
        file.chunks.push(buffers[0]);
        file.received += buffers[0].byteLength;
        progress.value = file.received / file.size;
        say(`${size(file.received)} of ${size(file.size)}`);
        takeNext();
      }
    }

    button.addEventListener("click", start);
    model.on("msg:custom", onMessage);
    el.classList.add("qnb", "qnb-export");
    el.append(h("span", { className: "qnb-label" }, "Export"), h("div", { className: "qnb-export-row" }, what, format, button), progress, message);
    return () => {
      clearTimeout(timer);
      model.off("msg:custom", onMessage);
    };
  },
});
