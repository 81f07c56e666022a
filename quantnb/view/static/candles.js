/**
 * The newest candles, without plotly: a candle is one path, and of all of them only the newest change.
 *
 * As in tail.js, what is plotly's inside is only used where it is as expected.
 */

/** Whether each candle rises; one that closes where it opened, against the close before. As plotly decides it. */
function risings({ open, close }) {
  let isRising = true;
  return Array.from(close, (value, k) => {
    if (value !== open[k]) isRising = value > open[k];
    else if (k > 0 && value !== close[k - 1]) isRising = value > close[k - 1];
    return isRising;
  });
}

/** Body and wicks, in the words that plotly has for them; the line of a box's median lies at the close. */
function pathOf(xaxis, yaxis, half, { x, open, high, low, close }, k) {
  const [left, middle, right] = [-half, 0, half].map((step) => xaxis.l2p(x[k] + step));
  const bottom = yaxis.l2p(Math.min(open[k], close[k]));
  const top = yaxis.l2p(Math.max(open[k], close[k]));
  const [first, last] = [Math.min(top, bottom) + 1, Math.max(top, bottom) - 1];
  const median = Math.max(Math.min(first, last), Math.min(Math.max(first, last), yaxis.l2p(close[k])));
  const body = `M${left},${median}H${right}M${left},${bottom}H${right}V${top}H${left}Z`;
  return `${body}M${middle},${bottom}V${yaxis.l2p(low[k])}M${middle},${top}V${yaxis.l2p(high[k])}`;
}

function isCandleInSight(xaxis, yaxis, half, { x, high, low }, k) {
  return xaxis.l2p(x[k] + half) <= xaxis._length && yaxis.l2p(high[k]) >= 0 && yaxis.l2p(low[k]) <= yaxis._length;
}

/**
 * Draw the candles from `from` on; false if plotly has to.
 * @param {any} plot
 * @param {any} trace what plotly has made of it
 * @param {number} i the trace's
 * @param {any} xaxis
 * @param {any} yaxis
 * @param {{first: number, columns: Record<string, Float64Array>}} stream
 * @param {number} firstDrawn the absolute index of the first candle on the page
 * @param {number} from the absolute index of the first that may have changed
 */
export function drawCandles(plot, trace, i, xaxis, yaxis, { first, columns }, firstDrawn, from) {
  const groups = plot.querySelectorAll(".boxlayer > .trace.boxes");
  const nodes = Array.from(groups[0]?.querySelectorAll(":scope > path.box") ?? []);
  const half = plot.calcdata?.[i]?.[0]?.t?.bdPos;
  const isPlain = groups.length === 1 && nodes.length && Number.isFinite(half) && trace.whiskerwidth === 0;
  if (!isPlain || xaxis?.type !== "date" || yaxis?.type !== "linear" || from < first) return false;
  const rising = risings(columns);
  const end = first + rising.length;
  const styles = new Map(); // by whether a candle rises
  for (const [k, node] of nodes.entries()) {
    const known = rising[k + firstDrawn - first];
    if (k + firstDrawn < from && known !== undefined) styles.set(known, node.style.cssText);
  }
  for (let at = from; at < end; at += 1) {
    const k = at - first;
    if (![columns.open[k], columns.close[k]].every(Number.isFinite) || !styles.has(rising[k])) return false;
    if (!isCandleInSight(xaxis, yaxis, half, columns, k)) return false;
  }
  for (let at = from; at < end; at += 1) {
    const node = (nodes[at - firstDrawn] ??= groups[0].appendChild(nodes[0].cloneNode()));
    node.setAttribute("d", pathOf(xaxis, yaxis, half, columns, at - first));
    node.style.cssText = styles.get(rising[at - first]);
  }
  return true;
}
