"""ServiceAccountApi: service accounts and their keys."""

from engine import ID, ClientTest
from smooch import AppApi, AppCreate, SecretKeyCreate, ServiceAccountApi, ServiceAccountCreate, ServiceAccountUpdate


class ServiceAccounts(ClientTest):
    api = ServiceAccountApi()

    def create(self, name="Robot"):
        return self.api.create_service_account(ServiceAccountCreate(name=name)).service_account

    def key(self, account_id):
        return self.api.create_secret_key(account_id, SecretKeyCreate(name="Arm")).key

    def test_create_get_and_list_tell_of_one_service_account(self):
        account = self.create()
        self.assertRegex(account.id, ID)
        self.assertEqual(account.name, "Robot")
        self.assertEqual(self.api.get_service_account(account.id).service_account, account)
        self.assertIn(account, self.api.list_service_accounts(limit=100).service_accounts)

    def test_list_goes_by_pages(self):
        self.create()
        self.create()
        first = self.api.list_service_accounts(limit=1)
        self.has(first, has_more=True, offset=0)
        second = self.api.list_service_accounts(limit=1, offset=1)
        self.assertNotEqual(first.service_accounts[0].id, second.service_accounts[0].id)

    def test_update_changes_the_name(self):
        account = self.create("Before")
        updated = self.api.update_service_account(account.id, ServiceAccountUpdate(name="After")).service_account
        self.has(updated, id=account.id, name="After")
        self.assertEqual(self.api.get_service_account(account.id).service_account, updated)

    def test_delete_ends_it(self):
        account = self.create()
        self.api.delete_service_account(account.id)
        with self.refused(404, "service_account_not_found", "not_found"):
            self.api.get_service_account(account.id)

    def test_keys_are_created_found_listed_and_deleted(self):
        account_id = self.create().id
        key = self.key(account_id)
        self.assertTrue(key.id.startswith("svc_"))
        self.assertEqual(self.api.get_secret_key(account_id, key.id).key, key)
        self.assertEqual(self.api.list_secret_keys(account_id).keys, [key])
        self.assertEqual(len(self.api.get_jwt(account_id, key.id).jwt.split(".")), 3)
        self.api.delete_secret_key(account_id, key.id)
        self.assertEqual(self.api.list_secret_keys(account_id).keys, [])

    def test_a_service_accounts_key_sees_the_apps_it_made(self):
        account_id = self.create().id
        key = self.key(account_id)
        self.sign_in(key.id, key.secret, "account")
        app = AppApi().create_app(AppCreate(name="Robot's")).app
        self.assertEqual([one.id for one in AppApi().list_apps().apps], [app.id])
        with self.refused(403, "forbidden"):
            self.api.list_service_accounts()
        self.setUp()
        listed = AppApi().list_apps(service_account_id=account_id).apps
        self.assertEqual([one.id for one in listed], [app.id])
