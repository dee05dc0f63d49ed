"""A load driver that runs in a pod of its own, beside the models: the same closed loop against each target in turn.

``python driver.py JSON``, where JSON holds ``targets`` (name -> ``address``, ``port``, ``host``, ``path``), ``body``,
``expected`` predictions, ``workers``, ``seconds`` and ``rounds``. Prints one line of JSON: name -> ``seconds`` of load,
``latencies`` in seconds of the answers that were as expected, how many ``failed`` and what some of those said
(``wrong``). Only the standard library, since it runs in any image.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Any

_TIMEOUT_SECONDS = 10


def drive(target: dict[str, Any], body: str, expected: Any, workers: int, seconds: float) -> dict[str, Any]:
    """So many workers, each asking as soon as its last answer is there, over a connection of its own."""
    latencies: list[float] = []
    wrong: list[str] = []
    start = time.monotonic()

    def work() -> None:
        connection = HTTPConnection(target["address"], target["port"], timeout=_TIMEOUT_SECONDS)
        while time.monotonic() - start < seconds:
            sent = time.monotonic()
            try:
                connection.request(
                    "POST", target["path"], body, {"Host": target["host"], "Content-Type": "application/json"}
                )
                answer = connection.getresponse()
                said = answer.read()
            except (HTTPException, OSError) as error:
                wrong.append(f"{type(error).__name__}: {error}")
                connection.close()
                continue
            if answer.status == 200 and json.loads(said).get("predictions") == expected:
                latencies.append(round(time.monotonic() - sent, 5))
            else:
                wrong.append(f"{answer.status}: {said[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.monotonic() - start, "latencies": latencies, "wrong": wrong}


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Every target in every round, so that whatever else the machine does meets all of them alike."""
    total: dict[str, Any] = {name: {"seconds": 0.0, "latencies": [], "wrong": []} for name in order["targets"]}
    for _ in range(order["rounds"]):
        for name, target in order["targets"].items():
            part = drive(target, order["body"], order["expected"], order["workers"], order["seconds"])
            total[name]["seconds"] += part["seconds"]
            total[name]["latencies"] += part["latencies"]
            total[name]["wrong"] += part["wrong"][:5]
            total[name]["failed"] = total[name].get("failed", 0) + len(part["wrong"])
    return total


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
