"""What stands before moto: every request passes here, as a WSGI application.

It knows the operation of a request (`service:Operation`), writes it down, and can be told to let
an operation fail or wait. Invocations of Lambda functions go on to the emulator; moto itself
would need Docker. Paths under `/harness/` are for the tests and the demo.
"""

import io
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from xml.sax.saxutils import escape

# Of services whose operation is neither in a header nor in the body: method and start of the path.
PATHS = {
    "securityhub": [
        ("POST", "/findings/import", "BatchImportFindings"),
        ("PATCH", "/findings/batchupdate", "BatchUpdateFindings"),
        ("POST", "/findings", "GetFindings"),
        ("GET", "/accounts", "DescribeHub"),
        ("POST", "/accounts", "EnableSecurityHub"),
        ("DELETE", "/accounts", "DisableSecurityHub"),
    ],
    "lambda": [("POST", "/2015-03-31/functions/", "Invoke")],
}


class Fault:
    """An operation that fails: with which status and code, how often, for which requests."""

    def __init__(self, status=400, code="AccessDeniedException", message="denied by the test", times=-1, match=""):
        self.status, self.code, self.message = status, code, message
        self.times, self.match = times, match


class Hold:
    """An operation that waits until it is released; `held` counts the requests that wait."""

    def __init__(self, match="", after=0):
        self.match = match
        self.after = after
        self.held = 0
        self.open = threading.Event()


class Front:
    """The application; `moto` is the application behind it, `functions` the emulator's endpoint."""

    def __init__(self, moto, functions: str, control):
        self.moto = moto
        self.functions = functions
        self.control = control
        self.lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, Fault] = {}
        self.holds: dict[str, Hold] = {}

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if path.startswith("/harness/"):
            return self._control(path.removeprefix("/harness/"), environ, start_response)
        service, operation = identify(environ)
        if service is None:
            return self.moto(environ, start_response)
        name = f"{service}:{operation}"
        detail = describe(environ)
        with self.lock:
            self.calls[name] += 1
            hold = self.holds.get(name)
            if hold and hold.match in detail:
                if hold.after:
                    hold.after -= 1
                    hold = None
                else:
                    hold.held += 1
            else:
                hold = None
        if hold:
            hold.open.wait()
        with self.lock:
            fault = self.faults.get(name)
            if fault and fault.match in detail and fault.times != 0:
                fault.times -= 1
            else:
                fault = None
        if fault:
            return fail(service, fault, start_response)
        if name == "lambda:Invoke":
            return self._invoke(path, environ, start_response)
        return self.moto(environ, start_response)

    def _invoke(self, path, environ, start_response):
        request = urllib.request.Request(
            self.functions + urllib.parse.quote(path), data=body_of(environ) or b"{}", method="POST",
            headers={"X-Amz-Invocation-Type": environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")},
        )
        try:
            with urllib.request.urlopen(request, timeout=900) as answer:
                status, headers, body = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, headers, body = error.code, error.headers, error.read()
        kept = [(name, value) for name, value in headers.items() if name.lower().startswith("x-amz")]
        start_response(f"{status} -", [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *kept])
        return [body]

    def _control(self, verb, environ, start_response):
        wish = json.loads(body_of(environ) or b"{}")
        try:
            answer = self._obey(verb, wish)
            status = "200 OK"
        except Exception as error:  # Told to the test, which fails with it.
            answer, status = {"error": f"{type(error).__name__}: {error}"}, "500 Error"
        body = json.dumps(answer).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _obey(self, verb, wish):
        with self.lock:
            match verb:
                case "calls":
                    return dict(self.calls)
                case "forget-calls":
                    self.calls.clear()
                    return {}
                case "fail":
                    operation = wish.pop("operation")
                    self.faults[operation] = Fault(**wish)
                    return {}
                case "mend":
                    self.faults.pop(wish["operation"], None)
                    return {}
                case "hold":
                    operation = wish.pop("operation")
                    self.holds[operation] = Hold(**wish)
                    return {}
                case "held":
                    hold = self.holds.get(wish["operation"])
                    return {"held": hold.held if hold else 0}
                case "release":
                    if hold := self.holds.pop(wish["operation"], None):
                        hold.open.set()
                    return {}
                case "clear":
                    for hold in self.holds.values():
                        hold.open.set()
                    self.faults.clear()
                    self.holds.clear()
                    self.calls.clear()
                    return {}
        return self.control(verb, wish)


def identify(environ) -> tuple[str | None, str | None]:
    """The service that a request is signed for, and its operation."""
    scope = environ.get("HTTP_AUTHORIZATION", "").split("Credential=")
    if len(scope) < 2:
        return None, None
    service = scope[1].split(",")[0].split("/")[3].lower()
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return service, target.split(".")[-1]
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
    if service == "s3":
        return service, s3_operation(method, path, environ.get("QUERY_STRING", ""))
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = urllib.parse.parse_qs(body_of(environ).decode())
        return service, form.get("Action", ["?"])[0]
    for verb, start, operation in PATHS.get(service, []):
        if method == verb and path.startswith(start):
            return service, operation
    return service, f"{method} {path}"


def s3_operation(method: str, path: str, query: str) -> str:
    """The S3 operation, as far as the pipeline uses it."""
    has_key = "/" in path.strip("/")
    match method, has_key:
        case "GET", True:
            return "GetObject"
        case "PUT", True:
            return "PutObject"
        case "DELETE", True:
            return "DeleteObject"
        case "HEAD", True:
            return "HeadObject"
        case "GET", False:
            return "ListObjectsV2" if "list-type=2" in query else "ListObjects"
        case "HEAD", False:
            return "HeadBucket"
        case "PUT", False:
            return "CreateBucket"
    return f"{method} {'object' if has_key else 'bucket'}"


def body_of(environ) -> bytes:
    """The body; what comes after can still read it."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def describe(environ) -> str:
    """Path, query and a small body: what the `match` of a fault or a hold looks at."""
    text = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}?{environ.get('QUERY_STRING', '')}"
    content = environ.get("CONTENT_TYPE", "")
    if "json" in content or "urlencoded" in content:
        text += "\n" + body_of(environ).decode(errors="replace")
    return text


def fail(service: str, fault: Fault, start_response):
    """An error in the service's own protocol."""
    code, message = fault.code, fault.message
    headers = [("x-amzn-RequestId", "00000000-0000-0000-0000-000000000000")]
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        kind = "application/xml"
    elif service in ("ses", "email", "sts"):
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
            f"<Message>{escape(message)}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
        kind = "text/xml"
    else:
        body = json.dumps({"__type": code, "Message": message, "message": message})
        kind = "application/x-amz-json-1.1"
        headers.append(("x-amzn-ErrorType", code))
    data = body.encode()
    start_response(f"{fault.status} -", [("Content-Type", kind), ("Content-Length", str(len(data))), *headers])
    return [data]
