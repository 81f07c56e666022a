/**
 * Times of day, in UTC as exchanges write them or by this computer's clock: one choice for the page, kept in this
 * browser. A view that is watched for it draws anew when it changes, and says in words which one it is.
 */

const KEPT_AS = "quantnb-clock";

/** Short names such as CET are given in the English of their own part of the world; elsewhere it is GMT+1. */
function localName() {
  const nameIn = (language) =>
    new Intl.DateTimeFormat(language, { timeZoneName: "short" }).formatToParts().find(({ type }) => type === "timeZoneName").value;
  const names = ["en-GB", "en-US", "en-AU"].map(nameIn);
  return names.find((name) => !/^GMT./.test(name)) ?? names[0];
}

class Clock {
  views = new Set();

  constructor() {
    try {
      this.use(localStorage.getItem(KEPT_AS) === "local");
    } catch {
      this.use(false); // where a browser keeps nothing, a choice lasts as long as the page
    }
  }

  use(isLocal) {
    this.isLocal = isLocal;
    this.zone = isLocal ? `local (${localName()})` : "UTC"; // which clock it is, in words
  }

  change() {
    this.use(!this.isLocal);
    try {
      localStorage.setItem(KEPT_AS, this.isLocal ? "local" : "utc");
    } catch {
      // as above
    }
    this.views.forEach((view) => view());
  }

  /** Call a view when the clock changes. */
  watch(view) {
    this.views.add(view);
    return () => this.views.delete(view);
  }

  /** A key for a row that shows a time: another one by another clock. */
  keyed(key) {
    return this.isLocal ? `${key} local` : key;
  }

  date(epochMs) {
    return this.iso(epochMs).slice(0, 10);
  }

  time(epochMs, digits = 3) {
    return this.iso(epochMs).slice(11, 19 + (digits && 1 + digits));
  }

  /** What the clock shows, in the form of ISO 8601 but for the zone. */
  iso(epochMs) {
    const behind = this.isLocal ? new Date(epochMs).getTimezoneOffset() * 60_000 : 0;
    return new Date(epochMs - behind).toISOString();
  }
}

/** One for all panels of the page, whichever notebook they belong to. */
export const clock = (window.__quantnbClock ??= new Clock());
