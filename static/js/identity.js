/** The link to the log-in page: says who the server takes this page to be. */

export class IdentityLink {
  #link;

  /** @param {HTMLAnchorElement} link */
  constructor(link) {
    this.#link = link;
    link.addEventListener("click", () => this.#keepHash());
  }

  /** Ask the server; where nothing can be done without an identity, go and get one. */
  async refresh() {
    const response = await fetch(new URL("api/whoami", document.baseURI));
    if (!response.ok) return;
    const { user, login, required } = await response.json();
    this.#link.textContent = user || "Log in";
    this.#link.hidden = !user && !login;
    if (required && !user && login) {
      this.#keepHash();
      location.replace(this.#link.href);
    }
  }

  /** The list of PVs is in the address; the log-in page leads back to it. */
  #keepHash() {
    this.#link.hash = location.hash;
  }
}
