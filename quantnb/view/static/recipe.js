import { h, setText, withMinus } from "./dom.js";

const COPIED_MS = 2_000;

/** Put a text into the clipboard, or at least under the cursor where the browser forbids it. */
async function copy(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    setText(button, "Copied");
  } catch {
    getSelection().selectAllChildren(code);
    setText(button, "Selected: copy it now");
  }
  setTimeout(() => setText(button, "Copy"), COPIED_MS);
}

/**
 * The dialog that says what a number is made of, and the Python that computes it again. One for a panel:
 * `open` shows it at once with the words at hand, `fill` brings the code when the kernel has sent it.
 */
export function makeRecipe() {
  const title = h("h3", { className: "qnb-title" });
  const words = h("div", { className: "qnb-recipe-words" });
  const code = h("code", {});
  const copyButton = h("button", { type: "button", className: "qnb-recipe-copy", onclick: () => copy(code, copyButton) }, "Copy");
  const close = h("button", { type: "button", className: "qnb-icon-button", "aria-label": "Close", onclick: () => element.close() }, "✕");
  const element = h(
    "dialog",
    { className: "qnb qnb-panel qnb-recipe" },
    h("div", { className: "qnb-panel-head" }, title, copyButton, close),
    words,
    h("p", { className: "qnb-faint" }, "The same number in a notebook, to the last digit; session is the quantnb.Session."),
    h("pre", { tabIndex: 0, role: "region", "aria-label": "Python" }, code),
  );
  element.addEventListener("click", (event) => event.target === element && element.close()); // on the backdrop
  let shown;

  return {
    element,
    open(what, heading, sentences) {
      shown = what;
      setText(title, heading);
      words.replaceChildren(...sentences.filter(Boolean).map((text) => h("p", {}, withMinus(text))));
      setText(code, "…");
      copyButton.hidden = true;
      element.showModal();
    },
    fill(content) {
      if (content.kind !== "recipe" || content.what !== shown) return;
      setText(code, content.code ?? content.problem);
      copyButton.hidden = !content.code;
    },
  };
}

/** The button that asks for it. */
export function recipeButton(label, onclick) {
  const name = `${label}: what it is made of, and Python that computes it again`;
  return h("button", { type: "button", className: "qnb-icon-button qnb-recipe-button", "aria-label": name, title: name, onclick }, "ƒ");
}
