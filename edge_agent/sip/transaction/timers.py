"""The durations of RFC 3261 §17.1.1.1 and table 4, as one value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timers:
    """Durations in seconds.

    Args:
        t1: estimate of the round-trip time; first retransmission interval.
        t2: longest retransmission interval of anything but an INVITE request.
        t4: longest time that a message stays in the network.
        timer_c: how long a proxied INVITE may ring without another provisional response (§16.6, more than 3 minutes).
        linger: how long finished transactions absorb retransmissions: Timers D, J, L and M. 64·T1 by the RFC; a busy
            site may trade memory for it.
    """

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    timer_c: float = 185.0
    linger: float = 32.0

    @property
    def timeout(self) -> float:
        """Timers B, F and H: 64·T1."""
        return 64 * self.t1


DEFAULT_TIMERS = Timers()
