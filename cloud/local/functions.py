"""The functions on one machine: the handlers of `cloud.functions`, called with the events that SQS would bring.

Woken by LISTEN, looking each second all the same; survives a database that goes away and comes back.
`python -m cloud.local.functions` runs it as a process, with the functions' settings from the environment.
"""

import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloud.clock import Clock, SystemClock
from cloud.functions.batch import Handler
from cloud.functions.deliver_webhooks import handler as deliver_webhooks
from cloud.functions.deliver_webhooks.sending import HttpSender, Sender
from cloud.functions.ingest_events import handler as ingest_events
from cloud.functions.outgoing import GuardedClient
from cloud.functions.publish_sites import handler as publish_sites
from cloud.functions.push_redirects import handler as push_redirects
from cloud.functions.records import LambdaContext, claim_records, failures, inbox_records, sqs_event
from cloud.functions.renew_certificates import handler as renew_certificates
from cloud.functions.send_mails import handler as send_mails
from cloud.functions.send_mails.sending import Mailer
from cloud.functions.send_mails.settings import MailSettings
from cloud.functions.send_mails.storing import ImapStore
from cloud.functions.settings import DeliverySettings, RedirectSettings, SettingsProblem
from cloud.logs import write_logs
from cloud.objects import ObjectStore
from cloud.pbx.database import EVENTS_CHANNEL, JOBS_CHANNEL, PLATFORM, Database
from cloud.pbx.mails import SEND_MAIL
from cloud.pbx.outbox import forget_finished, release_claims
from cloud.pbx.publishing import PUBLISH_SITE
from cloud.pbx.secrets import FileKeyService, KeyService
from cloud.pbx.sip_certificates import RENEW_CERTIFICATE
from cloud.pbx.webhooks import DELIVER_WEBHOOK, RETRY_SECONDS
from cloud.tokens import SystemTokens, Tokens
from contract.devices import load_catalogue

POLL_SECONDS: Final = 1.0
DELIVERERS: Final = 4
"""How many messages are on their way at once: a slow receiver must not hold up the others."""
_CLAIM_SECONDS: Final = 60
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Function:
    """One function with what feeds it."""

    name: str
    feed: Callable[[], Sequence[str]]
    """The bodies of the messages that wait."""
    handler: Handler
    wake: threading.Event


class FunctionsLoop:
    """Runs the functions in threads of this process.

    Args:
        database: as the role tandem_worker.
        keys: opens the secrets that functions need.
        sender: delivers webhook messages.
        redirects: speaks to vendors' redirect services.
        mailer: sends mails.
        objects: where the recordings are that mails attach; None: nowhere.
        imap: puts messages into IMAP mailboxes; None: nothing does.
        schedule: seconds after each failed delivery.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyService,
        clock: Clock,
        tokens: Tokens,
        sender: Sender,
        redirects: GuardedClient,
        mailer: Mailer,
        schedule: Sequence[float] = RETRY_SECONDS,
        objects: ObjectStore | None = None,
        imap: ImapStore | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._tokens = tokens
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

        def jobs(kind: str, how_many: int) -> Callable[[], Sequence[str]]:
            return lambda: claim_records(database, [kind], clock.now(), how_many, _CLAIM_SECONDS)

        self._functions = [
            _Function(
                "publish_sites",
                jobs(PUBLISH_SITE, 10),
                publish_sites.compose(database, clock, tokens),
                threading.Event(),
            ),
            _Function(
                "ingest_events",
                lambda: inbox_records(database, clock.now()),
                ingest_events.compose(database, clock, tokens),
                threading.Event(),
            ),
            *(
                _Function(
                    "deliver_webhooks",
                    jobs(DELIVER_WEBHOOK, 1),
                    deliver_webhooks.compose(database, keys, clock, tokens, sender, schedule),
                    threading.Event(),
                )
                for _ in range(DELIVERERS)
            ),
            _Function(
                "push_redirects",
                lambda: claim_records(database, push_redirects.KINDS, clock.now(), 1, _CLAIM_SECONDS),
                push_redirects.compose(database, keys, clock, tokens, redirects, load_catalogue()),
                threading.Event(),
            ),
            _Function(
                "renew_certificates",
                jobs(RENEW_CERTIFICATE, 1),
                renew_certificates.compose(database, keys, clock, tokens),
                threading.Event(),
            ),
            _Function(
                "send_mails",
                jobs(SEND_MAIL, 1),
                send_mails.compose(database, clock, tokens, mailer, objects, imap),
                threading.Event(),
            ),
        ]

    def start(self) -> None:
        """Begin; what another loop left claimed is due again, so only one may run on a database."""
        with self._database.session(PLATFORM) as session:
            release_claims(session, self._clock.now())
            forget_finished(session, self._clock.now())
        self._threads = [
            threading.Thread(target=self._listen, name="listen", daemon=True),
            *(threading.Thread(target=self._run, args=(f,), name=f.name, daemon=True) for f in self._functions),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is being done, then end."""
        self._stopping.set()
        self._wake("")
        for thread in self._threads:
            thread.join()

    def _wake(self, kind: str) -> None:
        for function in self._functions:
            if kind in ("", function.name):
                function.wake.set()

    def _listen(self) -> None:
        woken = {
            PUBLISH_SITE: "publish_sites",
            DELIVER_WEBHOOK: "deliver_webhooks",
            RENEW_CERTIFICATE: "renew_certificates",
            SEND_MAIL: "send_mails",
        }
        woken |= dict.fromkeys(push_redirects.KINDS, "push_redirects")
        while not self._stopping.is_set():
            try:
                with self._database.listen(JOBS_CHANNEL, EVENTS_CHANNEL) as connection:
                    self._wake("")
                    while not self._stopping.is_set():
                        for notification in connection.notifies(timeout=POLL_SECONDS / 4, stop_after=1):
                            events = notification.channel == EVENTS_CHANNEL
                            self._wake("ingest_events" if events else woken.get(notification.payload, ""))
            except Exception as problem:  # noqa: BLE001  this thread's outermost loop: the database may come back
                _log.warning("listening_failed", exc_info=problem)
                self._stopping.wait(POLL_SECONDS)

    def _run(self, function: _Function) -> None:
        while not self._stopping.is_set():
            function.wake.clear()  # before looking, so that what comes while we look wakes us again
            try:
                worked = self._once(function)
            except Exception as problem:  # noqa: BLE001  this thread's outermost loop: the database may come back
                _log.warning("function_failed", extra={"function": function.name}, exc_info=problem)
                worked = False
            if not worked:
                function.wake.wait(POLL_SECONDS)

    def _once(self, function: _Function) -> bool:
        bodies = function.feed()
        if not bodies:
            return False
        context = LambdaContext(function_name=function.name, aws_request_id=str(self._tokens.id()))
        return not failures(function.handler(sqs_event(function.name, bodies), context))


def main() -> int:
    """Run until SIGTERM or SIGINT; 0 when it ended as it should."""
    write_logs()
    try:
        settings = DeliverySettings.from_environment()
        services = RedirectSettings.from_environment()
        mails = MailSettings.from_environment()
    except SettingsProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    clock = SystemClock()
    tokens = SystemTokens(clock)
    database = Database(settings.database_url.get_secret_value(), pool_size=DELIVERERS + 4)
    sender = HttpSender(
        clock, private_allowed=settings.webhook_allow_private, timeout_seconds=settings.webhook_timeout_seconds
    )
    loop = FunctionsLoop(
        database,
        FileKeyService.open(Path(settings.key_file), tokens),
        clock,
        tokens,
        sender,
        push_redirects.new_client(
            private_allowed=services.redirect_allow_private, timeout_seconds=services.redirect_timeout_seconds
        ),
        mails.mailer(),
        settings.webhook_retry_seconds,
        mails.objects(tokens),
        mails.imap(tokens),
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    loop.start()
    print("ready {}", flush=True)
    stop.wait()
    loop.stop()
    database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
