/**
 * The live end of plain lines, drawn without plotly: what is new is added to the line's own path, through the
 * axis' own scale. plotly needs 20-30 ms for any redraw of a chart, this less than one; so between two redraws only
 * the end of each line is drawn, until one leaves its axis, history is rewritten, or anything else changes. The area
 * between two lines, plain points, candles (candles.js) and a matrix (cells.js) are drawn so too.
 *
 * Paths, scales and `_full…` are plotly's inside. Whoever reads them, here and in those two files, gives up where they are
 * not as expected: then plotly draws, as it would without this file. tests/ui/test_tail.py says when plotly moved them.
 *
 * @typedef {{first: number, settled: number, columns: Record<string, Float64Array>}} Stream
 *   `first` and `settled` are absolute indexes: of the oldest point, and after the last that will not change
 * @typedef {{toX: (x: number) => number, toY: (y: number) => number, isStep: boolean}} Scale in pixels
 */

import { drawCandles } from "./candles.js";
import { drawCells } from "./cells.js";

const HEADROOM = 0.03; // of the axis, free after the newest point

/** The index of the first of ascending numbers that is above `value`. */
export function indexAbove(ascending, value) {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The path of the points from `start` to before `end`, going on from the one before unless `isNew`; a point that is not
 * known interrupts it.
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 * @param {Scale} scale
 */
export function linePath(x, y, start, end, { toX, toY, isStep }, isNew = false) {
  let path = "";
  let isJoined = !isNew && start > 0 && Number.isFinite(y[start - 1]);
  for (let k = start; k < end; k += 1) {
    const isKnown = Number.isFinite(y[k]);
    if (isKnown) {
      const [left, top] = [toX(x[k]), toY(y[k])];
      if (!isJoined) path += `M${left},${top}`;
      else path += isStep ? `H${left}V${top}` : `L${left},${top}`;
    }
    isJoined = isKnown;
  }
  return path;
}

/** Whether the points from `start` to before `end` go on to the right and stay within `top` and `bottom`. */
function isInSight(x, y, start, end, toY, top, bottom) {
  for (let k = start; k < end; k += 1) {
    if (k > 0 && !(x[k] >= x[k - 1])) return false;
    const place = toY(y[k]);
    if (place < top || place > bottom) return false;
  }
  return true;
}

/** Axes that follow their data get room at the live edge, so that not every point moves them. */
export function withHeadroom(layout, traces) {
  const ends = new Map();
  for (const { props, stream } of traces) {
    const x = stream?.columns.x;
    const isLive = (props.mode ?? "").includes("lines") || props.type === "candlestick";
    if (!x?.length || props.visible === false || !isLive) continue;
    const name = (props.xaxis ?? "x").replace("x", "xaxis");
    const [start, end] = ends.get(name) ?? [Infinity, -Infinity];
    ends.set(name, [Math.min(start, x[0]), Math.max(end, x.at(-1))]);
  }
  const roomy = {};
  for (const [name, [start, end]] of ends) {
    const include = [layout[name]?.autorangeoptions?.include ?? [], end + HEADROOM * (end - start)].flat();
    roomy[name] = { ...layout[name], autorangeoptions: { ...layout[name]?.autorangeoptions, include } };
  }
  return { ...layout, ...roomy };
}

/** What plotly has made of an axis, by its id: "x2". */
export const axisOf = (plot, id) => plot._fullLayout?.[id?.replace(/^[xy]/, "$&axis")];

const fillsOf = (group) => Array.from(group?.querySelectorAll(".fills path.js-fill") ?? []);

/** Where and how plotly has drawn a trace; nothing where it is more than a line, or not where it is expected. */
function placeOf(plot, i) {
  const trace = plot._fullData?.[i];
  const [xaxis, yaxis] = [trace?.xaxis, trace?.yaxis].map((id) => axisOf(plot, id));
  const isStep = trace?.line?.shape === "hv";
  const isPlain =
    trace?.type === "scatter" &&
    trace.mode === "lines" &&
    (isStep || trace.line.shape === "linear") &&
    ["none", "tozeroy", "tonexty", undefined].includes(trace.fill) &&
    !trace.connectgaps &&
    !trace.stackgroup &&
    [xaxis, yaxis].every((axis) => ["linear", "date"].includes(axis?.type) && axis.l2p && !axis.rangebreaks?.length);
  if (!isPlain) return null;
  const groups = plot.getElementsByClassName(`trace${trace.uid}`);
  const lines = Array.from(groups[0]?.querySelectorAll(".lines > path.js-line") ?? []);
  const fills = fillsOf(groups[0]);
  const isBand = trace.fill === "tonexty";
  const nFills = Number(trace.fill === "tozeroy") + Number(Boolean(trace._nexttrace)); // an area is the lower line's
  if (groups.length !== 1 || !lines.length || fills.length !== nFills) return null;
  if (isBand && (isStep || !trace._prevtrace)) return null;
  const fill = isBand ? fillsOf(plot.getElementsByClassName(`trace${trace._prevtrace.uid}`)[0]).at(-1) : fills[0];
  const slack = yaxis.autorange ? 0.5 : yaxis._length / 2; // an axis that does not follow may be left, but not far
  return {
    lines: trace.line.width > 0 ? lines : [],
    fill: trace.fill?.startsWith("to") ? fill : undefined,
    isBand,
    left: xaxis.r2l(xaxis.range[0]),
    right: xaxis.r2l(xaxis.range[1]),
    followsX: Boolean(xaxis.autorange),
    top: -slack,
    bottom: yaxis._length + slack,
    scale: { toX: xaxis.l2p, toY: yaxis.l2p, isStep },
  };
}

/** The points of a line that are in sight, and one more on either side. */
function inSight({ columns: { x, y } }, { left, right }) {
  const [start, end] = [Math.max(0, indexAbove(x, left) - 1), Math.min(x.length, indexAbove(x, right) + 1)];
  return [x.slice(start, end), y.slice(start, end)];
}

/** Draw the area between two lines anew: its lower edge runs backwards, so nothing can be added at its end. */
function drawBand(place, lower, upper) {
  const edges = [upper, lower].map((stream) => inSight(stream, place));
  const isSeen = ([x, y]) => x.length && isInSight(x, y, 0, x.length, place.scale.toY, place.top, place.bottom);
  if (!edges.every(isSeen)) return false;
  edges[1].forEach((column) => column.reverse());
  const [there, back] = edges.map(([x, y]) => linePath(x, y, 0, x.length, place.scale, true));
  if ([there, back].some((path) => path.lastIndexOf("M") !== 0)) return false;
  place.fill.setAttribute("d", `${there}L${back.slice(1)}Z`);
  return true;
}

/** Put plain points where they are now; as plotly does, those that are not known nowhere. */
function drawPoints(plot, trace, xaxis, yaxis, { columns: { x, y } }) {
  const groups = plot.getElementsByClassName(`trace${trace.uid}`);
  const nodes = Array.from(groups[0]?.querySelectorAll(".points > path.point") ?? []);
  const isPlain = typeof trace.marker?.size === "number" && typeof trace.marker.color === "string";
  const isLinear = [xaxis, yaxis].every((axis) => axis?.type === "linear" && axis.l2p);
  if (groups.length !== 1 || !nodes.length || !isPlain || !isLinear) return false;
  const places = Array.from(x, (value, k) => [xaxis.l2p(value), yaxis.l2p(y[k])]).filter((place) => place.every(Number.isFinite));
  if (!places.length || places.some(([left, top]) => left < 0 || left > xaxis._length || top < 0 || top > yaxis._length)) return false;
  for (const node of nodes.splice(places.length)) node.remove();
  while (nodes.length < places.length) nodes.push(nodes[0].parentNode.appendChild(nodes[0].cloneNode()));
  places.forEach(([left, top], k) => nodes[k].setAttribute("transform", `translate(${left},${top})`));
  return true;
}

/** The path of one trace: what will not change, in words of SVG, and up to which point that goes. */
class Line {
  /** Begin at the left edge of what is shown. */
  constructor(place, { first, columns: { x } }) {
    this.start = Math.max(0, indexAbove(x, place.left) - 1) + first;
    this.end = this.start;
    this.path = "";
    this.startX = x[this.start - first];
    this.mapping = mappingOf(place);
  }

  /** Whether this is still what stands on the page: plotly may have drawn it anew, in another place or scale. */
  holds(place, stream) {
    const node = place.fill ?? place.lines[0];
    return this.node === node && node.getAttribute("d") === this.drawn &&
      this.mapping === mappingOf(place) && this.end > stream.first && this.end <= stream.settled;
  }

  /** Draw up to the newest point; false where it leaves the picture. */
  extend(place, stream) {
    const { x, y } = stream.columns;
    const [from, shown] = [this.end - stream.first, Math.min(x.length, indexAbove(x, place.right) + 1)];
    const settled = Math.max(from, Math.min(shown, stream.settled - stream.first));
    if (!isInSight(x, y, from, shown, place.scale.toY, place.top, place.bottom)) return false;
    const isNew = this.end === this.start;
    this.path += linePath(x, y, from, settled, place.scale, isNew);
    this.end = settled + stream.first;
    return this.write(place, this.path + linePath(x, y, settled, shown, place.scale, isNew && settled === from), x[shown - 1]);
  }

  write(place, path, endX) {
    if (!path || (place.fill && path.lastIndexOf("M") > 0)) return false; // plotly fills a line with holes in its own way
    const { toX, toY } = place.scale;
    const zero = toY(0);
    const filled = place.fill && `M${toX(endX)},${zero}L${toX(this.startX)},${zero}L${path.slice(1)}`; // as plotly does
    place.fill?.setAttribute("d", filled);
    place.lines.forEach((node, k) => node.setAttribute("d", k === 0 ? path : "M0,0"));
    this.node = place.fill ?? place.lines[0];
    this.drawn = filled ?? path;
    return true;
  }
}

const mappingOf = ({ left, right, scale: { toX, toY } }) => [left, right, toX(right), toY(0), toY(1)].join();

/** Draws the ends of a plot's lines, from one full drawing to the next. */
export class Tail {
  /** @type {Map<number, Line>} */
  lines = new Map();
  drawn = [];

  constructor(plot) {
    this.plot = plot;
  }

  /** plotly has drawn it all. */
  restart(traces) {
    this.lines.clear();
    this.drawn = traces.map(newsOf);
    this.firsts = traces.map(({ stream }) => stream?.first);
    this.isAhead = false; // of what plotly knows, and shows under the pointer
  }

  /** Draw what is new of each trace; false if plotly has to. */
  extend(traces) {
    return traces.every((trace, i) => {
      if (newsOf(trace) === this.drawn[i]) return true;
      const before = this.drawn[i];
      this.isAhead = true;
      this.drawn[i] = newsOf(trace);
      return this.extendTrace(i, trace, before, traces[i - 1]);
    });
  }

  extendTrace(i, { props, stream }, before, neighbour) {
    const trace = this.plot._fullData?.[i] ?? {};
    if (props.visible === false || trace.visible === "legendonly") return true;
    if (trace.visible === false) return !(stream?.columns ?? props).x?.length; // plotly hides what has no points
    const axes = [trace.xaxis, trace.yaxis].map((id) => axisOf(this.plot, id));
    if (trace.type === "heatmap") return drawCells(this.plot, trace, ...axes, props);
    if (trace.mode === "markers") return drawPoints(this.plot, trace, ...axes, stream);
    if (trace.type === "candlestick") return drawCandles(this.plot, trace, i, ...axes, stream, this.firsts[i], before.settled);
    return this.extendLine(i, stream, neighbour);
  }

  extendLine(i, stream, neighbour) {
    const place = placeOf(this.plot, i);
    const { x } = stream.columns;
    if (!place || !x?.length || (place.followsX && x.at(-1) > place.right)) return false;
    if (!place.followsX && x[Math.max(0, stream.settled - stream.first - 1)] > place.right) return true; // nothing of it is in sight
    if (place.isBand) return Boolean(!place.lines.length && place.fill && neighbour?.stream) && drawBand(place, neighbour.stream, stream);
    if (!place.lines.length && !place.fill) return true;
    let line = this.lines.get(i);
    if (!line?.holds(place, stream)) this.lines.set(i, (line = new Line(place, stream)));
    return line.extend(place, stream);
  }
}

/** What changes whenever a trace does: its columns, or for one that does not grow its properties. */
const newsOf = ({ props, stream }) => stream ?? props;
