"""The dial plan of a site that nobody wrote one for: extensions, and the codes of features as they are at first."""

from typing import Final
from uuid import UUID, uuid5

from contract import snapshot as contract

ECHO_TEST_CODE = "*99"
MUSIC_CODE = "*66"
FEATURE_CODES: Final[tuple[tuple[str, contract.Feature, str], ...]] = (
    ("*0", "speed_dial", "Speed dial"),
    ("*11", "hot_desk", "Log in at this phone"),
    ("*12", "hot_desk_off", "Log out of this phone"),
    ("*13", "queue_log_in", "Log in at call queues"),
    ("*14", "queue_log_out", "Log out of call queues"),
    ("*15", "queue_pause", "Pause at call queues"),
    ("*16", "queue_listen", "Listen to an agent's call"),
    ("*17", "queue_whisper", "Whisper to an agent"),
    ("*18", "queue_barge", "Barge into an agent's call"),
    ("*4", "park_retrieve", "Take up a parked call"),
    ("*50", "set_speed_dial", "Keep a speed dial"),
    ("*51", "anonymous_rejection_on", "Reject anonymous calls"),
    ("*52", "anonymous_rejection_off", "Take anonymous calls"),
    ("*53", "call_waiting_on", "Call waiting"),
    ("*54", "call_waiting_off", "No call waiting"),
    ("*55", "intercom_on", "Allow intercom"),
    ("*56", "intercom_off", "Deny intercom"),
    ("*57", "call_back_off", "Call back no more"),
    ("*58", "call_back", "Call back when free"),
    ("*60", "do_not_disturb_on", "Do not disturb"),
    ("*61", "do_not_disturb_off", "Disturb again"),
    ("*62", "block_number", "Block a number"),
    ("*63", "unblock_number", "Unblock a number"),
    ("*64", "block_last_caller", "Block the last caller"),
    ("*65", "show_caller_id", "Call with caller ID"),
    ("*67", "hide_caller_id", "Call without caller ID"),
    ("*69", "call_return", "Call the last caller"),
    ("*71", "forward_unregistered", "Forward while no phone is registered"),
    ("*72", "forward_always", "Forward every call"),
    ("*73", "forward_off", "Forward nothing"),
    ("*74", "forward_busy", "Forward while busy"),
    ("*75", "forward_no_answer", "Forward what is not answered"),
    ("*76", "intercom", "Intercom"),
    ("*78", "pickup", "Pick up a call"),
    ("*79", "group_pickup", "Pick up a call of the group"),
)
"""As they are until somebody changes them: the predecessor's *4, *76 and *78, clear of its *68, *77 and *82 to *92."""
OWN_MAILBOX_CODE = "*97"
MAILBOX_CODE = "*98"
_PERMISSIONS: Final[dict[contract.Feature, str]] = {"intercom": "Intercom", "pickup": "CallPickup"}


def default_dial_plan(site_id: UUID) -> contract.DialPlan:
    """What a site has that nobody wrote a plan for; its ids follow from the site's, so that it never changes."""
    return contract.DialPlan(
        rules=(
            contract.ServiceRule(
                rule_id=str(uuid5(site_id, "echo_test")), name="Echo test", code=ECHO_TEST_CODE, service="echo_test"
            ),
            contract.ServiceRule(
                rule_id=str(uuid5(site_id, "music_on_hold")),
                name="Music on hold",
                code=MUSIC_CODE,
                service="music_on_hold",
            ),
            *(
                contract.FeatureRule(
                    rule_id=str(uuid5(site_id, feature)),
                    name=name,
                    code=code,
                    feature=feature,
                    permission=_PERMISSIONS.get(feature),
                )
                for code, feature, name in FEATURE_CODES
            ),
            contract.VoicemailRule(
                rule_id=str(uuid5(site_id, "voicemail")), code=OWN_MAILBOX_CODE, prefix=MAILBOX_CODE
            ),
            contract.InternalRule(rule_id=str(uuid5(site_id, "internal"))),
        )
    )
