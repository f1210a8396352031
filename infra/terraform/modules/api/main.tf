# The API: the Chalice app in one Lambda, behind an API Gateway REST API.
#
# The gateway's body is rendered from the app's own routes (`routes.json`, which `python -m tools.build_functions` writes
# beside the zips), one resource for each. A single `{proxy+}` would be shorter and would not work: Chalice finds its view
# by the resource's path in the event, and so sees exactly the routes that it declared.

data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  # {"/sites/{site_id}": {"GET": "authorize", "PATCH": "authorize"}, "/ca.pem": {"GET": ""}, …}: path, method, authorizer.
  routes      = jsondecode(file("${var.artifacts_dir}/routes.json"))
  authorizers = toset([for name in flatten([for methods in local.routes : values(methods)]) : name if name != ""])

  integration = {
    type                 = "aws_proxy"
    httpMethod           = "POST"
    uri                  = aws_lambda_function.this["api"].invoke_arn
    passthroughBehavior  = "when_no_match"
    contentHandling      = "CONVERT_TO_TEXT"
    timeoutInMillis      = 29000
    payloadFormatVersion = "1.0"
  }

  body = {
    openapi = "3.0.1"
    info    = { title = "${var.name}-api", version = "1.0" }
    # Bodies that are not text (installer bundles) come back through the same integration as base64.
    "x-amazon-apigateway-binary-media-types" = ["application/octet-stream", "application/gzip", "application/x-tar", "application/zip"]
    components = {
      securitySchemes = {
        for name in local.authorizers : name => {
          type                           = "apiKey"
          name                           = "Authorization"
          in                             = "header"
          "x-amazon-apigateway-authtype" = "custom"
          "x-amazon-apigateway-authorizer" = {
            type = "token"
            # Nothing is remembered: a token that was just revoked is refused at once.
            authorizerResultTtlInSeconds = 0
            authorizerUri                = aws_lambda_function.this["authorizer"].invoke_arn
          }
        }
      }
    }
    paths = {
      for path, methods in local.routes : path => {
        for method, authorizer in methods : lower(method) => {
          security = authorizer == "" ? [] : [{ (authorizer) = [] }]
          parameters = [
            for parameter in distinct(flatten(regexall("\\{([A-Za-z0-9_]+)\\+?\\}", path))) :
            { name = parameter, in = "path", required = true, schema = { type = "string" } }
          ]
          responses                         = { default = { description = "see the API's own /openapi.json" } }
          "x-amazon-apigateway-integration" = local.integration
        }
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}-api"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/${var.name}-api"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

resource "aws_iam_role" "this" {
  name = "${var.name}-api"
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
  name = "run"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "WriteOwnLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.function.arn}:*"]
      },
      {
        Sid      = "LogInToTheDatabase"
        Effect   = "Allow"
        Action   = ["rds-db:connect"]
        Resource = [var.database_connect_arn]
      },
      {
        Sid      = "OpenAndCloseEnvelopes"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt"]
        Resource = [var.secrets_key_arn]
      },
      {
        Sid      = "OpenAndCloseObjects"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.objects_key_arn]
      },
      {
        # Presigned addresses carry this role's permissions, so it may do what they may. What cloud.objects keeps and
        # nothing else of the bucket: the keys' prefix is cloud.objects.s3.PREFIX, a tenant's own follows it.
        Sid      = "PresignObjects"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = ["${var.objects_bucket_arn}/objects/*"]
      },
      {
        # Without it S3 says 403 instead of 404 of what is not there, and a mistake in a policy looks like that, too.
        Sid      = "TellMissingFromForbidden"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [var.objects_bucket_arn]
      },
      {
        # Interfaces and traces have no ARN before they exist: these actions can only be allowed on "*".
        Sid      = "AttachToTheVpcAndTrace"
        Effect   = "Allow"
        Action   = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = ["*"]
      },
      ],
      length(var.readable_secret_arns) == 0 ? [] : [{
        Sid      = "ReadOwnSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = var.readable_secret_arns
      }],
    )
  })
}

# The app, and its authorizer: API Gateway asks the latter as a Lambda of its own, from the same zip.
resource "aws_lambda_function" "this" {
  for_each = {
    api        = { description = "Tandem's REST API (Chalice)", concurrency = var.concurrency, entry = var.entry }
    authorizer = { description = "Says whose token a request carries", concurrency = var.concurrency, entry = "${var.entry}#authorize" }
  }

  function_name = each.key == "api" ? "${var.name}-api" : "${var.name}-api-${each.key}"
  description   = each.value.description
  role          = aws_iam_role.this.arn
  runtime       = "python${var.python_version}"
  architectures = ["x86_64"]
  handler       = "cloud.aws.entry.handler"
  memory_size   = var.memory_mb
  timeout       = 29 # what the gateway waits for

  filename         = "${var.artifacts_dir}/api.zip"
  source_code_hash = fileexists("${var.artifacts_dir}/api.zip") ? filebase64sha256("${var.artifacts_dir}/api.zip") : null

  reserved_concurrent_executions = each.value.concurrency

  environment {
    variables = merge(var.environment, {
      TANDEM_AWS_ENTRY             = each.value.entry
      POWERTOOLS_SERVICE_NAME      = each.key
      POWERTOOLS_METRICS_NAMESPACE = "Tandem"
    })
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
    log_group  = aws_cloudwatch_log_group.function.name
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_api_gateway_rest_api" "this" {
  name        = "${var.name}-api"
  description = "Tandem"
  body        = jsonencode(local.body)

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  # With a domain of its own, the gateway's default address would be a second way in, past the domain's TLS policy.
  disable_execute_api_endpoint = var.domain != null
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  triggers = {
    body = sha256(jsonencode(local.routes))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = "live"
  xray_tracing_enabled = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    # The resource's path with its placeholders: no query string, no ids, no bodies, no header reaches the log.
    format = jsonencode({
      requestId      = "$context.requestId"
      time           = "$context.requestTime"
      ip             = "$context.identity.sourceIp"
      method         = "$context.httpMethod"
      resource       = "$context.resourcePath"
      status         = "$context.status"
      responseLength = "$context.responseLength"
      latencyMs      = "$context.responseLatency"
      error          = "$context.error.message"
    })
  }

  depends_on = [aws_api_gateway_account.this]
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    logging_level          = "OFF"
    data_trace_enabled     = false # it would log bodies, passwords among them
    throttling_rate_limit  = var.throttling_rate
    throttling_burst_limit = var.throttling_burst
  }
}

# API Gateway writes access logs by one role for the whole account and region.
resource "aws_iam_role" "gateway_log" {
  name = "${var.name}-gateway-log"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "apigateway.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "gateway_log" {
  role       = aws_iam_role.gateway_log.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  cloudwatch_role_arn = aws_iam_role.gateway_log.arn

  depends_on = [aws_iam_role_policy_attachment.gateway_log]
}

resource "aws_lambda_permission" "gateway" {
  for_each = {
    api        = "*/*"
    authorizer = "authorizers/*"
  }

  statement_id  = "Gateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[each.key].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${each.value}"
}

# Domains. The ordinary one has a public certificate; the enrollment one a certificate of the cloud's own authority,
# imported into ACM, because an edge that enrolls trusts that authority and nothing else.
resource "aws_api_gateway_domain_name" "this" {
  for_each = { for key, domain in { public = var.domain, enrollment = var.enrollment_domain } : key => domain if domain != null }

  domain_name              = each.value.name
  regional_certificate_arn = each.value.certificate_arn
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_base_path_mapping" "this" {
  for_each = aws_api_gateway_domain_name.this

  api_id      = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  domain_name = each.value.domain_name
}

resource "aws_cloudwatch_metric_alarm" "server_errors" {
  alarm_name          = "${var.name}-api-5xx"
  alarm_description   = "More than one answer in a hundred was a server error for three of five minutes."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5XXError"
  dimensions          = { ApiName = aws_api_gateway_rest_api.this.name, Stage = aws_api_gateway_stage.this.stage_name }
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.01
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}
