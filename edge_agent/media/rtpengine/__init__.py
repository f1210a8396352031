"""rtpengine as the relay: its control protocol, and what is asked of it; see docs/decisions/rtpengine.md."""
