"""What mails say of a fax that was received."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from cloud.models import VoicemailMessage


@dataclass(frozen=True, slots=True)
class _Words:
    subject: str
    page: str
    pages: str
    withheld: str
    came: str
    station: str
    when: str
    complete: str
    incomplete: str
    attached: str
    here: str


_WORDS: Final = {
    "en": _Words(
        "Fax from {caller}, {pages}",
        "1 page",
        "{count} pages",
        "a withheld number",
        "A fax with {pages} came from {caller}.",
        "The machine that sent calls itself: {station}",
        "Received: {when}",
        "Result: complete",
        "Result: incomplete, pages may be missing ({result})",
        "The fax is attached.",
        "See it here: {link}",
    ),
    "de": _Words(
        "Fax von {caller}, {pages}",
        "1 Seite",
        "{count} Seiten",
        "unterdrückter Nummer",
        "Ein Fax mit {pages} ist eingegangen, von {caller}.",
        "Kennung des Absenders: {station}",
        "Eingegangen: {when}",
        "Ergebnis: vollständig",
        "Ergebnis: unvollständig, Seiten können fehlen ({result})",
        "Das Fax liegt bei.",
        "Hier ansehen: {link}",
    ),
    "fr": _Words(
        "Télécopie de {caller}, {pages}",
        "1 page",
        "{count} pages",
        "numéro masqué",
        "Une télécopie de {pages} est arrivée, de {caller}.",
        "Identification de l’expéditeur : {station}",
        "Reçu : {when}",
        "Résultat : complet",
        "Résultat : incomplet, des pages peuvent manquer ({result})",
        "La télécopie est jointe.",
        "La voir ici : {link}",
    ),
    "es": _Words(
        "Fax de {caller}, {pages}",
        "1 página",
        "{count} páginas",
        "un número oculto",
        "Ha llegado un fax de {pages}, de {caller}.",
        "Identificación del remitente: {station}",
        "Recibido: {when}",
        "Resultado: completo",
        "Resultado: incompleto, pueden faltar páginas ({result})",
        "Se adjunta el fax.",
        "Véalo aquí: {link}",
    ),
}


def fax_attached(language: str) -> str:
    """That it goes along."""
    return _words(language).attached


def written_fax(row: VoicemailMessage, language: str, time_zone: str, *, attached: bool) -> tuple[str, str]:
    """Subject and text.

    Args:
        row: the fax.
        language: of the site's voicemail.
        time_zone: of the site.
        attached: whether it goes along; `{note}` stands where that is said.
    """
    words = _words(language)
    name, number = _plain(row.caller_name), _plain(row.caller_number)
    caller = f"{name} ({number})" if name and number and name != number else name or number or words.withheld
    count = row.fax_pages or 0
    pages = words.page if count == 1 else words.pages.format(count=count)
    when = row.received_at.astimezone(ZoneInfo(time_zone))
    lines = [words.came.format(pages=pages, caller=caller), "", words.when.format(when=f"{when:%Y-%m-%d %H:%M}")]
    if station := _plain(row.fax_station or ""):
        lines.append(words.station.format(station=station))
    result = _plain(row.fax_result or "")
    lines += [words.complete if row.fax_complete else words.incomplete.format(result=result), ""]
    if attached:
        lines.append("{note}")
    lines.append(words.here.format(link=f"{{portal}}/my-messages?message={row.id}"))
    return words.subject.format(caller=caller, pages=pages)[:250], "\n".join(lines) + "\n"


def _words(language: str) -> _Words:
    return _WORDS.get(language.partition("-")[0].lower(), _WORDS["en"])


def _plain(text: str) -> str:
    """What others wrote, as one line that means nothing to whoever puts the mail together."""
    return "".join(one for one in text if one.isprintable() and one not in "{}").strip()
