import { h, setData, setText } from "./dom.js";

/** One sentence that a screen reader hears when it changes. */
export default () => ({
  render({ model, el, signal }) {
    const line = h("div", { className: "qnb-message", role: "status", "aria-live": "polite" });
    const draw = () => {
      setText(line, model.get("text"));
      setData(line, "level", model.get("level"));
    };
    el.classList.add("qnb", "qnb-message-slot");
    el.append(line);
    model.on("change:text change:level", draw);
    signal?.addEventListener("abort", () => model.off("change:text change:level", draw));
    draw();
  },
});
