/**
 * The browser's half of the protocol: hello → snapshot → delta → ack, and pause (see view/protocol.py).
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
 *       render({ el }) { const stop = link.watch(() => { … draw, link.connected … }, el); return stop; },
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
 *   readonly failure: string,  what the kernel says of a panel that failed
 *   readonly trouble: "" | "busy" | "lost" | "dead",  what the notebook's own connection says of the kernel
 *   readonly silence: number,  milliseconds since the kernel said anything
 *   send: (kind: string, content?: object) => void,
 *   show: (isShown: boolean) => void,  whether the widget has use for news; in a hidden tab it never has
 *   watch: (view: () => void, el: HTMLElement) => () => void,
 *   close: () => void,
 * }} Link
 */

const SILENCE_MS = 20_000;
const LOOK_EVERY_MS = 500;

/** A name that no other page, widget or form has. */
export const randomName = () => Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("");

/**
 * Where letters are handed out: one message may hold those of several widgets, and any of them carries it
 * (view/outbox.py). What they answer meanwhile goes back in one message too.
 */
class PostOffice {
  name = randomName(); // of the page
  receivers = new Map(); // by client
  acks = null; // [[sender, client, seq], …] while letters are handed out
  sender = null; // of the letter at hand

  handOut(letters, buffers, carrier) {
    this.acks = [];
    let start = 0;
    for (const [sender, content, n] of letters) {
      this.sender = sender;
      const ours = buffers.slice(start, (start += n));
      try {
        this.receivers.get(content.to)?.(content, ours);
      } catch (error) {
        console.error("quantnb:", error); // a panel that cannot draw is no other panel's trouble
      }
    }
    const { acks } = this;
    this.acks = null;
    if (acks.length) carrier("acks", { acks });
  }
}

/** One for all widgets of the page, whichever notebook they belong to. */
const postOffice = (window.__quantnbPostOffice ??= new PostOffice());

/** Read what the page's own connection knows of the kernel; where it cannot be read, silence has to tell. */
function troubleOf(kernel) {
  if (["dead", "terminating"].includes(kernel?.status)) return "dead";
  if (["connecting", "disconnected"].includes(kernel?.connectionStatus)) return "lost";
  return kernel?.status === "busy" ? "busy" : "";
}

/**
 * Connect a model with its half in the kernel.
 * Views that `watch` are called after every snapshot and delta, and when `connected` changes; what the kernel says
 * of a panel that failed stands in each one's element until there is a frame again.
 *
 * @param {any} model
 * @param {Handlers} handlers
 * @returns {Link}
 */
export function connect(model, handlers) {
  const id = `${postOffice.name}-${randomName()}`;
  const views = new Map(); // each with the line that says what failed
  let failure = "";
  let trouble = "";
  let seq = null; // number of the last message; null before the first snapshot
  let heardAt = performance.now();
  let connected = true;
  let isWanted = true; // by the widget
  let isPaused = document.hidden;

  const tellViews = () => views.forEach((_line, view) => view());

  function showFailure(text) {
    if (failure === text) return;
    failure = text;
    for (const line of views.values()) {
      line.textContent = text;
      line.hidden = !text;
    }
    tellViews();
  }

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

  function acknowledge(number) {
    if (postOffice.acks) postOffice.acks.push([postOffice.sender, id, number]);
    else send("ack", { seq: number });
  }

  function hello() {
    seq = null;
    send(isPaused ? "pause" : "hello");
  }

  /** While nobody can see it the kernel sends nothing, and then everything, once. */
  function pauseOrResume() {
    if (isPaused === (!isWanted || document.hidden)) return;
    isPaused = !isPaused;
    hello();
  }

  /** Hand one numbered message on. After a gap, or a delta that fails, only a snapshot helps. */
  function accept(content, buffers) {
    if (content.kind === "snapshot") handlers.onSnapshot?.(content.data, buffers);
    else if (seq === null || content.seq !== seq + 1) return false;
    else if (content.kind === "delta") handlers.onDelta?.(content.data, buffers);
    if (content.kind !== "ping") showFailure("");
    return true;
  }

  function onMessage(content, buffers) {
    if (content?.letters) postOffice.handOut(content.letters, buffers, send);
    else if (content?.to === id) receive(content, buffers);
  }

  function receive(content, buffers) {
    heardAt = performance.now();
    setConnected(true);
    if (content.kind === "failed") return showFailure(content.text);
    if (content.seq === undefined) return handlers.onMessage?.(content, buffers);
    let isAccepted = false;
    try {
      isAccepted = accept(content, buffers);
    } catch (error) {
      console.error("quantnb:", error);
      isAccepted = content.kind === "snapshot"; // asking for the same again would not help
      if (isAccepted) showFailure(`This panel failed: ${error}; the feed goes on.`);
    }
    if (!isAccepted) {
      // A ping before the first snapshot only means that there is nothing to show yet.
      if (seq === null && content.kind === "ping") acknowledge(content.seq);
      else hello();
      return;
    }
    seq = content.seq;
    acknowledge(seq);
    if (content.kind === "ping") return;
    if (isPaused) send("pause"); // it was under way, or the kernel has forgotten
    tellViews();
  }

  function look() {
    const before = trouble;
    trouble = troubleOf(model.widget_manager?.kernel);
    if (trouble === "dead" || trouble === "lost") return setConnected(false);
    if (before === "lost") return hello(); // what was sent meanwhile is gone
    if (trouble !== "busy") checkSilence(); // one that runs a long cell answers when it has ended
  }

  function checkSilence() {
    if (performance.now() - heardAt < SILENCE_MS) return;
    heardAt = performance.now(); // and wait as long again before the next hello
    setConnected(false);
    hello();
  }

  postOffice.receivers.set(id, receive);
  model.on("msg:custom", onMessage);
  document.addEventListener("visibilitychange", pauseOrResume);
  const timer = setInterval(look, LOOK_EVERY_MS);
  hello();

  return {
    id,
    get connected() {
      return connected;
    },
    get failure() {
      return failure;
    },
    get trouble() {
      return trouble;
    },
    get silence() {
      return performance.now() - heardAt;
    },
    send,
    show(isShown) {
      isWanted = isShown;
      pauseOrResume();
    },
    watch(view, el) {
      const line = document.createElement("div");
      line.className = "qnb qnb-failure";
      line.setAttribute("role", "alert");
      line.textContent = failure;
      line.hidden = !failure;
      el.prepend(line);
      views.set(view, line);
      return () => views.delete(view);
    },
    close() {
      clearInterval(timer);
      model.off("msg:custom", onMessage);
      postOffice.receivers.delete(id);
      document.removeEventListener("visibilitychange", pauseOrResume);
      views.clear();
    },
  };
}
