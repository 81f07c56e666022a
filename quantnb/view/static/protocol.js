/**
 * The browser's half of the protocol: hello → snapshot → delta → ack (see view/protocol.py).
 *
 * A widget's module is a function, so that each model has its own link, which all its views share:
 *
 *   export default () => {
 *     let link;
 *     return {
 *       initialize({ model }) {
 *         link = connect(model, { onSnapshot(data, buffers) {…}, onDelta(data, buffers) {…} });
 *         return () => link.close();
 *       },
 *       render({ el }) { const stop = link.watch(() => { … draw, link.connected … }); return stop; },
 *     };
 *   };
 *
 * @typedef {{
 *   onSnapshot?: (data: any, buffers: DataView[]) => void,   everything, anew
 *   onDelta?: (data: any, buffers: DataView[]) => void,      what has changed since
 *   onMessage?: (content: any, buffers: DataView[]) => void, a message of the widget's own kind
 * }} Handlers
 * @typedef {{
 *   id: string,
 *   readonly connected: boolean,
 *   send: (kind: string, content?: object) => void,
 *   watch: (view: () => void) => () => void,
 *   close: () => void,
 * }} Link
 */

const SILENCE_MS = 20_000;

/**
 * Connect a model with its half in the kernel.
 * Views that `watch` are called after every snapshot and delta, and when `connected` changes.
 *
 * @param {any} model
 * @param {Handlers} handlers
 * @returns {Link}
 */
export function connect(model, handlers) {
  const id = Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("");
  const views = new Set();
  let seq = null; // number of the last message; null before the first snapshot
  let heardAt = performance.now();
  let connected = true;

  const tellViews = () => views.forEach((view) => view());

  function setConnected(value) {
    if (connected === value) return;
    connected = value;
    tellViews();
  }

  function send(kind, content = {}) {
    try {
      model.send({ ...content, kind, client: id });
    } catch {
      setConnected(false); // the kernel is gone; the next hello will fail or succeed
    }
  }

  function hello() {
    seq = null;
    send("hello");
  }

  /** Hand one numbered message on. After a gap, or a delta that fails, only a snapshot helps. */
  function accept(content, buffers) {
    if (content.kind === "snapshot") handlers.onSnapshot?.(content.data, buffers);
    else if (seq === null || content.seq !== seq + 1) return false;
    else if (content.kind === "delta") handlers.onDelta?.(content.data, buffers);
    return true;
  }

  function onMessage(content, buffers) {
    if (content?.to !== id) return;
    heardAt = performance.now();
    setConnected(true);
    if (content.seq === undefined) return handlers.onMessage?.(content, buffers);
    let isAccepted = false;
    try {
      isAccepted = accept(content, buffers);
    } catch (error) {
      console.error("quantnb:", error);
      isAccepted = content.kind === "snapshot"; // asking for the same again would not help
    }
    if (!isAccepted) {
      // A ping before the first snapshot only means that there is nothing to show yet.
      if (seq === null && content.kind === "ping") send("ack", { seq: content.seq });
      else hello();
      return;
    }
    seq = content.seq;
    send("ack", { seq });
    if (content.kind !== "ping") tellViews();
  }

  function checkSilence() {
    if (performance.now() - heardAt < SILENCE_MS) return;
    heardAt = performance.now(); // and wait as long again before the next hello
    setConnected(false);
    hello();
  }

  model.on("msg:custom", onMessage);
  const timer = setInterval(checkSilence, 2_000);
  hello();

  return {
    id,
    get connected() {
      return connected;
    },
    send,
    watch(view) {
      views.add(view);
      return () => views.delete(view);
    },
    close() {
      clearInterval(timer);
      model.off("msg:custom", onMessage);
      views.clear();
    },
  };
}
