"""A function for the harness's own tests: speaks the Runtime API and does what its payload says.

    {"do": "echo", ...}   answers with the payload and with what Lambda told about the invocation
    {"do": "fail"}        reports an error of the type that the payload gives
    {"do": "exit"}        ends the process with the status that the payload gives
    {"do": "hang"}        never answers
    {"do": "print"}       prints the text that the payload gives, then answers
    {"do": "count"}       answers with how many invocations this process has had
"""

import http.client
import json
import os
import sys
import threading

API = "/2018-06-01/runtime"


def call(method: str, path: str, body: bytes | None = None):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, API + path, body)
    answer = connection.getresponse()
    return dict(answer.getheaders()), answer.read()


def main() -> None:
    if os.environ.get("STANDIN_INIT") == "fail":
        error = {"errorType": "SettingsError", "errorMessage": "BUCKET is not set"}
        call("POST", "/init/error", json.dumps(error).encode())
        sys.exit(1)
    count = 0
    while True:
        headers, body = call("GET", "/invocation/next")
        request = headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.loads(body)
        count += 1
        match event.get("do", "echo"):
            case "fail":
                error = {"errorType": event["errorType"], "errorMessage": event.get("errorMessage", "told to")}
                call("POST", f"/invocation/{request}/error", json.dumps(error).encode())
                continue
            case "exit":
                os._exit(event["status"])
            case "hang":
                threading.Event().wait()
            case "print":
                print(event["text"], flush=True)
                answer = {}
            case "count":
                answer = {"count": count, "pid": os.getpid()}
            case _:
                answer = {"event": event, "deadline": int(headers["Lambda-Runtime-Deadline-Ms"]), "request": request,
                          "arn": headers["Lambda-Runtime-Invoked-Function-Arn"],
                          "name": os.environ["AWS_LAMBDA_FUNCTION_NAME"]}
        call("POST", f"/invocation/{request}/response", json.dumps(answer).encode())


if __name__ == "__main__":
    main()
