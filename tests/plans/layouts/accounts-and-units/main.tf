# Units on two levels, accounts in them, and policies on both, all in one plan.
variable "root" {}

variable "units" { type = map(string) }

locals {
  top   = toset(["Retail", "Research"])
  inner = { "Retail-Test" = "Retail", "Retail-Live" = "Retail" }
  accounts = {
    till  = "Retail-Live"
    trial = "Retail-Test"
    lab   = "Research"
    desk  = "Workloads"
  }
  units = merge(
    var.units,
    { for name, unit in aws_organizations_organizational_unit.top : name => unit.id },
    { for name, unit in aws_organizations_organizational_unit.inner : name => unit.id },
  )
}

resource "aws_organizations_organizational_unit" "top" {
  for_each  = local.top
  name      = each.key
  parent_id = var.root
}

resource "aws_organizations_organizational_unit" "inner" {
  for_each  = local.inner
  name      = each.key
  parent_id = aws_organizations_organizational_unit.top["Retail"].id
}

resource "aws_organizations_account" "till" {
  name      = "till"
  email     = "till@example.com"
  parent_id = aws_organizations_organizational_unit.inner["Retail-Live"].id
}

resource "aws_organizations_account" "desk" {
  name      = "desk"
  email     = "desk@example.com"
  parent_id = var.units["Workloads"]
}

resource "aws_organizations_account" "all" {
  for_each  = { for name, unit in local.accounts : name => unit if !contains(["till", "desk"], name) }
  name      = each.key
  email     = "${each.key}@example.com"
  parent_id = local.units[each.value]
}

resource "aws_organizations_policy" "mail" {
  name = "mail"
  content = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "NoMail", Effect = "Deny", Action = "ses:*", Resource = "*" }]
  })
}

resource "aws_organizations_policy_attachment" "retail" {
  policy_id = aws_organizations_policy.mail.id
  target_id = aws_organizations_organizational_unit.top["Retail"].id
}

resource "aws_organizations_policy_attachment" "desk" {
  policy_id = aws_organizations_policy.mail.id
  target_id = aws_organizations_account.desk.id
}
