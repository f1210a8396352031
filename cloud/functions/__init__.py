"""The Lambda functions, one folder each; on one machine the same handlers are called by `cloud.local.functions`."""
