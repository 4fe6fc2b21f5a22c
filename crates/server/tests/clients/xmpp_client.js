// An @xmpp/client that does what lines of JSON tell it and says in lines of JSON what happens: the
// same lines as the Python client beside this file. Started with the folder of node_modules as its
// first argument, since modules are not looked for there.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const place = pathToFileURL(process.argv[2] + "/");
const { client, xml } = await import(new URL("@xmpp/client/index.js", place));

const say = (event, fields = {}) => console.log(JSON.stringify({ event, ...fields }));

const NS = {
  roster: "jabber:iq:roster",
  carbons: "urn:xmpp:carbons:2",
  forward: "urn:xmpp:forward:0",
  mam: "urn:xmpp:mam:2",
  rsm: "http://jabber.org/protocol/rsm",
  ping: "urn:xmpp:ping",
};

const found = [];
let xmpp;

function message(stanza) {
  const result = stanza.getChild("result", NS.mam);
  if (result) {
    const inner = result.getChild("forwarded", NS.forward).getChild("message");
    found.push(inner.getChildText("body"));
    return;
  }
  for (const direction of ["sent", "received"]) {
    const carbon = stanza.getChild(direction, NS.carbons);
    if (carbon) {
      const inner = carbon.getChild("forwarded", NS.forward).getChild("message");
      say("carbon", { direction, to: inner.attrs.to, body: inner.getChildText("body") });
      return;
    }
  }
  if (stanza.attrs.type === "error") {
    const error = stanza.getChild("error");
    const condition = error.getChildElements()[0].name;
    say("error", { id: stanza.attrs.id, condition, text: error.getChildText("text") });
    return;
  }
  const body = stanza.getChildText("body");
  if (body) {
    const delayed = Boolean(stanza.getChild("delay", "urn:xmpp:delay"));
    say("message", { from: stanza.attrs.from, body, delayed });
  }
}

function heard(stanza) {
  if (stanza.is("message")) {
    message(stanza);
  } else if (stanza.is("presence")) {
    const kind = stanza.attrs.type ?? "available";
    say("presence", { from: stanza.attrs.from, kind, show: stanza.getChildText("show") ?? "" });
  }
}

async function history(what) {
  found.length = 0;
  let after;
  for (;;) {
    const field = (name, value) => xml("field", { var: name }, xml("value", {}, value));
    const form = xml("x", { xmlns: "jabber:x:data", type: "submit" },
      field("FORM_TYPE", NS.mam), field("with", what.with));
    const page = xml("set", { xmlns: NS.rsm }, xml("max", {}, "2"),
      after === undefined ? undefined : xml("after", {}, after));
    const query = xml("query", { xmlns: NS.mam }, form, page);
    const answer = await xmpp.iqCaller.request(xml("iq", { type: "set" }, query));
    const fin = answer.getChild("fin", NS.mam);
    if (fin.attrs.complete === "true") break;
    after = fin.getChild("set", NS.rsm).getChildText("last");
  }
  return [...found];
}

async function perform(what) {
  const done = (fields) => say("done", { what: what.do, ...fields });
  switch (what.do) {
    case "presence":
      await xmpp.send(xml("presence", {}, what.show ? xml("show", {}, what.show) : undefined));
      break;
    case "subscription":
      await xmpp.send(xml("presence", { to: what.to, type: what.kind }));
      break;
    case "send":
      await xmpp.send(
        xml("message", { to: what.to, type: "chat", id: what.id }, xml("body", {}, what.body)));
      break;
    case "carbons":
      await xmpp.iqCaller.set(xml("enable", { xmlns: NS.carbons }));
      done();
      break;
    case "roster": {
      const query = await xmpp.iqCaller.get(xml("query", { xmlns: NS.roster }));
      const items = query.getChildren("item").map(({ attrs }) => [attrs.jid, attrs.subscription]);
      done({ items: Object.fromEntries(items) });
      break;
    }
    case "history":
      done({ bodies: await history(what) });
      break;
    case "ping":
      await xmpp.iqCaller.get(xml("ping", { xmlns: NS.ping }), what.to);
      done();
      break;
    case "leave":
      await xmpp.stop();
      break;
    case "quit":
      process.exit(0);
      break;
    default:
      say("trouble", { what: `there is no ${what.do}` });
  }
}

function begin(how) {
  const [, resource] = how.jid.split("/");
  xmpp = client({
    service: `${how.tls === "direct" ? "xmpps" : "xmpp"}://${how.host}:${how.port}`,
    domain: how.jid.split("/")[0].split("@")[1],
    resource,
    username: how.login,
    password: how.password,
  });
  xmpp.reconnect.stop();
  xmpp.on("error", (why) => say("trouble", { what: String(why) }));
  xmpp.on("offline", () => say("offline"));
  xmpp.on("online", (jid) => say("online", { jid: jid.toString(), tls: xmpp.socket.socket.getProtocol() }));
  xmpp.on("stanza", heard);
  xmpp.start().catch((why) => say("refused", { why: String(why) }));
}

for await (const line of createInterface({ input: process.stdin })) {
  const what = JSON.parse(line);
  if (xmpp === undefined) {
    begin(what);
  } else {
    perform(what).catch((why) => say("denied", { what: what.do, condition: why.condition ?? String(why) }));
  }
}
