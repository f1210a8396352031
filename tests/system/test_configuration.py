"""What is changed in the cloud takes effect at the site, at once."""

import time
from collections.abc import Callable

from tests.support.waiting import eventually
from tests.system.conftest import Site

DISABLED_WITHIN = 1.0
ReportDelay = Callable[[str, float, float], None]


def test_disabling_a_user_takes_effect_at_the_edge_within_a_second(site: Site, report_delay: ReportDelay) -> None:
    user = f"/users/{site.user_id(1)}"
    with site.phone(1, timeout=0.3) as phone, site.phone(0) as other:
        assert phone.register().status == 200
        site.api.patch(user, {"enabled": False})
        began = time.monotonic()
        try:
            eventually(lambda: phone.register().status == 403, within=DISABLED_WITHIN, what="403 on REGISTER")
            report_delay("a disabled user is refused by the edge", time.monotonic() - began, DISABLED_WITHIN)
            assert other.invite(site.accounts[1].username).status == 404
            rows = f"/registrations?site_id={site.running.site_id}"
            eventually(
                lambda: all(row["user_id"] != site.user_id(1) for row in site.api.items(rows)),
                what="no registration of the disabled user in the cloud",
            )
        finally:
            site.api.patch(user, {"enabled": True})
        eventually(lambda: phone.register().status == 200, what="the user registers again")
        phone.register(expires=0)


def test_renaming_the_domain_breaks_no_phone_that_still_has_the_old_one(site: Site) -> None:
    tenant = f"/tenants/{site.running.tenant_id}"
    old = site.api.get(tenant)["domain"]
    new = f"renamed-{old}"
    site.api.patch(tenant, {"domain": new})
    try:
        eventually(site.is_applied, what="the new domain at the edge")
        with site.phone(0) as behind, site.phone(1) as renamed:
            renamed.domain = new
            assert renamed.register().status == 200
            assert behind.register().status == 200
            assert renamed.register(expires=0).status == 200
            assert behind.invite(site.accounts[1].username).status == 480, "the number is known, nobody is there"
            behind.register(expires=0)
    finally:
        site.api.patch(tenant, {"domain": old})
    eventually(site.is_applied, what="the old domain at the edge")
