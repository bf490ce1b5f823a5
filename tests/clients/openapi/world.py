"""An app in a running engine, with one of everything: the ids that Schemathesis puts in place of made-up ones.

What an operation ends or fills up is made anew for each request: see `hooks.py`.
"""

import base64
import itertools
import json
import os
import urllib.error
import urllib.request

with open(os.environ["READY_FILE"], encoding="utf-8") as file:
    READY = json.load(file)
HOST = READY["apiUrl"]
CREDENTIALS = f"{READY['accountKeyId']}:{READY['accountSecret']}"


INTEGRATIONS = [
    {"type": "web"},
    {"type": "messagebird", "accessKey": "key", "originator": "31970000009"},
    {"type": "mailgun", "apiKey": "key", "domain": "a.example", "incomingAddress": "tea@a.example"},
    {"type": "fcm", "serverKey": "key", "senderId": "123456"},
    {"type": "apn", "certificate": "MIIB"},
]
WHATSAPP = {"type": "whatsapp", "deploymentId": "0123456789abcdef01234567"}
BUTTON = {"type": "postback", "text": "Later", "payload": "LATER"}
MESSAGE = {"role": "appMaker", "type": "text", "text": "Tea?", "actions": [BUTTON]}
MENU = {"items": [BUTTON]}


def request(method, path, body=None, headers=None):
    """The answer's JSON; anything but success is an error of these tests."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **(headers or {})}
    with urllib.request.urlopen(urllib.request.Request(HOST + path, data, headers, method=method)) as answer:
        return json.loads(answer.read() or "{}")


def rest():
    """Lets the engine work for a moment."""
    try:
        request("GET", "/_local/idle?timeout=0.2")
    except urllib.error.HTTPError:
        pass  # 408: something is still to be done, now or later.


class World:
    def __init__(self):
        self.app_id = READY["appId"]
        self.twilio = READY["integrations"]["twilio"]
        self.sink = READY["webhooks"][0]["target"]
        self.web_and_others = [self.integration(props) for props in INTEGRATIONS]
        self.whatsapp = self.integration(WHATSAPP)
        self.user = self.new_person_on_sms()
        self.message = self.new_message(self.user)
        self.standing = {
            "appId": self.app_id,
            "integrationId": self.twilio,
            "webhookId": READY["webhooks"][0]["id"],
            "templateId": self.new_template(),
            "userId": self.user,
            "messageId": self.message["_id"],
            "serviceAccountId": self.new_service_account(),
            "channel": "twilio",
        }
        self.standing_keys = {
            "appId": READY["keyId"],
            "serviceAccountId": self.new_service_account_key(self.standing["serviceAccountId"]),
        }

    def call(self, method, path, body=None, **headers):
        basic = base64.b64encode(CREDENTIALS.encode()).decode()
        return request(method, f"/v1.1{path}", body, {"authorization": f"Basic {basic}", **headers})

    def in_app(self, method, path, body=None, **headers):
        return self.call(method, f"/apps/{self.app_id}{path}", body, **headers)

    def phone_number(self):
        """One that nobody has, so that linking it takes it from nobody. What ends in 0900 and above means something."""
        exchange, line = divmod(next(self.numbers), 900)
        return f"+1416{200 + exchange:03}{line:04}"

    def new_name(self):
        return f"spare-{next(self.numbers)}"

    numbers = itertools.count(1)

    def new_app(self):
        return self.call("POST", "/apps", {"name": "Spare"})["app"]["_id"]

    def new_app_key(self, app_id):
        return self.call("POST", f"/apps/{app_id}/keys", {"name": "Spare"})["key"]["_id"]

    def new_service_account(self):
        return self.call("POST", "/serviceaccounts", {"name": "Spare"})["serviceAccount"]["_id"]

    def new_service_account_key(self, account_id):
        return self.call("POST", f"/serviceaccounts/{account_id}/keys", {"name": "Spare"})["key"]["_id"]

    def integration(self, props):
        return self.in_app("POST", "/integrations", props)["integration"]["_id"]

    def new_webhook(self, app_id):
        return self.call("POST", f"/apps/{app_id}/webhooks", {"target": self.sink})["webhook"]["_id"]

    def new_template(self):
        body = {"name": self.new_name(), "message": MESSAGE}
        return self.in_app("POST", "/templates", body)["template"]["_id"]

    def new_user(self):
        return self.in_app("POST", "/appusers", {"userId": self.new_name()})["appUser"]["_id"]

    def new_person_on_sms(self):
        """Somebody who wrote by SMS, and so has a channel and a conversation."""
        sender = self.phone_number()
        request("DELETE", "/_local/webhooks")
        request("POST", "/_local/reply", {"integrationId": self.twilio, "from": sender, "text": "Hello"})
        for _ in range(200):
            told = request("GET", f"/_local/webhooks?sink={self.app_id}")["webhooks"]
            for body in (one["body"] for one in told):
                if (body.get("client") or {}).get("externalId") == sender:
                    return body["appUser"]["_id"]
            rest()
        raise AssertionError("nobody heard of the reply")

    def new_message(self, user):
        return self.in_app("POST", f"/appusers/{user}/messages", MESSAGE)["message"]

    def new_menu(self, integration_id=None):
        below = f"/integrations/{integration_id}" if integration_id else ""
        self.in_app("PUT", f"{below}/menu", MENU)

    def new_attachment(self):
        part = b'--x\r\ncontent-disposition: form-data; name="source"; filename="tea.txt"\r\n'
        body = part + b"content-type: text/plain\r\n\r\nmint\r\n--x--\r\n"
        kind = {"content-type": "multipart/form-data; boundary=x"}
        return self.in_app("POST", "/attachments?access=public", body, **kind)["mediaUrl"]
