"""Files that parks and conferences name as their music."""

import pytest
from pydantic import ValidationError

from contract.snapshot import Conference, DialPlan, OrbitMusic, OwnMusic, Park, UserConferences, sounds_of

MUSIC = tuple(OwnMusic(digest=f"{n:064x}", name=f"{n}.wav") for n in range(4))


def park(*orbits: str) -> Park:
    chosen = tuple(OrbitMusic(orbit=orbit, music=MUSIC[1]) for orbit in orbits)
    return Park(service_id="p", name="Yard", extension="700", orbits=("701", "702"), music=MUSIC[0], orbit_music=chosen)


def test_every_file_is_found_with_who_names_it() -> None:
    services = (
        park("702"),
        Conference(service_id="c", name="Team", extension="600", music=MUSIC[2]),
        UserConferences(service_id="own", name="Own room", extension="7", music=MUSIC[3]),
    )
    assert [(digest[-1], who) for digest, who in sounds_of(DialPlan(voice_services=services))] == [
        ("0", "park Yard"),
        ("1", "orbit 702 of Yard"),
        ("2", "conference Team"),
        ("3", "conference Own room"),
    ]


def test_music_is_of_an_orbit_that_the_park_has() -> None:
    with pytest.raises(ValidationError, match="Yard has music for 703, which is none of its orbits"):
        park("703")


def test_an_orbit_has_one_piece() -> None:
    with pytest.raises(ValidationError, match="Yard has music for an orbit twice"):
        park("701", "701")
