/** How long the charts' news wait in this browser until they are painted; one count for the whole page. */

const KEPT_MS = 60_000;
const MOST_KEPT = 4_096;

class Paintings {
  samples = []; // [when it was painted, how long that took], in ms

  /** Count what came at `newsAt`, when the frame in which it is being drawn has been painted; null is no news. */
  note(newsAt) {
    if (newsAt === null) return;
    setTimeout(() => {
      const now = performance.now();
      this.samples.push([now, now - newsAt]);
      if (this.samples.length > MOST_KEPT) this.samples.shift();
    }); // the next task begins after the paint
  }

  /** As view/ledger.py gives those of the kernel: n, p50, p95 and p99 in ms, of the newest minute. */
  percentiles() {
    const since = performance.now() - KEPT_MS;
    this.samples = this.samples.filter(([at]) => at >= since);
    const ordered = this.samples.map(([, duration]) => duration).sort((a, b) => a - b);
    return [ordered.length, ...[0.5, 0.95, 0.99].map((share) => ordered[Math.ceil(share * ordered.length) - 1] ?? null)];
  }
}

/** One for all figures of the page, whichever notebook they belong to. */
export const paintings = (window.__quantnbPaintings ??= new Paintings());
