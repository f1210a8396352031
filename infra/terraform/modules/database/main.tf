# Aurora PostgreSQL Serverless v2 and the proxy in front of it.
#
# api and worker come through the proxy: Lambdas start and stop, and each would open connections of its own. The hub
# connects to the cluster itself, because LISTEN needs a connection that stays its own, and there are few hubs.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  arn_prefix = "arn:${data.aws_partition.current.partition}"
  region     = data.aws_region.current.name
  account    = data.aws_caller_identity.current.account_id

  # The login roles of the database (architecture, decision 6). The owner is the master user, used by migrations only.
  roles         = toset(["tandem_api", "tandem_worker", "tandem_hub"])
  proxied_roles = toset(["tandem_api", "tandem_worker"])
}

resource "aws_kms_key" "this" {
  description             = "${var.name}: database and its passwords"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-database"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Private subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
}

resource "aws_security_group" "cluster" {
  name_prefix = "${var.name}-database-"
  description = "Aurora: PostgreSQL from the proxy and from the hub"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "proxy" {
  name_prefix = "${var.name}-database-proxy-"
  description = "RDS Proxy: PostgreSQL from the Lambdas"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

# Group to group, so that a new subnet or address never opens the database to something else.
resource "aws_vpc_security_group_ingress_rule" "cluster" {
  for_each = {
    proxy = aws_security_group.proxy.id
    hub   = var.hub_security_group_id
  }

  security_group_id            = aws_security_group.cluster.id
  description                  = "PostgreSQL from the ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "proxy" {
  security_group_id            = aws_security_group.proxy.id
  description                  = "PostgreSQL from the Lambdas"
  referenced_security_group_id = var.lambda_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "proxy" {
  security_group_id            = aws_security_group.proxy.id
  description                  = "PostgreSQL to the cluster"
  referenced_security_group_id = aws_security_group.cluster.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "proxy_secrets" {
  security_group_id = aws_security_group.proxy.id
  description       = "HTTPS to Secrets Manager"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_rds_cluster_parameter_group" "this" {
  name_prefix = "${var.name}-"
  description = "TLS for everybody; slow statements are logged, their values are not"
  family      = "aurora-postgresql${split(".", var.engine_version)[0]}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  # Values of bind parameters are personal data and sometimes secrets: they stay out of the log.
  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }

  parameter {
    name  = "log_parameter_max_length_on_error"
    value = "0"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "cluster" {
  name              = "/aws/rds/cluster/${var.name}/postgresql"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

resource "aws_rds_cluster" "this" {
  cluster_identifier = var.name
  engine             = "aurora-postgresql"
  engine_mode        = "provisioned" # Serverless v2 is a scaling of this mode, not a mode of its own
  engine_version     = var.engine_version
  database_name      = "tandem"

  master_username               = "tandem_owner"
  manage_master_user_password   = true # RDS makes, keeps and rotates it; it never enters the state
  master_user_secret_kms_key_id = aws_kms_key.this.arn

  storage_encrypted = true
  kms_key_id        = aws_kms_key.this.arn

  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.cluster.id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name
  enabled_cloudwatch_logs_exports = ["postgresql"]

  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-final"

  serverlessv2_scaling_configuration {
    min_capacity = var.min_capacity
    max_capacity = var.max_capacity
  }

  depends_on = [aws_cloudwatch_log_group.cluster]
}

resource "aws_rds_cluster_instance" "this" {
  count = var.instances

  identifier         = "${var.name}-${count.index}"
  cluster_identifier = aws_rds_cluster.this.id
  engine             = aws_rds_cluster.this.engine
  engine_version     = aws_rds_cluster.this.engine_version
  instance_class     = "db.serverless"

  publicly_accessible             = false
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.this.arn
}

# Passwords of the roles. Terraform makes the places and never sees a value, so none is in a state or a plan: the MSP
# writes them once (see the README), and the migration task sets them in the database. Lambdas do not read them, they
# show the proxy an IAM token; it is the proxy that logs in with a password.
resource "aws_secretsmanager_secret" "role" {
  for_each = local.roles

  name        = "${var.name}/database/${each.key}"
  description = "Database role ${each.key}: {\"username\": …, \"password\": …}"
  kms_key_id  = aws_kms_key.this.arn
}

resource "aws_iam_role" "proxy" {
  name = "${var.name}-database-proxy"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "proxy" {
  name = "read-role-passwords"
  role = aws_iam_role.proxy.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [for role in local.proxied_roles : aws_secretsmanager_secret.role[role].arn]
      },
      {
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [aws_kms_key.this.arn]
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_db_proxy" "this" {
  name                   = var.name
  engine_family          = "POSTGRESQL"
  role_arn               = aws_iam_role.proxy.arn
  vpc_subnet_ids         = var.subnet_ids
  vpc_security_group_ids = [aws_security_group.proxy.id]
  require_tls            = true
  idle_client_timeout    = 900
  debug_logging          = false # it would log statements

  dynamic "auth" {
    for_each = local.proxied_roles

    content {
      auth_scheme = "SECRETS"
      iam_auth    = "REQUIRED"
      secret_arn  = aws_secretsmanager_secret.role[auth.value].arn
    }
  }
}

resource "aws_db_proxy_default_target_group" "this" {
  db_proxy_name = aws_db_proxy.this.name

  connection_pool_config {
    max_connections_percent      = 80 # the rest is the hub's and the migrations'
    max_idle_connections_percent = 20
    connection_borrow_timeout    = 10
  }
}

resource "aws_db_proxy_target" "this" {
  db_proxy_name         = aws_db_proxy.this.name
  target_group_name     = aws_db_proxy_default_target_group.this.name
  db_cluster_identifier = aws_rds_cluster.this.id
}

locals {
  # The proxy's id (prx-…) is the last part of its ARN.
  proxy_id = element(split(":", aws_db_proxy.this.arn), -1)
}
