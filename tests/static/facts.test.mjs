import assert from "node:assert/strict";
import { test } from "node:test";

import { facts } from "../../static/js/facts.js";

const READ = { read: true, write: false };
const WRITE = { read: true, write: true };

/** What the page says of the access. */
function told(access, info) {
  return facts({ metadata: null, access }, info).find(([label]) => label === "Access")?.[1];
}

test("where the rules allow what the IOC forbids it says so", () => {
  const info = { host: "ioc7:5064", access: READ, allowed: WRITE };
  assert.equal(told(READ, info), "read (the IOC forbids writing)");
  assert.equal(told(READ, { ...info, host: "sim" }), "read (it cannot be written)");
});

test("where it is not the IOC, or not known, the access stands alone", () => {
  for (const info of [null, { access: READ, allowed: null }, { access: READ, allowed: READ }]) {
    assert.equal(told(READ, info), "read");
  }
  assert.equal(told(READ, { access: WRITE, allowed: WRITE }), "read", "the rules have just changed");
  assert.equal(told(WRITE, { access: WRITE, allowed: WRITE }), "read, write");
  assert.equal(told(null, null), undefined);
});
