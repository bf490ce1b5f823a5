"""IntegrationApi: integrations, their menus and profiles."""

import os
import tempfile

from engine import ID, NOWHERE, ClientTest, fetch
from smooch import IntegrationApi, IntegrationCreate, IntegrationProfileUpdate, IntegrationUpdate, Menu, MenuItem

TWILIO = {"account_sid": f"AC{1:032}", "auth_token": f"{2:032}", "phone_number_sid": f"PN{1:032}"}
MESSAGEBIRD = {"access_key": "key", "originator": "31970000009", "signing_key": "key"}
MAILGUN = {"api_key": "key", "domain": "mail.shop.example", "incoming_address": "tea@mail.shop.example"}
WHATSAPP = {"deployment_id": NOWHERE, "hsm_fallback_language": "nl"}
KINDS = {
    "twilio": (TWILIO, ["auth_token"]),
    "messagebird": (MESSAGEBIRD, ["access_key", "signing_key"]),
    "mailgun": ({**MAILGUN, "hide_unsubscribe_link": True}, ["api_key"]),
    "web": ({"brand_color": "a1b2c3", "display_style": "tab", "integration_order": []}, []),
    "fcm": ({"server_key": "key", "sender_id": "123456"}, ["server_key"]),
    "apn": ({"certificate": "MIIB", "password": "p", "auto_update_badge": True}, ["certificate", "password"]),
    "whatsapp": (WHATSAPP, []),
}


class Integrations(ClientTest):
    api = IntegrationApi()

    def create(self, kind, **fields):
        return self.api.create_integration(self.app_id, IntegrationCreate(type=kind, **fields)).integration

    def get(self, integration_id):
        return self.api.get_integration(self.app_id, integration_id).integration

    def test_every_kind_comes_back_without_its_secrets(self):
        for kind, (fields, secrets) in KINDS.items():
            with self.subTest(kind):
                integration = self.create(kind, **fields)
                self.assertRegex(integration.id, ID)
                shown = {key: None if key in secrets else value for key, value in fields.items()}
                self.has(integration, type=kind, status="active", **shown)
                self.assertEqual(self.get(integration.id), integration)

    def test_list_finds_by_type_and_by_pages(self):
        made = self.create("messagebird", **KINDS["messagebird"][0])
        listed = self.api.list_integrations(self.app_id, types="messagebird", limit=100)
        self.has(listed, has_more=False, offset=0)
        ids = [integration.id for integration in listed.integrations]
        self.assertIn(made.id, ids)
        self.assertIn(self.world.messagebird, ids)
        self.assertNotIn(self.world.twilio, ids)
        first = self.api.list_integrations(self.app_id, types="messagebird,twilio", limit=1)
        self.has(first, has_more=True, offset=0)
        second = self.api.list_integrations(self.app_id, types="messagebird,twilio", limit=1, offset=1)
        self.assertNotEqual(first.integrations[0].id, second.integrations[0].id)

    def test_update_keeps_what_is_not_sent(self):
        web = self.create("web", brand_color="a1b2c3", display_name="Counter")
        changed = IntegrationUpdate(brand_color="000000")
        updated = self.api.update_integration(self.app_id, web.id, changed).integration
        self.has(updated, brand_color="000000", display_name="Counter")
        self.assertEqual(self.get(web.id), updated)

    def test_delete_ends_it(self):
        web = self.create("web")
        self.api.delete_integration(self.app_id, web.id)
        with self.refused(404, "integration_not_found", "not_found"):
            self.get(web.id)

    def test_a_channel_that_is_not_served_is_refused(self):
        with self.refused(400, "bad_request"):
            self.create("telegram", token="t")

    def test_menus_are_set_shown_replaced_and_removed(self):
        at = (self.app_id, self.world.messagebird)
        call = MenuItem(type="postback", text="Call me", payload="CALL")
        stop = MenuItem(type="postback", text="Stop", payload="STOP")
        self.has(self.api.create_integration_menu(*at, Menu(items=[call])).menu.items[0], payload="CALL")
        self.has(self.api.get_integration_menu(*at).menu.items[0], text="Call me", payload="CALL")
        self.has(self.api.update_integration_menu(*at, Menu(items=[stop])).menu.items[0], payload="STOP")
        self.has(self.api.get_integration_menu(*at).menu.items[0], text="Stop", payload="STOP")
        self.api.delete_integration_menu(*at)
        with self.refused(404, "menu_not_found", "not_found"):
            self.api.get_integration_menu(*at)

    def test_profiles_are_whatsapps(self):
        whatsapp = self.create("whatsapp", **WHATSAPP).id
        profile = {"about": "Tea", "email": "tea@shop.example", "websites": ["https://shop.example"]}
        self.api.update_integration_profile(self.app_id, whatsapp, IntegrationProfileUpdate(**profile))
        shown = self.api.get_integration_profile(self.app_id, whatsapp).profile
        self.assertEqual({key: shown.get(key) for key in profile}, profile)
        with self.refused(400, "bad_request"):
            self.api.get_integration_profile(self.app_id, self.world.twilio)

    def test_a_profile_shows_the_photo_that_is_uploaded(self):
        whatsapp = self.create("whatsapp", **WHATSAPP).id
        with tempfile.NamedTemporaryFile(suffix=".png", delete=False) as file:
            file.write(b"a shop")
        self.addCleanup(os.remove, file.name)
        url = self.api.upload_integration_profile_photo(self.app_id, whatsapp, file.name).photo_url
        self.assertEqual(fetch("GET", url)[0::2], (200, b"a shop"))
        shown = self.api.get_integration_profile(self.app_id, whatsapp).profile
        self.assertEqual(shown.get("photoUrl"), url)
        with self.refused(400, "bad_request"):
            self.api.upload_integration_profile_photo(self.app_id, self.world.twilio, file.name)
