"""WebhookApi."""

import unittest

from engine import HOST, ID, ClientTest, World, local, reply, settle
from smooch import WebhookApi, WebhookCreate, WebhookUpdate
from standardwebhooks import Webhook, WebhookVerificationError


class Webhooks(ClientTest):
    api = WebhookApi()

    @classmethod
    def setUpClass(cls):
        cls.world = World(webhooks=[])
        cls.app_id = cls.world.app_id

    def create(self, **more):
        body = WebhookCreate(target=f"{HOST}/_local/sink/python", **more)
        return self.api.create_webhook(self.app_id, body).webhook

    def test_create_gives_it_back_and_get_and_list_find_it(self):
        webhook = self.create(triggers=["message:appUser", "postback"], include_client=True)
        self.assertRegex(webhook.id, ID)
        self.has(webhook, triggers=["message:appUser", "postback"], include_client=True, version="v1.1")
        self.has(webhook, include_full_app_user=False, target=f"{HOST}/_local/sink/python")
        self.assertTrue(webhook.secret)
        self.assertEqual(self.api.get_webhook(self.app_id, webhook.id).webhook, webhook)
        self.assertIn(webhook, self.api.list_webhooks(self.app_id).webhooks)

    def test_without_triggers_it_wants_messages(self):
        self.has(self.create(), triggers=["message"])

    def test_update_keeps_what_is_not_sent(self):
        webhook = self.create(triggers=["*"])
        changed = WebhookUpdate(include_full_app_user=True)
        updated = self.api.update_webhook(self.app_id, webhook.id, changed).webhook
        self.has(updated, include_full_app_user=True, triggers=["*"], secret=webhook.secret)

    def test_delete_ends_it(self):
        webhook = self.create()
        self.api.delete_webhook(self.app_id, webhook.id)
        with self.refused(404, "webhook_not_found", "not_found"):
            self.api.get_webhook(self.app_id, webhook.id)


class StandardWebhooks(unittest.TestCase):
    """The published library, with the signing secret as it is shown."""

    def test_it_verifies_an_event_and_refuses_a_changed_one(self):
        world = World()
        reply(world.twilio, "+14165550142", "Grüner Tee 🍵")
        settle()
        hook = Webhook(world.ready["webhooks"][0]["signingSecret"])
        requests = local("GET", f"webhooks?sink={world.app_id}")["webhooks"]
        self.assertTrue(requests)
        for request in requests:
            self.assertEqual(hook.verify(request["raw"], request["headers"]), request["body"])
            with self.assertRaises(WebhookVerificationError):
                hook.verify(request["raw"] + " ", request["headers"])
