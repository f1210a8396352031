output "public_url" {
  description = "Portal and API."
  value       = local.public_url
}

output "dns" {
  description = "The CNAME records to make: name → target. "
  value = merge(
    { (var.domain.name) = module.portal.distribution_domain_name },
    module.api.domain_targets,
    { (var.hub_domain) = module.hub.load_balancer_dns_name },
  )
}

output "hub_repository_url" {
  description = "Where the hub's image is pushed."
  value       = module.hub.repository_url
}

output "migrate" {
  description = "What `aws ecs run-task` needs for the migrations."
  value = {
    cluster         = module.hub.cluster_name
    task_definition = module.hub.migrate_task
    subnets         = module.network.private_subnet_ids
    security_group  = aws_security_group.hub.id
  }
}

output "portal_bucket" {
  description = "Where the portal's built files go."
  value       = module.storage.buckets["portal"].name
}

output "agents_bucket" {
  description = "Where install.sh and the agent bundles go."
  value       = module.storage.buckets["agents"].name
}

output "distribution_id" {
  description = "CloudFront distribution, for invalidations."
  value       = module.portal.distribution_id
}
