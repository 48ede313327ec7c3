// A client of /pvws/pv. A classic script that needs base64.js, as the pages expect that load both.

/** The PVs of one WebSocket. Comes back by itself when the connection is lost, and subscribes anew. */
class PVWS {
  /** Elements by the key under which an update has them, little-endian. */
  static arrays = {
    b64dbl: Float64Array,
    b64flt: Float32Array,
    b64int: Int32Array,
    b64srt: Int16Array,
    b64byt: Int8Array,
  };

  /**
   * connectHandler(connected) is told whenever the connection comes or goes. messageHandler(message) is given each
   * message; an update as all that is known of its PV, with the arrays decoded, in `value`.
   */
  constructor(url, connectHandler, messageHandler) {
    this.url = url;
    this.connect_handler = connectHandler;
    this.message_handler = messageHandler;
    this.values = {};
    this.pvs = new Set();
  }

  /** Connect. */
  open() {
    this.connect_handler(false);
    this.socket = new WebSocket(this.url);
    this.socket.onopen = () => this.handleConnection();
    this.socket.onmessage = (event) => this.handleMessage(event.data);
    this.socket.onclose = (event) => this.handleClose(event);
    this.socket.onerror = (event) => this.handleError(event);
  }

  /** Close the connection; like a lost one it is opened again. */
  close() {
    this.socket.close();
  }

  /** Begin with a PV, or several; the name, as it is given, comes back in the updates. */
  subscribe(pvs) {
    const names = [pvs].flat();
    names.forEach((name) => this.pvs.add(name));
    this.send({ type: "subscribe", pvs: names });
  }

  /** End with a PV, or several. */
  clear(pvs) {
    const names = [pvs].flat();
    names.forEach((name) => this.pvs.delete(name) && delete this.values[name]);
    this.send({ type: "clear", pvs: names });
  }

  /** Ask for a message with the names of all PVs. */
  list() {
    this.send({ type: "list" });
  }

  /** Write to a PV that is subscribed to: a number, a string, or a list of either. */
  write(pv, value) {
    this.send({ type: "write", pv, value });
  }

  /** Ask the server for a ping of the WebSocket protocol, which the browser answers. */
  ping() {
    this.send({ type: "ping" });
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  handleConnection() {
    // A page that subscribes in its handler may do so again; the server takes no notice of a second time.
    if (this.pvs.size) this.send({ type: "subscribe", pvs: [...this.pvs] });
    this.connect_handler(true);
  }

  handleMessage(text) {
    const message = JSON.parse(text);
    this.message_handler(message.type === "update" ? this.merge(message) : message);
  }

  handleError() {
    this.close();
  }

  handleClose(event) {
    this.connect_handler(false);
    console.log(`${this.url} is closed (${event.code} ${event.reason}), opened again in ${this.reconnect_ms} ms`);
    setTimeout(() => this.open(), this.reconnect_ms);
  }

  merge(update) {
    for (const [key, elements] of Object.entries(PVWS.arrays)) {
      if (key in update) {
        update.value = new elements(toByteArray(update[key]).buffer);
        delete update[key];
      }
    }
    const known = this.values[update.pv] ?? { readonly: true };
    return (this.values[update.pv] = Object.assign(known, update));
  }
}

PVWS.prototype.reconnect_ms = 5000;
