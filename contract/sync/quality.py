"""How well one side of a call was heard, as whoever heard it tells: an engine, a relay between two, or a phone."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contract.values import Frozen, Id, Text

MAX_OF_CALL: Final = 16
"""Reports that the cloud keeps of one call; the first ones count."""

Count = Annotated[int, Field(ge=0, lt=2**31)]
Percent = Annotated[float, Field(ge=0, le=100)]
Milliseconds = Annotated[float, Field(ge=0, le=3_600_000)]


class CallQuality(Frozen):
    """One report of one side; it comes when that side ends, before or after the call's record (`CallEnded`).

    None is what nobody measured.
    """

    kind: Literal["quality"] = "quality"
    sip_call_id: Annotated[str, Field(max_length=1024)]
    """Of the call's record."""
    source: Literal["engine", "relay", "phone"]
    """Who measured: the site's voice services, the relay that the media went through, or a phone (RFC 6035)."""
    heard: Literal["caller", "callee"] | None = None
    """Whose media it is; None: it is not known which of them."""
    user_id: Id | None = None
    """Whose phone measured."""
    codec: Text = ""
    packets: Count | None = None
    """That came."""
    lost: Count | None = None
    """That never came."""
    lost_percent: Percent | None = None
    late_percent: Percent | None = None
    """That came after their time, so that nobody heard them."""
    jitter_ms: Milliseconds | None = None
    """At the end (RFC 3550 §6.4.1), or the mean where a phone tells that."""
    longest_jitter_ms: Milliseconds | None = None
    round_trip_ms: Milliseconds | None = None
    mos: Annotated[float, Field(ge=1, le=5)] | None = None
    """The opinion of a listener (MOS), estimated by the E-model (ITU-T G.107), or as the phone tells it."""
