/** PV names dragged from a row, or as text from elsewhere, and where they may be dropped. */

import { splitNames } from "../elements/names.js";

/**
 * Let rows be dragged away as their PV's name.
 * @param {HTMLElement} body whose children have `data-pv`
 */
export function offerDrag(body) {
  body.addEventListener("dragstart", (event) => {
    const row = event.target.closest("[data-pv]");
    event.dataTransfer.setData("text/plain", row.dataset.pv);
    event.dataTransfer.effectAllowed = "copy";
    setTimeout(() => document.body.classList.add("dragging")); // a page that changes at once ends the drag in Chromium
  });
  body.addEventListener("dragend", () => document.body.classList.remove("dragging"));
}

/**
 * @param {HTMLElement} element marked by the class "target" while something is held over it
 * @param {(names: string[]) => void} ondrop
 */
export function acceptDrop(element, ondrop) {
  element.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("text/plain")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    element.classList.add("target");
  });
  element.addEventListener("dragleave", (event) => {
    if (!element.contains(event.relatedTarget)) element.classList.remove("target");
  });
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("target");
    document.body.classList.remove("dragging");
    const names = splitNames(event.dataTransfer.getData("text/plain"));
    if (names.length) ondrop(names);
  });
}
