"""A TFTP server that only gives (RFC 1350, options of RFC 2347, 2348, 2349 and 7440)."""

from edge_agent.provisioning.serve.tftp.server import TftpServer

__all__ = ["TftpServer"]
