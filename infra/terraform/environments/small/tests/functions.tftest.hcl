# Every function has an encrypted queue, a dead-letter queue that is watched, and a role that reaches nothing else.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "tandem-test"
  artifacts_dir            = "tests/artifacts"
  python_version           = "3.13"
  subnet_ids               = ["subnet-1", "subnet-2"]
  lambda_security_group_id = "sg-lambda"
  database_connect_arn     = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:prx-1/tandem_worker"
  secrets_key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000001"
  logs_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000002"
  alarm_topic_arn          = "arn:aws:sns:eu-central-1:123456789012:alarms"
  log_retention_days       = 30
  environment              = { DATABASE_URL = "postgresql+psycopg://tandem_worker@proxy.example:5432/tandem" }
  functions = {
    ingest_events    = { description = "ingests", entry = "cloud.functions.ingest_events.handler:handler", scheduled = true }
    deliver_webhooks = { description = "delivers", entry = "cloud.functions.deliver_webhooks.handler:handler", opens_secrets = true, timeout_seconds = 90 }
    relay_jobs       = { description = "carries", entry = "cloud.functions.relay_jobs.handler:handler", queue = false, scheduled = true, sends_to = ["deliver_webhooks"] }
  }
}

run "functions_are_fed_by_queues_that_lose_nothing" {
  module {
    source = "../../modules/functions"
  }

  assert {
    condition     = alltrue([for queue in concat(values(aws_sqs_queue.this), values(aws_sqs_queue.dead)) : queue.sqs_managed_sse_enabled])
    error_message = "Every queue is encrypted."
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.this : can(jsondecode(queue.redrive_policy).deadLetterTargetArn) && jsondecode(queue.redrive_policy).maxReceiveCount == 3])
    error_message = "Every queue gives up to a dead-letter queue."
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.dead : queue.message_retention_seconds == 1209600])
    error_message = "What was given up is kept for two weeks."
  }

  assert {
    condition     = aws_sqs_queue.this["deliver_webhooks"].visibility_timeout_seconds >= 6 * aws_lambda_function.this["deliver_webhooks"].timeout
    error_message = "A message stays hidden for six times the function's timeout."
  }

  assert {
    condition     = alltrue([for mapping in aws_lambda_event_source_mapping.this : contains(mapping.function_response_types, "ReportBatchItemFailures")])
    error_message = "One bad record does not bring its neighbours back."
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.dead)) == toset(["ingest_events", "deliver_webhooks"]) && alltrue([for alarm in aws_cloudwatch_metric_alarm.dead : alarm.threshold == 0])
    error_message = "The first dead letter raises an alarm."
  }

  assert {
    condition     = keys(aws_cloudwatch_event_target.scheduled) == ["ingest_events", "relay_jobs"] && aws_cloudwatch_event_rule.every_minute.schedule_expression == "rate(1 minute)"
    error_message = "What waits for the clock is woken every minute, and nothing else is."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.retention_in_days == 30 && group.kms_key_id == var.logs_key_arn])
    error_message = "Logs are encrypted, and kept for as long as asked."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.reserved_concurrent_executions >= 2])
    error_message = "Every function has a ceiling, and at least the two that SQS needs."
  }

  assert {
    condition = alltrue([
      for policy in aws_iam_role_policy.this : alltrue([
        for statement in jsondecode(policy.policy).Statement :
        alltrue([for action in statement.Action : !strcontains(action, "*")]) && (statement.Sid == "AttachToTheVpcAndTrace" || !contains(statement.Resource, "*"))
      ])
    ])
    error_message = "No role has a wildcard action, and none but network interfaces and traces on any resource."
  }

  assert {
    condition     = !anytrue([for statement in jsondecode(aws_iam_role_policy.this["ingest_events"].policy).Statement : statement.Sid == "OpenEnvelopes"])
    error_message = "Who needs no secrets cannot open them."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.environment[0].variables["DATABASE_URL"] == var.environment["DATABASE_URL"] && function.handler == "cloud.aws.entry.handler" && startswith(function.environment[0].variables["TANDEM_AWS_ENTRY"], "cloud.functions.")])
    error_message = "Every function knows its database and what to run."
  }
}

run "the_relay_sends_to_the_queues_it_is_given_and_is_missed_when_it_is_silent" {
  module {
    source = "../../modules/functions"
  }

  assert {
    condition     = !contains(keys(aws_sqs_queue.this), "relay_jobs") && !contains(keys(aws_lambda_event_source_mapping.this), "relay_jobs")
    error_message = "Nothing but the clock wakes the relay."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.this["relay_jobs"].policy).Statement : statement if strcontains(join(",", statement.Action), "sqs:")] == [{
      Sid      = "SendToQueues"
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = [aws_sqs_queue.this["deliver_webhooks"].arn]
    }]
    error_message = "The relay may send to the queues it is given, and nothing else."
  }

  assert {
    condition     = aws_lambda_function.this["relay_jobs"].environment[0].variables["TANDEM_DELIVER_WEBHOOKS_QUEUE_URL"] == aws_sqs_queue.this["deliver_webhooks"].url
    error_message = "The relay is told where the queue is."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.silent["relay_jobs"].treat_missing_data == "breaching" && keys(aws_cloudwatch_metric_alarm.refused) == ["relay_jobs"]
    error_message = "A relay that does not run, or whose messages are refused, raises an alarm."
  }

  assert {
    condition     = alltrue([for config in aws_lambda_function_event_invoke_config.scheduled : config.maximum_retry_attempts == 0])
    error_message = "A failed wake-up is not tried again beside the next."
  }
}

run "a_function_that_nothing_wakes_is_refused" {
  command = plan

  module {
    source = "../../modules/functions"
  }

  variables {
    functions = {
      relay_jobs = { description = "carries", entry = "cloud.functions.relay_jobs.handler:handler", queue = false }
    }
  }

  expect_failures = [var.functions]
}

run "sending_to_what_has_no_queue_is_refused" {
  command = plan

  module {
    source = "../../modules/functions"
  }

  variables {
    functions = {
      relay_jobs = { description = "carries", entry = "cloud.functions.relay_jobs.handler:handler", queue = false, scheduled = true, sends_to = ["nobody"] }
    }
  }

  expect_failures = [var.functions]
}

run "a_concurrency_below_what_sqs_needs_is_refused" {
  command = plan

  module {
    source = "../../modules/functions"
  }

  variables {
    functions = {
      ingest_events = { description = "ingests", entry = "cloud.functions.ingest_events.handler:handler", concurrency = 1 }
    }
  }

  expect_failures = [var.functions]
}
