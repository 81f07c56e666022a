/**
 * One line through all charts of a group: where the pointer is in one of them, at that time in the others.
 * It is an element over the plot, put in place through plotly's axis, so nothing is drawn anew for it.
 */

/** The charts of this page, by the name of their group. @type {Map<string, Set<Crosshair>>} */
const groups = (window.__quantnbCrosshairs ??= new Map());

class Crosshair {
  time = null; // where to stand, as plotly gives it; null: nowhere

  constructor(plot, group) {
    this.plot = plot;
    this.members = groups.get(group) ?? new Set();
    groups.set(group, this.members.add(this));
    this.line = document.createElement("div");
    this.line.className = "qnb-crosshair";
    this.line.hidden = true;
    plot.after(this.line);
    plot.on("plotly_hover", ({ points }) => this.tellOthers(points[0]?.x ?? null));
    plot.on("plotly_unhover", () => this.tellOthers(null));
    plot.on("plotly_afterplot", () => this.place()); // the axis may have moved under it
  }

  tellOthers(time) {
    for (const other of this.members) {
      if (other === this) other.time = null; // plotly's own line stands here
      else other.time = time;
      other.place();
    }
  }

  place() {
    const { xaxis, _size: size } = this.plot._fullLayout;
    const left = this.time === null ? NaN : xaxis.d2p(this.time);
    this.line.hidden = !(left >= 0 && left <= xaxis._length);
    if (this.line.hidden) return;
    const { offsetLeft, offsetTop } = this.plot;
    this.line.style.transform = `translate(${offsetLeft + xaxis._offset + left}px, ${offsetTop + size.t}px)`;
    this.line.style.height = `${size.h}px`;
  }

  leave() {
    this.members.delete(this);
    this.line.remove();
  }
}

/**
 * Let a plot that has been drawn share the line of its group; call the result when it goes.
 * @param {any} plot plotly's element
 * @param {string | undefined} group
 */
export function joinCrosshair(plot, group) {
  if (!group) return () => {};
  const crosshair = new Crosshair(plot, group);
  return () => crosshair.leave();
}
