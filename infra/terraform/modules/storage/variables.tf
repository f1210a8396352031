variable "name" {
  description = "Prefix of every name in this environment."
  type        = string
}

variable "portal_origin" {
  description = "Where browsers have the portal from, such as https://tandem.example.com."
  type        = string
}

variable "noncurrent_version_days" {
  description = "Days for which an overwritten or deleted object can be had back."
  type        = number
  default     = 90
}

variable "alarm_emails" {
  description = "Addresses that are told of alarms. Each has to confirm by the message that AWS sends."
  type        = set(string)
  default     = []
}
