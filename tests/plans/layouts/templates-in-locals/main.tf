# Documents from templates and from `jsonencode`, held in locals, attached everywhere.
variable "units" { type = map(string) }

variable "domains" { default = ["example.com"] }

locals {
  documents = {
    recipients = templatefile("${path.module}/templates/recipients.json.tftpl", {
      patterns = [for domain in var.domains : "*@${domain}"]
    })
    none = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "NoRecipients"
        Effect    = "Deny"
        Action    = "ses:Send*"
        Resource  = "*"
        Condition = { Null = { "ses:Recipients" = "true" } }
      }]
    })
  }
  pairs = { for pair in setproduct(keys(local.documents), ["Workloads", "Sandboxes"]) : join("/", pair) => pair }
}

resource "aws_organizations_policy" "mail" {
  for_each = local.documents
  name     = "mail-${each.key}"
  type     = "SERVICE_CONTROL_POLICY"
  content  = each.value
}

locals {
  ids = { for key, policy in aws_organizations_policy.mail : key => policy.id }
}

resource "aws_organizations_policy_attachment" "mail" {
  for_each  = local.pairs
  policy_id = local.ids[each.value[0]]
  target_id = var.units[each.value[1]]
}
