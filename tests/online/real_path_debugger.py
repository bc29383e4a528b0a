"""A live session with debugpy: packages are library code, whether they are links or real files."""

import contextlib
import json
import socket
import time

from real_path_pair import free_port
from support import CheckFailed, require, require_equal

PROGRAM = """import demo_callback
import demo_shared.second
import demo_single


def mine(number):
    doubled = number * 2
    return doubled


def main():
    start = 1
    one = demo_callback.call(mine, start)
    two = demo_single.call(demo_shared.second.answer)
    print(one, two)


main()
"""
CALLS_BACK = PROGRAM.splitlines().index("    one = demo_callback.call(mine, start)") + 1
IN_CALLBACK = PROGRAM.splitlines().index("    doubled = number * 2") + 1
CALLS_LIBRARY = PROGRAM.splitlines().index("    two = demo_single.call(demo_shared.second.answer)") + 1


def connect(port, seconds=60):
    """A connection to the debugger, as soon as it listens; it takes one only."""
    limit = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except ConnectionRefusedError:
            require(time.monotonic() < limit, "debugpy does not listen")
            time.sleep(0.05)


class Client:
    """The editor's side of the debug adapter protocol."""

    def __init__(self, port):
        self.connection = connect(port)
        self.stream = self.connection.makefile("rb")
        self.number = 0
        self.events = []

    def close(self):
        """Hangs up."""
        self.stream.close()
        self.connection.close()

    def send(self, command, **arguments):
        """Sends a request and returns its number."""
        self.number += 1
        message = {"seq": self.number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self.connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self.number

    def receive(self):
        """The next message of the debugger's."""
        length = None
        for line in iter(self.stream.readline, b""):
            if line == b"\r\n" and length is not None:
                return json.loads(self.stream.read(length).decode())
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        raise CheckFailed("debugpy hung up; the last events: %r" % self.events[-5:])

    def answer(self, number):
        """The body of the answer to a request; events that come before it are kept."""
        while True:
            message = self.receive()
            if message["type"] == "response" and message["request_seq"] == number:
                require(
                    message["success"],
                    "debugpy refuses %(command)s: %(message)s" % dict({"message": ""}, **message),
                )
                return message.get("body") or {}
            if message["type"] == "event":
                self.events.append(message)

    def ask(self, command, **arguments):
        """Sends a request and returns the body of the answer."""
        return self.answer(self.send(command, **arguments))

    def event(self, *names):
        """The next event of one of these names."""
        while True:
            for message in self.events:
                if message["event"] in names:
                    self.events.remove(message)
                    return message
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)

    def stopped(self):
        """Waits until the program stands still; its thread's frames as (function, path, line, hint)."""
        message = self.event("stopped", "terminated")
        require(message["event"] == "stopped", "the program ended instead of stopping")
        thread = message["body"]["threadId"]
        frames = self.ask("stackTrace", threadId=thread)["stackFrames"]
        hints = [
            (f["name"], f["source"]["path"], f["line"], f.get("presentationHint", "normal")) for f in frames
        ]
        return thread, message["body"]["reason"], hints

    def step(self, command, thread):
        """Steps, and returns why the program stands still, and its frames."""
        self.ask(command, threadId=thread)
        return self.stopped()[1:]


def begin(client, just_my_code, breakpoints):
    """Attaches to the waiting program and lets it run to the first breakpoint."""
    client.ask("initialize", adapterID="check", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
    attached = client.send("attach", justMyCode=just_my_code)
    client.event("initialized")
    for path, lines in breakpoints.items():
        places = [{"line": line} for line in lines]
        answer = client.ask("setBreakpoints", source={"path": path}, breakpoints=places)["breakpoints"]
        require(all(place["verified"] for place in answer), "a breakpoint is refused: %r" % answer)
    client.ask("configurationDone")
    client.answer(attached)
    return client.stopped()


def session(pair, venv, just_my_code, breakpoints, commands):
    """Debugs the program in a venv: where it stands at the first breakpoint and after each command."""
    folder = pair.place.path("debugger")
    port = free_port()
    command = ["python", "-Xfrozen_modules=off", "-m", "debugpy", "--listen", "127.0.0.1:%d" % port]
    command += ["--wait-for-client", "program.py"]
    seen = []
    with pair.serving(venv, command, folder, port, probe=False):
        with contextlib.closing(Client(port)) as client:
            thread, reason, frames = begin(client, just_my_code, breakpoints)
            seen.append((reason, frames))
            for command in commands:
                seen.append(client.step(command, thread))
            client.ask("disconnect", terminateDebuggee=True)
    return json.loads(pair.normal(json.dumps(seen), venv))


def just_my_code(pair):
    """Breakpoints, steps and frames with and without justMyCode."""
    folder = pair.folder("debugger")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    stops = {str(program): [CALLS_BACK]}

    commands = ["stepIn", "stepOut", "stepIn", "stepIn"]
    seen = pair.same("stepping with justMyCode", lambda venv: session(pair, venv, True, stops, commands))
    places = [(frames[0][0], frames[0][2]) for _, frames in seen]
    require_equal(places[0][1], CALLS_BACK, "the first stop")
    require_equal(places[1], ("mine", IN_CALLBACK), "stepping in goes through the package")
    files = {path for _, frames in seen for _, path, _, hint in frames if hint != "subtle"}
    require_equal(files, {str(program)}, "files whose frames are shown as the user's own")
    require(
        any(line == CALLS_LIBRARY for _, line in places), "the line that only calls packages: %r" % places
    )
    require(places[-1][0] != "call" and places[-1][0] != "answer", "a step into a package stands in it")

    everything = pair.same(
        "stepping without justMyCode", lambda venv: session(pair, venv, False, stops, ["stepIn", "stepIn"])
    )
    require_equal(everything[1][1][0][0], "call", "without justMyCode a step goes into the package")

    def inside(venv):
        """A breakpoint in the package itself, by its path in the venv."""
        package = str(pair.site_packages(venv) / "demo_callback" / "__init__.py")
        line = open(package).read().splitlines().index("    result = function(*arguments)") + 1
        return session(pair, venv, False, {package: [line]}, [])

    frames = pair.same("a breakpoint in a package", inside)[0][1]
    require_equal(frames[0][0], "relay", "the breakpoint in the package")
    return "debugpy: %d stops with justMyCode, %d without, a breakpoint in a package" % (
        len(seen),
        len(everything),
    )
