"""What a phone sends to the plug and play group, as the vendors' guides show it."""


def subscribe(
    mac: str,
    vendor: str = "Yealink",
    model: str = "T54W",
    version: str = "96.86.0.70",
    at: tuple[str, int] = ("192.0.2.50", 5060),
    call: str = "call-1",
) -> bytes:
    """A SUBSCRIBE for the profile of a device."""
    here = f"{at[0]}:{at[1]}"
    who = f"<sip:MAC%3a{mac}@224.0.1.75>"
    told = f'profile-type="device";vendor="{vendor}";model="{model}";version="{version}"'
    lines = [
        f"SUBSCRIBE sip:MAC%3a{mac}@224.0.1.75 SIP/2.0",
        f"Via: SIP/2.0/UDP {here};branch=z9hG4bK1;rport",
        "Max-Forwards: 20",
        f"Contact: <sip:{here}>",
        f"To: {who}",
        f"From: {who};tag=phone",
        f"Call-ID: {call}@{at[0]}",
        "CSeq: 1 SUBSCRIBE",
        "Expires: 0",
        f"Event: ua-profile;{told}",
        "Accept: application/url",
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")
