"""An operator for ``rehearse --operator "command:..."``: has the foreign device of a port do what is asked for.

    python hands.py PORT < request.json

The device gets the request as one line of JSON and answers with one line: ``answer`` and ``words``.
"""

import json
import socket
import sys

EXIT_STATUS = {"done": 0, "cannot": 3, "failed": 1}


def main() -> int:
    request = json.load(sys.stdin)
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as device, device.makefile("rw") as line:
        line.write(json.dumps(request) + "\n")
        line.flush()
        said = json.loads(line.readline())
    print(said["words"])
    return EXIT_STATUS[said["answer"]]


if __name__ == "__main__":
    sys.exit(main())
