/** The log-in page: exchanges a token for a cookie that no script can read, and gives it back. */

const find = (id) => document.getElementById(id);
const api = new URL("../api/", document.baseURI);

/** What the server answers; throws an error with its message. */
async function ask(path, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(new URL(path, api), options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

/** @param {{user: string, groups: string[], means: string, login: boolean}} identity */
function show({ user, groups, means, login }) {
  const also = groups.length ? ` (${groups.join(", ")})` : "";
  const unknown = login ? "You are not logged in." : "This server has no tokens to log in with.";
  find("who").textContent = user ? `You are ${user}${also}.` : unknown;
  find("login").hidden = Boolean(user) || !login;
  find("logout").hidden = !user || means === "proxy";
}

function onSubmit(id, submit) {
  find(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    find("problem").textContent = "";
    try {
      await submit();
    } catch (error) {
      find("problem").textContent = error.message;
    }
  });
}

onSubmit("login", async () => {
  const token = find("token").value;
  find("token").value = "";
  await ask("login", { token });
  location.assign(find("back").href);
});
onSubmit("logout", async () => show(await ask("logout", {})));

find("back").hash = location.hash; // the page that led here keeps its PVs there
show(await ask("whoami"));
