"""The vendors' redirect services that can be told where a phone's server is; speaking to them is a function's work."""

from dataclasses import dataclass
from typing import Final, Literal

Problem = Literal["claimed", "credentials", "no_server_name", "no_serial", "refused", "unreachable"]


@dataclass(frozen=True, slots=True)
class RedirectService:
    """One service of one vendor.

    Args:
        vendor: whose phones it is asked by: `redirect_service` of device plug-ins.
        api_url: where it is reached unless an account says otherwise.
        needs_serial: it takes a phone by its serial number, too.
    """

    key: str
    vendor: str
    label: str
    api_url: str
    needs_serial: bool = False


SERVICES: Final = {
    service.key: service
    for service in (
        RedirectService("yealink_rps", "yealink", "Yealink RPS (XML API)", "https://rps.yealink.com/xmlrpc"),
        RedirectService("yealink_ymcs", "yealink", "Yealink YMCS", "https://eu-api.ymcs.yealink.com"),
        RedirectService("snom_sraps", "snom", "Snom SRAPS", "https://api.sraps.snom.com/api/v1/"),
        RedirectService(
            "snom_redirect", "snom", "Snom redirection (XML-RPC)", "https://secure-provisioning.snom.com:8083/xmlrpc/"
        ),
        RedirectService("gigaset_grape", "gigaset", "Gigaset GRAPE", "https://api.grape.gigaset.net/api/v1/"),
        RedirectService(
            "gigaset_redirect", "gigaset", "Gigaset redirect server (XML-RPC)", "https://prov.gigaset.net/apxml/rpc.do"
        ),
        RedirectService("fanvil_fdps", "fanvil", "Fanvil FDPS", "https://fdps.fanvil.com/xmlrpc.php"),
        RedirectService(
            "grandstream_gdms", "grandstream", "Grandstream GDMS", "https://www.gdms.cloud", needs_serial=True
        ),
    )
}
PHONES_URL: Final = "https://{host}:8443/"
"""Where phones are sent unless an account says otherwise: the edge's server for phones, by the site's server name."""
