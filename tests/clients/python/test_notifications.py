"""NotificationApi, which asks under /v1."""

from engine import NOWHERE, UUID, ClientTest, anybody, outbox, reply
from smooch import Author, NotificationApi, NotificationPost, NotificationPostDestination


class Notifications(ClientTest):
    def post(self, integration_id, to, **more):
        body = NotificationPost(
            destination=NotificationPostDestination(integration_id=integration_id, destination_id=to),
            author=Author(role="appMaker", name="Nadia"),
            message={"type": "text", "text": "Your tea is ready"},
            **more,
        )
        return NotificationApi().post_notification(self.app_id, body).notification.id

    def test_it_goes_out_and_comes_back_with_the_reply(self):
        for integration_id in (self.world.twilio, self.world.messagebird):
            with self.subTest(integration_id):
                to = anybody()
                notification = self.post(integration_id, to)
                self.assertRegex(notification, UUID)
                self.assertEqual([message["text"] for message in outbox(to)], ["Your tea is ready"])
                for trigger in ("notification:delivery:channel", "notification:delivery:user"):
                    heard = [body["notification"]["_id"] for body in self.world.heard(trigger)]
                    self.assertEqual(heard.count(notification), 1, trigger)
                reply(integration_id, to, "Thanks!")
                answer = self.world.heard("message:appUser")[-1]
                self.assertEqual(answer["messages"][0]["text"], "Thanks!")
                self.assertEqual(answer["recentNotifications"][0]["text"], "Your tea is ready")

    def test_an_apps_own_key_sends(self):
        self.sign_in(self.world.ready["keyId"], self.world.ready["secret"], "app")
        to = anybody()
        self.post(self.world.twilio, to)
        self.assertEqual(len(outbox(to)), 1)

    def test_what_cannot_be_sent_is_refused(self):
        with self.refused(404, "integration_not_found", "not_found"):
            self.post(NOWHERE, anybody())
        with self.refused(400, "bad_request"):
            self.post(self.world.twilio, anybody(), message_schema="whatsapp")
