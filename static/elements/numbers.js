/**
 * A number in an attribute.
 * @param {Element} element
 * @param {string} name
 * @returns {number|null} null for none, and for what is no number
 */
export function numberOf(element, name) {
  const value = Number.parseFloat(element.getAttribute(name) ?? "");
  return Number.isFinite(value) ? value : null;
}
