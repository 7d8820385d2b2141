# Units are looked up, and attachments name them.
data "aws_organizations_organization" "this" {}

data "aws_organizations_organizational_units" "top" {
  parent_id = data.aws_organizations_organization.this.roots[0].id
}

locals {
  units = { for unit in data.aws_organizations_organizational_units.top.children : unit.name => unit.id }
  uses = {
    Workloads = "mail"
    Sandboxes = "stay"
    Root      = "stay"
  }
}

resource "aws_organizations_policy" "mail" {
  name = "mail"
  content = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "NoMail", Effect = "Deny", Action = "ses:*", Resource = "*" }]
  })
}

resource "aws_organizations_policy" "stay" {
  name = "stay"
  content = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Stay", Effect = "Deny", Action = "organizations:LeaveOrganization", Resource = "*" }]
  })
}

resource "aws_organizations_policy_attachment" "this" {
  for_each  = local.uses
  policy_id = each.value == "mail" ? aws_organizations_policy.mail.id : aws_organizations_policy.stay.id
  target_id = each.key == "Root" ? data.aws_organizations_organization.this.roots[0].id : local.units[each.key]
}
