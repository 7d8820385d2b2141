# A module for each unit, which calls one for its policies; `count` switches one of them off.
variable "units" { type = map(string) }

module "workloads" {
  source    = "./unit"
  name      = "workloads"
  unit      = var.units["Workloads"]
  deny_mail = true
}

module "sandboxes" {
  source = "./unit"
  name   = "sandboxes"
  unit   = var.units["Sandboxes"]
}
