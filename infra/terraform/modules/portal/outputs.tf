output "distribution_domain_name" {
  description = "Host that the portal's domain has to point at."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "distribution_id" {
  description = "The distribution, for invalidating /index.html after a release."
  value       = aws_cloudfront_distribution.this.id
}
