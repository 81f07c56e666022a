import { h } from "./dom.js";

export default () => ({
  render({ el }) {
    el.append(h("p", { className: "qnb qnb-disclaimer" }, "Educational use, not financial advice."));
  },
});
