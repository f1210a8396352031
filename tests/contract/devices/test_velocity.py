"""The small Velocity that sipXcom's templates use."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.devices.velocity import VelocityError, evaluate, parse

NAMES = {
    "phone": {"serialNumber": "0004f2000001", "lines": [{"userId": "200"}, {"userId": "201"}], "on": True, "empty": ""},
    "cfg": {"getRecursiveSettings": lambda given=None: given or [], "double": lambda text: f"{text}{text}"},
}


def text_of(template: str) -> str:
    return evaluate(parse(template), NAMES, str)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("mac=$phone.serialNumber;", "mac=0004f2000001;"),
        ("${phone.serialNumber}x $!phone.missing$ 5", "0004f2000001x $ 5"),
        ("#foreach($l in $phone.lines)\nline$velocityCount=$l.userId\n#end\nend", "line1=200\nline2=201\nend"),
        ("#if($phone.on && !$phone.off)a#elseif(true)b#else c#end", "a"),
        ("#if($phone.serialNumber == 'x')a#elseif(2 > 3 || 1 + 1 == 2)b#else c#end", "b"),
        ("#if($phone.missing)a#{else}c#{end}", "c"),
        ("#set($x = 3 * (2 + 1))\n$x", "9"),
        ("## nothing\nx#* many\nlines *#y", "\nx\ny"),
        ('$cfg.double("ab")', "abab"),
        ("$phone.on", "true"),
        ("[$phone.empty]", "[]"),
    ],
)
def test_a_template_says_what_velocity_would(template: str, expected: str) -> None:
    assert text_of(template) == expected


@pytest.mark.parametrize(
    ("template", "line"),
    [("a\n#if($x)\nb", 2), ("#end", 1), ("\n#set($x 3)", 2), ("\n\n#parse('x')", 3), ("#foreach($x of $y)#end", 1)],
)
def test_what_cannot_be_read_is_named_by_its_line(template: str, line: int) -> None:
    with pytest.raises(VelocityError) as caught:
        parse(template)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "template",
    [
        "$phone.__class__",
        "$phone.serialNumber.length()",
        "$phone.getClass()",
        "$cfg.getRecursiveSettings.__globals__",
        "$missing",
        "#foreach($a in $many)#foreach($b in $many)#foreach($c in $many)x#end#end#end",
        "#set($x = 'a' * 99)$x",
    ],
)
def test_a_template_reaches_nothing_but_what_it_is_given_and_ends(template: str) -> None:
    with pytest.raises(VelocityError):
        evaluate(parse(template), {**NAMES, "many": list(range(999))}, str)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="#$!{}()ifendsetforeach .'\"=&|<>x1\n", max_size=60))
def test_any_text_is_a_template_or_an_error(template: str) -> None:
    try:
        evaluate(parse(template), NAMES, str)
    except VelocityError as error:
        assert error.line >= 0  # noqa: PT017
