"""What stands in two places because only one may import the other's neighbour: here they are held together."""

from typing import get_args

from cloud.api.chalicelib.redirects import ServiceKey
from cloud.api.chalicelib.tokens import ROLES, Role
from cloud.api.chalicelib.webhooks import EventType
from cloud.functions.push_redirects.handler import _SERVICES
from cloud.models import ROLES as MODEL_ROLES
from cloud.pbx.redirect_services import SERVICES
from cloud.pbx.webhooks import EVENT_TYPES
from contract.devices import load_catalogue


def test_the_apis_roles_are_the_databases_roles() -> None:
    assert set(ROLES) == set(MODEL_ROLES) == set(get_args(Role))
    assert list(ROLES) == list(reversed(MODEL_ROLES))


def test_the_apis_event_types_are_those_that_are_sent() -> None:
    assert get_args(EventType) == EVENT_TYPES


def test_every_redirect_service_that_can_be_chosen_is_spoken_and_asked_for_by_a_plug_in() -> None:
    assert set(get_args(ServiceKey)) == set(SERVICES) == set(_SERVICES)
    wanted = {plugin.redirect_service for plugin in load_catalogue().plugins.values()}
    assert {service.vendor for service in SERVICES.values()} <= wanted
