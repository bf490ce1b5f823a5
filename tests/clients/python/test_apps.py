"""AppApi: apps and their keys."""

import base64
import json

from engine import ID, ClientTest, World
from smooch import AppApi, AppCreate, AppSettings, AppUpdate, IntegrationApi, IntegrationCreate, SecretKeyCreate


class Apps(ClientTest):
    api = AppApi()

    def create(self, name="Tea House", **more):
        return self.api.create_app(AppCreate(name=name, **more)).app

    def test_create_gives_the_app_back_and_get_and_list_find_it(self):
        settings = AppSettings(mask_credit_card_numbers=False, use_animal_names=True)
        app = self.create(settings=settings, metadata={"team": "blue", "size": 3})
        self.assertRegex(app.id, ID)
        self.assertTrue(app.app_token)
        self.has(app, name="Tea House", metadata={"team": "blue", "size": 3})
        self.has(app.settings, mask_credit_card_numbers=False, use_animal_names=True)
        self.assertEqual(self.api.get_app(app.id).app, app)
        self.assertIn(app, self.api.list_apps(limit=100).apps)

    def test_list_goes_by_pages(self):
        self.create()
        first = self.api.list_apps(limit=1)
        self.has(first, has_more=True, offset=0)
        second = self.api.list_apps(limit=1, offset=1)
        self.has(second, offset=1)
        self.assertNotEqual(first.apps[0].id, second.apps[0].id)

    def test_update_keeps_what_is_not_sent(self):
        app = self.create(settings=AppSettings(use_animal_names=True))
        changed = AppUpdate(name="Coffee House", settings=AppSettings(echo_postback=True))
        updated = self.api.update_app(app.id, changed).app
        self.has(updated, id=app.id, name="Coffee House", app_token=app.app_token)
        self.has(updated.settings, use_animal_names=True, echo_postback=True)

    def test_delete_ends_the_app(self):
        app = self.create()
        self.api.delete_app(app.id)
        with self.refused(404, "app_not_found", "not_found"):
            self.api.get_app(app.id)

    def test_get_sdk_ids_names_the_web_integration(self):
        app_id = self.create().id
        web = IntegrationApi().create_integration(app_id, IntegrationCreate(type="web")).integration
        self.assertEqual(self.api.get_sdk_ids(app_id).web_integration_id, web.id)

    def test_another_accounts_app_is_out_of_reach(self):
        with self.refused((403, 404)):
            self.api.get_app(World().app_id)


class AppKeys(ClientTest):
    api = AppApi()

    def create(self):
        return self.api.create_secret_key(self.app_id, SecretKeyCreate(name="Till")).key

    def test_create_get_and_list_give_the_secret(self):
        key = self.create()
        self.assertTrue(key.id.startswith("app_"))
        self.assertGreaterEqual(len(key.secret), 24)
        self.assertEqual(self.api.get_secret_key(self.app_id, key.id).key, key)
        self.assertIn(key, self.api.list_secret_keys(self.app_id).keys)

    def test_a_new_key_is_let_in(self):
        key = self.create()
        self.sign_in(key.id, key.secret, "app")
        self.assertEqual(self.api.get_app(self.app_id).app.id, self.app_id)

    def test_get_app_jwt_gives_a_token_of_scope_app(self):
        jwt = self.api.get_app_jwt(self.app_id, self.create().id).jwt
        claims = jwt.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        self.assertEqual(claims["scope"], "app")
        self.assertNotIn("exp", claims)

    def test_delete_ends_the_key(self):
        key = self.create()
        self.api.delete_secret_key(self.app_id, key.id)
        with self.refused(404, "key_not_found", "not_found"):
            self.api.get_secret_key(self.app_id, key.id)
        self.sign_in(key.id, key.secret, "app")
        with self.refused(401, "unauthorized", "invalid_auth"):
            self.api.get_app(self.app_id)
