"""`python -m cloud.aws.hub`: the hub as a task of ECS, with its certificate from Secrets Manager."""

import sys

from cloud.aws.entry import handler

if __name__ == "__main__":
    # TANDEM_AWS_ENTRY names the hub's own main function, which takes nothing.
    sys.exit(handler())
