# A small environment: one MSP's start, up to some thousand edges. Every part is one that grows: more capacity units,
# a second database instance, more hub tasks; nothing has to be replaced.

data "aws_availability_zones" "available" {
  state = "available"
}

locals {
  zones = slice(sort(data.aws_availability_zones.available.names), 0, 2)

  public_url = "https://${var.domain.name}"

  # What logs into the database, and where: api and worker through the proxy with IAM tokens, the hub straight on.
  database_url = {
    for role, host in {
      tandem_api    = module.database.proxy_endpoint
      tandem_worker = module.database.proxy_endpoint
      tandem_hub    = module.database.cluster_endpoint
    } : role => "postgresql+psycopg://${role}@${host}:5432/${module.database.database_name}?sslmode=require"
  }
}

module "network" {
  source = "../../modules/network"

  name               = var.name
  cidr_block         = var.cidr_block
  availability_zones = local.zones
}

module "storage" {
  source = "../../modules/storage"

  name          = var.name
  portal_origin = local.public_url
  alarm_emails  = var.alarm_emails
}

# Groups of what runs code, here and not in its module: the database has to know them before it exists.
resource "aws_security_group" "lambda" {
  name_prefix = "${var.name}-lambda-"
  description = "Lambdas: nothing comes in, they call out"
  vpc_id      = module.network.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "hub" {
  name_prefix = "${var.name}-hub-"
  description = "Hub tasks: the channel from the load balancer"
  vpc_id      = module.network.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

# Lambdas call webhooks at any address and port that a tenant names (private ones are refused by the code), the database
# and AWS; the hub calls the database and AWS.
resource "aws_vpc_security_group_egress_rule" "lambda" {
  security_group_id = aws_security_group.lambda.id
  description       = "Webhooks, AWS, database"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 1
  to_port           = 65535
}

resource "aws_vpc_security_group_egress_rule" "hub" {
  for_each = { https = 443, postgresql = 5432 }

  security_group_id = aws_security_group.hub.id
  description       = "Hub to ${each.key}"
  cidr_ipv4         = each.key == "postgresql" ? module.network.cidr_block : "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

module "database" {
  source = "../../modules/database"

  name                     = var.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  lambda_security_group_id = aws_security_group.lambda.id
  hub_security_group_id    = aws_security_group.hub.id
  logs_key_arn             = module.storage.logs_key_arn
  instances                = var.database_instances
  max_capacity             = var.database_max_capacity
  deletion_protection      = var.deletion_protection
  log_retention_days       = var.log_retention_days
}

# Signs access tokens. As with the database's passwords, the value is written by the MSP (see the README).
resource "aws_secretsmanager_secret" "token_key" {
  name        = "${var.name}/api/token-key"
  description = "Signs the API's access tokens: base64 of at least 32 bytes; replacing it logs everybody out"
  kms_key_id  = module.storage.secrets_key_arn
}

# The hub's certificate, issued by the cloud's own authority, and its key: PEM, written by the MSP.
resource "aws_secretsmanager_secret" "hub" {
  for_each = toset(["certificate", "key"])

  name        = "${var.name}/hub/${each.key}"
  description = "The hub's ${each.key} (PEM), issued by the cloud's own authority"
  kms_key_id  = module.storage.secrets_key_arn
}

module "api" {
  source = "../../modules/api"

  name                     = var.name
  artifacts_dir            = var.artifacts_dir
  python_version           = var.python_version
  entry                    = "cloud.api.app:app"
  subnet_ids               = module.network.private_subnet_ids
  lambda_security_group_id = aws_security_group.lambda.id
  database_connect_arn     = module.database.connect_arns["tandem_api"]
  secrets_key_arn          = module.storage.secrets_key_arn
  objects_key_arn          = module.storage.objects_key_arn
  objects_bucket_arn       = module.storage.buckets["objects"].arn
  readable_secret_arns     = [aws_secretsmanager_secret.token_key.arn]
  logs_key_arn             = module.storage.logs_key_arn
  alarm_topic_arn          = module.storage.alarm_topic_arn
  log_retention_days       = var.log_retention_days
  enrollment_domain        = var.enrollment_domain

  environment = {
    TANDEM_API_DATABASE_URL      = local.database_url["tandem_api"]
    TANDEM_API_DATABASE_POOL     = "1" # a Lambda answers one request at a time; the proxy shares the rest
    TANDEM_API_PUBLIC_URL        = local.public_url
    TANDEM_API_ENROLLMENT_URL    = var.enrollment_domain == null ? local.public_url : "https://${var.enrollment_domain.name}"
    TANDEM_API_KMS_KEY_ARN       = module.storage.secrets_key_arn
    TANDEM_API_CA_PEM            = var.ca_certificate
    TANDEM_API_HUB_HOST          = var.hub_domain
    TANDEM_API_HUB_QUIC_PORT     = "443"
    TANDEM_API_HUB_WEBSOCKET_URL = "wss://${var.hub_domain}/channel"
    TANDEM_API_OBJECTS_BUCKET    = module.storage.buckets["objects"].name
    # Read by cloud.aws at the start and handed on as TANDEM_API_TOKEN_KEY.
    TANDEM_AWS_SECRET_TANDEM_API_TOKEN_KEY = aws_secretsmanager_secret.token_key.arn
  }
}

module "functions" {
  source = "../../modules/functions"

  name                     = var.name
  artifacts_dir            = var.artifacts_dir
  python_version           = var.python_version
  subnet_ids               = module.network.private_subnet_ids
  lambda_security_group_id = aws_security_group.lambda.id
  database_connect_arn     = module.database.connect_arns["tandem_worker"]
  secrets_key_arn          = module.storage.secrets_key_arn
  objects_bucket_arn       = module.storage.buckets["objects"].arn
  objects_key_arn          = module.storage.objects_key_arn
  logs_key_arn             = module.storage.logs_key_arn
  alarm_topic_arn          = module.storage.alarm_topic_arn
  log_retention_days       = var.log_retention_days

  environment = {
    TANDEM_DATABASE_URL = local.database_url["tandem_worker"]
  }

  functions = {
    relay_jobs = {
      description     = "Carries due jobs of the outbox and waiting events to the queues"
      entry           = "cloud.functions.relay_jobs.handler:handler"
      queue           = false
      scheduled       = true
      timeout_seconds = 75 # each works until its successor has begun
      sends_to        = ["publish_sites", "ingest_events", "deliver_webhooks", "push_redirects", "renew_certificates", "send_mails"]
    }
    publish_sites = {
      description     = "Compiles the sites that a change touches and publishes their next version"
      entry           = "cloud.functions.publish_sites.handler:handler"
      timeout_seconds = 60
    }
    ingest_events = {
      description     = "Turns the events of edges into rows and webhooks"
      entry           = "cloud.functions.ingest_events.handler:handler"
      scheduled       = true # without a batch it looks itself for what the relay may have missed
      timeout_seconds = 60
    }
    deliver_webhooks = {
      description     = "Signs and delivers webhooks"
      entry           = "cloud.functions.deliver_webhooks.handler:handler"
      timeout_seconds = 120
      concurrency     = 5
      opens_secrets   = true
      environment     = { TANDEM_KMS_KEY_ARN = module.storage.secrets_key_arn }
    }
    push_redirects = {
      description     = "Tells vendors' redirect services where phones find their server"
      entry           = "cloud.functions.push_redirects.handler:handler"
      timeout_seconds = 180
      concurrency     = 2
      batch_size      = 1
      opens_secrets   = true
      environment     = { TANDEM_KMS_KEY_ARN = module.storage.secrets_key_arn }
    }
    send_mails = {
      description     = "Sends mails through the mail server, and puts messages into IMAP mailboxes"
      opens_secrets   = true
      reads_objects   = true
      entry           = "cloud.functions.send_mails.handler:handler"
      timeout_seconds = 120
      concurrency     = 2
      batch_size      = 1
      environment = {
        TANDEM_SMTP_HOST     = var.smtp_host
        TANDEM_SMTP_USERNAME = var.smtp_username
        TANDEM_SMTP_PASSWORD = var.smtp_password
        TANDEM_MAIL_FROM     = var.mail_from
        TANDEM_PORTAL_URL    = local.public_url
        TANDEM_KMS_KEY_ARN   = module.storage.secrets_key_arn

        TANDEM_OBJECTS_BUCKET = module.storage.buckets["objects"].name
      }
    }
    renew_certificates = {
      description     = "Signs the SIP certificates of sites anew before they end"
      entry           = "cloud.functions.renew_certificates.handler:handler"
      timeout_seconds = 60
      concurrency     = 2
      batch_size      = 1
      opens_secrets   = true
      environment     = { TANDEM_KMS_KEY_ARN = module.storage.secrets_key_arn }
    }
  }
}

module "hub" {
  source = "../../modules/hub"

  name                = var.name
  vpc_id              = module.network.vpc_id
  public_subnet_ids   = module.network.public_subnet_ids
  private_subnet_ids  = module.network.private_subnet_ids
  security_group_id   = aws_security_group.hub.id
  image_tag           = var.hub_image_tag
  desired_count       = var.hub_count
  deletion_protection = var.deletion_protection
  database_key_arn    = module.database.key_arn
  owner_secret_arn    = module.database.owner_secret_arn
  role_secret_arns    = module.database.role_secret_arns
  secrets_key_arn     = module.storage.secrets_key_arn
  objects_key_arn     = module.storage.objects_key_arn
  objects_bucket_arn  = module.storage.buckets["objects"].arn
  logs_key_arn        = module.storage.logs_key_arn
  alarm_topic_arn     = module.storage.alarm_topic_arn
  log_retention_days  = var.log_retention_days

  readable_secret_arns = [for secret in aws_secretsmanager_secret.hub : secret.arn]

  environment = {
    TANDEM_AWS_ENTRY                            = "cloud.hub.__main__:main"
    TANDEM_AWS_FILE_TANDEM_HUB_CERTIFICATE_FILE = aws_secretsmanager_secret.hub["certificate"].arn
    TANDEM_AWS_FILE_TANDEM_HUB_KEY_FILE         = aws_secretsmanager_secret.hub["key"].arn
    TANDEM_HUB_DATABASE_URL                     = local.database_url["tandem_hub"]
    TANDEM_HUB_QUIC_PORT                        = "8443"
    TANDEM_HUB_WEBSOCKET_PORT                   = "8443"
    TANDEM_HUB_SECRETS_KMS_KEY                  = module.storage.secrets_key_arn
    TANDEM_HUB_OBJECTS_BUCKET                   = module.storage.buckets["objects"].name
    AWS_DEFAULT_REGION                          = var.region
    TMPDIR                                      = "/dev/shm" # memory: the root file system is read-only
  }

  migrate_command = ["python", "-m", "cloud.aws.migrate"]
  migrate_environment = {
    DATABASE_URL = "postgresql+psycopg://${module.database.cluster_endpoint}:5432/${module.database.database_name}?sslmode=require"
  }
}

module "portal" {
  source = "../../modules/portal"

  name            = var.name
  domain          = var.domain
  portal_bucket   = module.storage.buckets["portal"]
  agents_bucket   = module.storage.buckets["agents"]
  objects_bucket  = module.storage.buckets["objects"]
  api_domain_name = module.api.gateway_domain_name
  api_stage_name  = module.api.stage_name
}
