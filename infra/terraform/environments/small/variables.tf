variable "region" {
  description = "AWS region, such as eu-central-1."
  type        = string
}

variable "name" {
  description = "Prefix of every name; one for each environment in an account."
  type        = string
  default     = "tandem"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "tags" {
  description = "Further tags on everything."
  type        = map(string)
  default     = {}
}

variable "cidr_block" {
  description = "The VPC's address range."
  type        = string
  default     = "10.64.0.0/16"
}

variable "domain" {
  description = "The address of the portal and the API, with a public ACM certificate in us-east-1 (CloudFront looks there)."
  type        = object({ name = string, certificate_arn = string })
}

variable "enrollment_domain" {
  description = "The address that edges enroll at, with a certificate of the cloud's own authority imported into ACM in this region; null until that authority exists."
  type        = object({ name = string, certificate_arn = string })
  default     = null
}

variable "hub_domain" {
  description = "The address by which edges reach the hub; a CNAME to its load balancer."
  type        = string
}

variable "ca_certificate" {
  description = "Certificate (PEM, public) of the cloud's own authority, which new edges learn to trust."
  type        = string
}

variable "artifacts_dir" {
  description = "Folder that `python -m tools.build_functions --out` wrote."
  type        = string
}

variable "python_version" {
  description = "Python of the Lambda runtime that the zips were built for."
  type        = string
  default     = "3.13"

  validation {
    condition     = contains(["3.12", "3.13"], var.python_version)
    error_message = "python_version must be 3.12 or 3.13."
  }
}

variable "hub_image_tag" {
  description = "Tag of the hub's image."
  type        = string
}

variable "hub_count" {
  description = "Hub tasks; 0 at the first apply, before an image is pushed."
  type        = number
  default     = 1
}

variable "database_instances" {
  description = "Database instances; 2 survive the loss of a zone without waiting for a new one."
  type        = number
  default     = 1
}

variable "database_max_capacity" {
  description = "Most Aurora capacity units."
  type        = number
  default     = 4
}

variable "deletion_protection" {
  description = "Whether the database and the load balancer refuse to be deleted."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 30
}

variable "alarm_emails" {
  description = "Addresses that are told of alarms."
  type        = set(string)
  default     = []
}

variable "smtp_host" {
  description = "Mail server that takes mails on port 587 with STARTTLS; empty: no mails are sent"
  type        = string
  default     = ""
}

variable "smtp_username" {
  description = "Account at the mail server; empty: it asks for none"
  type        = string
  default     = ""
}

variable "smtp_password" {
  description = "Password of that account"
  type        = string
  default     = ""
  sensitive   = true
}

variable "mail_from" {
  description = "Address that mails come from"
  type        = string
  default     = "tandem@localhost"
}
