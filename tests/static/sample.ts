/** A program that uses all of the client's declarations; what must not compile says so. */

import { PVClient, PVError, sharedClient, type Events, type MonitorOptions, type Update } from "pycaserver";

declare const ws: { WebSocket: new (address: string, protocols?: string[]) => { close(): void } };

const ca = new PVClient("http://server.example/", {
  token: async () => "secret",
  pauseWhenHidden: false,
  WebSocket: ws.WebSocket,
  requestTimeout: 3,
});
const shared: PVClient = sharedClient(new URL("ws://server.example/monitor"));

ca.addEventListener("state", ({ detail }) => {
  if (detail.name === "waiting") console.log(detail.why, detail.retryAt?.toFixed(), detail.code);
});
ca.addEventListener("error", ({ detail }) => console.error(detail.code, detail.pv));
ca.addEventListener("events", ({ detail }) => told(detail));

const options: MonitorOptions = { maxRate: 10, deadband: 0, first: 0, maxCount: 5, reduce: 500, history: 60 };
const subscription = ca.monitor("A", options, show);
ca.monitor("A", show).close();
ca.monitor("A", { maxRate: 1 });
const latest: Update = subscription.update;

function show(update: Update): void {
  if (update.kind === "history") return update.history?.time.forEach((time) => console.log(time));
  if (update.condition === "error") console.error(update.error?.code);
  const { value } = update;
  if (typeof value === "number") console.log(value.toFixed(update.metadata?.precision ?? 3), update.units);
  else if (value instanceof Float64Array) console.log(value.length, update.first, update.reduced);
  else console.log(update.text, update.metadata?.enumStrings?.join(), update.metadata?.alarm?.high.toFixed());
  // @ts-expect-error: a snapshot cannot be changed
  update.value = 5;
  // @ts-expect-error: there is no such condition
  if (update.condition === "gone") return;
}

function told({ events, missed }: Events): void {
  for (const { id, time, pv, kind, severity } of events) console.log(id, new Date(1000 * time), pv, kind, severity);
  console.log(missed);
}

async function ask(): Promise<void> {
  const one: Update = await ca.get("A", { timeout: 2 });
  const several: Update[] = await ca.get(["A", "B"] as const);
  const { elapsed, sent } = await ca.put("A", [1, NaN], { wait: false, timeout: 60 });
  for (const value of [1, "Busy", 2n, Float32Array.of(1), new Uint8Array(4)]) await ca.put("A", value);
  const { host, rule, access, allowed, subscribers, precision } = await ca.info("A");
  const { time, value, severity } = await ca.history("A", { seconds: 60, points: 100 });
  told(await ca.events({ since: 5, limit: 10 }));
  ca.watchEvents(told, { limit: 0 }).close();
  const names: string[] = await ca.names();
  const connected: boolean[] = (await ca.list()).map((pv) => pv.connected);
  const { user, expires } = await ca.authenticate("secret");
  console.log(one, several, elapsed, sent, host, rule, access.write, allowed?.write, subscribers, precision);
  console.log(time, value, severity);
  console.log(names, connected, user, expires, ca.state.name, ca.url, shared, latest);
  // @ts-expect-error: a PV is named by a string
  ca.monitor(5);
  // @ts-expect-error: there is no such option
  ca.monitor("A", { max_rate: 5 });
  // @ts-expect-error: nothing cannot be written
  await ca.put("A", undefined);
}

try {
  await ask();
} catch (error) {
  if (error instanceof PVError && error.code === "write_denied") console.error(error.pv, error.message);
}
ca.pause();
ca.resume();
ca.close();
ca.open();
{
  using temporary = ca.monitor("A");
  console.log(temporary.pv, temporary.options.maxRate);
}
