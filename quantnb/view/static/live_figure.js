/**
 * Draws a LiveFigure (view/figure.py). What arrives is put into the figure's own columns at once; what is
 * drawn is the newest state, when the painter calls, and only where someone can see it. Where only the ends of
 * lines are new, tail.js draws them; anything else, and all of it from time to time, is plotly's work.
 */

import { connect } from "./protocol.js";
import { loadPlotly, unpackPlotly } from "./bundle.js";
import { hasSameCells } from "./cells.js";
import { joinCrosshair } from "./crosshair.js";
import { paintings } from "./latency.js";
import { painter } from "./painter.js";
import { Tail, axisOf, withHeadroom } from "./tail.js";

const NO_PLOTLY =
  "This browser cannot load the chart library. Use a current Firefox, Chrome, Edge or Safari, and reload the page.";
const CATCH_UP_MS = 15_000; // plotly may know less than is drawn for so long,
const CATCH_UP_POINTED_MS = 2_000; // or for so long while a pointer asks it for values
const RATE_MS = 3_000; // over which one counts how often was drawn
const FULL_RATE = 0.75; // of the frames; below, the chart says so
const PRELOAD = "25% 0px"; // of the window: what is about to come into sight is drawn already
const WIDTH_STEP = 100; // pixels; a little wider is no other panel
const REPORTED = /^(shapes\[\d+\]\.[xy][01]|[xy]axis\d*\.(range\[[01]\]|autorange))$/;

/** Undo view/packing.py: arrays stand as {f8: [start, ...shape]} in the JSON. */
function unpack(value, numbers) {
  if (Array.isArray(value)) return value.map((item) => unpack(item, numbers));
  if (value === null || typeof value !== "object") return value;
  if (value.f8) return shaped(numbers, ...value.f8);
  return mapValues(value, (item) => unpack(item, numbers));
}

function shaped(numbers, start, length, ...inner) {
  const size = inner.reduce((product, n) => product * n, 1);
  if (inner.length === 0) return numbers.slice(start, start + length);
  return Array.from({ length }, (_, i) => shaped(numbers, start + i * size, ...inner));
}

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

/** The buffer may begin anywhere in a larger one, and float64 wants it aligned. */
function toNumbers(buffer) {
  if (!buffer) return new Float64Array();
  return new Float64Array(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength));
}

/**
 * Columns with the points before `first` gone, and `tail` in the place of everything from `at` on. Whatever is before
 * `at` is settled: within a generation the kernel only sends again what may still change.
 */
function spliced(stream, { first, at, columns }) {
  const from = stream ? first - stream.first : 0;
  const to = stream ? at - stream.first : 0;
  const splice = (tail, name) => {
    const kept = to > from && stream.columns[name] ? stream.columns[name].subarray(from, to) : [];
    const column = new Float64Array(kept.length + tail.length);
    column.set(kept);
    column.set(tail, kept.length);
    return column;
  };
  return {
    first,
    settled: at,
    columns: Object.fromEntries(Object.entries(columns).map(([name, tail]) => [name, splice(tail, name)])),
  };
}

/** All that is known of the figure, whether it is shown or not. */
class Figure {
  traces = [];
  layout = {};
  config = {};
  label = "";
  notice = "";
  caption = "";
  edits = 0;
  frames = 0; // with something to draw
  rewrites = 0; // changes that are more than new points

  apply(news, buffers) {
    const numbers = toNumbers(buffers[0]);
    const { traces = {}, layout, config } = news;
    if (layout || config) this.rewrites += 1;
    if (layout || config || Object.keys(traces).length) this.frames += 1;
    if (news.n_traces !== undefined) this.traces = Array.from({ length: news.n_traces }, () => ({ props: {} }));
    for (const [i, part] of Object.entries(traces)) this.applyTrace(this.traces[i], part, numbers);
    // With a new editrevision plotly takes the kernel's word for where a shape stands, not the viewer's last drag.
    if (layout) this.layout = { ...unpack(layout, numbers), editrevision: ++this.edits };
    for (const key of ["config", "label", "notice", "caption"]) if (key in news) this[key] = news[key];
  }

  applyTrace(trace, part, numbers) {
    if (part.props) {
      const props = unpack(part.props, numbers);
      if (!hasSameCells(trace.props, props)) this.rewrites += 1;
      trace.props = props;
    }
    if (!part.stream) return;
    if (trace.stream && part.stream.at < trace.stream.settled) this.rewrites += 1;
    trace.stream = spliced(trace.stream, unpack(part.stream, numbers));
  }

  /** Keep a shape where the viewer put it until the kernel has answered. */
  moveShapes(changes) {
    for (const [key, value] of Object.entries(changes)) {
      const [, i, side] = key.match(/^shapes\[(\d+)\]\.([xy][01])$/) ?? [];
      if (side && this.layout.shapes?.[i]) this.layout.shapes[i][side] = value;
    }
  }

  get points() {
    const length = ({ props, stream }) => (stream ? Object.values(stream.columns)[0] : props.x ?? props.z)?.length ?? 0;
    return this.traces.reduce((sum, trace) => sum + length(trace), 0);
  }
}

/** Replace `var(--name)` by what the page's theme says it is. */
function themed(value, style) {
  if (typeof value === "string") {
    const name = value.startsWith("var(") && value.match(/^var\((--[\w-]+)\)$/)?.[1];
    return name ? style.getPropertyValue(name).trim() : value;
  }
  if (Array.isArray(value)) return value.map((item) => themed(item, style));
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return mapValues(value, (item) => themed(item, style));
}

function child(parent, className) {
  const element = document.createElement("div");
  element.className = className;
  parent.append(element);
  return element;
}

/** How many frames have come, and how many of them were drawn. */
class Count {
  since = null;
  said = "";

  /** What to say of the last seconds: nothing, unless much was left out. */
  words(frames, draws) {
    const now = performance.now();
    this.since ??= { now, frames, draws };
    const seconds = (now - this.since.now) / 1000;
    if (seconds * 1000 < RATE_MS) return this.said;
    const [coming, drawn] = [(frames - this.since.frames) / seconds, (draws - this.since.draws) / seconds];
    this.said = drawn < FULL_RATE * coming ? `drawing ${hertz(drawn)} Hz of ${hertz(coming)}` : "";
    this.since = { now, frames, draws };
    return this.said;
  }
}

const hertz = (rate) => (rate < 0.95 ? rate.toFixed(1) : rate.toFixed(0));

/** One place on the page where the figure is shown. */
class View {
  draws = 0;
  tailDraws = 0;
  isVisible = false;
  newsAt = null; // when the oldest news came that is not drawn yet
  isHeld = false; // a pointer is down: drawing now would take a shape or a zoom box out of the hand
  isPointed = false; // plotly tells what it knows of the points under the pointer
  isStale = true; // something has changed that only plotly can draw
  frames = 0; // of the figure, when it was drawn last
  rewrites = 0;

  constructor(el, figure, link, version, onSight) {
    Object.assign(this, { el, figure, link, version, onSight });
    this.caption = child(el, "qnb-figure-caption");
    this.plot = child(el, "qnb-figure-plot");
    this.plot.setAttribute("role", "figure"); // not "img": plotly's buttons are in it
    this.notice = child(el, "qnb-figure-notice");
    this.rate = child(el, "qnb-figure-rate");
    this.tail = new Tail(this.plot);
    this.count = new Count();
    this.listen();
    loadPlotly(version, () => link.send("bundle")).then(
      (plotly) => {
        this.plotly = plotly;
        this.update();
      },
      () => this.fail(),
    );
    this.describe();
  }

  listen() {
    const controller = new AbortController();
    this.controller = controller;
    const on = (target, name, handler) => target.addEventListener(name, handler, { signal: controller.signal });
    on(this.plot, "pointerdown", () => (this.isHeld = true));
    on(this.plot, "pointerenter", () => this.point(true));
    on(this.plot, "pointerleave", () => this.point(false));
    for (const name of ["pointerup", "pointercancel", "blur"]) on(window, name, () => this.release());
    on(document, "visibilitychange", () => this.look());
    this.observers = [
      new ResizeObserver(() => this.redraw()),
      new IntersectionObserver(
        (entries) => {
          this.isVisible = entries.at(-1).isIntersecting;
          this.look();
        },
        { rootMargin: PRELOAD },
      ),
      new MutationObserver(() => this.redraw()),
    ];
    this.observers[0].observe(this.el);
    this.observers[1].observe(this.el);
    this.observers[2].observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  }

  release() {
    this.isHeld = false;
    this.schedule();
  }

  point(isPointed) {
    this.isPointed = isPointed;
    if (isPointed) this.catchUp();
  }

  /** Let plotly know what has been drawn without it. */
  catchUp() {
    if (this.tail.isAhead) this.redraw();
  }

  /** It has come into sight, or gone. */
  look() {
    this.count = new Count();
    this.onSight();
    this.schedule();
  }

  /** Whether what is new is of any use here: to be seen, or for the first drawing, which is made in any case. */
  get isWatching() {
    return this.draws === 0 || this.isVisible;
  }

  /** Something changed: say it in words now, and draw when it can be seen. */
  update() {
    this.describe();
    this.newsAt = this.canDraw() ? (this.newsAt ?? performance.now()) : null;
    this.schedule();
  }

  describe() {
    this.plot.setAttribute("aria-label", this.figure.label);
    this.caption.textContent = this.figure.caption;
    this.caption.hidden = !this.figure.caption;
    const isLoading = !this.plotly && !this.figure.notice && !this.link.failure;
    if (!this.hasFailed) this.notice.textContent = isLoading ? "Loading the chart…" : this.figure.notice;
    this.notice.hidden = !this.notice.textContent;
    this.el.dataset.empty = String(!this.notice.hidden);
    this.el.dataset.points = String(this.figure.points);
    this.el.dataset.frames = String(this.figure.frames);
    this.rate.textContent = this.count.words(this.figure.frames, this.draws);
    this.rate.hidden = !this.rate.textContent;
    this.el.dataset.connected = String(this.link.connected);
  }

  /** Whether there is something to draw it with, and someone to see it. */
  canDraw() {
    return this.plotly && !this.isHeld && !document.hidden && this.isWatching;
  }

  schedule() {
    if ((this.isStale || this.frames !== this.figure.frames) && this.canDraw()) painter.add(this);
  }

  redraw() {
    this.isStale = true;
    this.schedule();
  }

  draw() {
    const { traces, frames, rewrites } = this.figure;
    const isTail = !this.isStale && this.rewrites === rewrites && this.tail.extend(traces);
    if (!isTail && !this.drawWhole()) return;
    this.frames = frames;
    this.rewrites = rewrites;
    this.draws += 1;
    this.tailDraws += isTail;
    if (this.draws === 1) this.onSight();
    paintings.note(this.newsAt);
    this.newsAt = null;
    this.el.dataset.draws = String(this.draws);
    this.el.dataset.tailDraws = String(this.tailDraws);
    this.timer ??= this.tail.isAhead ? setTimeout(() => this.catchUp(), this.isPointed ? CATCH_UP_POINTED_MS : CATCH_UP_MS) : null;
  }

  /** Let plotly draw everything; false where there is no room or nothing to draw. */
  drawWhole() {
    const { clientWidth: width, clientHeight: height } = this.plot;
    const { traces, layout, config } = this.figure;
    if (!width || !height || !traces.length) return false;
    const style = getComputedStyle(this.el);
    const isFirst = this.draws === 0;
    this.plotly.react(
      this.plot,
      traces.map(({ props, stream }) => ({ ...themed(props, style), ...stream?.columns })),
      { ...themed(withHeadroom(layout, traces), style), width, height, datarevision: this.draws + 1 },
      config,
    );
    if (isFirst) this.attend();
    this.tail.restart(traces);
    this.tellSight(width);
    this.isStale = false;
    clearTimeout(this.timer);
    this.timer = null;
    this.el.dataset.drawn = "true";
    return true;
  }

  /** Hear what a viewer does to the plot; plotly then draws what it knows, which is to be all there is. */
  attend() {
    this.leaveCrosshair = joinCrosshair(this.plot, this.figure.config.crosshair);
    this.plot.on("plotly_relayout", (changes) => {
      this.report(changes);
      this.tellSight(this.plot.clientWidth);
      this.catchUp();
    });
    this.plot.on("plotly_restyle", () => this.redraw());
  }

  /** Tell the kernel what the viewer moved: shapes, and the part of the axes that is shown. */
  report(changes) {
    const known = Object.fromEntries(Object.entries(changes).filter(([key]) => REPORTED.test(key)));
    if (!Object.keys(known).length) return;
    this.figure.moveShapes(known);
    this.link.send("relayout", { changes: known });
  }

  /** Tell the kernel what is worth sending: so many pixels, and those parts of the axes that a viewer has chosen. */
  tellSight(width) {
    const spans = {};
    for (const { props, stream } of this.figure.traces) {
      const axis = stream && axisOf(this.plot, props.xaxis ?? "x");
      if (axis?.autorange === false && axis.r2l) spans[props.xaxis ?? "x"] = axis.range.map((end) => axis.r2l(end));
    }
    const sight = { width: WIDTH_STEP * Math.ceil(width / WIDTH_STEP), spans };
    if (JSON.stringify(sight) === this.toldSight) return;
    this.toldSight = JSON.stringify(sight);
    this.link.send("sight", sight);
  }

  fail() {
    this.hasFailed = true;
    this.notice.textContent = NO_PLOTLY;
    this.notice.hidden = false;
  }

  remove() {
    painter.remove(this);
    clearTimeout(this.timer);
    this.controller.abort();
    this.observers.forEach((observer) => observer.disconnect());
    this.leaveCrosshair?.();
    this.plotly?.purge(this.plot);
    this.isVisible = false;
  }
}

export default () => {
  const figure = new Figure();
  const views = new Set();
  let link;
  const onSight = () => link.show([...views].some((view) => view.isWatching));
  return {
    initialize({ model }) {
      const version = model.get("_plotly_version");
      link = connect(model, {
        onSnapshot: (news, buffers) => figure.apply(news, buffers),
        onDelta: (news, buffers) => figure.apply(news, buffers),
        onMessage: (content, buffers) => {
          if (content.kind === "bundle") unpackPlotly(version, buffers[0]);
        },
      });
      return () => link.close();
    },
    render({ model, el }) {
      const view = new View(el, figure, link, model.get("_plotly_version"), onSight);
      views.add(view);
      onSight();
      const unwatch = link.watch(() => view.update(), el);
      return () => {
        unwatch();
        view.remove();
        views.delete(view);
        onSight();
      };
    },
  };
};
