import { h } from "./dom.js";
import { randomName } from "./protocol.js";

/**
 * A field with completion. What is entered leaves it at once, so that the next symbol can be typed while the kernel
 * answers; one that is refused comes back, unless something else has been typed meanwhile.
 */
export default () => ({
  render({ model, el }) {
    const client = randomName();
    const offered = h("datalist", { id: `qnb-symbols-${client}` });
    const field = h("input", { type: "text", placeholder: "Add a symbol…", autocomplete: "off", spellcheck: false });
    field.setAttribute("list", offered.id);
    const button = h("button", { type: "submit", className: "qnb-symbol-add", title: "Watch this symbol" }, "Add");
    const label = h("label", { className: "qnb-symbol-field" }, h("span", { className: "qnb-label" }, "Symbols"), field);

    function enter() {
      const symbol = field.value.trim();
      field.value = "";
      if (symbol) model.send({ kind: "add", client, symbol });
    }

    function onMessage(content) {
      if (content?.kind === "refused" && content.to === client) field.value ||= content.symbol;
    }

    function offer() {
      offered.replaceChildren(...model.get("offered").map((value) => h("option", { value })));
    }

    el.classList.add("qnb");
    const form = h("form", { className: "qnb-row" }, label, button, offered);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      enter();
    });
    field.addEventListener("change", enter); // whoever leaves the field means it, too
    el.append(form);
    model.on("change:offered", offer);
    model.on("msg:custom", onMessage);
    offer();
    return () => {
      model.off("change:offered", offer);
      model.off("msg:custom", onMessage);
    };
  },
});
