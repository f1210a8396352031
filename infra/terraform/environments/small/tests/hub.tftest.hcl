# The hub is reached by UDP and TCP on 443, runs without root and reads what edges need.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                 = "tandem-test"
  vpc_id               = "vpc-1"
  public_subnet_ids    = ["subnet-1", "subnet-2"]
  private_subnet_ids   = ["subnet-3", "subnet-4"]
  security_group_id    = "sg-hub"
  environment          = { TANDEM_HUB_DATABASE_URL = "postgresql+psycopg://tandem_hub@cluster.example:5432/tandem" }
  image_tag            = "0.1.0"
  database_key_arn     = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000001"
  owner_secret_arn     = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:owner-AbCdEf"
  role_secret_arns     = { tandem_api = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:api-AbCdEf", tandem_hub = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf" }
  migrate_command      = ["python", "-m", "cloud.aws.migrate"]
  readable_secret_arns = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:certificate-AbCdEf"]
  migrate_environment  = {}
  objects_key_arn      = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000004"
  objects_bucket_arn   = "arn:aws:s3:::objects"
  secrets_key_arn      = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000002"
  logs_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000003"
  alarm_topic_arn      = "arn:aws:sns:eu-central-1:123456789012:alarms"
  log_retention_days   = 30
}

run "edges_reach_the_hub_by_udp_and_tcp_on_443" {
  module {
    source = "../../modules/hub"
  }

  assert {
    condition     = aws_lb.this.load_balancer_type == "network" && aws_lb_listener.this.port == 443 && aws_lb_listener.this.protocol == "TCP_UDP" && aws_lb_target_group.this.protocol == "TCP_UDP"
    error_message = "One listener takes QUIC and WebSocket on 443."
  }

  assert {
    condition = toset([for rule in aws_vpc_security_group_ingress_rule.balancer : rule.ip_protocol]) == toset(["tcp", "udp"]) && alltrue([
      for rule in aws_vpc_security_group_ingress_rule.balancer : rule.from_port == 443 && rule.to_port == 443
    ])
    error_message = "The balancer takes 443 and nothing else."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.hub : rule.cidr_ipv4 == null && rule.from_port == 8443])
    error_message = "Tasks are reached through the balancer only."
  }

  assert {
    condition     = !aws_ecs_service.hub.network_configuration[0].assign_public_ip
    error_message = "Tasks have no public address."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.hub.container_definitions)[0].user == "10001:10001" && jsondecode(aws_ecs_task_definition.hub.container_definitions)[0].readonlyRootFilesystem
    error_message = "The hub runs without root, on a file system that it cannot change."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement.Action] == [["kms:Decrypt", "kms:Encrypt"], ["secretsmanager:GetSecretValue"], ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject"], ["s3:ListBucket"], ["kms:Decrypt", "kms:GenerateDataKey"]]
    error_message = "The hub's code may open envelopes and make them, read its certificate and keep objects."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement.Resource if statement.Sid == "KeepObjects"]) == ["arn:aws:s3:::objects/objects/*"]
    error_message = "The hub keeps what the object store keeps and nothing else of the bucket."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.execution["hub"].policy).Statement : statement.Resource if statement.Sid == "HandOverPasswords"]) == ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf"]
    error_message = "The hub is handed its own password and not the owner's."
  }

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "Images are scanned, and a tag never means another image."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.retention_in_days == 30 && group.kms_key_id == var.logs_key_arn])
    error_message = "Logs are encrypted, and kept for as long as asked."
  }
}
