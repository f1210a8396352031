"""Turns what edges reported into rows and webhooks, and tells when edges come and go."""
