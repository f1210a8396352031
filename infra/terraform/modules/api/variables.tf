variable "name" {
  description = "Prefix of every name in this environment."
  type        = string
}

variable "environment" {
  description = "Environment variables of the API's Lambda."
  type        = map(string)
}

variable "artifacts_dir" {
  description = "Folder with api.zip and routes.json, as `python -m tools.build_functions` wrote them."
  type        = string
}

variable "entry" {
  description = "The Chalice app, as module:attribute."
  type        = string
}

variable "python_version" {
  description = "Python of the Lambda runtime; the zip has to be built for it."
  type        = string
}

variable "memory_mb" {
  description = "Memory of the Lambda; its share of a processor grows with it."
  type        = number
  default     = 1024
}

variable "concurrency" {
  description = "Most requests answered at once; a ceiling for what the API may take from the database."
  type        = number
  default     = 50
}

variable "throttling_rate" {
  description = "Requests a second above which the gateway answers 429."
  type        = number
  default     = 100
}

variable "throttling_burst" {
  description = "Requests that may come at once."
  type        = number
  default     = 200
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "lambda_security_group_id" {
  description = "Security group of the Lambdas."
  type        = string
}

variable "database_connect_arn" {
  description = "What rds-db:connect is allowed on: the API's role at the proxy."
  type        = string
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

variable "readable_secret_arns" {
  description = "Secrets that the API reads at its start."
  type        = list(string)
  default     = []
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

variable "domain" {
  description = "The API's own domain and its public ACM certificate (in the API's region); null: the gateway's address."
  type        = object({ name = string, certificate_arn = string })
  default     = null
}

variable "enrollment_domain" {
  description = "The domain that edges enroll at, with a certificate of the cloud's own authority imported into ACM."
  type        = object({ name = string, certificate_arn = string })
  default     = null
}
