"""What a settings.xml takes over: from the common settings that it extends, and within itself by `like`.

Done on elements, before their grammar is read, so that whatever is taken over is checked as if it stood there. A
condition (`if`, `unless`) is never taken over: it says where the original stands.
"""

from collections.abc import Callable
from typing import Final

from contract.devices.xml_tree import Element

CONDITION: Final = frozenset({"if", "unless"})
Complain = Callable[[Element, str], None]


def expanded(root: Element, base: Element | None, complain: Complain) -> Element:
    """The document with everything that it takes over written out.

    Args:
        root: `<settings>`.
        base: the `<settings>` that it extends: a group or setting of the same name is the one that it starts from.
        complain: told of every `like` that leads nowhere.
    """
    common = {group.attributes.get("name", ""): group for group in (base.children if base else ())}
    done: dict[str, Element] = {}
    children: list[Element] = []
    for group in root.children:
        if group.tag != "group":
            children.append(group)
            continue
        like = group.attributes.get("like")
        if like is not None and like not in done:
            complain(group, f"like: there is no group {like!r} before this one")
        whole = _group(group, common.get(group.attributes.get("name", "")), done.get(like or ""), done, complain)
        done[whole.attributes.get("name", "")] = whole
        children.append(whole)
    return Element(root.tag, {k: v for k, v in root.attributes.items() if k != "extends"}, root.line, children)


def _group(
    own: Element, common: Element | None, model: Element | None, done: dict[str, Element], complain: Complain
) -> Element:
    """A group with its settings; of `common` it takes those that it names, of `model` all."""
    known = {_name(setting): setting for setting in (common.children if common else ()) if setting.tag == "setting"}
    kept = {_name(setting): setting for setting in (model.children if model else ()) if setting.tag == "setting"}
    others: list[Element] = []
    for child in own.children:
        if child.tag != "setting":
            others.append(child)
            continue
        like = child.attributes.get("like")
        origin = known.get(_name(child)) or kept.get(_name(child))
        if like is not None:
            group, _, name = like.rpartition("/")
            settings = {_name(each): each for each in (done[group].children if group in done else ())}
            settings = (settings | kept | {_name(each): each for each in others}) if not group else settings
            origin = settings.get(name)
            if origin is None or origin.tag != "setting":
                complain(child, f"like: there is no setting {like!r} before this one")
        whole = _over(origin, child) if origin is not None else _without_like(child)
        if _name(child) in kept:
            kept[_name(child)] = whole
        else:
            others.append(whole)
    helps = {child.tag for child in own.children}
    for origin in (common, model):
        others += [child for child in (origin.children if origin else ()) if child.tag == "help" not in helps]
        helps |= {"help"} if origin is not None else set()
    attributes: dict[str, str] = {}
    for origin in (common, model):
        attributes |= _inheritable(origin) if origin is not None else {}
    return Element(own.tag, attributes | _without_like(own).attributes, own.line, [*kept.values(), *others])


def _over(origin: Element, own: Element) -> Element:
    """`own`, and what `origin` says besides; an option that both name keeps its label."""
    labels = {
        each.attributes.get("value"): {"label": each.attributes["label"]}
        for each in origin.children
        if each.tag == "option" and "label" in each.attributes
    }
    children = [
        Element(each.tag, labels.get(each.attributes.get("value"), {}) | each.attributes, each.line)
        if each.tag == "option"
        else each
        for each in own.children
    ]
    said = {each.tag for each in own.children}
    kept = [each for each in origin.children if each.tag not in said]
    attributes = _inheritable(origin) | _without_like(own).attributes
    return Element(own.tag, attributes, own.line, [*kept, *children], own.text)


def _inheritable(origin: Element) -> dict[str, str]:
    return {name: value for name, value in origin.attributes.items() if name not in CONDITION}


def _without_like(own: Element) -> Element:
    attributes = {name: value for name, value in own.attributes.items() if name != "like"}
    return Element(own.tag, attributes, own.line, own.children, own.text)


def _name(element: Element) -> str:
    return element.attributes.get("name", "")
