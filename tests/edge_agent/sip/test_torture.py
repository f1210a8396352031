"""The torture messages of RFC 4475, each with what an edge does with it.

The messages lie in tests/torture/rfc4475, named as in the RFC; some are shortened. A valid request for somewhere else
is challenged (407), which shows that it was understood; a response is dropped because nobody waits for it.
"""

from pathlib import Path

import pytest

from edge_agent.sip.message import BadMessage, DropReason, Flow, parse
from tests.support.memory_site import EDGE, MemorySite

FOLDER = Path(__file__).parents[2] / "torture" / "rfc4475"
PEER = ("192.0.2.77", 5099)

VERDICTS: dict[str, int | DropReason] = {
    # §3.1.1 valid messages
    "wsinv": 407,
    "intmeth": 407,
    "esc01": 407,
    "escnull": 407,
    "esc02": 407,
    "lwsdisp": 407,
    "longreq": 407,
    "dblreq": 407,
    "semiuri": 407,
    "transports": 407,
    "mpart01": 407,
    "unreason": DropReason.UNKNOWN_RESPONSE,
    "noreason": DropReason.UNKNOWN_RESPONSE,
    # §3.1.2 invalid messages
    "badinv01": 400,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "scalarlg": DropReason.BAD_HEADER_VALUE,
    "quotbal": 400,
    "ltgtruri": 400,
    "lwsruri": 400,
    "lwsstart": 400,
    "trws": 400,
    "escruri": 407,  # liberal: headers in a Request-URI are ignored (the RFC allows both)
    "baddate": 407,  # liberal: no proxy needs Date
    "badaspec": 400,
    "baddn": 407,  # liberal: From is taken apart only once its sender is known
    "badvers": 505,
    "mismatch01": 400,
    "mismatch02": 400,
    "bigcode": DropReason.BAD_START_LINE,
    # §3.2 transaction layer
    "badbranch": 407,  # told apart as RFC 2543 peers are
    # §3.3 application layer
    "insuf": 400,
    "unkscm": 416,
    "novelsc": 416,
    "unksm2": 407,
    "bext01": 420,
    "invut": 407,
    "regaut01": 407,
    "multi01": 400,
    "mcl01": 400,
    "bcast": DropReason.UNKNOWN_RESPONSE,
    "zeromf": 483,
    "sdp01": 407,
    # §3.4 backward compatibility
    "inv2543": 407,
}


def test_every_torture_message_has_a_verdict() -> None:
    assert {path.stem for path in FOLDER.glob("*.sip")} == set(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_a_torture_message_gets_its_verdict(site: MemorySite, name: str) -> None:
    data = (FOLDER / f"{name}.sip").read_bytes()
    verdict = VERDICTS[name]
    site.endpoint.received(data, Flow("udp", *PEER), site.network.clock.monotonic())
    site.network.flush()
    site.network.run()
    sent = [one.message for one in site.network.log if one.source == EDGE]
    if isinstance(verdict, DropReason):
        assert sent == []
        assert site.endpoint.drops[verdict] == 1
    else:
        assert [one.status for one in sent] == [verdict]


@pytest.mark.parametrize("name", VERDICTS)
def test_a_torture_message_is_written_back_as_it_came_unless_it_was_folded(name: str) -> None:
    data = (FOLDER / f"{name}.sip").read_bytes()
    try:
        message = parse(data)
    except BadMessage:
        return
    if b"\r\n " not in data:
        assert data.startswith(bytes(message))
