output "queue_arns" {
  description = "Queues by function."
  value       = { for key, queue in aws_sqs_queue.this : key => queue.arn }
}

output "queue_urls" {
  description = "Addresses of the queues by function."
  value       = { for key, queue in aws_sqs_queue.this : key => queue.url }
}

output "function_names" {
  description = "Names of the Lambdas by folder."
  value       = { for key, function in aws_lambda_function.this : key => function.function_name }
}
