/**
 * Draws the figures of a page in turn, at most once an animation frame each: as many in one frame as fit in a few
 * milliseconds, then a rest of four times what they took, so that drawing never takes more than a fifth of the
 * browser's time. On a slow machine charts are redrawn less often, always with the newest data, and the page still
 * answers; each chart then says so.
 *
 * @typedef {{ draws: number, canDraw: () => boolean, draw: () => void }} Drawable
 */

const REST = 4;
const FRAME_MS = 6; // of a frame's 16, the rest is the browser's own

class Painter {
  queue = new Set();
  isBusy = false;

  /** @param {Drawable} view */
  add(view) {
    this.queue.add(view);
    this.next();
  }

  /** @param {Drawable} view */
  remove(view) {
    this.queue.delete(view);
  }

  next() {
    if (this.isBusy || this.queue.size === 0) return;
    this.isBusy = true;
    requestAnimationFrame(() => this.paint());
  }

  paint() {
    const start = performance.now();
    let isFirst = false; // an empty frame is filled without delay
    do {
      const [view] = this.queue;
      this.queue.delete(view);
      isFirst ||= view?.draws === 0;
      try {
        if (view?.canDraw()) view.draw();
      } catch (error) {
        console.error("quantnb:", error);
      }
    } while (this.queue.size && performance.now() - start < FRAME_MS);
    // The next task begins when the browser has laid out and painted what was drawn: that counts too.
    setTimeout(() => {
      const rest = isFirst ? 0 : REST * (performance.now() - start);
      setTimeout(() => {
        this.isBusy = false;
        this.next();
      }, rest);
    });
  }
}

/** One for all figures of the page, whichever notebook they belong to. */
export const painter = (window.__quantnbPainter ??= new Painter());
