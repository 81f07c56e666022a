/**
 * The live end of plain lines, drawn without plotly: what is new is added to the line's own path, through the
 * axis' own scale. plotly needs 20-30 ms for any redraw of a chart, this less than one; so between two redraws only
 * the end of each line is drawn, until one leaves its axis, history is rewritten, or anything else changes.
 *
 * Path, scale and `_full…` are plotly's inside. `axisOf` and `placeOf` alone read them, and give nothing where they are
 * not as expected: then plotly draws, as it would without this file. tests/ui/test_tail.py says when plotly moved them.
 *
 * @typedef {{first: number, settled: number, columns: Record<string, Float64Array>}} Stream
 *   `first` and `settled` are absolute indexes: of the oldest point, and after the last that will not change
 * @typedef {{toX: (x: number) => number, toY: (y: number) => number, isStep: boolean}} Scale in pixels
 */

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
    if (!x?.length || props.visible === false || !(props.mode ?? "").includes("lines")) continue;
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

/** Where and how plotly has drawn a trace; nothing where it is more than a line, or not where it is expected. */
function placeOf(plot, i) {
  const trace = plot._fullData?.[i];
  const [xaxis, yaxis] = [trace?.xaxis, trace?.yaxis].map((id) => axisOf(plot, id));
  const isStep = trace?.line?.shape === "hv";
  const isPlain =
    trace?.type === "scatter" &&
    trace.mode === "lines" &&
    (isStep || trace.line.shape === "linear") &&
    ["none", "tozeroy", undefined].includes(trace.fill) &&
    !trace.connectgaps &&
    !trace.stackgroup &&
    [xaxis, yaxis].every((axis) => ["linear", "date"].includes(axis?.type) && axis.l2p && !axis.rangebreaks?.length);
  if (!isPlain) return null;
  const groups = plot.getElementsByClassName(`trace${trace.uid}`);
  const lines = Array.from(groups[0]?.querySelectorAll(".lines > path.js-line") ?? []);
  const fills = Array.from(groups[0]?.querySelectorAll(".fills path.js-fill") ?? []);
  const isFilled = trace.fill === "tozeroy";
  if (groups.length !== 1 || !lines.length || fills.length !== Number(isFilled)) return null;
  const slack = yaxis.autorange ? 0.5 : yaxis._length / 2; // an axis that does not follow may be left, but not far
  return {
    lines: trace.line.width > 0 ? lines : [],
    fill: fills[0],
    left: xaxis.r2l(xaxis.range[0]),
    right: xaxis.r2l(xaxis.range[1]),
    followsX: Boolean(xaxis.autorange),
    top: -slack,
    bottom: yaxis._length + slack,
    scale: { toX: xaxis.l2p, toY: yaxis.l2p, isStep },
  };
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
    this.drawn = traces.map(({ stream }) => stream);
    this.isAhead = false; // of what plotly knows, and shows under the pointer
  }

  /** Draw what is new of each trace; false if plotly has to. */
  extend(traces) {
    return traces.every(({ stream }, i) => {
      if (stream === this.drawn[i]) return true;
      this.isAhead = true;
      this.drawn[i] = stream;
      return this.extendTrace(i, stream);
    });
  }

  extendTrace(i, stream) {
    const { visible } = this.plot._fullData?.[i] ?? {};
    if (visible === false || visible === "legendonly") return true;
    const place = placeOf(this.plot, i);
    const { x } = stream.columns;
    if (!place || !x?.length || (place.followsX && x.at(-1) > place.right)) return false;
    if (!place.followsX && x[Math.max(0, stream.settled - stream.first - 1)] > place.right) return true; // nothing of it is in sight
    if (!place.lines.length && !place.fill) return true;
    let line = this.lines.get(i);
    if (!line?.holds(place, stream)) this.lines.set(i, (line = new Line(place, stream)));
    return line.extend(place, stream);
  }
}
