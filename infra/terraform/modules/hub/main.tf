# The hub: the channel's cloud end, as a Fargate service behind a network load balancer.
#
# The balancer passes packets and does nothing else: TLS ends in the hub, under a certificate of the cloud's own
# authority. AWS allows one listener for each port number, so UDP (QUIC) and TCP (WebSocket) on 443 are one TCP_UDP listener.
# It sends a flow to a task by its addresses and ports: with more than one task, an edge whose address changes in the middle
# of a connection may meet another task, notices by its ping's deadline and connects anew. Hubs keep nothing, so
# that costs a second and no event.

data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

resource "aws_ecr_repository" "this" {
  name                 = "${var.name}-hub"
  image_tag_mutability = "IMMUTABLE" # a tag is a release; it never means something else tomorrow

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the last twenty images"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 20 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["hub", "migrate"])

  name              = "/ecs/${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# The balancer's own group: open to the world on 443, as edges are anywhere.
resource "aws_security_group" "balancer" {
  name_prefix = "${var.name}-hub-balancer-"
  description = "Hub's load balancer: 443 from edges"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each = toset(["tcp", "udp"])

  security_group_id = aws_security_group.balancer.id
  description       = "Edges over ${each.key}"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = each.key
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = aws_security_group.balancer.id
  description                  = "Hub tasks over ${each.key}"
  referenced_security_group_id = var.security_group_id
  ip_protocol                  = each.key
  from_port                    = var.container_port
  to_port                      = var.container_port
}

resource "aws_vpc_security_group_ingress_rule" "hub" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = var.security_group_id
  description                  = "Channel over ${each.key}, through the balancer"
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = each.key
  from_port                    = var.container_port
  to_port                      = var.container_port
}

resource "aws_lb" "this" {
  name                             = "${var.name}-hub"
  load_balancer_type               = "network"
  internal                         = false
  subnets                          = var.public_subnet_ids
  security_groups                  = [aws_security_group.balancer.id]
  enable_cross_zone_load_balancing = true # one task in small: every zone's address must reach it
  enable_deletion_protection       = var.deletion_protection
}

resource "aws_lb_target_group" "this" {
  name                 = "${var.name}-hub"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "TCP_UDP"
  port                 = var.container_port
  deregistration_delay = 15 # edges are back within seconds; waiting longer only delays a release

  health_check {
    # UDP cannot be asked; the WebSocket door on the same port number answers for the process.
    protocol            = "TCP"
    port                = "traffic-port"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "TCP_UDP"
  port              = 443

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

locals {
  trust_ecs_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

# What ECS itself may do to start a task: pull the image, write the log, hand over secrets.
resource "aws_iam_role" "execution" {
  for_each = toset(["hub", "migrate"])

  name               = "${var.name}-${each.key}-execution"
  assume_role_policy = local.trust_ecs_tasks
}

resource "aws_iam_role_policy" "execution" {
  for_each = aws_iam_role.execution

  name = "start"
  role = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          # Registry log-in belongs to no repository: it can only be allowed on "*".
          Sid      = "LogInToTheRegistry"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = ["*"]
        },
        {
          Sid      = "PullTheImage"
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = [aws_ecr_repository.this.arn]
        },
        {
          Sid      = "WriteTheLog"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.this[each.key].arn}:*"]
        },
      ],
      [
        {
          Sid      = "HandOverPasswords"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = each.key == "migrate" ? concat([var.owner_secret_arn], values(var.role_secret_arns)) : [var.role_secret_arns["tandem_hub"]]
        },
        {
          Sid      = "OpenPasswords"
          Effect   = "Allow"
          Action   = ["kms:Decrypt"]
          Resource = [var.database_key_arn]
        },
      ],
    )
  })
}

# What the hub's own code may do in AWS: open the envelopes whose content it seals for edges, make those of
# recordings of calls, read its certificate and keep objects. Into the database it logs
# in with its role's password: LISTEN needs a connection of its own, past the proxy.
resource "aws_iam_role" "task" {
  name               = "${var.name}-hub"
  assume_role_policy = local.trust_ecs_tasks
}

resource "aws_iam_role_policy" "task" {
  name = "run"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "OpenEnvelopes"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt"]
        Resource = [var.secrets_key_arn]
      },
      {
        Sid      = "ReadOwnCertificate"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = var.readable_secret_arns
      },
      {
        # Pieces of firmware for edges, and recordings from them. With the version, so that who reads an object that is deleted reads it to its end.
        Sid      = "KeepObjects"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject"]
        Resource = ["${var.objects_bucket_arn}/objects/*"]
      },
      {
        # Without it S3 says 403 instead of 404 of what is not there, and a mistake in a policy looks like that, too.
        Sid      = "TellMissingFromForbidden"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [var.objects_bucket_arn]
      },
      {
        Sid      = "OpenObjects"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.objects_key_arn]
      },
    ]
  })
}

locals {
  image = "${aws_ecr_repository.this.repository_url}:${var.image_tag}"

  container = {
    for part in ["hub", "migrate"] : part => {
      name                   = part
      image                  = local.image
      essential              = true
      readonlyRootFilesystem = true
      user                   = "10001:10001"
      linuxParameters        = { initProcessEnabled = true }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          "awslogs-group"         = aws_cloudwatch_log_group.this[part].name
          "awslogs-region"        = data.aws_region.current.name
          "awslogs-stream-prefix" = part
        }
      }
    }
  }
}

resource "aws_ecs_task_definition" "hub" {
  family                   = "${var.name}-hub"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory_mb
  execution_role_arn       = aws_iam_role.execution["hub"].arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([merge(local.container["hub"], {
    # ECS takes a port number once for each container; in awsvpc mode the task's own interface carries both protocols,
    # and the security group says which come in.
    portMappings = [{ containerPort = var.container_port, protocol = "tcp" }]
    environment  = [for key, value in var.environment : { name = key, value = value }]
    secrets      = [{ name = "PGPASSWORD", valueFrom = "${var.role_secret_arns["tandem_hub"]}:password::" }]
    stopTimeout  = 20
  })])
}

resource "aws_ecs_service" "hub" {
  name             = "hub"
  cluster          = aws_ecs_cluster.this.id
  task_definition  = aws_ecs_task_definition.hub.arn
  desired_count    = var.desired_count
  launch_type      = "FARGATE"
  platform_version = "1.4.0" # the first that takes UDP from a load balancer

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "hub"
    container_port   = var.container_port
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  depends_on = [aws_lb_listener.this, aws_iam_role_policy.execution, aws_iam_role_policy.task]
}

# Migrations: the same image, run once for each release as the owner (see the README). Not a service.
resource "aws_ecs_task_definition" "migrate" {
  family                   = "${var.name}-migrate"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution["migrate"].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([merge(local.container["migrate"], {
    command     = var.migrate_command
    environment = [for key, value in var.migrate_environment : { name = key, value = value }]
    secrets = concat(
      [
        { name = "PGUSER", valueFrom = "${var.owner_secret_arn}:username::" },
        { name = "PGPASSWORD", valueFrom = "${var.owner_secret_arn}:password::" },
      ],
      [for role, arn in var.role_secret_arns : { name = "${upper(role)}_PASSWORD", valueFrom = "${arn}:password::" }],
    )
  })])
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  alarm_name          = "${var.name}-hub-unhealthy"
  alarm_description   = "No hub answers: edges go on by themselves, but no change reaches them."
  namespace           = "AWS/NetworkELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this.arn_suffix }
  statistic           = "Maximum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 2
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}
