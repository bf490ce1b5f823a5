"""The engine that READY_FILE tells of, and the words in which tests speak to it.

Each class of tests has an app of its own, in an account of its own, so that none sees what another one left.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import unittest
import urllib.error
import urllib.parse
import urllib.request

import smooch
from smooch.rest import ApiException

with open(os.environ["READY_FILE"], encoding="utf-8") as file:
    HOST = json.load(file)["apiUrl"]

# Before anything else: a part of the client that is made earlier would ask the original service.
smooch.configuration.host = HOST

ID = r"^[0-9a-f]{24}$"
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
NOWHERE = "0123456789abcdef01234567"

_numbers = itertools.count(200)


def anybody():
    """A phone number that nobody had before."""
    return f"+1416555{next(_numbers):04}"


def name():
    """A user id that nobody had before."""
    return f"bob-{next(_numbers)}@shop.example"


def fetch(method, path, body=None):
    """Status, headers and content of any URL of the engine."""
    url = path if path.startswith("http") else HOST + path
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def local(method, path, body=None):
    """The engine's control API."""
    status, _, content = fetch(method, f"/_local/{path}", body)
    assert status < 300, f"{method} /_local/{path}: {status} {content}"
    return json.loads(content)


def settle():
    """Steps through waits and retries until nothing is left to do."""
    for _ in range(100):
        status, _, content = fetch("GET", "/_local/idle?timeout=0.5")
        if status == 200:
            return
        if not json.loads(content)["functions"]:
            local("POST", "wake")
    raise AssertionError("the engine does not come to rest")


def outbox(to):
    """What the simulated carriers were given for an address."""
    settle()
    return local("GET", "outbox?" + urllib.parse.urlencode({"to": to}))["messages"]


def reply(integration_id, sender, text):
    """A person writes by SMS."""
    local("POST", "reply", {"integrationId": integration_id, "from": sender, "text": text})


def token(key_id, secret, claims):
    """A JWT, signed as v1.1 asks for."""

    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    header = {"alg": "HS256", "typ": "JWT", "kid": key_id}
    signed = b".".join(part(json.dumps(section).encode()) for section in (header, claims))
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + part(signature)).decode()


class World:
    """An app with its keys and integrations."""

    def __init__(self, **wanted):
        self.ready = local("POST", "apps", wanted)
        self.app_id = self.ready["appId"]
        self.twilio = self.ready["integrations"]["twilio"]
        self.messagebird = self.ready["integrations"]["messagebird"]

    def heard(self, trigger):
        """What the app's webhook heard, oldest first."""
        settle()
        webhooks = local("GET", f"webhooks?sink={self.app_id}")["webhooks"]
        return [webhook["body"] for webhook in webhooks if webhook["body"]["trigger"] == trigger]


class ClientTest(unittest.TestCase):
    """A test that speaks with an account's key: `credential` says by which method."""

    credential = "Basic"
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.app_id = cls.world.app_id

    def setUp(self):
        ready = self.world.ready
        self.sign_in(ready["accountKeyId"], ready["accountSecret"], "account")

    def sign_in(self, key_id, secret, scope):
        """From here on the client's calls are this key's."""
        config = smooch.configuration
        config.username, config.password, config.api_key = "", "", {}
        if self.credential == "Basic":
            config.username, config.password = key_id, secret
        else:
            config.api_key["Authorization"] = token(key_id, secret, {"scope": scope})
            config.api_key_prefix["Authorization"] = "Bearer"

    def refused(self, status, *codes):
        """Expects v1.1's refusal from the calls inside."""
        return _Refused(self, status, codes)

    def has(self, thing, **fields):
        """The object has these fields with these values, whatever else it has."""
        self.assertEqual({key: getattr(thing, key) for key in fields}, fields)


class _Refused:
    def __init__(self, test, status, codes):
        self.test, self.status, self.codes = test, status, codes

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.test.assertIsNotNone(error, f"expected {self.status}, and it was done")
        if not isinstance(error, ApiException):
            return False
        problem = json.loads(error.body)["error"]
        statuses = self.status if isinstance(self.status, tuple) else (self.status,)
        self.test.assertIn(error.status, statuses, problem)
        self.test.assertTrue(problem["description"])
        if self.codes:
            self.test.assertIn(problem["code"], self.codes)
        return True
