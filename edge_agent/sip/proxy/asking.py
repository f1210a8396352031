"""What the dial plan is asked of a request that was let in: who calls, who pays for it, and whose call it goes on."""

from __future__ import annotations

from dataclasses import dataclass

from contract.dialplan import Call, PhonesOnly
from edge_agent.sip.answering import LOOKED_FOR, PHONES, PHONES_ONLY, VOUCHER
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.message import Message
from edge_agent.sip.proxy.calls import Calls
from edge_agent.sip.proxy.emergency_calls import CallerForHelp
from edge_agent.sip.proxy.identity import is_private, shown_by
from edge_agent.sip.proxy.referrals import Referrals, attendant_of
from edge_agent.sip.proxy.referring import Referring
from edge_agent.sip.proxy.transfers import Transfer
from edge_agent.sip.trunk_groups import served_user_of, target_dialog_of, trunk_of
from edge_agent.sip.trust import Trust


@dataclass(frozen=True, slots=True)
class Question:
    """Of a request.

    Args:
        call: what the dial plan is asked.
        number: of a caller who is no user of the site; empty when there is none, or it is not to be known.
        transfer: the call that this one goes on for somebody; None: it begins by itself.
    """

    call: Call
    number: str
    transfer: Transfer | None


class Asking:
    """Finds out what the dial plan has to know.

    Args:
        config: of the site.
        calls: those in progress.
        referrals: whose permissions a transfer goes by.
        referring: tells voice services and trunks from phones.
        trust: knows the other sites.
    """

    def __init__(
        self, config: SipConfig, calls: Calls, referrals: Referrals, referring: Referring, trust: Trust
    ) -> None:
        self._config, self._calls = config, calls
        self._referrals, self._referring, self._trust = referrals, referring, trust

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration from here on."""
        self._config = config

    def question(
        self,
        request: Message,
        caller: str | None,
        line: Credential | None,
        dialled: str,
        for_help: CallerForHelp | None,
        now: float,
    ) -> Question:
        """What the dial plan is asked of this request.

        Args:
            caller: the user who sent it; None for anybody else.
            line: which line's password proved that.
            dialled: the number or name.
            for_help: who and where the caller of an emergency is; None: it is none.
        """
        config, begins = self._config, request.method == b"INVITE" and not request.to_tag
        gateway_id = None
        if caller is None:
            gateway_id = config.gateways.at(request.flow) or self._trust.site_at(request.flow)
        private = is_private(request)
        number, anonymous = ("", private) if caller is not None else shown_by(request)
        payer = caller
        transfer = self._calls.transfers.led_to(request, caller, dialled, now) if begins else None
        service: str | None = None
        if request.has(VOUCHER):
            # A phone that somebody sent here: his permissions count, the caller stays who he is.
            referrer = self._referrals.referrer(request, dialled)
            service = attendant_of(referrer)
            if caller is not None and referrer in config.users:
                payer = referrer
        if config.trunks_at is not None:
            served = served_user_of(request)
            if caller is None and self._referring.leads_to_trunks(request.flow):
                gateway_id = trunk_of(request) or None
                if (earlier := self._calls.named(target_dialog_of(request))) is not None:
                    who = served.dialled if served is not None else ""
                    transfer = self._calls.transfers.of_trunk(earlier, who) or transfer
                user = config.plan.dialled.get(served.dialled) if served is not None else None
                if served is not None and (found := config.plan.services.get(served.dialled)) is not None:
                    # One that an attendant sends on: it pays.
                    service = found.service_id
                if user is not None:
                    # A call of the trunk that one of our users transfers: he pays, and what he dialled is his.
                    payer, gateway_id = user.user_id, None
        phones = self._phones_of(request)
        if phones in ("find_me", "call_back"):
            wanted = request.request_uri().params.get(LOOKED_FOR)
            whose = wanted.decode("ascii", "replace") if wanted else None
            payer, service = (whose, service) if phones == "find_me" else (None, whose)
        call = Call(
            payer,
            dialled,
            location_id=for_help.location_id if for_help is not None else None,
            gateway_id=gateway_id,
            number=number,
            anonymous=anonymous or private,
            line_id=line.line_id if line is not None else None,
            host=line.user_id if line is not None else None,
            phones=phones,
            engaged=phones == "page" and self._is_engaged(dialled),
            service=service,
        )
        return Question(call, number, transfer)

    def _phones_of(self, request: Message) -> PhonesOnly:
        """How a voice service of the site wants phones to ring; empty: the request is no call of that kind."""
        wanted = request.request_uri().params.get(PHONES_ONLY)
        if wanted is None or not self._referring.is_voice_service(request.flow):
            return ""
        return PHONES.get(wanted, "ring")

    def _is_engaged(self, dialled: str) -> bool:
        user = self._config.plan.dialled.get(dialled)
        return user is not None and any(self._calls.parties.of_user(user.user_id))
