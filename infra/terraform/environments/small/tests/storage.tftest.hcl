# What is kept is private, encrypted, recoverable, and only spoken to over TLS.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name          = "tandem-test"
  portal_origin = "https://tandem.example.com"
}

run "what_is_kept_is_private" {
  module {
    source = "../../modules/storage"
  }

  assert {
    condition     = toset(keys(aws_s3_bucket.this)) == toset(["objects", "agents", "portal"])
    error_message = "There are three buckets."
  }

  assert {
    condition = alltrue([
      for block in aws_s3_bucket_public_access_block.this :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ]) && length(aws_s3_bucket_public_access_block.this) == 3
    error_message = "Every bucket blocks every kind of public access."
  }

  assert {
    condition     = alltrue([for control in aws_s3_bucket_ownership_controls.this : control.rule[0].object_ownership == "BucketOwnerEnforced"])
    error_message = "No bucket knows ACLs."
  }

  assert {
    condition     = alltrue([for versioning in aws_s3_bucket_versioning.this : versioning.versioning_configuration[0].status == "Enabled"]) && length(aws_s3_bucket_versioning.this) == 3
    error_message = "Every bucket keeps old versions."
  }

  assert {
    condition = alltrue([
      for encryption in aws_s3_bucket_server_side_encryption_configuration.this :
      contains(["AES256", "aws:kms"], one(one(encryption.rule).apply_server_side_encryption_by_default).sse_algorithm)
    ]) && length(aws_s3_bucket_server_side_encryption_configuration.this) == 3
    error_message = "Every bucket is encrypted."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this["objects"].rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "Recordings are encrypted under a key of ours."
  }

  assert {
    condition = alltrue([
      for bucket in output.buckets :
      bucket.tls_statement.Effect == "Deny" && bucket.tls_statement.Principal == "*" && bucket.tls_statement.Condition.Bool["aws:SecureTransport"] == "false" && length(bucket.tls_statement.Resource) == 2
    ])
    error_message = "Plain HTTP is refused at every bucket and every object."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.objects.policy).Statement[0].Sid == "OnlyOverTLS" && length(jsondecode(aws_s3_bucket_policy.objects.policy).Statement) == 1
    error_message = "The bucket of recordings lets nobody in by its policy."
  }

  assert {
    condition = length(one(aws_s3_bucket_cors_configuration.objects.cors_rule).allowed_origins) == 1 && contains(
    one(aws_s3_bucket_cors_configuration.objects.cors_rule).allowed_origins, "https://tandem.example.com") && tolist(one(aws_s3_bucket_cors_configuration.objects.cors_rule).allowed_methods) == tolist(["PUT"])
    error_message = "Pages of the portal may bring objects, other pages may do nothing."
  }

  assert {
    condition = alltrue([
      for lifecycle in aws_s3_bucket_lifecycle_configuration.this :
      one(lifecycle.rule).status == "Enabled" && one(one(lifecycle.rule).abort_incomplete_multipart_upload).days_after_initiation == 7
    ]) && length(aws_s3_bucket_lifecycle_configuration.this) == 3
    error_message = "Uploads that were never finished go."
  }

  assert {
    condition     = alltrue([for key in [aws_kms_key.secrets, aws_kms_key.objects, aws_kms_key.logs] : key.enable_key_rotation && key.deletion_window_in_days == 30])
    error_message = "Keys rotate, and thirty days remain to take a deletion back."
  }
}
