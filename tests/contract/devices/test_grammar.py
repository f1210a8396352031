"""What a settings.xml may say; every problem is named by file and line."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.devices.grammar import parse_settings
from contract.devices.model import Setting
from contract.devices.narrowing import narrow
from contract.devices.problems import PluginProblems

GOOD = """<settings>
  <group name="time" label="Time">
    <help>When
      it is.</help>
    <setting name="server" type="string" label="Server" default="" pattern="[a-z.]+" parameter="ntp"/>
    <setting name="hours" type="enum" label="Hours" default="24">
      <option value="12" written="0"/>
      <option value="24" written="1"/>
      <option value="decimal" if="t5.*"/>
      <default value="12" if="us|t9"/>
    </setting>
    <setting name="offset" type="integer" label="Offset" default="0" min="-12" max="14" unless="t4[0-9]"/>
    <setting name="on" type="boolean" label="On" default="true" true="yes" false="no"/>
  </group>
  <group name="key" label="Keys" repeat="keys">
    <setting name="value" type="string" label="Value" default="" parameter="key.{index}.value"/>
  </group>
</settings>"""


def settings_of(model: str, *features: str, keys: int = 2) -> dict[str, Setting]:
    groups, problems = narrow(parse_settings(GOOD.encode(), "s.xml"), model, frozenset(features), {"keys": keys}, "s")
    assert not problems
    return {setting.path: setting for group in groups for setting in group.settings}


def problems_of(body: str, line_of_body: int = 3) -> list[str]:
    """The problems of a setting or more, that stand on line 3 of a document."""
    assert line_of_body == 3
    document = f'<settings>\n<group name="g" label="G">\n{body}\n</group>\n</settings>'
    with pytest.raises(PluginProblems) as caught:
        parse_settings(document.encode(), "v/settings.xml")
    return [str(problem) for problem in caught.value.problems]


def test_a_model_has_the_settings_whose_conditions_its_name_or_features_match() -> None:
    assert "time/offset" in settings_of("t54")
    assert "time/offset" not in settings_of("t46")
    assert [option.value for option in settings_of("t54")["time/hours"].options] == ["12", "24", "decimal"]
    assert [option.value for option in settings_of("t46")["time/hours"].options] == ["12", "24"]


def test_a_condition_matches_the_whole_define_and_not_a_part() -> None:
    assert "time/offset" in settings_of("t466")


def test_the_first_default_whose_condition_holds_wins() -> None:
    assert settings_of("t54")["time/hours"].default == "24"
    assert settings_of("t54", "us")["time/hours"].default == "12"
    assert settings_of("t9")["time/hours"].default == "12"


def test_a_repeated_group_stands_there_as_often_as_the_model_says() -> None:
    found = settings_of("t54", keys=3)
    assert [path for path in found if path.startswith("key/")] == ["key/1/value", "key/2/value", "key/3/value"]
    assert found["key/2/value"].parameter == "key.2.value"


def test_types_limits_and_written_words_are_read() -> None:
    found = settings_of("t54")
    assert (found["time/offset"].minimum, found["time/offset"].maximum) == (-12, 14)
    assert found["time/on"].default is True
    assert found["time/on"].written(False) == "no"
    assert found["time/hours"].written("24") == "1"
    assert found["time/server"].parameter == "ntp"


def test_a_repeat_that_the_model_does_not_count_is_a_problem() -> None:
    _, problems = narrow(parse_settings(GOOD.encode(), "s.xml"), "t54", frozenset(), {}, "s.xml")
    assert [str(problem) for problem in problems] == ["s.xml:15: model t54 does not say how many keys it has"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<setting name="a" type="text" label="A" default=""/>', "type 'text' is none of"),
        ('<setting name="a" type="string" label="A"/>', "a default for every model is missing"),
        ('<setting name="a" type="string" default=""/>', "needs the attribute 'label'"),
        ('<setting name="A b" type="string" label="A" default=""/>', "name 'A b' must be"),
        ('<setting name="a" type="string" label="A" default="" colour="red"/>', "no attribute 'colour'"),
        ('<setting name="a" type="string" label="A" default="" min="1"/>', "min is only for type integer"),
        ('<setting name="a" type="integer" label="A" default="1" min="x"/>', "min must be a whole number"),
        ('<setting name="a" type="integer" label="A" default="1" min="3" max="2"/>', "min is greater than max"),
        ('<setting name="a" type="string" label="A" default="" if="("/>', "if is no regular expression"),
        ('<setting name="a" type="string" label="A" default="" parameter="a=b"/>', "is no parameter name"),
        ('<setting name="a" type="string" label="A" default="" parameter="k.{index}"/>', "needs a group with repeat"),
        ('<setting name="a" type="enum" label="A" default=""/>', "an enum, and nothing else"),
        ('<setting name="a" type="string" label="A" default=""><option value="x"/></setting>', "an enum, and nothing"),
        ('<setting name="a" type="string" label="A" default=""><default value="x"/></setting>', "needs if or unless"),
        ('<setting name="a" type="string" label="A" default="" advanced="1"/>', "advanced must be yes or no"),
        ('<setting name="a" type="string" label="A" default="">text</setting>', "<setting> holds no text"),
        ('<group name="a" label="A"/>', "<group> is not known inside <group>"),
    ],
)
def test_what_breaks_the_grammar_is_named_by_file_and_line(body: str, expected: str) -> None:
    found = problems_of(body)
    assert any(problem.startswith("v/settings.xml:3: ") and expected in problem for problem in found), found


def test_every_problem_is_reported_not_only_the_first() -> None:
    found = problems_of(
        '<setting name="a" type="text" label="A" default=""/>\n'
        '<setting name="a" type="string" label="A" default=""/>\n'
        '<setting name="c" type="string" label="A" default="" pattern="["/>'
    )
    assert [problem.split(": ")[0] for problem in found] == [f"v/settings.xml:{line}" for line in (3, 4, 5)]


def test_a_default_that_its_own_setting_refuses_is_a_problem() -> None:
    document = """<settings><group name="g" label="G">
    <setting name="a" type="integer" label="A" default="9" max="5"/>
    <setting name="b" type="enum" label="B" default="z"><option value="x"/></setting>
    <setting name="c" type="boolean" label="C" default="maybe"/>
    </group></settings>"""
    _, problems = narrow(parse_settings(document.encode(), "s.xml"), "m", frozenset(), {}, "s.xml")
    assert [str(problem) for problem in problems] == [
        "s.xml:2: the default for model m must be at most 5",
        "s.xml:3: the default for model m must be one of x",
        "s.xml:4: the default 'maybe' is no boolean",
    ]


_words = st.sampled_from(
    ["settings", "group", "setting", "option", "default", "help", "name", "type", "label", "if", "string", "enum", "("]
)
_Element = tuple[str, dict[str, str], list[Any]]
_elements: st.SearchStrategy[_Element] = st.recursive(
    st.builds(lambda tag, attributes: (tag, attributes, []), _words, st.dictionaries(_words, _words, max_size=4)),
    lambda children: st.tuples(_words, st.dictionaries(_words, _words, max_size=4), st.lists(children, max_size=4)),
    max_leaves=12,
)


def _xml(element: _Element) -> str:
    tag, attributes, children = element
    inner = "\n".join(_xml(child) for child in children)
    written = "".join(f' {name}="{value}"' for name, value in attributes.items() if name != "(")
    return f"<{tag}{written}>{inner}</{tag}>"


@settings(max_examples=200)
@given(_elements)
def test_any_tree_of_known_words_gives_settings_or_problems_and_nothing_else(
    element: _Element,
) -> None:
    files: set[str] = set()
    try:
        groups = parse_settings(_xml(element).encode(), "s.xml")
    except PluginProblems as error:
        files, groups = {problem.file for problem in error.problems}, ()
    assert files == (set() if groups else {"s.xml"})
