output "url" {
  description = "Where the API answers."
  value       = var.domain != null ? "https://${var.domain.name}" : aws_api_gateway_stage.this.invoke_url
}

output "gateway_domain_name" {
  description = "Host of the gateway itself, as CloudFront's origin."
  value       = "${aws_api_gateway_rest_api.this.id}.execute-api.${data.aws_region.current.name}.${data.aws_partition.current.dns_suffix}"
}

output "stage_name" {
  description = "The stage, which is the first part of the path at the gateway's own host."
  value       = aws_api_gateway_stage.this.stage_name
}

output "domain_targets" {
  description = "By domain: the host that its CNAME has to point at."
  value       = { for domain in aws_api_gateway_domain_name.this : domain.domain_name => domain.regional_domain_name }
}

output "routes" {
  description = "The routes that the gateway knows."
  value       = local.routes
}
