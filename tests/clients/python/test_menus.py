"""MenuApi: the app's own menu."""

from engine import ClientTest
from smooch import Menu, MenuApi, MenuItem, SubMenuItem


class Menus(ClientTest):
    def test_a_menu_is_set_shown_and_removed(self):
        api = MenuApi()
        hours = SubMenuItem(type="postback", text="Hours", payload="HOURS")
        items = [
            MenuItem(type="link", text="Shop", uri="https://shop.example"),
            MenuItem(type="submenu", text="More", items=[hours]),
        ]
        api.update_menu(self.app_id, Menu(items=items))
        shop, more = api.get_menu(self.app_id).menu.items
        self.has(shop, type="link", text="Shop", uri="https://shop.example")
        self.has(more.items[0], type="postback", text="Hours", payload="HOURS")
        api.delete_menu(self.app_id)
        with self.refused(404, "menu_not_found", "not_found"):
            api.get_menu(self.app_id)
