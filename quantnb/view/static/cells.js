/**
 * A matrix in new colours, without plotly: the cells stand where they stood, so only their picture and their numbers
 * change. plotly makes every label anew and measures it.
 *
 * As in tail.js, what is plotly's inside is only used where it is as expected.
 */

/** What of a matrix may change in place. */
const CONTENT = new Set(["z", "text", "hovertext", "customdata"]);

/** Whether a matrix has the same cells as before, in the same place and style. */
export function hasSameCells(before, after) {
  if (before?.type !== "heatmap" || after?.type !== "heatmap") return false;
  const shape = ({ z }) => z.map((row) => row.length).join();
  const rest = (props) => JSON.stringify(Object.entries(props).filter(([key]) => !CONTENT.has(key)));
  return Boolean(before.z && after.z) && shape(before) === shape(after) && rest(before) === rest(after);
}

/** The colour of a number, straight between the two of the scale that it lies between; as [red, green, blue]. */
function colourOf({ colorscale, zmin, zmax }) {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const stops = colorscale.map(([at, colour]) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [at, Array.from(context.getImageData(0, 0, 1, 1).data.slice(0, 3))];
  });
  return (z) => {
    const share = Math.min(1, Math.max(0, (z - zmin) / (zmax - zmin)));
    const k = Math.max(1, stops.findIndex(([at]) => at >= share));
    const [[low, from], [high, to]] = [stops[k - 1], stops[k]];
    return from.map((start, c) => Math.round(start + ((share - low) / (high - low)) * (to[c] - start)));
  };
}

/** The pixels, from the picture's corner, between which each cell of an axis lies. */
function edgesOf(axis, n, start) {
  const edges = Array.from({ length: n + 1 }, (_, k) => Math.round(axis.l2p(k - 0.5) - start));
  return edges.slice(1).map((edge, k) => [edges[k], edge].sort((a, b) => a - b));
}

function paint(image, trace, xaxis, yaxis, z) {
  const [left, top, width, height] = ["x", "y", "width", "height"].map((name) => Number(image.getAttribute(name)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const colour = colourOf(trace);
  const [columns, rows] = [edgesOf(xaxis, z[0].length, left), edgesOf(yaxis, z.length, top)];
  const [before, above] = [Math.floor(trace.xgap / 2), Math.floor(trace.ygap / 2)];
  z.forEach((row, i) =>
    row.forEach((value, j) => {
      if (!Number.isFinite(value)) return;
      const [[x0, x1], [y0, y1]] = [columns[j], rows[i]];
      context.fillStyle = `rgb(${colour(value).join()})`;
      context.fillRect(x0 + before, y0 + above, x1 - x0 - trace.xgap, y1 - y0 - trace.ygap);
    }),
  );
  image.href.baseVal = canvas.toDataURL("image/png");
}

/** Write a label into the lines that it has, which keep their style; false if it has others, or more than plain text. */
function write(label, text) {
  const lines = text.split("<br>").map((line) => line.replace(/<[^<>]*>/g, ""));
  if (lines.some((line) => !line || /[<>&]/.test(line))) return false;
  const places = lines.length === 1 ? [label] : Array.from(label.querySelectorAll("tspan.line"));
  if (places.length !== lines.length) return false;
  return places.every((place, k) => {
    let innermost = place;
    while (innermost.firstElementChild) innermost = innermost.firstElementChild;
    const isAll = innermost.textContent === place.textContent;
    if (isAll && innermost.textContent !== lines[k]) innermost.textContent = lines[k];
    return isAll;
  });
}

/**
 * Draw a matrix with the same cells; false if plotly has to.
 * @param {any} plot
 * @param {any} trace what plotly has made of it
 * @param {any} xaxis
 * @param {any} yaxis
 * @param {{z: number[][], text: string[][]}} props
 */
export function drawCells(plot, trace, xaxis, yaxis, { z, text }) {
  const images = plot.querySelectorAll(".heatmaplayer image");
  const labels = plot.querySelectorAll(".heatmaplayer .heatmap-label > text");
  const [cells, words] = [z.flatMap((row) => Array.from(row)), text.flat()];
  if (images.length !== 1 || labels.length !== cells.length || words.length !== cells.length) return false;
  if (![xaxis, yaxis].every((axis) => axis?.type === "category" && axis.l2p) || trace.zsmooth || !(trace.xgap || trace.ygap)) return false; // else a pixel a cell, stretched
  if (![...labels].every((label, k) => words[k] && write(label, words[k]))) return false;
  paint(images[0], trace, xaxis, yaxis, z);
  return true;
}
