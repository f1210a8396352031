"""Mailboxes on the edge's disk: messages, greetings and what is left to be told of them.

Neighbours may rely on: a message that was kept survives kill -9 and is whole; everything here blocks on the disk, so
whoever runs on the loop calls it in a thread.
"""
