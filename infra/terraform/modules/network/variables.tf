variable "name" {
  description = "Prefix of every name in this environment."
  type        = string
}

variable "cidr_block" {
  description = "The VPC's address range. A /16 to /22; it is cut into sixteen equal parts, public ones first."
  type        = string
  default     = "10.64.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.cidr_block, 4, 15)) && tonumber(split("/", var.cidr_block)[1]) <= 22
    error_message = "cidr_block must be an IPv4 range from /16 to /22."
  }
}

variable "availability_zones" {
  description = "The zones to use; Aurora needs two. Append new zones at the end."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 8
    error_message = "availability_zones needs two to eight zones."
  }
}

variable "interface_endpoints" {
  description = "AWS services reached by an interface endpoint in place of the NAT gateway (each is charged by the hour and zone)."
  type        = set(string)
  default     = ["kms", "secretsmanager", "sqs"]
}
