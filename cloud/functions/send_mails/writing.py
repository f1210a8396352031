"""A mail as it is sent, or put into a mailbox (RFC 5322)."""

from email.message import EmailMessage

from cloud.pbx.fax_documents import fax_pdf
from cloud.pbx.mails import Attachment, Mail
from contract.fax_image import BadFax


def written(mail: Mail, message_id: str, content: bytes | None, sender: str, portal_url: str) -> EmailMessage:
    """The whole message.

    Args:
        mail: what it says.
        message_id: the same each time it is tried.
        content: of the mail's attachment; None: it goes without.
        sender: address that it comes from.
        portal_url: where links lead.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, mail.to, mail.subject
    message["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    attached = mail.attachment if content is not None else None
    text = mail.text.replace("{note}\n", f"{attached.note}\n" if attached is not None else "")
    message.set_content(text.replace("{portal}", portal_url))
    if attached is not None and content is not None:
        sent, kind, name = _as_sent(attached, content)
        maintype, _, subtype = kind.partition("/")
        message.add_attachment(sent, maintype=maintype, subtype=subtype, filename=name)
    return message


def _as_sent(attached: Attachment, content: bytes) -> tuple[bytes, str, str]:
    """What goes along, its media type, and its name: a fax as PDF, or as it came where that cannot be made."""
    if not attached.is_fax:
        return content, "audio/wav", attached.name
    try:
        return fax_pdf(content), "application/pdf", f"{attached.name}.pdf"
    except BadFax:
        return content, "image/tiff", f"{attached.name}.tif"
