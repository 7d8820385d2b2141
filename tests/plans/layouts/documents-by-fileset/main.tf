# One policy for each file in a folder, and a map from file to targets, flattened into attachments.
variable "units" { type = map(string) }

variable "accounts" { type = map(string) }

locals {
  files = fileset("${path.module}/policies", "*.json")
  targets = {
    "no-mail.json"      = [var.units["Workloads"], var.accounts["vault"]]
    "stay.json"         = [var.units["Workloads"], var.units["Sandboxes"]]
    "keep-buckets.json" = [var.units["Sandboxes"]]
  }
  attachments = flatten([
    for file, ids in local.targets : [
      for id in ids : { file = file, target = id }
    ]
  ])
}

resource "aws_organizations_policy" "this" {
  for_each = local.files
  name     = trimsuffix(each.value, ".json")
  content  = file("${path.module}/policies/${each.value}")
}

resource "aws_organizations_policy_attachment" "this" {
  for_each  = { for it in local.attachments : "${it.file}:${it.target}" => it }
  policy_id = aws_organizations_policy.this[each.value.file].id
  target_id = each.value.target
}
