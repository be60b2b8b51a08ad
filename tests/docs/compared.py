"""Ask two servers the same, and write down what each answers.

    python -m tests.docs.compared NAME FIRST SECOND CA FIELD...

Reads paths and fields from the page's scene; the result goes to the stage's notes.
"""

import http.client
import json
import ssl
import sys
from contextlib import closing
from urllib.parse import urlsplit

from tests.docs.background import notes

PATIENCE_S = 20.0
# Of a connection's two ends, of the proxy's own making, or of the moment.
OWN = {
    "connection", "date", "server", "via", "x-request-id", "keep-alive", "transfer-encoding",
    "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "host",
    "accept-encoding", "content-length",
}  # fmt: skip


def ask(base: str, question: dict[str, object], authorities: str) -> dict[str, object]:
    """Status, fields and body of one answer."""
    place = urlsplit(base)
    source = (str(question["from"]), 0) if "from" in question else None
    if place.scheme == "https":
        context = ssl.create_default_context(cafile=authorities)
        connection = http.client.HTTPSConnection(
            place.netloc, context=context, timeout=PATIENCE_S, source_address=source
        )
    else:
        connection = http.client.HTTPConnection(
            place.netloc, timeout=PATIENCE_S, source_address=source
        )
    with closing(connection):
        body = question.get("body")
        connection.request(
            str(question.get("method", "GET")),
            str(question["path"]),
            str(body) if body is not None else None,
            dict(question.get("fields", {})),
        )
        answer = connection.getresponse()
        content = answer.read()
        fields = {k.lower(): v for k, v in answer.getheaders() if k.lower() not in OWN}
    return {"status": answer.status, "fields": fields, "body": content.decode("latin-1")}


def main(name: str, first: str, second: str, authorities: str, questions: str) -> None:
    """Ask both everything."""
    asked = json.loads(questions)
    found = [
        {
            "question": each,
            "first": ask(first, each, authorities),
            "second": ask(second, each, authorities),
        }
        for each in asked
    ]
    (notes() / f"compared-{name}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
