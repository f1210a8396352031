"""Templates of a plug-in, checked before any edge renders them: their syntax, and that they name only what there is."""

from typing import Final

from jinja2 import TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from contract.devices import Plugin, Problem, velocity

_DEVICE: Final = frozenset(
    {"device", "model", "accounts", "settings", "account_settings", "device_settings", "time_zone", "server_url"}
)
_SHARED: Final = frozenset({"model", "time_zone", "server_url", "directory"})
_ALWAYS: Final = frozenset({"range"})


def template_problems(plugin: Plugin) -> list[Problem]:
    """What is wrong with the plug-in's templates; they are read, never run."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    scopes = {file.template: file.scope for model in plugin.models.values() for file in model.files}
    problems: list[Problem] = []
    for name, text in plugin.templates.items():
        file = f"{plugin.vendor}/templates/{name}"
        if name.endswith(".vm"):
            try:
                velocity.parse(text)
            except velocity.VelocityError as error:
                problems.append(Problem(file, error.line, str(error)))
            continue
        try:
            tree = environment.parse(text)
            environment.compile(tree)
        except (TemplateSyntaxError, RecursionError, SyntaxError) as error:
            line = getattr(error, "lineno", None) or 0
            problems.append(Problem(file, line, getattr(error, "message", None) or "cannot be compiled"))
            continue
        known = _ALWAYS | (_SHARED if scopes.get(name, "device") != "device" else _DEVICE)
        problems += [
            Problem(file, _line(text, unknown), f"there is no {unknown!r} here; there are {', '.join(sorted(known))}")
            for unknown in sorted(meta.find_undeclared_variables(tree) - known)
        ]
        for wanted in meta.find_referenced_templates(tree):
            if wanted is None or wanted not in plugin.templates:
                problems.append(
                    Problem(file, 0, f"includes {wanted or 'a template by a changing name'}, which is not there")
                )
    return sorted(problems)


def _line(text: str, word: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if word in line), 0)
