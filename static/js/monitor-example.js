var url = new URL("../monitor", location.href);
var ws = new WebSocket(url.href.replace(/^http/, "ws"));

ws.onmessage = function (event) {
  var msg = JSON.parse(event.data);
  var messages = document.getElementById("messages");
  messages.textContent = (msg["msg_type"] + "  " + event.data + "\n" + messages.textContent).slice(0, 20000);
};

document.getElementById("form").onsubmit = function (event) {
  event.preventDefault();
  ws.send(JSON.stringify({ "action": "connect", "pv": document.getElementById("pv").value }));
};
