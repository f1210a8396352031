"""A small Velocity, as sipXcom's templates use it: parsed with lines named, evaluated on plain values only.

`$name`, `$!name`, `${name}`, `.name` and `.name(arguments)`; `#if`, `#elseif`, `#else`, `#foreach`, `#set`, `#end`;
`##` and `#* *#`. A name is looked up in mappings alone, so that no template reaches a method of Python's; what
can be called is what the caller put there. Loops and output are bounded.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MAX_STEPS: Final = 200_000
MAX_CHARACTERS: Final = 4 << 20
MAX_DEPTH: Final = 32
Value = object


class VelocityError(ValueError):
    """A template that cannot be read or evaluated; `line` says where, 0 when it is not known."""

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.line = line


@dataclass(frozen=True, slots=True)
class Reference:
    """`$name.part(arguments)`."""

    parts: tuple[tuple[str, tuple["Expression", ...] | None], ...]
    quiet: bool
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Literal:
    """Text, a number, true or false."""

    value: Value


@dataclass(frozen=True, slots=True)
class Operation:
    """One operator and what stands beside it."""

    operator: str
    operands: tuple["Expression", ...]


Expression = Reference | Literal | Operation


@dataclass(frozen=True, slots=True)
class If:
    """`#if`, `#elseif` and `#else`: the first branch whose condition holds; None always does."""

    branches: tuple[tuple[Expression | None, tuple["Node", ...]], ...]


@dataclass(frozen=True, slots=True)
class Foreach:
    """`#foreach`."""

    name: str
    items: Expression
    body: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Set:
    """`#set`."""

    name: str
    value: Expression


Node = str | Reference | If | Foreach | Set

_COMMENT = re.compile(r"#\*.*?\*#|##[^\n]*\n?", re.DOTALL)
_DIRECTIVE = re.compile(r"#\{?(if|elseif|else|foreach|set|end)\b\}?")
_OTHER = re.compile(r"#(?:parse|include|evaluate|macro|define|stop|break)\b")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TOKEN = re.compile(
    r"\s*(&&|\|\||==|!=|<=|>=|[<>!+*()-]|\d{1,15}|\"[^\"]*\"|'[^']*'|true\b|false\b|in\b|and\b|or\b|not\b)"
)
_TRUTHS: Final = {"true": True, "false": False}
_LEVELS: Final = (("||", "or"), ("&&", "and"), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*",))


def parse(text: str) -> tuple[Node, ...]:
    """A template.

    Raises:
        VelocityError: what is wrong, and on which line.
    """
    parser = _Parser(_COMMENT.sub(lambda match: "\n" * match[0].count("\n") if match[0][1] == "*" else "\n", text))
    nodes, end = parser.nodes(0)
    if end:
        raise VelocityError(f"#{end} without its beginning", parser.line)
    return nodes


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def nodes(self, depth: int) -> tuple[tuple[Node, ...], str]:
        """What stands up to `#end`, `#else` or `#elseif`, and which of them ended it; empty: the text did."""
        if depth > MAX_DEPTH:
            raise VelocityError(f"nested deeper than {MAX_DEPTH}", self.line)
        found: list[Node] = []
        while self._at < len(self._text):
            if match := _DIRECTIVE.match(self._text, self._at):
                self._at = match.end()
                if match[1] in ("end", "else", "elseif"):
                    if match[1] != "elseif":
                        self._skip_line()
                    return tuple(found), match[1]
                found.append(self._directive(match[1], depth))
            elif match := _OTHER.match(self._text, self._at):
                raise VelocityError(f"{match[0]} is not taken", self.line)
            elif self._text[self._at] == "$" and (reference := self._reference()) is not None:
                found.append(reference)
            else:
                begin = self._at
                self._at += 1
                while self._at < len(self._text) and self._text[self._at] not in "$#":
                    self._at += 1
                found.append(self._text[begin : self._at])
        return tuple(found), ""

    def _directive(self, name: str, depth: int) -> Node:
        line = self.line
        self._expect("(")
        if name == "set":
            target = self._variable()
            self._expect("=")
            value = self._expression(0)
            self._expect(")")
            self._skip_line()
            return Set(target, value)
        if name == "foreach":
            target = self._variable()
            self._expect("in")
            items = self._expression(0)
            self._expect(")")
            self._skip_line()
            body, end = self.nodes(depth + 1)
            if end != "end":
                raise VelocityError("#foreach without #end", line)
            return Foreach(target, items, body)
        branches: list[tuple[Expression | None, tuple[Node, ...]]] = []
        condition: Expression | None = self._expression(0)
        self._expect(")")
        self._skip_line()
        while True:
            body, end = self.nodes(depth + 1)
            branches.append((condition, body))
            if end == "end":
                return If(tuple(branches))
            if not end or condition is None:
                raise VelocityError("#if without #end", line)
            condition = None
            if end == "elseif":
                self._expect("(")
                condition = self._expression(0)
                self._expect(")")
                self._skip_line()

    def _expression(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._operand()
        left = self._expression(level + 1)
        while (operator := self._taken(*_LEVELS[level])) is not None:
            left = Operation({"or": "||", "and": "&&"}.get(operator, operator), (left, self._expression(level + 1)))
        return left

    def _operand(self) -> Expression:
        if self._taken("!", "not") is not None:
            return Operation("!", (self._operand(),))
        if self._taken("(") is not None:
            inner = self._expression(0)
            self._expect(")")
            return inner
        self._space()
        if self._text[self._at : self._at + 1] == "$" and (reference := self._reference()) is not None:
            return reference
        if (match := _TOKEN.match(self._text, self._at)) is not None:
            token = match[1]
            self._at = match.end()
            if token[0] in "\"'":
                return Literal(token[1:-1])
            if token.isdigit():
                return Literal(int(token))
            if token in _TRUTHS:
                return Literal(_TRUTHS[token])
        raise VelocityError("an expression is not understood", self.line)

    def _reference(self) -> Reference | None:
        """The reference that begins here; None when a dollar is only a dollar."""
        begin, line = self._at, self.line
        at = begin + 1
        quiet = self._text[at : at + 1] == "!"
        at += quiet
        braced = self._text[at : at + 1] == "{"
        at += braced
        match = _NAME.match(self._text, at)
        if match is None:
            return None
        self._at = match.end()
        parts: list[tuple[str, tuple[Expression, ...] | None]] = [(match[0], None)]
        while self._text[self._at : self._at + 1] == "." and (match := _NAME.match(self._text, self._at + 1)):
            self._at = match.end()
            parts.append((match[0], self._arguments()))
        if braced:
            self._expect("}")
        return Reference(tuple(parts), quiet, self._text[begin : self._at], line)

    def _arguments(self) -> tuple[Expression, ...] | None:
        if self._text[self._at : self._at + 1] != "(":
            return None
        self._at += 1
        found: list[Expression] = []
        self._space()
        while self._text[self._at : self._at + 1] != ")":
            found.append(self._expression(0))
            self._space()
            if self._text[self._at : self._at + 1] == ",":
                self._at += 1
            elif self._text[self._at : self._at + 1] != ")":
                raise VelocityError("arguments without their end", self.line)
        self._at += 1
        return tuple(found)

    def _variable(self) -> str:
        self._space()
        reference = self._reference() if self._text[self._at : self._at + 1] == "$" else None
        if reference is None or len(reference.parts) != 1:
            raise VelocityError("a variable is missing", self.line)
        return reference.parts[0][0]

    def _taken(self, *tokens: str) -> str | None:
        if (match := _TOKEN.match(self._text, self._at)) is not None and match[1] in tokens:
            self._at = match.end()
            return match[1]
        return None

    def _expect(self, token: str) -> None:
        self._space()
        if not self._text.startswith(token, self._at):
            raise VelocityError(f"{token!r} is missing", self.line)
        self._at += len(token)

    def _space(self) -> None:
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1

    def _skip_line(self) -> None:
        """A directive at the end of its line takes the line's end with it."""
        if match := re.compile(r"[ \t]*\r?\n").match(self._text, self._at):
            self._at = match.end()


def evaluate(nodes: Sequence[Node], names: Mapping[str, Value], written: Callable[[Value], str]) -> str:
    """The text of a template.

    Args:
        nodes: of `parse`.
        names: what it may name: mappings, sequences, texts, numbers, and functions that are meant to be called.
        written: makes a value's text, or refuses it.

    Raises:
        VelocityError: it names what is not there, or does too much.
    """
    return _Evaluation(dict(names), written).text(nodes)


class _Evaluation:
    def __init__(self, names: dict[str, Value], written: Callable[[Value], str]) -> None:
        self._names, self._written = names, written
        self._steps, self._characters = 0, 0

    def text(self, nodes: Sequence[Node]) -> str:
        return "".join(self._run(nodes))

    def _run(self, nodes: Sequence[Node]) -> Iterator[str]:
        for node in nodes:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise VelocityError(f"more than {MAX_STEPS} steps")
            match node:
                case str():
                    yield self._counted(node)
                case Reference():
                    value = self._value(node)
                    if value is None and not node.quiet:
                        raise VelocityError(f"{node.text} names nothing that is there", node.line)
                    if not isinstance(value, str | int | None):
                        raise VelocityError(f"{node.text} is no text", node.line)
                    yield self._counted("" if value is None else self._written(_shown(value)))
                case Set():
                    self._names[node.name] = self._value(node.value)
                case If():
                    for condition, body in node.branches:
                        if condition is None or _holds(self._value(condition)):
                            yield from self._run(body)
                            break
                case Foreach():
                    items = self._value(node.items)
                    for number, item in enumerate(_items(items), 1):
                        self._names |= {node.name: item, "velocityCount": number}
                        yield from self._run(node.body)

    def _counted(self, text: str) -> str:
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise VelocityError("the file is too long")
        return text

    def _value(self, expression: Expression) -> Value:
        if isinstance(expression, Literal):
            return expression.value
        if isinstance(expression, Operation):
            return self._operation(expression)
        (first, _), *rest = expression.parts
        value: Value = self._names.get(first)
        for name, arguments in rest:
            value = value.get(name) if isinstance(value, Mapping) else None
            if arguments is not None and callable(value):
                value = value(*(self._value(argument) for argument in arguments))
        return None if callable(value) else value

    def _operation(self, operation: Operation) -> Value:
        left = self._value(operation.operands[0])
        if operation.operator == "!":
            return not _holds(left)
        if operation.operator in ("&&", "||"):
            if _holds(left) == (operation.operator == "||"):
                return _holds(left)
            return _holds(self._value(operation.operands[1]))
        right = self._value(operation.operands[1])
        if operation.operator in ("==", "!="):
            return (str(left) == str(right)) == (operation.operator == "==")
        if isinstance(left, int) and isinstance(right, int) and max(abs(left), abs(right)) < 10**15:
            results = {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}
            numbers = {"+": left + right, "-": left - right, "*": left * right}
            return {**results, **numbers}[operation.operator]
        raise VelocityError(f"{operation.operator} is for whole numbers")


def _holds(value: Value) -> bool:
    return value is not None and value is not False


def _items(value: Value) -> Sequence[Value]:
    return value if isinstance(value, list | tuple) else ()


def _shown(value: Value) -> Value:
    return str(value).lower() if isinstance(value, bool) else value
