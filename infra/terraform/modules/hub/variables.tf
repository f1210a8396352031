variable "name" {
  description = "Prefix of every name in this environment. Load balancers allow 32 characters in all."
  type        = string

  validation {
    condition     = length(var.name) <= 28
    error_message = "name must have at most 28 characters."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "public_subnet_ids" {
  description = "Subnets of the load balancer."
  type        = list(string)
}

variable "private_subnet_ids" {
  description = "Subnets of the tasks."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of the hub's tasks, which the database lets in."
  type        = string
}

variable "environment" {
  description = "Environment variables of the hub."
  type        = map(string)
}

variable "image_tag" {
  description = "Tag of the hub's image in the repository that this module makes."
  type        = string
}

variable "container_port" {
  description = "Port of the hub in its task, UDP and TCP. Above 1023: the hub does not run as root."
  type        = number
  default     = 8443
}

variable "desired_count" {
  description = "Hub tasks. One carries thousands of edges; 0 before the first image is pushed."
  type        = number
  default     = 1
}

variable "cpu" {
  description = "CPU units of a task (1024 is one)."
  type        = number
  default     = 512
}

variable "memory_mb" {
  description = "Memory of a task."
  type        = number
  default     = 1024
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  type        = bool
  default     = true
}

variable "secrets_key_arn" {
  description = "KMS key that envelopes secrets in rows."
  type        = string
}

variable "objects_key_arn" {
  description = "KMS key of the private buckets."
  type        = string
}

variable "objects_bucket_arn" {
  description = "Bucket of recordings, firmware and backups."
  type        = string
}

variable "database_key_arn" {
  description = "KMS key of the database's passwords."
  type        = string
}

variable "owner_secret_arn" {
  description = "Secret with the database owner's password, for migrations."
  type        = string
}

variable "role_secret_arns" {
  description = "By database role: the secret with its password, for the hub to use and for migrations to set."
  type        = map(string)
}

variable "migrate_command" {
  description = "Command of the migration task."
  type        = list(string)
}

variable "migrate_environment" {
  description = "Environment variables of the migration task."
  type        = map(string)
}

variable "logs_key_arn" {
  description = "KMS key of the log groups."
  type        = string
}

variable "alarm_topic_arn" {
  description = "SNS topic of alarms."
  type        = string
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number
}

variable "readable_secret_arns" {
  description = "Secrets that the hub reads at its start: its certificate and the key of it."
  type        = list(string)
}
