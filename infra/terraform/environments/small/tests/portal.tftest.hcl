# One address for pages, files and API; the buckets are read by this distribution alone.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name            = "tandem-test"
  domain          = { name = "tandem.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000001" }
  portal_bucket   = { name = "portal", arn = "arn:aws:s3:::portal", domain_name = "portal.example", tls_statement = { Sid = "OnlyOverTLS", Effect = "Deny" } }
  agents_bucket   = { name = "agents", arn = "arn:aws:s3:::agents", domain_name = "agents.example", tls_statement = { Sid = "OnlyOverTLS", Effect = "Deny" } }
  objects_bucket  = { domain_name = "objects.example" }
  api_domain_name = "api.example"
  api_stage_name  = "live"
}

run "the_portal_is_served_safely" {
  module {
    source = "../../modules/portal"
  }

  assert {
    condition = alltrue([
      for behavior in concat(aws_cloudfront_distribution.this.default_cache_behavior, aws_cloudfront_distribution.this.ordered_cache_behavior) :
      behavior.viewer_protocol_policy == "redirect-to-https"
    ])
    error_message = "Browsers are sent to HTTPS."
  }

  assert {
    condition     = aws_cloudfront_distribution.this.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
    error_message = "Nothing older than TLS 1.2."
  }

  assert {
    condition     = one([for origin in aws_cloudfront_distribution.this.origin : origin.custom_origin_config[0].origin_protocol_policy if origin.origin_id == "api"]) == "https-only"
    error_message = "The API is asked over HTTPS."
  }

  assert {
    condition     = strcontains(one(aws_cloudfront_response_headers_policy.this.security_headers_config[0].content_security_policy).content_security_policy, "frame-ancestors 'none'")
    error_message = "No other site can frame the portal."
  }

  assert {
    condition     = strcontains(one(aws_cloudfront_response_headers_policy.this.security_headers_config[0].content_security_policy).content_security_policy, "connect-src 'self' https://objects.example;")
    error_message = "Pages speak to the API and bring files to the bucket, and speak to nobody else."
  }

  assert {
    condition = alltrue([
      for policy in aws_s3_bucket_policy.this :
      [for statement in jsondecode(policy.policy).Statement : statement.Condition.StringEquals["aws:SourceArn"] if statement.Effect == "Allow"] == [aws_cloudfront_distribution.this.arn]
    ])
    error_message = "The buckets are read by this distribution and nobody else."
  }
}
