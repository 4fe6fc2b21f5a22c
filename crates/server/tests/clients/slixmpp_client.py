"""A slixmpp client that does what lines of JSON tell it and says in lines of JSON what happens.

The first line on standard input says how to sign in; each further line is one thing to do. The
JavaScript client beside this file speaks the same lines, so one test drives both.
"""

import asyncio
import json
import ssl
import sys
import threading

import slixmpp
from slixmpp.exceptions import IqError


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Client(slixmpp.ClientXMPP):
    def __init__(self, how):
        super().__init__(how["jid"], how["password"], sasl_mech=how.get("mechanism"))
        self.how = how
        self.credentials["username"] = how["login"]
        self.ca_certs = how["authority"]
        self.enable_plaintext = False
        self.enable_direct_tls = how["tls"] == "direct"
        self.enable_starttls = how["tls"] == "starttls"
        if how.get("tls_max") == "1.2":
            self.ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2
        # Requests are answered by who drives this client, not by the library.
        self.roster.auto_authorize = None
        self.roster.auto_subscribe = False
        for plugin in ("xep_0030", "xep_0092", "xep_0199", "xep_0203", "xep_0280", "xep_0313"):
            self.register_plugin(plugin)
        self.register_plugin("xep_0054")
        self.register_plugin("xep_0191")
        self.add_event_handler("session_start", self.online)
        self.add_event_handler("message", self.message)
        self.add_event_handler("message_error", self.message)
        self.add_event_handler("carbon_received", lambda stanza: self.carbon(stanza, "received"))
        self.add_event_handler("carbon_sent", lambda stanza: self.carbon(stanza, "sent"))
        self.add_event_handler("presence", self.presence)
        self.add_event_handler("failed_all_auth", lambda _: say("refused"))
        self.add_event_handler("disconnected", lambda _: say("offline"))

    def online(self, _):
        transport = self.socket
        say("online", jid=self.boundjid.full, tls=transport.version())

    def message(self, stanza):
        if stanza["type"] == "error":
            say(
                "error",
                id=stanza["id"],
                condition=stanza["error"]["condition"],
                text=stanza["error"]["text"],
            )
        elif stanza["body"]:
            delayed = stanza.xml.find("{urn:xmpp:delay}delay") is not None
            say("message", **{"from": stanza["from"].full}, body=stanza["body"], delayed=delayed)

    def carbon(self, stanza, direction):
        inner = stanza["carbon_" + direction]
        say("carbon", direction=direction, to=inner["to"].full, body=inner["body"])

    def presence(self, stanza):
        kind = stanza.xml.get("type", "available")
        show = stanza.xml.findtext("{jabber:client}show") or ""
        say("presence", **{"from": stanza["from"].full}, kind=kind, show=show)

    async def do(self, what):
        deed = what["do"]
        if deed == "presence":
            self.send_presence(pshow=what.get("show"))
        elif deed == "subscription":
            self.send_presence_subscription(pto=what["to"], ptype=what["kind"])
        elif deed == "send":
            message = self.make_message(what["to"], what["body"], mtype="chat")
            message["id"] = what["id"]
            message.send()
        elif deed == "carbons":
            await self.plugin["xep_0280"].enable()
            say("done", what=deed)
        elif deed == "roster":
            answer = await self.get_roster()
            items = answer["roster"]["items"]
            subscriptions = {jid.full: item["subscription"] for jid, item in items.items()}
            say("done", what=deed, items=subscriptions)
        elif deed == "history":
            bodies = []
            found = self.plugin["xep_0313"].iterate(with_jid=slixmpp.JID(what["with"]), rsm={"max": 2})
            async for result in found:
                bodies.append(result["mam_result"]["forwarded"]["stanza"]["body"])
            say("done", what=deed, bodies=bodies)
        elif deed == "card":
            card = self.plugin["xep_0054"].make_vcard()
            card["FN"] = what["name"]
            await self.plugin["xep_0054"].publish_vcard(vcard=card)
            say("done", what=deed)
        elif deed == "read-card":
            answer = await self.plugin["xep_0054"].get_vcard(what["of"])
            say("done", what=deed, name=answer["vcard_temp"]["FN"])
        elif deed == "features":
            info = await self.plugin["xep_0030"].get_info(jid=what["of"])
            say("done", what=deed, features=sorted(info["disco_info"]["features"]))
        elif deed == "ping":
            await self.plugin["xep_0199"].ping(what["to"])
            say("done", what=deed)
        elif deed == "block":
            await self.plugin["xep_0191"].block(what["whom"])
            say("done", what=deed)
        elif deed == "leave":
            await self.disconnect()
        elif deed == "quit":
            self.loop.stop()
        else:
            say("trouble", what=f"there is no {deed}")

    async def try_to(self, what):
        try:
            await self.do(what)
        except IqError as why:
            say("denied", what=what["do"], condition=why.condition, text=why.text)


def main():
    how = json.loads(sys.stdin.readline())
    client = Client(how)

    def read():
        for line in sys.stdin:
            what = json.loads(line)
            asyncio.run_coroutine_threadsafe(client.try_to(what), client.loop)
        client.loop.call_soon_threadsafe(client.loop.stop)

    client.connect(how["host"], how["port"])
    threading.Thread(target=read, daemon=True).start()
    client.loop.run_forever()


main()
