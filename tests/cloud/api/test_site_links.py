"""Sites of one tenant that know each other: what the API takes, and what each site's snapshot then says."""

from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from sqlalchemy import select

from cloud.models import Job
from cloud.pbx.authority import Authority
from cloud.pbx.publishing import PUBLISH_SITE, latest_snapshot, publish_site
from contract.snapshot import EdgeAddress, OtherSite, Snapshot
from tests.support.api_world import ApiWorld


class Branches:
    """The tenant's first site and a second one, with an edge each."""

    def __init__(self, world: ApiWorld) -> None:
        self.world, self.admin = world, world.admin
        first = str(world.ours.site_id)
        self.tenant = self.admin.get(f"/sites/{first}").json["tenant_id"]
        second = self._made("/sites", {"name": "Branch", "tenant_id": self.tenant})["id"]
        self.sites = {"main": first, "branch": second}
        self.edges = {
            which: self._made("/edges", {"site_id": site, "name": f"Edge of {which}"})["id"]
            for which, site in self.sites.items()
        }

    def _made(self, target: str, body: dict[str, Any]) -> Any:
        answer = self.admin.post(target, body)
        assert answer.status == 201, answer.body
        return answer.json

    def link(self, which: str, host: str | None, **more: Any) -> Any:
        """Say where an edge is reached."""
        answer = self.admin.patch(f"/edges/{self.edges[which]}", {"sip_host": host, **more})
        assert answer.status == 200, answer.body
        return answer.json

    def user(self, which: str, extension: str, **more: Any) -> str:
        """A user of a site."""
        body = {"site_id": self.sites[which], "username": extension, "display_name": f"Desk {extension}", **more}
        made: str = self._made("/users", {"extension": extension, **body})["id"]
        return made

    def asked_for(self) -> set[str]:
        """The sites that wait to be published, and from now on do not."""
        with self.world.databases.worker.session(self.world.ours.scope) as session:
            jobs = session.scalars(select(Job).where(Job.kind == PUBLISH_SITE, Job.state == "pending")).all()
            for job in jobs:
                job.state = "done"
            return {job.key for job in jobs}

    def published(self, which: str) -> Snapshot:
        """The newest snapshot of a site, compiled now."""
        site, scope = UUID(self.sites[which]), self.world.ours.scope
        publish_site(self.world.databases.worker, scope, site, "test")
        with self.world.databases.worker.session(scope) as session:
            snapshot = latest_snapshot(session, site)
        assert snapshot is not None
        return snapshot

    def other(self, which: str) -> OtherSite:
        """The one other site that a site knows."""
        (found,) = self.published(which).other_sites
        return found


@pytest.fixture
def branches(world: ApiWorld) -> Branches:
    return Branches(world)


def test_sites_whose_edges_have_an_address_know_each_other_and_who_is_there(branches: Branches) -> None:
    branches.user("branch", "300", caller_id="+41441112300")
    branches.user("branch", "301", aliases=["front"])
    branches.user("branch", "302", enabled=False)
    shown = branches.link("main", "192.0.2.10")
    assert (shown["sip_host"], shown["sip_port"]) == ("192.0.2.10", 5063)
    assert branches.published("main").other_sites == (), "the branch has no address yet"
    branches.link("branch", "192.0.2.20", sip_port=5163)
    branch = branches.other("main")
    assert branch.name == "Branch"
    assert branch.edges == (EdgeAddress(edge_id=branches.edges["branch"], host="192.0.2.20", port=5163),)
    assert branch.certificate_name == f"{branches.sites['branch']}.{branches.tenant}.tandem-sites.invalid"
    people = {one.dialled[0]: (one.name, one.dialled[1:], one.number) for one in branch.colleagues}
    assert people == {"300": ("Desk 300", (), "+41441112300"), "301": ("Desk 301", ("front",), None)}
    assert branches.other("branch").site_id == branches.sites["main"]


def test_each_linked_site_has_a_certificate_of_the_tenants_authority_for_its_own_name(branches: Branches) -> None:
    for which, host in (("main", "192.0.2.10"), ("branch", "192.0.2.20")):
        branches.link(which, host)
    authorities = set()
    for which, other in (("main", "branch"), ("branch", "main")):
        snapshot = branches.published(which)
        assert snapshot.site.sip_certificate is not None
        assert snapshot.site.authority is not None
        authorities.add(snapshot.site.authority)
        leaf = x509.load_pem_x509_certificates(snapshot.site.sip_certificate.chain.encode())[0]
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(snapshot.site.authority.encode()))
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert branches.other(other).certificate_name in names.get_values_for_type(x509.DNSName)
    assert len(authorities) == 1


def test_a_certificate_that_the_site_had_keeps_its_names_and_a_new_one_keeps_the_sites(branches: Branches) -> None:
    target = f"/sites/{branches.sites['main']}/sip-certificate"
    branches.admin.post(target, {"names": ["edge.example.test"]})
    branches.link("main", "192.0.2.10")
    own = f"{branches.sites['main']}.{branches.tenant}.tandem-sites.invalid"
    assert branches.admin.get(target).json["names"][1:] == ["edge.example.test", own]
    assert branches.admin.post(target, {}).json["names"][1:] == [own]


def test_what_others_know_of_a_site_is_published_there_when_it_changes(branches: Branches) -> None:
    user = branches.user("branch", "300")
    for which, host in (("main", "192.0.2.10"), ("branch", "192.0.2.20")):
        branches.link(which, host)

    def known() -> tuple[str, ...]:
        return tuple(one.name for one in branches.other("main").colleagues)

    assert known() == ("Desk 300",)
    both = set(branches.sites.values())
    assert branches.asked_for() == both
    branches.admin.patch(f"/users/{user}", {"display_name": "Front desk"})
    assert branches.asked_for() == both
    branches.admin.patch(f"/users/{user}", {"permissions": []})
    assert branches.asked_for() == {branches.sites["branch"]}
    assert known() == ("Front desk",)
    plan = branches.admin.get(f"/sites/{branches.sites['branch']}/dial-plan").json["document"]
    group = {"group_id": "g", "name": "Sales", "extension": "390", "members": [user], "strategy": "parallel"}
    number = {"number": "+41441112390", "destination": "390"}
    saved = branches.admin.put(
        f"/sites/{branches.sites['branch']}/dial-plan",
        {"document": {**plan, "hunt_groups": [group], "numbers": [number]}},
    )
    assert saved.status == 200, saved.body
    assert [(one.name, one.dialled, one.number) for one in branches.other("main").colleagues][1:] == [
        ("Sales", ("390",), "+41441112390")
    ]
    branches.admin.patch(f"/sites/{branches.sites['branch']}", {"name": "Branch office"})
    assert branches.other("main").name == "Branch office"
    branches.admin.delete(f"/users/{user}")
    assert "Front desk" not in known()


def test_an_edge_without_an_address_or_that_was_revoked_is_known_to_nobody(branches: Branches) -> None:
    for which, host in (("main", "192.0.2.10"), ("branch", "192.0.2.20")):
        branches.link(which, host)
    branches.link("branch", None)
    assert branches.published("main").other_sites == ()
    assert branches.published("branch").site.authority is None
    branches.link("branch", "192.0.2.20")
    assert branches.admin.delete(f"/edges/{branches.edges['branch']}").status == 204
    assert branches.published("main").other_sites == ()


def test_a_site_that_brought_its_certificate_is_told_what_to_do(branches: Branches) -> None:
    target = f"/sites/{branches.sites['main']}/sip-certificate"
    theirs = Authority.new("Another CA", branches.world.clock.now())
    name = branches.admin.get(f"/tenants/{branches.tenant}").json["domain"]
    leaf = theirs.issue([name], branches.world.clock.now())
    body = {"certificate": leaf.certificate_pem.decode() + theirs.certificate_pem, "key": leaf.key_pem.decode()}
    assert branches.admin.put(target, body).status == 200
    refused = branches.admin.patch(f"/edges/{branches.edges['main']}", {"sip_host": "192.0.2.10"})
    assert (refused.status, refused.fields) == (422, {"sip_host"})
    branches.link("branch", "192.0.2.20")
    there = f"/sites/{branches.sites['branch']}/sip-certificate"
    assert branches.admin.put(there, body).status == 409
    assert branches.admin.delete(there).status == 409


@pytest.mark.parametrize("body", [{"sip_host": "edge.example.test"}, {"sip_host": "::1"}, {"sip_port": 0}])
def test_an_address_that_is_none_is_refused_with_its_field(branches: Branches, body: dict[str, Any]) -> None:
    refused = branches.admin.patch(f"/edges/{branches.edges['main']}", body)
    assert refused.status == 422
    assert next(iter(body)) in refused.body.decode()


def test_nobody_has_a_certificate_signed_for_another_site(branches: Branches) -> None:
    name = f"{branches.sites['branch']}.{branches.tenant}.tandem-sites.invalid"
    refused = branches.admin.post(f"/sites/{branches.sites['main']}/sip-certificate", {"names": [name]})
    assert refused.status == 422
    assert "is the name of another site" in refused.body.decode()


def test_users_and_other_tenants_change_no_edge(branches: Branches) -> None:
    target, body = f"/edges/{branches.edges['main']}", {"sip_host": "192.0.2.10"}
    assert branches.world.user.patch(target, body).status == 403
    assert branches.world.stranger.patch(target, body).status == 404
