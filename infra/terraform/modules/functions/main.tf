# The functions: one Lambda per folder of cloud/functions, each fed by its own queue or by the clock.
#
# From the outbox to a queue: what has to happen is a row, written in the transaction of the change itself. The relay
# (a function with `sends_to` and without a queue of its own) claims such rows and sends them to the queues below. What
# fails three times lies in the queue's dead-letter queue, where an alarm sees it.

locals {
  queued    = { for key, function in var.functions : key => function if function.queue }
  scheduled = { for key, function in var.functions : key => function if function.scheduled }
}

resource "aws_sqs_queue" "dead" {
  for_each = local.queued

  name                      = "${var.name}-${replace(each.key, "_", "-")}-dead"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 14 * 24 * 3600
}

resource "aws_sqs_queue" "this" {
  for_each = local.queued

  name                      = "${var.name}-${replace(each.key, "_", "-")}"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 4 * 24 * 3600
  # AWS asks for at least six times the function's timeout, or a slow batch is handed out twice.
  visibility_timeout_seconds = 6 * each.value.timeout_seconds
  receive_wait_time_seconds  = 20

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = 3
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  for_each = local.queued

  queue_url = aws_sqs_queue.dead[each.key].url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this[each.key].arn]
  })
}

resource "aws_sqs_queue_policy" "this" {
  for_each = merge(
    { for key, queue in aws_sqs_queue.this : key => queue },
    { for key, queue in aws_sqs_queue.dead : "${key}-dead" => queue },
  )

  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOverTLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = var.functions

  name              = "/aws/lambda/${var.name}-${replace(each.key, "_", "-")}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

resource "aws_iam_role" "this" {
  for_each = var.functions

  name = "${var.name}-${replace(each.key, "_", "-")}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = var.functions

  name = "run"
  role = aws_iam_role.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "WriteOwnLog"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.this[each.key].arn}:*"]
        },
        {
          Sid      = "LogInToTheDatabase"
          Effect   = "Allow"
          Action   = ["rds-db:connect"]
          Resource = [var.database_connect_arn]
        },
        {
          # Interfaces and traces have no ARN before they exist: these actions can only be allowed on "*".
          Sid      = "AttachToTheVpcAndTrace"
          Effect   = "Allow"
          Action   = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
          Resource = ["*"]
        },
      ],
      each.value.queue ? [{
        Sid      = "TakeFromOwnQueue"
        Effect   = "Allow"
        Action   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = [aws_sqs_queue.this[each.key].arn]
      }] : [],
      each.value.opens_secrets ? [{
        Sid      = "OpenEnvelopes"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.secrets_key_arn]
      }] : [],
      each.value.reads_objects ? [
        {
          Sid      = "ReadObjects"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${var.objects_bucket_arn}/objects/*"]
        },
        {
          Sid      = "OpenObjects"
          Effect   = "Allow"
          Action   = ["kms:Decrypt"]
          Resource = [var.objects_key_arn]
        },
      ] : [],
      length(each.value.sends_to) > 0 ? [{
        Sid      = "SendToQueues"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [for target in each.value.sends_to : aws_sqs_queue.this[target].arn]
      }] : [],
    )
  })
}

resource "aws_lambda_function" "this" {
  for_each = var.functions

  function_name = "${var.name}-${replace(each.key, "_", "-")}"
  description   = each.value.description
  role          = aws_iam_role.this[each.key].arn
  runtime       = "python${var.python_version}"
  architectures = ["x86_64"]
  handler       = "cloud.aws.entry.handler"
  memory_size   = each.value.memory_mb
  timeout       = each.value.timeout_seconds

  filename         = "${var.artifacts_dir}/${each.key}.zip"
  source_code_hash = fileexists("${var.artifacts_dir}/${each.key}.zip") ? filebase64sha256("${var.artifacts_dir}/${each.key}.zip") : null

  # A ceiling for what one function may take from the database; the queue keeps the rest.
  reserved_concurrent_executions = each.value.concurrency

  environment {
    variables = merge(
      var.environment,
      each.value.environment,
      { for target in each.value.sends_to : "TANDEM_${upper(target)}_QUEUE_URL" => aws_sqs_queue.this[target].url },
      {
        TANDEM_AWS_ENTRY             = each.value.entry
        POWERTOOLS_SERVICE_NAME      = each.key
        POWERTOOLS_METRICS_NAMESPACE = "Tandem"
      },
    )
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.lambda_security_group_id]
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this[each.key].name
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = local.queued

  event_source_arn = aws_sqs_queue.this[each.key].arn
  function_name    = aws_lambda_function.this[each.key].arn
  batch_size       = each.value.batch_size
  # One bad record must not bring its neighbours back: the handlers name what failed.
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    # Never above the reserved concurrency: refused invocations would count as failed deliveries.
    maximum_concurrency = each.value.concurrency
  }
}

# The clock. EventBridge wakes each scheduled function every minute.
resource "aws_cloudwatch_event_rule" "every_minute" {
  name                = "${var.name}-every-minute"
  description         = "Wakes what the outbox and the inbox wait for"
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "scheduled" {
  for_each = local.scheduled

  rule      = aws_cloudwatch_event_rule.every_minute.name
  target_id = each.key
  arn       = aws_lambda_function.this[each.key].arn
}

resource "aws_lambda_permission" "scheduled" {
  for_each = aws_cloudwatch_event_target.scheduled

  statement_id  = "EveryMinute"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[each.key].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.every_minute.arn
}

# The next minute comes anyway: a failed or refused wake-up is not tried again beside it.
resource "aws_lambda_function_event_invoke_config" "scheduled" {
  for_each = local.scheduled

  function_name                = aws_lambda_function.this[each.key].function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}

resource "aws_cloudwatch_metric_alarm" "dead" {
  for_each = local.queued

  alarm_name          = "${var.name}-${replace(each.key, "_", "-")}-dead-letters"
  alarm_description   = "Something was given up by ${each.key}: read the dead-letter queue, mend, redrive."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead[each.key].name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = var.functions

  alarm_name          = "${var.name}-${replace(each.key, "_", "-")}-errors"
  alarm_description   = "${each.key} failed in three of the last five minutes."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.this[each.key].function_name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

# Without its clock a function fails silently: nothing runs, and so nothing fails.
resource "aws_cloudwatch_metric_alarm" "silent" {
  for_each = local.scheduled

  alarm_name          = "${var.name}-${replace(each.key, "_", "-")}-silent"
  alarm_description   = "${each.key} was not woken for three minutes."
  namespace           = "AWS/Lambda"
  metric_name         = "Invocations"
  dimensions          = { FunctionName = aws_lambda_function.this[each.key].function_name }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

# Messages that a queue did not take are sent again; when that goes on, a permission or a queue is missing.
resource "aws_cloudwatch_metric_alarm" "refused" {
  for_each = { for key, function in var.functions : key => function if length(function.sends_to) > 0 }

  alarm_name          = "${var.name}-${replace(each.key, "_", "-")}-refused"
  alarm_description   = "Queues refuse what ${each.key} sends: read its log for the reason."
  namespace           = "Tandem"
  metric_name         = "MessagesRefused"
  dimensions          = { service = each.key }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}
