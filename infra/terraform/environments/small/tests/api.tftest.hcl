# The gateway knows exactly the app's routes, asks the authorizer where the app does, and logs nothing private.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "tandem-test"
  artifacts_dir            = "tests/artifacts"
  python_version           = "3.13"
  entry                    = "cloud.api.app:app"
  subnet_ids               = ["subnet-1", "subnet-2"]
  lambda_security_group_id = "sg-lambda"
  database_connect_arn     = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:prx-1/tandem_api"
  secrets_key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000001"
  objects_key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000003"
  objects_bucket_arn       = "arn:aws:s3:::objects"
  logs_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000002"
  alarm_topic_arn          = "arn:aws:sns:eu-central-1:123456789012:alarms"
  log_retention_days       = 30
  environment              = { TANDEM_API_PUBLIC_URL = "https://tandem.example.com" }
}

run "the_gateway_is_the_apps_routes" {
  module {
    source = "../../modules/api"
  }

  assert {
    condition     = toset(keys(jsondecode(aws_api_gateway_rest_api.this.body).paths)) == toset(["/ca.pem", "/sites", "/sites/{site_id}"])
    error_message = "The gateway has one resource for each path of the app."
  }

  assert {
    condition     = toset(keys(jsondecode(aws_api_gateway_rest_api.this.body).paths["/sites/{site_id}"])) == toset(["get", "patch"])
    error_message = "A resource has the app's methods."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/sites"].post.security == [{ authorize = [] }] && length(jsondecode(aws_api_gateway_rest_api.this.body).paths["/ca.pem"].get.security) == 0
    error_message = "The gateway asks the authorizer exactly where the app does."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).components.securitySchemes.authorize["x-amazon-apigateway-authorizer"].authorizerResultTtlInSeconds == 0
    error_message = "The authorizer's answers are not remembered."
  }

  assert {
    condition     = !strcontains(aws_api_gateway_stage.this.access_log_settings[0].format, "path\"") && !strcontains(aws_api_gateway_stage.this.access_log_settings[0].format, "$context.path") && !strcontains(lower(aws_api_gateway_stage.this.access_log_settings[0].format), "query")
    error_message = "Access logs hold neither query strings nor paths with ids."
  }

  assert {
    condition     = !aws_api_gateway_method_settings.all.settings[0].data_trace_enabled && aws_api_gateway_method_settings.all.settings[0].throttling_rate_limit == 100
    error_message = "Bodies are not logged, and requests are throttled."
  }

  assert {
    condition     = alltrue([for group in [aws_cloudwatch_log_group.function, aws_cloudwatch_log_group.access] : group.retention_in_days == 30 && group.kms_key_id == var.logs_key_arn])
    error_message = "Logs are encrypted, and kept for as long as asked."
  }

  assert {
    condition     = aws_lambda_function.this["api"].environment[0].variables["TANDEM_AWS_ENTRY"] == "cloud.api.app:app" && aws_lambda_function.this["authorizer"].environment[0].variables["TANDEM_AWS_ENTRY"] == "cloud.api.app:app#authorize"
    error_message = "The authorizer is a Lambda of its own, from the same app."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Resource if statement.Sid == "PresignObjects"]) == ["arn:aws:s3:::objects/objects/*"]
    error_message = "Presigned addresses reach what the object store keeps and nothing else of the bucket."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.this.policy).Statement :
      alltrue([for action in statement.Action : !strcontains(action, "*")]) && (statement.Sid == "AttachToTheVpcAndTrace" || !contains(statement.Resource, "*"))
    ])
    error_message = "No wildcard action, and none but network interfaces and traces on any resource."
  }
}
