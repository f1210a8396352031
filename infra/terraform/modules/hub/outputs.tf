output "load_balancer_dns_name" {
  description = "Host of the load balancer: the hub's domain is a CNAME to it."
  value       = aws_lb.this.dns_name
}

output "repository_url" {
  description = "Where the hub's image is pushed."
  value       = aws_ecr_repository.this.repository_url
}

output "cluster_name" {
  description = "ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "migrate_task" {
  description = "Task definition of the migrations."
  value       = aws_ecs_task_definition.migrate.family
}
