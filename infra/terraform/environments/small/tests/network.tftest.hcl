# Code and data live where nothing from outside reaches.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "tandem-test"
  availability_zones = ["eu-central-1a", "eu-central-1b"]
}

run "private_subnets_have_no_way_in" {
  module {
    source = "../../modules/network"
  }

  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : !coalesce(subnet.map_public_ip_on_launch, false)])
    error_message = "No subnet gives public addresses away."
  }

  assert {
    condition     = length(distinct([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : subnet.cidr_block])) == 4
    error_message = "Subnets do not overlap."
  }

  assert {
    condition     = alltrue([for route in aws_route_table.private.route : route.gateway_id == null || route.gateway_id == ""])
    error_message = "Private subnets go out by the NAT gateway only."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["kms", "secretsmanager", "sqs"]) && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "Keys, secrets and queues are reached inside the VPC."
  }
}

run "one_zone_is_refused" {
  command = plan

  module {
    source = "../../modules/network"
  }

  variables {
    availability_zones = ["eu-central-1a"]
  }

  expect_failures = [var.availability_zones]
}
