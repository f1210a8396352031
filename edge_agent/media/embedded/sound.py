"""A sound in memory: its samples, and how many of them are a second."""

from dataclasses import dataclass

from edge_agent.media.codecs import NARROW
from edge_agent.media.embedded.g711 import Samples


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A prompt or a recording; `rate` is 8,000 or 16,000 samples a second."""

    samples: Samples
    rate: int = NARROW

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate

    def after(self, seconds: float) -> "Sound":
        """What is left of it after so long."""
        return Sound(self.samples[int(seconds * self.rate) :], self.rate)
