"""What can be wrong with a device plug-in: every problem, each with its file and line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in one file of a plug-in."""

    file: str
    """Path inside the catalogue, such as `yealink/settings.xml`."""
    line: int
    """Counted from 1; 0 when the file as a whole is meant."""
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class PluginProblems(ValueError):
    """A plug-in folder that does not follow the grammar; `problems` names every place."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class UnknownModel(LookupError):
    """No plug-in describes this device model."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no device plug-in describes the model {key!r}")
        self.key = key
