"""Puts real ids where Schemathesis made up good ones, so that operations go beyond 404.

What was made up to be wrong stays wrong. Three kinds of operations get something made for them alone: those that end
what they are asked about, those that fill up something with a limit, and those about something that may not be there.
"""

import zlib

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from world import World

WORLD = World()


def spare_app(path):
    path["appId"] = WORLD.new_app()


def spare_app_key(path):
    spare_app(path)
    path["keyId"] = WORLD.new_app_key(path["appId"])


def spare_account(path):
    path["serviceAccountId"] = WORLD.new_service_account()


def spare_account_key(path):
    spare_account(path)
    path["keyId"] = WORLD.new_service_account_key(path["serviceAccountId"])


def spare_webhook(path):
    spare_app(path)
    path["webhookId"] = WORLD.new_webhook(path["appId"])


def spare_integration(path):
    path["integrationId"] = WORLD.integration({"type": "web"})


def any_integration(path):
    path["integrationId"] = WORLD.web_and_others[zlib.crc32(repr(path).encode()) % len(WORLD.web_and_others)]


def whatsapp(path):
    path["integrationId"] = WORLD.whatsapp


def spare_template(path):
    path["templateId"] = WORLD.new_template()


def spare_user(path):
    path["userId"] = WORLD.new_user()


def person_on_sms(path):
    path["userId"] = WORLD.new_person_on_sms()


def spare_message(path):
    path["messageId"] = WORLD.new_message(path["userId"])["_id"]


def set_menu(path):
    WORLD.new_menu()


def set_integration_menu(path):
    WORLD.new_menu(path["integrationId"])


APP = "/v1.1/apps/{appId}"
ACCOUNT = "/v1.1/serviceaccounts/{serviceAccountId}"
USER = f"{APP}/appusers/{{userId}}"
INTEGRATION = f"{APP}/integrations/{{integrationId}}"

PATHS = {
    f"DELETE {APP}": spare_app,
    f"POST {APP}/keys": spare_app,
    f"DELETE {APP}/keys/{{keyId}}": spare_app_key,
    f"DELETE {ACCOUNT}": spare_account,
    f"POST {ACCOUNT}/keys": spare_account,
    f"DELETE {ACCOUNT}/keys/{{keyId}}": spare_account_key,
    f"POST {APP}/webhooks": spare_app,
    f"PUT {APP}/webhooks/{{webhookId}}": spare_webhook,
    f"DELETE {APP}/webhooks/{{webhookId}}": spare_webhook,
    f"GET {INTEGRATION}": any_integration,
    f"PUT {INTEGRATION}": any_integration,
    f"DELETE {INTEGRATION}": spare_integration,
    f"GET {INTEGRATION}/profile": whatsapp,
    f"PUT {INTEGRATION}/profile": whatsapp,
    f"PUT {INTEGRATION}/profile/photo": whatsapp,
    f"POST {INTEGRATION}/menu": spare_integration,
    f"GET {INTEGRATION}/menu": set_integration_menu,
    f"DELETE {INTEGRATION}/menu": set_integration_menu,
    f"GET {APP}/menu": set_menu,
    f"DELETE {APP}/menu": set_menu,
    f"DELETE {APP}/templates/{{templateId}}": spare_template,
    f"DELETE {USER}": spare_user,
    f"DELETE {USER}/profile": spare_user,
    f"POST {USER}/channels": spare_user,
    f"DELETE {USER}/channels/{{channel}}": person_on_sms,
    f"DELETE {USER}/messages": person_on_sms,
    f"DELETE {USER}/messages/{{messageId}}": spare_message,
}


def notification(body):
    """By SMS, which has no schema of its own."""
    body.pop("messageSchema", None)
    if isinstance(body.get("destination"), dict):
        body["destination"].update(integrationId=WORLD.twilio, destinationId=WORLD.phone_number())


def new_person(body):
    body["userId"] = WORLD.new_name()


def named(body):
    """What is one of its kind in an app."""
    if "name" in body:
        body["name"] = WORLD.new_name()


def integration(body):
    """Rules that a schema cannot say: between fields, and on numbers."""
    if "phoneNumber" in body:
        body["phoneNumber"] = WORLD.phone_number()
    if "incomingAddress" in body:
        body["incomingAddress"] = f"tea@{body.get('domain')}"


def channel(body):
    if body.get("type") == "twilio":
        body.update(integrationId=WORLD.twilio, phoneNumber=WORLD.phone_number())
    else:
        body.pop("integrationId", None)


def destination(body):
    if isinstance(body.get("destination"), dict):
        body["destination"].update(integrationId=WORLD.twilio, integrationType="twilio")


def merge(body):
    body.update(surviving={"_id": WORLD.new_user()}, discarded={"_id": WORLD.new_user()})


def action(body):
    body["actionId"] = WORLD.message["actions"][0]["_id"]


def media(body):
    body["mediaUrl"] = WORLD.new_attachment()


BODIES = {
    f"POST {APP}/notifications": notification,
    f"POST {APP}/integrations": integration,
    f"POST {APP}/templates": named,
    f"PUT {APP}/templates/{{templateId}}": named,
    f"POST {APP}/appusers": new_person,
    f"POST {USER}/channels": channel,
    f"POST {USER}/messages": destination,
    f"POST {USER}/images": destination,
    f"POST {APP}/appusers/merge": merge,
    f"POST {USER}/conversation/postback": action,
    f"POST {APP}/attachments/remove": media,
}

QUERIES = {
    "appUserId": lambda: WORLD.user,
    "userId": lambda: WORLD.user,
    "integrationIds": lambda: WORLD.twilio,
    "serviceAccountId": lambda: WORLD.standing["serviceAccountId"],
}


@schemathesis.hook
def before_call(context, case, kwargs):
    label = case.operation.label
    if not wrong(case, ParameterLocation.PATH):
        fill_path(label, case.path_parameters or {})
    if not wrong(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        BODIES.get(label, lambda body: None)(case.body)
    if not wrong(case, ParameterLocation.QUERY):
        for name in set(QUERIES) & set(case.query or {}):
            case.query[name] = QUERIES[name]()
    keep_webhooks_at_home(case)


def wrong(case, location):
    return case.meta is not None and case.meta.is_negative_at(location)


def fill_path(label, path):
    owner = "serviceAccountId" if "serviceAccountId" in path else "appId"
    for name in path:
        path[name] = WORLD.standing_keys[owner] if name == "keyId" else WORLD.standing[name]
    PATHS.get(label, lambda path: None)(path)


def keep_webhooks_at_home(case):
    """Events go nowhere but to the engine's own receiver, whatever target was made up."""
    target = case.body.get("target") if isinstance(case.body, dict) else None
    if isinstance(target, str) and target.startswith("http"):
        case.body["target"] = WORLD.sink
