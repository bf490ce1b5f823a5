"""Invokes every function in a container, against the development engine, and says what came of it.

    sam_local_check.py .aws-sam/build/template.yaml

Needs `sam` on the PATH, a container engine at DOCKER_HOST and the development engine's READY_FILE; `scripts/sam-local check`
sees to all three. Prints one line for each check and `N passed, N failed`.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTIONS = {
    "notifications": "NotificationsFunction",
    "callbacks": "CallbacksFunction",
    "send_twilio": "SendTwilioFunction",
    "send_messagebird": "SendMessagebirdFunction",
    "receive": "ReceiveFunction",
    "deliver": "DeliverFunction",
    "upkeep": "UpkeepFunction",
    "api": "ApiFunction",
}
# In this order: the receipt is for what the second one sends.
EVENTS = [
    "notifications/twilio-text.json",
    "send_twilio/text.json",
    "send_messagebird/text.json",
    "callbacks/twilio-without-signature.json",
    "receive/twilio-delivered.json",
    "deliver/one.json",
    "api/apps/list-apps.json",
    "api/settings/create-webhook.json",
    "api/users/create.json",
    "api/conversations/history-of-nobody.json",
    "api/attachments/upload.json",
    "upkeep/app-still-there.json",
    "api/reference/page.json",
]
PATIENCE = 300


def call(method, url, body=None, headers=None):
    """Status and parsed body of a request; bodies are JSON both ways."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read() or b"null")


def get(url):
    status, body = call("GET", url)
    if status != 200:
        raise RuntimeError(f"GET {url} answered {status}: {body}")
    return body


def until(what, check, process):
    """Waits for `check` as long as `process` lives."""
    deadline = time.monotonic() + PATIENCE
    while not (found := check()):
        if process.poll() is not None:
            raise RuntimeError(f"{what}: the process ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {PATIENCE} seconds")
        time.sleep(0.1)
    return found


@contextlib.contextmanager
def running(command, log):
    """A process with its own group, ended as Ctrl-C would."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def own_address():
    """An address of this machine that containers reach too. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


@contextlib.contextmanager
def doorway(port):
    """Where containers reach the engine, which listens on 127.0.0.1 only: that is another machine to a container."""

    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                outside, _ = door.accept()
                inside = socket.create_connection(("127.0.0.1", port))
                for pair in (outside, inside), (inside, outside):
                    threading.Thread(target=copy, args=pair, daemon=True).start()

    with socket.create_server((own_address(), 0)) as door:
        threading.Thread(target=serve, daemon=True).start()
        host, number = door.getsockname()
        yield f"http://{host}:{number}"


def basic(key, secret):
    return base64.b64encode(f"{key}:{secret}".encode()).decode()


def fill(path, values):
    """The event with its placeholders replaced; see events/README.md."""
    text = (ROOT / "events" / path).read_text(encoding="utf-8")
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], text)


def answers():
    """What each event's answer contains, by events/README.md."""
    table = (ROOT / "events" / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| (\S+\.json) \| `(.*)` \|$", table, re.MULTILINE))


# What the engine plays of AWS at one address; the bucket has one of its own.
FROM_THE_ENGINE = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SECRETS_MANAGER")


class Stack:
    """The engine, as functions in containers see it."""

    def __init__(self, template, folder, url, outside):
        self.template, self.folder, self.url, self.outside = template, folder, url, outside
        # Not the engine's own demo app: this one's webhook must be in reach of a container.
        status, self.app = call("POST", f"{url}/_local/apps", {"webhooks": [self.webhook()]})
        if status != 201:
            raise RuntimeError(f"no app: {status} {self.app}")
        self.values = {
            "appId": self.app["appId"],
            "twilioIntegrationId": self.app["integrations"]["twilio"],
            "messagebirdIntegrationId": self.app["integrations"]["messagebird"],
            "webhookId": self.app["webhooks"][0]["id"],
            "basicAuth": basic(self.app["keyId"], self.app["secret"]),
            "accountBasicAuth": basic(self.app["accountKeyId"], self.app["accountSecret"]),
            "now": f"{time.time():.3f}",
            "twilioAccountSid": "AC00000000000000000000000000000001",
        }
        self.variables = folder / "variables.json"
        self.variables.write_text(json.dumps({FUNCTIONS[name]: self.environment(name) for name in FUNCTIONS}))

    def webhook(self):
        return {"target": f"{self.outside}/_local/sink/containers", "triggers": ["*"]}

    def environment(self, function):
        environment = get(f"{self.url}/_local/environment/{function}")
        environment |= {name: f"{self.outside}/_aws/sam-local" for name in FROM_THE_ENGINE}
        environment["AWS_ENDPOINT_URL_S3"] = f"{self.outside}/_s3/sam-local/"
        # Called from inside. Its own public URL a function only writes and compares, so that one stays.
        if "CARRIER_API_URL" in environment:
            environment["CARRIER_API_URL"] = environment["CARRIER_API_URL"].replace(self.url, self.outside)
        return environment

    def sam(self, command, *arguments):
        settings = ["--template", self.template, "--env-vars", str(self.variables), "--skip-pull-image"]
        return ["sam", "local", command, *arguments, *settings]

    def invoke(self, path):
        """The function's answer as JSON without blanks."""
        event = self.folder / "event.json"
        event.write_text(fill(path, self.values), encoding="utf-8")
        command = self.sam("invoke", FUNCTIONS[path.split("/")[0]], "--event", str(event))
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
        try:
            return json.dumps(json.loads(done.stdout.strip().splitlines()[-1]), separators=(",", ":"), ensure_ascii=False)
        except (IndexError, ValueError):
            return f"no answer, but: {done.stdout}{done.stderr[-3000:]}"

    def settled(self):
        return get(f"{self.url}/_local/idle?timeout=60")

    def carried(self, channel):
        """Numbers that the carrier has taken messages for, without `+`."""
        messages = get(f"{self.url}/_local/outbox?integrationId={self.app['integrations'][channel]}")["messages"]
        return [message["to"].lstrip("+") for message in messages]

    def heard(self):
        """Ids of the events that the webhook has been told."""
        bodies = [request["body"] for request in get(f"{self.url}/_local/webhooks?sink=containers")["webhooks"]]
        return [(json.loads(body) if isinstance(body, str) else body)["eventId"] for body in bodies]


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, holds, otherwise):
        if holds:
            self.passed += 1
            print(f"ok      {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {name}: {otherwise}", flush=True)


def check_invocations(stack, report):
    expected = answers()
    for path in EVENTS:
        answer = stack.invoke(path)
        report.check(f"sam local invoke {path}", expected[path] in answer, f"{expected[path]} is not in {answer}")
    stack.settled()
    # The engine's own functions are at work too, but only containers were given these.
    for channel, number in ("twilio", "15550100011"), ("messagebird", "31612340011"):
        carried = stack.carried(channel)
        report.check(f"a container's message reached {channel}", number in carried, f"{number} is not in {carried}")
    event, heard = "de110000-0000-5000-8000-000000000001", stack.heard()
    report.check("a container's event reached the webhook", event in heard, f"{event} is not in {heard}")


def check_api(stack, report):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = stack.folder / "start-api.log"

    def answering():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True

    with running(stack.sam("start-api", "--port", str(port)), log) as process:
        until("sam local start-api", answering, process)
        body = json.loads(json.loads(fill(EVENTS[0], stack.values))["body"])
        path = f"/v1.1/apps/{stack.app['appId']}/notifications"
        headers = {"authorization": f"Basic {stack.values['basicAuth']}"}
        status, answer = call("POST", f"http://127.0.0.1:{port}{path}", body, headers)
    report.check(f"sam local start-api POST {path}", status == 201, f"{status} {answer}\n{log.read_text()[-3000:]}")


def main(template):
    report = Report()
    url = json.loads(pathlib.Path(os.environ["READY_FILE"]).read_text())["apiUrl"]
    with tempfile.TemporaryDirectory() as folder, doorway(int(url.rsplit(":", 1)[1])) as outside:
        stack = Stack(template, pathlib.Path(folder), url, outside)
        check_invocations(stack, report)
        check_api(stack, report)
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
