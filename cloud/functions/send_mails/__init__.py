"""Sends mails through the mail server of whoever runs the cloud."""
