# The database is encrypted, private, speaks only TLS and keeps its passwords to itself.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "tandem-test"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2"]
  lambda_security_group_id = "sg-lambda"
  hub_security_group_id    = "sg-hub"
  logs_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000001"
}

run "the_database_is_closed" {
  module {
    source = "../../modules/database"
  }

  assert {
    condition     = alltrue([for instance in aws_rds_cluster_instance.this : !instance.publicly_accessible])
    error_message = "No instance has a public address."
  }

  assert {
    condition     = aws_rds_cluster.this.storage_encrypted && aws_rds_cluster.this.deletion_protection && !aws_rds_cluster.this.skip_final_snapshot && aws_rds_cluster.this.backup_retention_period >= 7
    error_message = "The cluster is encrypted, backed up and not deleted by mistake."
  }

  assert {
    condition     = aws_rds_cluster.this.manage_master_user_password && aws_rds_cluster.this.master_password == null
    error_message = "The owner's password is made and kept by RDS."
  }

  assert {
    condition     = anytrue([for parameter in aws_rds_cluster_parameter_group.this.parameter : parameter.name == "rds.force_ssl" && parameter.value == "1"])
    error_message = "The cluster refuses plain connections."
  }

  assert {
    condition     = aws_db_proxy.this.require_tls && !aws_db_proxy.this.debug_logging && alltrue([for auth in aws_db_proxy.this.auth : auth.iam_auth == "REQUIRED"])
    error_message = "The proxy asks for TLS and for an IAM token, and logs no statements."
  }

  assert {
    condition = alltrue(concat(
      [for rule in aws_vpc_security_group_ingress_rule.cluster : rule.cidr_ipv4 == null && rule.from_port == 5432 && rule.to_port == 5432],
      [aws_vpc_security_group_ingress_rule.proxy.cidr_ipv4 == null],
    ))
    error_message = "Only security groups are let in, never address ranges."
  }

  assert {
    condition     = toset(keys(aws_secretsmanager_secret.role)) == toset(["tandem_api", "tandem_worker", "tandem_hub"])
    error_message = "Every role has a password of its own."
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The database's key rotates."
  }

  assert {
    condition     = endswith(output.connect_arns["tandem_api"], ":dbuser:prx-0123456789abcdef0/tandem_api") && endswith(output.connect_arns["tandem_worker"], ":dbuser:prx-0123456789abcdef0/tandem_worker")
    error_message = "api and worker log in at the proxy, each as one role only."
  }
}

run "a_database_that_could_pause_is_refused" {
  command = plan

  module {
    source = "../../modules/database"
  }

  variables {
    min_capacity = 0
  }

  expect_failures = [var.min_capacity]
}
