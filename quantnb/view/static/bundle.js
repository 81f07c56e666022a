/**
 * plotly, once per page. Each figure's kernel has it; the first figure to need it asks, all share the module.
 * It comes compressed in a message of its own, so that it is neither part of any widget's state nor
 * imported inside `initialize`, which anywidget abandons after two seconds.
 */

const ASK_AGAIN_MS = 20_000;

/** @type {Map<string, {plotly: Promise<any>, resolve: (p: any) => void, reject: (e: any) => void}>} */
const shelf = (window.__quantnbPlotly ??= new Map()); // by version: two notebooks of one page may differ

function slot(version) {
  if (!shelf.has(version)) {
    const entry = {};
    entry.plotly = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
    shelf.set(version, entry);
  }
  return shelf.get(version);
}

/**
 * @param {string} version plotly.py's version
 * @param {() => void} ask asks this figure's kernel for the bundle
 * @returns {Promise<any>} plotly.js
 */
export function loadPlotly(version, ask) {
  const isFirst = !shelf.has(version);
  const { plotly } = slot(version);
  if (isFirst) ask();
  const timer = setInterval(ask, ASK_AGAIN_MS); // whoever was asked first may be gone
  const stop = () => clearInterval(timer);
  plotly.then(stop, stop);
  return plotly;
}

/** Take the bundle's compressed text and make it a module. */
export async function unpackPlotly(version, bytes) {
  const entry = slot(version);
  if (entry.isUnpacking) return;
  entry.isUnpacking = true;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const text = await new Response(stream).arrayBuffer();
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    await import(url);
    URL.revokeObjectURL(url);
    entry.resolve(window.Plotly);
  } catch (error) {
    entry.reject(error);
  }
}
