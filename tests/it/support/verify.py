"""Verifies requests by the reference library of Standard Webhooks for Python.

Reads a JSON list of {"key", "id", "timestamp", "signature", "body"} and writes one line for each: "ok",
or why it is refused. Says nothing of ed25519, which the library does not know.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook

for one in json.load(sys.stdin):
    headers = {
        "webhook-id": one["id"],
        "webhook-timestamp": one["timestamp"],
        "webhook-signature": one["signature"],
    }
    try:
        Webhook(one["key"]).verify(one["body"], headers)
        print("ok")
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
