/** Macros: `<epics-scope macros="P=SIM:,R=T1:">` gives them to all that is inside, `pv="$(P)$(R)ai"` uses them. */

const MACRO = /\$\(([\w.-]+)(?:=([^()]*))?\)|\$\{([\w.-]+)(?:=([^{}]*))?\}/g;
const PAIR = /\s*([\w.-]+)\s*=\s*("[^"]*"|[^,]*)\s*(?:,|$)/y;

/** Tells all elements, by an event "change", that some scope has other macros. */
export const scopes = new EventTarget();

/** Thrown for a macro that no scope around the element defines, or for macros that do not parse. */
export class MacroError extends Error {}

export class EpicsScope extends HTMLElement {
  static observedAttributes = ["macros"];

  connectedCallback() {
    tell();
  }

  disconnectedCallback() {
    tell();
  }

  attributeChangedCallback() {
    tell();
  }

  /** The macros as an attribute: "NAME=value,NAME=value", a value with a comma in double quotes. */
  get macros() {
    return this.getAttribute("macros") ?? "";
  }

  set macros(text) {
    this.setAttribute("macros", text);
  }
}

/**
 * Replace `$(NAME)`, `${NAME}` and `$(NAME=default)` by the macros of the scopes around a node.
 * @param {string} text
 * @param {Node} node
 * @returns {string}
 * @throws {MacroError}
 */
export function expandMacros(text, node) {
  return text.includes("$") ? replaceMacros(text, macrosAround(node)) : text;
}

let isToldSoon = false;

/** Once for all scopes that a script changes in one go. */
function tell() {
  if (isToldSoon) return;
  isToldSoon = true;
  queueMicrotask(() => {
    isToldSoon = false;
    scopes.dispatchEvent(new Event("change"));
  });
}

/** @returns {Map<string, string>} inner scopes override outer ones, and may use their macros */
function macrosAround(node) {
  const scope = closestScope(node);
  if (!scope) return new Map();
  const outer = macrosAround(scope);
  const own = parseMacros(scope.getAttribute("macros") ?? "");
  return new Map([...outer, ...own.map(([name, value]) => [name, replaceMacros(value, outer)])]);
}

/** The nearest scope outside of a node, through shadow roots. */
function closestScope(node) {
  for (let up = parentOf(node); up; up = parentOf(up)) {
    if (up.localName === "epics-scope") return up;
  }
  return null;
}

const parentOf = (node) => node.assignedSlot ?? node.parentNode ?? node.host;

/** @returns {[string, string][]} */
function parseMacros(text) {
  const pairs = [];
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.trimEnd().length) {
    const found = PAIR.exec(text);
    if (!found) throw new MacroError(`Macros do not parse: ${text}`);
    pairs.push([found[1], found[2].trim().replace(/^"(.*)"$/, "$1")]);
  }
  return pairs;
}

function replaceMacros(text, macros) {
  return text.replace(MACRO, (_, round, roundDefault, curly, curlyDefault) => {
    const name = round ?? curly;
    const value = macros.get(name) ?? roundDefault ?? curlyDefault;
    if (value === undefined) throw new MacroError(`Macro ${name} is not defined`);
    return value;
  });
}
