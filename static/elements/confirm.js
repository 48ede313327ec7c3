/** Asks before something is written. */

const MARKUP = `<p id="question"></p>
<div><button type="button" value="" autofocus>Cancel</button><button type="button" value="write">Write</button></div>`;

/**
 * Ask in a dialog of the shadow root; whoever closes it by Escape has not agreed.
 * @param {ShadowRoot} root
 * @param {string} question
 * @returns {Promise<boolean>}
 */
export function confirmed(root, question) {
  const dialog = makeDialog(question);
  root.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "write");
    });
  });
}

function makeDialog(question) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("part", "dialog");
  dialog.setAttribute("aria-labelledby", "question");
  dialog.innerHTML = MARKUP;
  dialog.querySelector("p").textContent = question;
  dialog.addEventListener("click", ({ target }) => {
    if (target.localName === "button") dialog.close(target.value);
  });
  return dialog;
}
