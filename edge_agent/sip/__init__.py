"""SIP at the site: registrar and stateful proxy (RFC 3261), without I/O except in `transport`.

Import order: endpoint > proxy | registrar > (dialog | user_agent) > transaction > message; `authentication`,
`location` and `config` lie between proxy | registrar and message. Everything but `transport` is handed `now`
(seconds, monotonic).
"""
