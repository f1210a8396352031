"""XML-RPC, as the vendors' older redirect services speak it: calls with texts, answers of a boolean and a text."""

import xmlrpc.client
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from cloud.errors import CloudError

MAX_ANSWER_BYTES: Final = 65536


class NoAnswer(CloudError):
    """What the service answered is no XML-RPC response of the documented form."""


def encode_call(method: str, parameters: Sequence[str | list[str]]) -> bytes:
    """A call, ready to be posted."""
    return xmlrpc.client.dumps(tuple(parameters), method).encode()


def decode_answer(body: bytes) -> tuple[bool, str]:
    """Whether the service did it, and what it says.

    Raises:
        NoAnswer: for anything but an array that begins with a boolean, or a fault.
    """
    if len(body) >= MAX_ANSWER_BYTES or b"<!" in body.replace(b"<![CDATA[", b""):
        raise NoAnswer("The answer is too long, or declares a document type.")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  (short, and without a document type)
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise NoAnswer(NoAnswer.__doc__) from problem
    if root.tag != "methodResponse":
        raise NoAnswer(NoAnswer.__doc__)
    if root.find("fault") is not None:
        texts = [_text(value) for value in root.iterfind("fault/value/struct/member/value")]
        return False, " ".join(texts)
    values = root.findall("params/param/value/array/data/value")
    flag = values[0].find("boolean") if values else None
    if flag is None or _text(flag) not in {"0", "1", "false", "true"}:
        raise NoAnswer(NoAnswer.__doc__)
    return _text(flag) in {"1", "true"}, _text(values[1]) if len(values) > 1 else ""


def _text(element: ElementTree.Element) -> str:
    return "".join(element.itertext()).strip()
