/** Asks before something is written. */

const MARKUP = `<p id="question"></p>
<div><button type="button" value="" autofocus>Cancel</button><button type="button" value="write">Write</button></div>`;

/**
 * Ask in a dialog of the shadow root; whoever closes it by Escape has not agreed. The answer is there as soon as the
 * dialog is out of sight: the event "close" comes later, and a key in between would meet an element that still asks.
 * @param {ShadowRoot} root
 * @param {string} question
 * @returns {Promise<boolean>}
 */
export function confirmed(root, question) {
  const dialog = makeDialog(question);
  root.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = (value) => {
      dialog.close(value);
      dialog.remove();
      resolve(value === "write");
    };
    dialog.addEventListener("click", ({ target }) => target.localName === "button" && answer(target.value));
    dialog.addEventListener("cancel", () => answer(""));
    dialog.addEventListener("close", () => answer("")); // by the element itself, whose PV is another one
  });
}

function makeDialog(question) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("part", "dialog");
  dialog.setAttribute("aria-labelledby", "question");
  dialog.innerHTML = MARKUP;
  dialog.querySelector("p").textContent = question;
  return dialog;
}
