"""A small AWS Lambda: the Runtime API for real binaries, and the Invoke API for their callers.

A function is a command and an environment. Its first invocation starts a process, which is kept
for the next one as Lambda does; invocations at the same time get processes of their own. Each
process has a Runtime API of its own on a free loopback port, named to it in
`AWS_LAMBDA_RUNTIME_API`. What a process prints goes to a log file of its function.

Standard library only. `Emulator` is a context manager; whatever it started ends with it.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from . import clock

ACCOUNT = "111111111111"
REGION = "us-east-1"
API = "/2018-06-01/runtime"
# What Lambda allows for a payload of a synchronous invocation, in either direction.
PAYLOAD_LIMIT = 6 * 1024 * 1024


@dataclass
class Outcome:
    """What an invocation came to; `error` is the value of `X-Amz-Function-Error`."""

    body: bytes
    error: str | None = None

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Invocation:
    """One invocation, as the emulator remembers it."""

    function: str
    payload: bytes
    started: float
    seconds: float = 0.0
    outcome: Outcome | None = None

    @property
    def json(self):
        return json.loads(self.payload)


class Failure(Exception):
    """What a scripted function raises to fail as a real one would."""

    def __init__(self, kind: str, message: str = ""):
        super().__init__(message)
        self.kind, self.message = kind, message


@dataclass
class Function:
    """How to run a function."""

    name: str
    command: list[str]
    environment: dict[str, str]
    # In place of a process: what the function answers to a payload.
    script: Callable | None = None
    timeout_seconds: float = 60.0
    concurrency: int = 4
    memory_mb: int = 256
    # How many seconds of its clock pass in one.
    speed: int = 1
    processes: list["Process"] = field(default_factory=list)


class Process:
    """One process of a function and its Runtime API. It serves one invocation at a time."""

    def __init__(self, function: Function, log: Path):
        self.function = function
        self.changed = threading.Condition()
        self.waiting: tuple[str, bytes, float] | None = None
        self.current: str | None = None
        self.result: Outcome | None = None
        self.init_error: Outcome | None = None
        self.dead = False
        self.asked = False
        self.server = _serve(_runtime_api(self))
        self.started = time.monotonic()
        self.first_next: float | None = None
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            **function.environment,
            **clock.environment(function.speed),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "harness",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}",
            "_HANDLER": "bootstrap",
        }
        with log.open("ab") as sink:
            self.child = subprocess.Popen(
                function.command, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
            )
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def busy(self) -> bool:
        return self.waiting is not None or self.current is not None

    def invoke(self, payload: bytes) -> Outcome:
        """Runs one invocation to its end, to the time-out or to the death of the process."""
        request = str(uuid.uuid4())
        end = time.monotonic() + self.function.timeout_seconds
        with self.changed:
            self.result = None
            # The function measures by its own clock how long that is.
            self.waiting = (request, payload, time.time() + self.function.timeout_seconds * self.function.speed)
            self.current = request
            self.changed.notify_all()
            while self.result is None and not self.dead:
                left = end - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(left)
            result, died = self.result, self.dead
            self.waiting, self.current = None, None
        if result is not None:
            return result
        if died:
            return self.init_error or _error(
                "Runtime.ExitError", f"RequestId: {request} Error: Runtime exited with error: {self._ending()}"
            )
        # Lambda ends a process that overran its time; the next invocation starts afresh.
        self.kill()
        seconds = f"{self.function.timeout_seconds:.2f}"
        return _error("Sandbox.Timedout", f"RequestId: {request} Error: Task timed out after {seconds} seconds")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Ends the process and waits until it is gone."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        self.child.wait()
        with self.changed:
            self.dead = True
            self.changed.notify_all()

    def close(self) -> None:
        self.kill()
        self.server.shutdown()
        self.server.server_close()

    def _watch(self) -> None:
        self.child.wait()
        with self.changed:
            self.dead = True
            self.changed.notify_all()

    def _ending(self) -> str:
        code = self.child.returncode
        if code is not None and code < 0:
            return f"signal: {signal.Signals(-code).name}"
        return f"exit status {code}"

    # What the Runtime API calls.

    def next(self) -> tuple[str, bytes, float] | None:
        with self.changed:
            if self.first_next is None:
                self.first_next = time.monotonic()
            while self.waiting is None and not self.dead:
                self.changed.wait()
            event, self.waiting = self.waiting, None
            return event

    def answer(self, request: str, outcome: Outcome) -> bool:
        with self.changed:
            if request != self.current or self.result is not None:
                return False
            if len(outcome.body) > PAYLOAD_LIMIT:
                message = f"Response payload size exceeded {PAYLOAD_LIMIT} bytes."
                outcome = _error("Function.ResponseSizeTooLarge", message)
            self.result = outcome
            self.changed.notify_all()
            return True

    def fail_init(self, outcome: Outcome) -> None:
        with self.changed:
            self.init_error = outcome


class Emulator:
    """Functions by name, and the endpoint at which callers invoke them."""

    def __init__(self, logs: Path):
        self.logs = logs
        logs.mkdir(parents=True, exist_ok=True)
        self.functions: dict[str, Function] = {}
        self.invocations: list[Invocation] = []
        self.lock = threading.Condition()
        self.server = _serve(_invoke_api(self))
        self.closed = False
        atexit.register(self.close)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Emulator":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process and every server; safe to call twice."""
        with self.lock:
            if self.closed:
                return
            self.closed = True
            self.lock.notify_all()
        self.retire()
        self.server.shutdown()
        self.server.server_close()
        atexit.unregister(self.close)

    def deploy(self, name: str, command: list[str], environment: dict[str, str], **settings) -> None:
        """Adds a function, or replaces it: the processes of the old one end."""
        self.retire(name)
        with self.lock:
            self.functions[name] = Function(name, [str(part) for part in command], dict(environment), **settings)

    def script(self, name: str, script: Callable) -> None:
        """Adds a function that is a few lines of the test: value in, value or `Failure` out."""
        self.deploy(name, [], {}, script=script)

    def retire(self, name: str | None = None) -> None:
        """Ends the processes of a function, or of all."""
        with self.lock:
            doomed = []
            for function in self.functions.values():
                if name in (None, function.name):
                    doomed += function.processes
                    function.processes = []
        for process in doomed:
            process.close()

    def kill(self, name: str) -> int:
        """Kills the processes of a function as `kill -9` does, and tells how many there were."""
        with self.lock:
            victims = [process for process in self.functions[name].processes if not process.dead]
        for process in victims:
            process.kill()
        return len(victims)

    def invoke(self, name: str, payload) -> Outcome:
        """Invokes a function and waits; `payload` is bytes as they are, or a value to write as JSON."""
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        if len(payload) > PAYLOAD_LIMIT:
            raise ValueError(f"payload of {len(payload)} bytes is above Lambda's {PAYLOAD_LIMIT}")
        function = self.functions[name]
        record = Invocation(name, payload, time.monotonic())
        with self.lock:
            self.invocations.append(record)
        if function.script:
            record.outcome = _scripted(function.script, payload)
            record.seconds = time.monotonic() - record.started
            return record.outcome
        process = self._claim(function)
        try:
            record.outcome = process.invoke(payload)
        finally:
            record.seconds = time.monotonic() - record.started
            self._release(function, process)
        return record.outcome

    def log(self, name: str) -> str:
        """All that a function has printed."""
        path = self.logs / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def of(self, name: str) -> list[Invocation]:
        """The invocations of a function so far."""
        with self.lock:
            return [invocation for invocation in self.invocations if invocation.function == name]

    def _claim(self, function: Function) -> Process:
        with self.lock:
            while True:
                if self.closed:
                    raise RuntimeError("the emulator is closed")
                # One that died between two invocations is replaced, as Lambda does.
                for process in [process for process in function.processes if process.dead and not process.asked]:
                    function.processes.remove(process)
                    process.close()
                for process in function.processes:
                    if not process.asked and not process.dead:
                        process.asked = True
                        return process
                if len(function.processes) < function.concurrency:
                    process = Process(function, self.logs / f"{function.name}.log")
                    process.asked = True
                    function.processes.append(process)
                    return process
                self.lock.wait()

    def _release(self, function: Function, process: Process) -> None:
        with self.lock:
            process.asked = False
            gone = process.dead
            if gone and process in function.processes:
                function.processes.remove(process)
            self.lock.notify_all()
        if gone:
            process.close()


def _scripted(script: Callable, payload: bytes) -> Outcome:
    try:
        return Outcome(json.dumps(script(json.loads(payload))).encode())
    except Failure as failure:
        return _error(failure.kind, failure.message)


def _error(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Handlers that wait for an event would hold the closing up; the processes they serve are gone.
    block_on_close = False

    def handle_error(self, request, client_address):
        # A process that was killed takes its connections along; anything else is worth reading.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _serve(handler) -> _Server:
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _runtime_api(process: Process):
    class RuntimeApi(_Handler):
        def do_GET(self):
            if self.path != f"{API}/invocation/next":
                self.reply(404)
                return
            event = process.next()
            if event is None:
                self.close_connection = True
                return
            request, payload, deadline = event
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{process.function.name}"
            try:
                self.reply(200, payload, {
                    "Lambda-Runtime-Aws-Request-Id": request,
                    "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": arn,
                    "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
                })
            except OSError:
                # The process went away while it was asking; its watcher notices.
                self.close_connection = True

        def do_POST(self):
            body = self.body()
            parts = self.path.removeprefix(API).strip("/").split("/")
            match parts:
                case ["init", "error"]:
                    process.fail_init(Outcome(body, "Unhandled"))
                    self.reply(202)
                case ["invocation", request, "response"]:
                    self.reply(202 if process.answer(request, Outcome(body)) else 400)
                case ["invocation", request, "error"]:
                    self.reply(202 if process.answer(request, Outcome(body, "Unhandled")) else 400)
                case _:
                    self.reply(404)

    return RuntimeApi


def _invoke_api(emulator: Emulator):
    class InvokeApi(_Handler):
        def do_POST(self):
            payload = self.body() or b"{}"
            parts = urllib.parse.unquote(self.path.split("?")[0]).strip("/").split("/")
            match parts:
                case ["2015-03-31", "functions", target, "invocations"]:
                    name = function_name(target)
                case _:
                    self.reply(404)
                    return
            if name not in emulator.functions:
                message = json.dumps({"Type": "User", "Message": f"Function not found: {name}"}).encode()
                self.reply(404, message, {"x-amzn-ErrorType": "ResourceNotFoundException"})
                return
            if len(payload) > PAYLOAD_LIMIT:
                message = json.dumps({"Message": "Request must be smaller than 6291456 bytes"}).encode()
                self.reply(413, message, {"x-amzn-ErrorType": "RequestTooLargeException"})
                return
            if self.headers.get("X-Amz-Invocation-Type") == "Event":
                threading.Thread(target=emulator.invoke, args=(name, payload), daemon=True).start()
                self.reply(202)
                return
            outcome = emulator.invoke(name, payload)
            extra = {"X-Amz-Function-Error": outcome.error} if outcome.error else {}
            self.reply(200, outcome.body, {"X-Amz-Executed-Version": "$LATEST", **extra})

    return InvokeApi


def function_name(target: str) -> str:
    """The name in a function's name, ARN or qualified ARN."""
    return target.split(":function:")[-1].split(":")[0]
