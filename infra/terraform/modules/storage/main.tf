# What is kept outside the database: the keys and the buckets.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  root_arn = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"

  # The account's administration of a key. In a key policy "*" names this one key and nothing else, and without this
  # statement a key can be lost for good; who may use the key is decided by the roles' own policies.
  key_administration = {
    Sid       = "AccountAdministersThisKey"
    Effect    = "Allow"
    Principal = { AWS = local.root_arn }
    Action    = "kms:*"
    Resource  = "*"
  }

  buckets = {
    objects = "recordings, firmware, prompts, backups; read and written by presigned addresses"
    agents  = "install.sh and agent bundles, served by CloudFront"
    portal  = "the portal's built files, read by CloudFront alone"
  }
}

# Envelope key of the secrets in the rows (architecture, decision 7). Losing it loses every phone password and the
# cloud's own certificate authority, so its deletion window is the longest that there is.
resource "aws_kms_key" "secrets" {
  description             = "${var.name}: envelope of secrets kept in rows"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.key_administration]
  })
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/${var.name}-secrets"
  target_key_id = aws_kms_key.secrets.key_id
}

# Private objects. A key of its own: who may read a recording may not thereby open a phone's password.
resource "aws_kms_key" "objects" {
  description             = "${var.name}: private objects"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.key_administration]
  })
}

resource "aws_kms_alias" "objects" {
  name          = "alias/${var.name}-objects"
  target_key_id = aws_kms_key.objects.key_id
}

# Log groups, queues' alarms and everything that CloudWatch keeps.
resource "aws_kms_key" "logs" {
  description             = "${var.name}: logs"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.key_administration,
      {
        Sid       = "CloudWatchLogsOfThisEnvironment"
        Effect    = "Allow"
        Principal = { Service = "logs.${data.aws_region.current.name}.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        Resource  = "*" # this key, see above
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:log-group:*${var.name}*"
          }
        }
      },
      {
        # Alarms publish to the encrypted alarm topic.
        Sid       = "AlarmsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*" # this key, see above
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
    ]
  })
}

resource "aws_kms_alias" "logs" {
  name          = "alias/${var.name}-logs"
  target_key_id = aws_kms_key.logs.key_id
}

resource "aws_s3_bucket" "this" {
  for_each = local.buckets

  # The account id makes the name unique; bucket names are one name space for the whole world.
  bucket        = "${var.name}-${each.key}-${data.aws_caller_identity.current.account_id}"
  force_destroy = false

  tags = { Purpose = each.key }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced" # no ACLs at all
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    # What CloudFront serves to everybody needs no key of ours, and CloudFront no grant on one. What is private has the
    # environment's own key, and bucket keys keep KMS requests few.
    bucket_key_enabled = each.key == "objects"

    apply_server_side_encryption_by_default {
      sse_algorithm     = each.key == "objects" ? "aws:kms" : "AES256"
      kms_master_key_id = each.key == "objects" ? aws_kms_key.objects.arn : null
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    id     = "old-versions-and-abandoned-uploads"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_version_days
    }

    # What is left of an object once its last old version is gone.
    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

# Browsers bring files straight to the bucket by presigned addresses, from the portal's origin and from no other page.
resource "aws_s3_bucket_cors_configuration" "objects" {
  bucket = aws_s3_bucket.this["objects"].id

  cors_rule {
    allowed_methods = ["PUT"]
    allowed_origins = [var.portal_origin]
    allowed_headers = ["content-type", "x-amz-checksum-sha256"]
    max_age_seconds = 600
  }
}

locals {
  tls_only = {
    for key, bucket in aws_s3_bucket.this : key => {
      Sid       = "OnlyOverTLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [bucket.arn, "${bucket.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
  }
}

# The other buckets' policies also name the CloudFront distribution; the portal module writes them, with this statement.
resource "aws_s3_bucket_policy" "objects" {
  bucket = aws_s3_bucket.this["objects"].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.tls_only["objects"]]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# Alarms of every module go to this topic; who is told is the MSP's choice.
resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = aws_kms_key.logs.arn
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}
