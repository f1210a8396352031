terraform {
  required_version = ">= 1.11, < 2"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }

  # Where the state lies is yours to say: `terraform init -backend-config=backend.hcl` (see the README).
  backend "s3" {}
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge({ Application = "tandem", Environment = var.name }, var.tags)
  }
}
