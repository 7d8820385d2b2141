variable "name" {}

variable "actions" { type = list(string) }

variable "targets" { type = list(string) }

resource "aws_organizations_policy" "this" {
  name = var.name
  content = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Denied", Effect = "Deny", Action = var.actions, Resource = "*" }]
  })
}

resource "aws_organizations_policy_attachment" "this" {
  count     = length(var.targets)
  policy_id = aws_organizations_policy.this.id
  target_id = var.targets[count.index]
}

output "id" { value = aws_organizations_policy.this.id }
