"""Delivers webhook messages, signed to the Standard Webhooks specification."""
