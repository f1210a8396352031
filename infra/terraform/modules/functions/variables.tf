variable "name" {
  description = "Prefix of every name in this environment."
  type        = string
}

variable "functions" {
  description = "The functions by folder name under cloud/functions: what they are and what they may take."
  type = map(object({
    description     = string
    entry           = string
    memory_mb       = optional(number, 512)
    timeout_seconds = optional(number, 60)
    concurrency     = optional(number, 2)
    batch_size      = optional(number, 10)
    queue           = optional(bool, true)
    scheduled       = optional(bool, false)
    opens_secrets   = optional(bool, false)
    reads_objects   = optional(bool, false)
    sends_to        = optional(set(string), [])
    environment     = optional(map(string), {})
  }))

  validation {
    condition     = alltrue([for function in var.functions : function.concurrency >= 2])
    error_message = "concurrency must be at least 2: SQS does not scale an event source below that."
  }

  validation {
    condition     = alltrue([for function in var.functions : function.queue || function.scheduled])
    error_message = "A function has a queue or is scheduled, or nothing ever wakes it."
  }

  validation {
    condition     = alltrue(flatten([for function in var.functions : [for target in function.sends_to : try(var.functions[target].queue, false)]]))
    error_message = "sends_to names functions that have a queue."
  }
}

variable "environment" {
  description = "Environment variables that every function has."
  type        = map(string)
}

variable "artifacts_dir" {
  description = "Folder with the zips that `python -m tools.build_functions` wrote."
  type        = string
}

variable "python_version" {
  description = "Python of the Lambda runtime; the zips have to be built for it."
  type        = string
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
  description = "What rds-db:connect is allowed on: the worker's role at the proxy."
  type        = string
}

variable "secrets_key_arn" {
  description = "KMS key that envelopes secrets in rows."
  type        = string
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

variable "objects_bucket_arn" {
  description = "The bucket of private objects, for the functions that read them"
  type        = string
}

variable "objects_key_arn" {
  description = "The key that encrypts it"
  type        = string
}
