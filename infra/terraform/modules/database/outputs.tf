output "proxy_endpoint" {
  description = "Host of the proxy, for api and worker."
  value       = aws_db_proxy.this.endpoint
}

output "cluster_endpoint" {
  description = "Host of the writer, for the hub and for migrations."
  value       = aws_rds_cluster.this.endpoint
}

output "database_name" {
  description = "Name of the database."
  value       = aws_rds_cluster.this.database_name
}

output "connect_arns" {
  description = "By proxied role: what rds-db:connect has to allow for it to log in with an IAM token."
  value = {
    tandem_api    = "${local.arn_prefix}:rds-db:${local.region}:${local.account}:dbuser:${local.proxy_id}/tandem_api"
    tandem_worker = "${local.arn_prefix}:rds-db:${local.region}:${local.account}:dbuser:${local.proxy_id}/tandem_worker"
  }
}

output "owner_secret_arn" {
  description = "Secret with the owner's password, for migrations only."
  value       = aws_rds_cluster.this.master_user_secret[0].secret_arn
}

output "role_secret_arns" {
  description = "By role: the secret with its password, which migrations set in the database."
  value       = { for role, secret in aws_secretsmanager_secret.role : role => secret.arn }
}

output "key_arn" {
  description = "KMS key of the database and its passwords."
  value       = aws_kms_key.this.arn
}
