"""AttachmentsApi."""

import os
import tempfile

from engine import ClientTest, fetch, name
from smooch import AppUserApi, AppUserPreCreate, AttachmentRemove, AttachmentsApi


class Attachments(ClientTest):
    api = AttachmentsApi()

    def setUp(self):
        super().setUp()
        with tempfile.NamedTemporaryFile(suffix=".txt", delete=False) as file:
            file.write(b"mint, green")
        self.file = file.name
        self.addCleanup(os.remove, self.file)

    def test_upload_keeps_the_file_and_its_url_hands_it_out(self):
        kept = self.api.upload_attachment(self.app_id, self.file, "public")
        self.assertTrue(kept.media_type.startswith("text/plain"))
        status, headers, content = fetch("GET", kept.media_url)
        self.assertEqual((status, content), (200, b"mint, green"))
        self.assertTrue(headers["content-type"].startswith("text/plain"))

    def test_a_persons_file_is_kept_for_either_id(self):
        user = AppUserApi().pre_create_app_user(self.app_id, AppUserPreCreate(user_id=name())).app_user
        for whose in ({"user_id": user.user_id}, {"app_user_id": user.id}):
            kept = self.api.upload_attachment(self.app_id, self.file, "public", _for="message", **whose)
            self.assertEqual(fetch("GET", kept.media_url)[0], 200)

    def test_remove_takes_it_away(self):
        kept = self.api.upload_attachment(self.app_id, self.file, "public")
        self.api.remove_attachment(self.app_id, AttachmentRemove(media_url=kept.media_url))
        self.assertEqual(fetch("GET", kept.media_url)[0], 404)

    def test_what_is_not_public_is_refused(self):
        with self.refused(400, "bad_request"):
            self.api.upload_attachment(self.app_id, self.file, "private")
