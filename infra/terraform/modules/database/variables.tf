variable "name" {
  description = "Prefix of every name in this environment."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets in at least two zones."
  type        = list(string)
}

variable "lambda_security_group_id" {
  description = "Security group of the Lambdas, let in to the proxy."
  type        = string
}

variable "hub_security_group_id" {
  description = "Security group of the hub and of migrations, let in to the cluster."
  type        = string
}

variable "logs_key_arn" {
  description = "KMS key of the log groups."
  type        = string
}

variable "engine_version" {
  description = "Aurora PostgreSQL version; 15 or later."
  type        = string
  default     = "16.6"

  validation {
    condition     = tonumber(split(".", var.engine_version)[0]) >= 15
    error_message = "engine_version must be 15 or later."
  }
}

variable "instances" {
  description = "Instances of the cluster: one writer, the rest readers that take over. Two survive the loss of a zone."
  type        = number
  default     = 1

  validation {
    condition     = var.instances >= 1 && var.instances <= 15
    error_message = "instances must be between 1 and 15."
  }
}

variable "min_capacity" {
  description = "Least Aurora capacity units (one is about 2 GiB). Never 0: a paused database would break the hub's LISTEN."
  type        = number
  default     = 0.5

  validation {
    condition     = var.min_capacity >= 0.5
    error_message = "min_capacity must be at least 0.5: a paused database would break the hub's LISTEN."
  }
}

variable "max_capacity" {
  description = "Most Aurora capacity units."
  type        = number
  default     = 4
}

variable "backup_retention_days" {
  description = "Days for which any point in time can be restored."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "backup_retention_days must be between 7 and 35."
  }
}

variable "deletion_protection" {
  description = "Whether the cluster refuses to be deleted."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days for which the database's log is kept."
  type        = number
  default     = 30
}
