output "secrets_key_arn" {
  description = "KMS key that envelopes secrets in rows."
  value       = aws_kms_key.secrets.arn
}

output "objects_key_arn" {
  description = "KMS key of the private buckets."
  value       = aws_kms_key.objects.arn
}

output "logs_key_arn" {
  description = "KMS key of the log groups."
  value       = aws_kms_key.logs.arn

  # A log group can only be made once the key's policy lets CloudWatch use it.
  depends_on = [aws_kms_key.logs]
}

output "buckets" {
  description = "The buckets by purpose (objects, agents, portal), each with the statement that refuses plain HTTP."
  value = {
    for key, bucket in aws_s3_bucket.this : key => {
      name          = bucket.bucket
      arn           = bucket.arn
      domain_name   = bucket.bucket_regional_domain_name
      tls_statement = local.tls_only[key]
    }
  }
}

output "alarm_topic_arn" {
  description = "SNS topic that every alarm is sent to."
  value       = aws_sns_topic.alarms.arn
}
