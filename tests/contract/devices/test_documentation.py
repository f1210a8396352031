"""docs/devices.md names the models that there are."""

from contract.devices import load_catalogue
from tools.write_device_models import DOCUMENT, document, listed


def test_the_documented_list_of_models_is_that_of_the_plug_ins() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert document(text) == text, "run `make golden`"


def test_every_model_is_listed_by_its_vendor() -> None:
    rows = listed().splitlines()[2:]
    assert len(rows) == len(load_catalogue().plugins)
    for model in load_catalogue().models:
        assert any(model.label.rpartition(" ")[2].removeprefix("SIP-") in row for row in rows), model.key
