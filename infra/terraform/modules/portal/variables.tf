variable "name" {
  description = "Prefix of every name in this environment."
  type        = string
}

variable "domain" {
  description = "The address of the portal and the API, and its public ACM certificate in us-east-1, where CloudFront looks."
  type        = object({ name = string, certificate_arn = string })
}

variable "portal_bucket" {
  description = "Bucket of the portal's built files, and the statement that refuses plain HTTP there."
  type        = object({ name = string, arn = string, domain_name = string, tls_statement = any })
}

variable "objects_bucket" {
  description = "The bucket that browsers bring large files to: its domain name."
  type        = object({ domain_name = string })
}

variable "agents_bucket" {
  description = "Bucket of install.sh and the agent bundles, likewise."
  type        = object({ name = string, arn = string, domain_name = string, tls_statement = any })
}

variable "api_domain_name" {
  description = "Host of the API gateway."
  type        = string
}

variable "api_stage_name" {
  description = "Stage of the API gateway."
  type        = string
}

variable "price_class" {
  description = "Where CloudFront serves from: PriceClass_100 (North America, Europe), PriceClass_200, PriceClass_All."
  type        = string
  default     = "PriceClass_100"
}
