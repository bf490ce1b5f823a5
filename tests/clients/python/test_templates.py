"""TemplateApi."""

from engine import ID, ClientTest
from smooch import Action, Message, TemplateApi, TemplateCreate, TemplateUpdate


class Templates(ClientTest):
    api = TemplateApi()

    def create(self, name, text="Tea?", **more):
        message = Message(role="appMaker", type="text", text=text, **more)
        return self.api.create_template(self.app_id, TemplateCreate(name=name, message=message)).template

    def test_create_gives_it_back_and_get_and_list_find_it(self):
        template = self.create("tea", actions=[Action(type="reply", text="Yes", payload="YES")])
        self.assertRegex(template.id, ID)
        self.has(template.message, role="appMaker", type="text", text="Tea?")
        self.has(template.message.actions[0], type="reply", text="Yes", payload="YES")
        self.assertEqual(self.api.get_template(self.app_id, template.id).template, template)
        self.assertIn(template, self.api.list_templates(self.app_id, limit=100).templates)

    def test_list_goes_by_pages(self):
        self.create("one")
        self.create("two")
        first = self.api.list_templates(self.app_id, limit=1)
        self.has(first, has_more=True, offset=0)
        second = self.api.list_templates(self.app_id, limit=1, offset=1)
        self.assertNotEqual(first.templates[0].id, second.templates[0].id)

    def test_update_keeps_what_is_not_sent(self):
        template = self.create("before")
        updated = self.api.update_template(self.app_id, template.id, TemplateUpdate(name="after")).template
        self.has(updated, id=template.id, name="after")
        self.has(updated.message, text="Tea?")

    def test_delete_ends_it(self):
        template = self.create("short-lived")
        self.api.delete_template(self.app_id, template.id)
        with self.refused(404, "template_not_found", "not_found"):
            self.api.get_template(self.app_id, template.id)
