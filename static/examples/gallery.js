/** The list of the examples: shows the source of each, as it has to be in a folder of one's own. */

/** Addresses in the source, from the folder of the examples to one that is served beside the server. */
const ADDRESS = /\b(href|src)="(?![a-z]+:|#|\/)([^"]*)"/g;

/** @param {string} html @param {string} page relative address of the example @returns {string} */
export function moved(html, page) {
  const from = new URL(page, "http://server/static/examples/");
  return html.replace(ADDRESS, (_, name, address) => `${name}="..${new URL(address, from).pathname}"`);
}

async function show(details, page) {
  const answer = await fetch(page);
  details.querySelector("pre").textContent = moved(await answer.text(), page);
}

function addSource(article) {
  const page = article.dataset.page;
  const details = document.createElement("details");
  const [summary, pre, copy] = ["summary", "pre", "button"].map((name) => document.createElement(name));
  summary.textContent = "Source";
  pre.tabIndex = 0;
  copy.textContent = "Copy";
  copy.hidden = !navigator.clipboard; // browsers have it where the page came safely
  copy.addEventListener("click", () => navigator.clipboard.writeText(pre.textContent));
  details.append(summary, pre, copy);
  details.addEventListener("toggle", () => details.open && show(details, page), { once: true });
  article.append(details);
}

document.querySelectorAll("[data-page]").forEach(addSource);
