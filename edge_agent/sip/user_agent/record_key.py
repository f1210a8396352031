"""The record key of a phone: an INFO within its call, with the header Record."""

from __future__ import annotations

from edge_agent.sip.message import Message


def wanted_recording(request: Message) -> bool | None:
    """What the record key of a phone says in an INFO: whether the call is to be recorded; None: it says nothing of it.

    Phones of Snom, Yealink and others send `Record: on` and `Record: off`.
    """
    return {b"on": True, b"off": False}.get((request.get(b"record") or b"").strip().lower())
