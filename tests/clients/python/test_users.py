"""AppUserApi."""

import os
import tempfile

from engine import ID, ClientTest, anybody, fetch, name, outbox, reply
from smooch import (
    AppUserApi,
    AppUserLink,
    AppUserMerge,
    AppUserPreCreate,
    AppUserUpdate,
    Confirmation,
    ConversationApi,
    MergedUser,
    Message,
)


class AppUsers(ClientTest):
    api = AppUserApi()

    def create(self, **more):
        body = AppUserPreCreate(user_id=name(), **more)
        return self.api.pre_create_app_user(self.app_id, body).app_user

    def get(self, user_id):
        return self.api.get_app_user(self.app_id, user_id).app_user

    def link(self, user_id, phone_number, **confirmation):
        confirmation = Confirmation(type="immediate", **confirmation)
        body = AppUserLink(type="twilio", phone_number=phone_number, confirmation=confirmation)
        return self.api.link_app_user(self.app_id, user_id, body).app_user

    def channels(self, user_id):
        return self.api.get_app_user_entity_ids(self.app_id, user_id).channels

    def test_pre_create_gives_the_person_back_and_get_finds_them_by_both_ids(self):
        facts = {"given_name": "Bob", "surname": "Berg", "email": "bob@shop.example", "properties": {"vip": True}}
        user = self.create(signed_up_at="2020-02-03T04:05:06.789Z", **facts)
        self.assertRegex(user.id, ID)
        self.has(user, signed_up_at="2020-02-03T04:05:06.789Z", conversation_started=False, clients=[], **facts)
        self.assertEqual(self.get(user.id), user)
        self.assertEqual(self.get(user.user_id), user)

    def test_a_user_id_that_exists_is_a_conflict(self):
        user = self.create()
        with self.refused(409, "conflict"):
            self.api.pre_create_app_user(self.app_id, AppUserPreCreate(user_id=user.user_id))

    def test_update_changes_what_is_sent_and_merges_properties(self):
        user = self.create(given_name="Bob", properties={"vip": True, "size": 3})
        body = AppUserUpdate(surname="Berg", properties={"size": 4})
        updated = self.api.update_app_user(self.app_id, user.user_id, body).app_user
        self.has(updated, given_name="Bob", surname="Berg", properties={"vip": True, "size": 4})
        self.assertEqual(self.get(user.id), updated)

    def test_delete_profile_clears_who_they_are(self):
        user = self.create(given_name="Bob", properties={"vip": True})
        cleared = self.api.delete_app_user_profile(self.app_id, user.user_id).app_user
        self.has(cleared, id=user.id, user_id=user.user_id, given_name=None, properties={})

    def test_delete_ends_them(self):
        user = self.create()
        self.api.delete_app_user(self.app_id, user.user_id)
        with self.refused(404, "user_not_found", "not_found"):
            self.get(user.id)
        heard = self.world.heard("appUser:delete")
        self.assertIn(user.id, [body["appUser"]["_id"] for body in heard])

    def test_link_opens_a_channel_and_unlink_closes_it(self):
        user, number = self.create(), anybody()
        message = Message(role="appMaker", type="text", text="Welcome!")
        asked = self.link(user.user_id, number, message=message)
        self.assertEqual(len(asked.clients + asked.pending_clients), 1)
        self.assertEqual([message["text"] for message in outbox(number)], ["Welcome!"])
        (channel,) = self.channels(user.user_id)
        self.has(channel, type="twilio", integration_id=self.world.twilio, phone_number=number)
        (client,) = self.get(user.id).clients
        self.has(client, platform="twilio", external_id=number, status="active")
        for trigger in ("link:match", "link:success"):
            self.assertIn(user.id, [body["appUser"]["_id"] for body in self.world.heard(trigger)], trigger)

        self.api.unlink_app_user(self.app_id, user.user_id, "twilio")
        self.assertEqual(self.channels(user.user_id), [])
        with self.refused(400, "bad_request"):
            self.api.unlink_app_user(self.app_id, user.user_id, "twilio")

    def test_merge_leaves_one_person(self):
        number = anybody()
        reply(self.world.twilio, number, "Who am I?")
        discarded = self.world.heard("message:appUser")[-1]["appUser"]["_id"]
        surviving = self.create().id
        body = AppUserMerge(surviving=MergedUser(id=surviving), discarded=MergedUser(id=discarded))
        self.api.merge_users(self.app_id, body)
        self.assertEqual([client.external_id for client in self.get(surviving).clients], [number])
        messages = ConversationApi().get_messages(self.app_id, surviving).messages
        self.assertIn("Who am I?", [message.text for message in messages])
        heard = self.world.heard("merge:appUser")[-1]
        self.assertEqual(heard["surviving"]["_id"], surviving)

    def test_auth_code_business_systems_and_link_requests(self):
        user_id = self.create().user_id
        self.assertRegex(self.api.get_app_user_auth_code(self.app_id, user_id).auth_code, "^ac_.")
        self.assertEqual(self.api.get_app_user_business_system_ids(self.app_id, user_id).business_systems, [])
        integrations = [self.world.twilio, self.world.messagebird]
        requests = self.api.get_link_requests(self.app_id, user_id, integrations).link_requests
        self.assertLessEqual({request.integration_id for request in requests}, set(integrations))

    def test_post_image_message_keeps_the_picture_and_says_it(self):
        user_id = self.create().user_id
        with tempfile.NamedTemporaryFile(suffix=".png", delete=False) as file:
            file.write(b"a cup")
        self.addCleanup(os.remove, file.name)
        message = self.api.post_image_message(self.app_id, user_id, file.name, "appMaker").message
        self.has(message, type="image", role="appMaker", media_type="image/png")
        self.assertEqual(fetch("GET", message.media_url)[0::2], (200, b"a cup"))
        messages = ConversationApi().get_messages(self.app_id, user_id).messages
        self.assertEqual([said.id for said in messages], [message.id])
