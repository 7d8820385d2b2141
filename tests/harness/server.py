"""The process that is AWS: moto with the patches, the front before it, and seeding from inside.

    python -m harness.server --functions http://127.0.0.1:PORT [--time-scale 0.02]

It prints its port as its first line and ends when its standard input ends, so that it cannot
outlive the process that started it.
"""

import argparse
import logging
import os
import sys
import threading

ACCOUNT = "111111111111"

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from moto.core.config import default_user_config  # noqa: E402
from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server  # noqa: E402

from . import patches, seed  # noqa: E402
from .front import Front  # noqa: E402


def control(verb: str, wish: dict):
    """What the driver can ask for besides what the front does."""
    match verb:
        case "organization":
            return seed.organization(wish)
        case "findings":
            return seed.findings(wish.get("account", ACCOUNT), wish.get("region", "us-east-1"))
        case "running":
            return seed.running(ACCOUNT, "us-east-1", wish["machine"], wish["seconds"])
        case "mails":
            return seed.mails(wish.get("account", ACCOUNT), wish.get("region", "us-east-1"))
    raise ValueError(f"unknown request `{verb}` to the harness")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--functions", required=True)
    arguments.add_argument("--time-scale", type=float, default=1.0)
    chosen = arguments.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    patches.apply(chosen.time_scale, ACCOUNT)
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    front = Front(DomainDispatcherApplication(create_backend_app), chosen.functions, control)
    server = make_server("127.0.0.1", 0, front, threaded=True, request_handler=MotoRequestHandler)
    # The interpreter of state machines calls services at this port.
    os.environ["MOTO_PORT"] = str(server.server_port)
    print(server.server_port, flush=True)
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    server.serve_forever()


def end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
