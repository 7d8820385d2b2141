variable "name" {}

variable "unit" {}

variable "deny_mail" { default = false }

module "mail" {
  source  = "./scp"
  count   = var.deny_mail ? 1 : 0
  name    = "${var.name}-mail"
  actions = ["ses:*"]
  targets = [var.unit]
}

module "base" {
  source  = "./scp"
  name    = "${var.name}-base"
  actions = ["organizations:LeaveOrganization"]
  targets = [var.unit]
}
