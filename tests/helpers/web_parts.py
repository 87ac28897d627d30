"""A real luigid, and a real Chromium driven through its chromedriver, for tests of what they show.

Both are ended when their context ends, whatever happens in it.
"""

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

LUIGID = Path(sys.executable).with_name("luigid")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")
PATIENCE = 60.0
"""Seconds until a program has to answer."""

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1000",
)


def wait_for(answer, seconds=PATIENCE):
    """The first true answer of a function; fails after a time."""
    deadline = time.monotonic() + seconds
    while True:
        found = answer()
        if found:
            return found
        assert time.monotonic() < deadline, f"{answer} did not come true within {seconds} s"
        time.sleep(0.1)


class Scheduler:
    """A luigid that listens on this machine alone.

    Attributes:
        port, url: where.
    """

    def __init__(self, port):
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def call(self, method, **arguments):
        """Call luigid's API."""
        query = urllib.parse.urlencode({"data": json.dumps(arguments)})
        with urllib.request.urlopen(f"{self.url}/api/{method}?{query}", timeout=30) as answer:
            return json.loads(answer.read())["response"]

    def tasks(self):
        """{display name: what luigid knows of the task}."""
        tasks = self.call("task_list", status="", upstream_status="")
        return {task["display_name"]: {**task, "id": name} for name, task in tasks.items()}

    def page(self, fragment=""):
        """The URL of its page."""
        return f"{self.url}/static/visualiser/index.html{fragment}"


@contextlib.contextmanager
def scheduler(folder):
    """A running luigid with its state and its log in a folder."""
    folder.mkdir()
    running = Scheduler(free_port())
    command = [LUIGID, "--address", "127.0.0.1", "--port", running.port]
    command += ["--logdir", folder, "--state-path", folder / "state.pickle"]
    with process(command, folder), contextlib.suppress(ConnectionError):
        wait_for(lambda: answers(running))
        yield running


def answers(running):
    try:
        running.tasks()
    except urllib.error.URLError:
        return False
    return True


class Browser:
    """A Chromium, spoken to by the WebDriver protocol."""

    def __init__(self, port):
        self._url = f"http://127.0.0.1:{port}"

    def start(self, profile, flags=()):
        wait_for(self._ready)
        options = {"binary": CHROMIUM, "args": [*FLAGS, *flags, f"--user-data-dir={profile}"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        session = self._call("POST", "/session", capabilities={"alwaysMatch": wanted})
        self._url += f"/session/{session['sessionId']}"

    def open(self, url):
        self._call("POST", "/url", url="about:blank")  # a new fragment alone loads nothing
        self._call("POST", "/url", url=url)

    def run(self, script):
        return self._call("POST", "/execute/sync", script=script, args=[])

    def text(self, selector):
        """The text that a person reads in the elements of a selector."""
        script = f"return [...document.querySelectorAll({json.dumps(selector)})]"
        return self.run(f"{script}.map(element => element.innerText)")

    def picture(self, path):
        Path(path).write_bytes(base64.b64decode(self._call("GET", "/screenshot")))

    def mouse(self, steps):
        """Move the mouse as a person: steps ("move", x, y), ("down",) and ("up",)."""
        kinds = {"move": "pointerMove", "down": "pointerDown", "up": "pointerUp"}
        actions = []
        for kind, *place in steps:
            step = {"type": kinds[kind]}
            if place:
                step |= {"x": place[0], "y": place[1], "duration": 100}
            else:
                step |= {"button": 0}
            actions.append(step)
        parameters = {"pointerType": "mouse"}
        mouse = {"type": "pointer", "id": "mouse", "parameters": parameters, "actions": actions}
        self._call("POST", "/actions", actions=[mouse])

    def wheel(self, x, y, turn):
        """Turn the wheel at a place; a negative turn zooms in."""
        step = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": turn, "duration": 50}
        self._call("POST", "/actions", actions=[{"type": "wheel", "id": "w", "actions": [step]}])

    def quit(self):
        self._call("DELETE", "")

    def _ready(self):
        try:
            return self._call("GET", "/status")["ready"]
        except urllib.error.URLError:
            return False

    def _call(self, method, path, **values):
        data = json.dumps(values).encode() if method == "POST" else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())["value"]


@contextlib.contextmanager
def browser(folder, *flags):
    """A Browser with a profile of its own in a folder, and further flags."""
    folder.mkdir()
    port = free_port()
    with process([CHROMEDRIVER, f"--port={port}"], folder):
        page = Browser(port)
        page.start(folder / "profile", flags)
        try:
            yield page
        finally:
            page.quit()


@contextlib.contextmanager
def process(command, folder, **options):
    """A running process that is ended with what it has started."""
    with open(Path(folder) / "output.txt", "w") as output:
        running = subprocess.Popen(
            [str(word) for word in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
