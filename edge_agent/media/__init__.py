"""Calls that end at the edge: applications, written once against `session.MediaSession`, and their engines.

Every RTP socket of the edge agent is in here, and no SIP: a call arrives as a `edge_agent.ports.CallLeg`.
"""
