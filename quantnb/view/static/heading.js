import { h } from "./dom.js";

/** ipywidgets show by colours whether a toggle button is pressed: say it in the way of the page's other buttons. */
function sayPressed(box) {
  for (const button of box.querySelectorAll(".widget-toggle-button")) {
    const isPressed = String(button.classList.contains("mod-active"));
    if (button.getAttribute("aria-pressed") !== isPressed) button.setAttribute("aria-pressed", isPressed);
  }
}

export default () => ({
  render({ model, el }) {
    el.append(h("h3", { className: "qnb-title" }, model.get("text")));
    const presses = new MutationObserver(() => sayPressed(el.parentElement));
    // Only when it has a size does it stand among its neighbours.
    const arrival = new ResizeObserver(() => {
      const box = el.parentElement;
      if (!box) return;
      arrival.disconnect();
      presses.observe(box, { subtree: true, childList: true, attributeFilter: ["class"] });
      sayPressed(box);
    });
    arrival.observe(el);
    return () => {
      arrival.disconnect();
      presses.disconnect();
    };
  },
});
