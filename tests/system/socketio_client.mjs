// Prints what a Socket.IO client of npm hears, one JSON array a line; arguments: node_modules, url, transports.
import { createRequire } from "node:module";

const [folder, url, transports] = process.argv.slice(2);
const { io } = createRequire(folder + "/")("socket.io-client");
const socket = io(url, { transports: transports.split(","), forceNew: true });
const say = (...what) => console.log(JSON.stringify(what));

socket.on("connect", () => say("connect", socket.io.engine.transport.name));
socket.io.on("open", () => socket.io.engine.on("upgrade", (transport) => say("upgrade", transport.name)));
socket.onAny((event, payload) => say(event, payload));
socket.on("connect_error", (error) => say("connect_error", error.message));
socket.on("disconnect", (reason) => say("disconnect", reason));

process.stdin.on("data", (line) => {
  const [event, payload] = JSON.parse(line);
  if (event === "bye") {
    socket.disconnect();
    process.exit(0);
  }
  socket.emit(event, payload);
});
