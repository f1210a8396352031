# The environment as a whole, planned and applied against a mocked AWS.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  region         = "eu-central-1"
  name           = "tandem-test"
  domain         = { name = "tandem.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000001" }
  hub_domain     = "hub.example.com"
  ca_certificate = "-----BEGIN CERTIFICATE-----"
  artifacts_dir  = "tests/artifacts"
  hub_image_tag  = "0.1.0"
}

run "a_small_environment_can_be_made" {
  assert {
    condition     = output.public_url == "https://tandem.example.com"
    error_message = "The portal and the API have the address that was asked for."
  }

  assert {
    condition     = output.dns["hub.example.com"] == "hub.example" && output.dns["tandem.example.com"] == "d111111abcdef8.cloudfront.example"
    error_message = "The outputs say which DNS records are to be made."
  }

  assert {
    condition     = length(module.network.private_subnet_ids) == 2 && length(module.network.public_subnet_ids) == 2
    error_message = "There are public and private subnets in two zones."
  }
}

run "an_enrollment_domain_gets_a_record_of_its_own" {
  variables {
    enrollment_domain = { name = "enroll.example.com", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000002" }
  }

  assert {
    condition     = contains(keys(output.dns), "enroll.example.com")
    error_message = "The enrollment domain is a domain of the gateway."
  }
}

run "a_python_that_lambda_does_not_have_is_refused" {
  command = plan

  variables {
    python_version = "3.11"
  }

  expect_failures = [var.python_version]
}
