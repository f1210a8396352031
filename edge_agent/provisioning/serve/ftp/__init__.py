"""FTP for phones that know nothing newer: read-only, the same files by the same rules."""

from edge_agent.provisioning.serve.ftp.server import FtpServer

__all__ = ["FtpServer"]
