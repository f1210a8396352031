"""The transaction layer (RFC 3261 §17, RFC 6026): four machines, one table each way, one timer wheel, no I/O."""

from edge_agent.sip.transaction.invite_client import InviteClient
from edge_agent.sip.transaction.invite_server import InviteServer
from edge_agent.sip.transaction.layer import TransactionLayer, TransactionUser
from edge_agent.sip.transaction.named_request import NamedRequest, OnHop
from edge_agent.sip.transaction.non_invite_client import NonInviteClient
from edge_agent.sip.transaction.non_invite_server import NonInviteServer
from edge_agent.sip.transaction.ports import ClientOwner, Finder, Send
from edge_agent.sip.transaction.timers import DEFAULT_TIMERS, Timers
from edge_agent.sip.transaction.wheel import TimerWheel

ClientTransaction = InviteClient | NonInviteClient | NamedRequest
InvitingClient = InviteClient | NamedRequest
"""What an INVITE is sent by: it can be cancelled."""
ServerTransaction = InviteServer | NonInviteServer

__all__ = [
    "DEFAULT_TIMERS",
    "ClientOwner",
    "ClientTransaction",
    "Finder",
    "InviteClient",
    "InviteServer",
    "InvitingClient",
    "NamedRequest",
    "NonInviteClient",
    "NonInviteServer",
    "OnHop",
    "Send",
    "ServerTransaction",
    "TimerWheel",
    "Timers",
    "TransactionLayer",
    "TransactionUser",
]
