/**
 * Draws the figures of a page in turn: one per animation frame, and after each a rest of twice the time it
 * took, so that drawing never takes more than a third of the browser's time. On a slow machine charts are
 * redrawn less often, always with the newest data, and the page still answers.
 *
 * @typedef {{ draws: number, canDraw: () => boolean, draw: () => void }} Drawable
 */

const REST = 2;

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
    const [view] = this.queue;
    this.queue.delete(view);
    const isFirst = view?.draws === 0; // an empty frame is filled without delay
    const start = performance.now();
    try {
      if (view?.canDraw()) view.draw();
    } catch (error) {
      console.error("quantnb:", error);
    }
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
