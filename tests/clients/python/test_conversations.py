"""ConversationApi: messages and activity."""

from engine import ID, ClientTest, anybody, name, outbox, reply
from smooch import (
    Action,
    AppUserApi,
    AppUserPreCreate,
    ConversationActivity,
    ConversationApi,
    Coordinates,
    Destination,
    FieldPost,
    MessageItem,
    MessagePost,
)

LINK = Action(type="link", text="Order", uri="https://shop.example/tea")
ITEM = MessageItem(title="Mint tea", description="Hot and fresh", actions=[LINK])
ITEMS_TEXT = "1. Mint tea\nHot and fresh\nOrder: https://shop.example/tea"


class Messages(ClientTest):
    api = ConversationApi()

    def person(self):
        return AppUserApi().pre_create_app_user(self.app_id, AppUserPreCreate(user_id=name())).app_user.user_id

    def post(self, user_id, **message):
        return self.api.post_message(self.app_id, user_id, MessagePost(**{"role": "appMaker", **message}))

    def history(self, user_id, **query):
        return self.api.get_messages(self.app_id, user_id, **query).messages

    def test_every_kind_is_given_back_and_kept(self):
        kinds = {
            "text": ({"text": "Hello", "actions": [LINK]}, "Hello"),
            "image": ({"media_url": "https://shop.example/tea.png", "media_type": "image/png"}, " "),
            "file": ({"media_url": "https://shop.example/menu.pdf", "media_type": "application/pdf"}, " "),
            "carousel": ({"items": [ITEM]}, ITEMS_TEXT),
            "list": ({"items": [ITEM]}, ITEMS_TEXT),
            "location": (
                {"coordinates": Coordinates(lat=52.37, long=4.89)},
                "Location shared:\nhttps://maps.google.com/maps?q=52.37,4.89",
            ),
            "form": ({"fields": [FieldPost(type="text", name="city", label="City")]}, None),
        }
        for kind, (content, text) in kinds.items():
            with self.subTest(kind):
                user_id = self.person()
                answer = self.post(user_id, type=kind, name="Nadia", **content)
                self.assertRegex(answer.message.id, ID)
                self.has(answer.message, type=kind, role="appMaker", name="Nadia")
                self.assertTrue(text is None or answer.message.text == text)
                self.assertEqual(answer.message.source.type, "api")
                self.assertEqual(answer.conversation.unread_count, 1)
                self.assertEqual(self.history(user_id), [answer.message])

    def test_an_answer_goes_out_where_the_person_wrote_from(self):
        number = anybody()
        reply(self.world.messagebird, number, "Are you open?")
        user_id = self.world.heard("message:appUser")[-1]["appUser"]["_id"]
        target = Destination(integration_id=self.world.messagebird, integration_type="messagebird")
        message = self.post(user_id, type="text", text="Until six", destination=target).message
        self.assertEqual([message["text"] for message in outbox(number)], ["Until six"])
        for trigger in ("message:appMaker", "message:delivery:channel", "message:delivery:user"):
            heard = self.world.heard(trigger)
            ids = [body["message"]["_id"] if "message" in body else body["messages"][0]["_id"] for body in heard]
            self.assertIn(message.id, ids, trigger)

    def test_get_messages_goes_by_time(self):
        user_id = self.person()
        sent = [self.post(user_id, type="text", text=word).message for word in ("one", "two", "three")]
        self.assertEqual([m.text for m in self.history(user_id, before=sent[1].received)], ["one"])
        self.assertEqual([m.text for m in self.history(user_id, after=sent[1].received)], ["three"])

    def test_a_person_without_conversation_has_no_messages(self):
        with self.refused(404, "conversation_not_found", "not_found"):
            self.history(self.person())

    def test_delete_message_takes_one_and_delete_messages_all(self):
        user_id = self.person()
        first, second = (self.post(user_id, type="text", text=word).message for word in ("one", "two"))
        self.api.delete_message(self.app_id, user_id, first.id)
        self.assertEqual(self.history(user_id), [second])
        self.api.delete_messages(self.app_id, user_id)
        self.assertEqual(self.history(user_id), [])

    def test_activity_and_reading(self):
        user_id = self.person()
        conversation = self.post(user_id, type="text", text="Hello").conversation
        typing = ConversationActivity(role="appUser", type="typing:start")
        answer = self.api.conversation_activity(self.app_id, user_id, typing)
        self.assertEqual(answer.conversation.id, conversation.id)
        heard = self.world.heard("typing:appUser")[-1]
        self.assertEqual((heard["conversation"]["_id"], heard["activity"]["type"]), (conversation.id, "typing:start"))
        self.api.reset_unread_count(self.app_id, user_id)
        self.assertEqual(self.api.get_messages(self.app_id, user_id).conversation.unread_count, 0)

    def test_what_is_no_message_is_refused(self):
        user_id = self.person()
        with self.refused(400, "bad_request"):
            self.post(user_id, type="text")
        with self.refused(404, "user_not_found", "not_found"):
            self.post("nobody", type="text", text="Hello")
