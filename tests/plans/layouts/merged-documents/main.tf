# Statements of several data sources are merged; one document holds what is known only after apply.
variable "units" { type = map(string) }

data "aws_iam_policy_document" "mail" {
  statement {
    sid       = "NoMail"
    effect    = "Deny"
    actions   = ["ses:*"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "stay" {
  statement {
    sid       = "Stay"
    effect    = "Deny"
    actions   = ["organizations:LeaveOrganization"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "merged" {
  source_policy_documents = [
    data.aws_iam_policy_document.mail.json,
    data.aws_iam_policy_document.stay.json,
  ]
}

resource "aws_organizations_policy" "merged" {
  name    = "merged"
  content = data.aws_iam_policy_document.merged.minified_json
}

resource "aws_organizations_policy_attachment" "merged" {
  policy_id = aws_organizations_policy.merged.id
  target_id = var.units["Workloads"]
}

resource "aws_organizations_organizational_unit" "log" {
  name      = "Log"
  parent_id = var.units["Security"]
}

data "aws_iam_policy_document" "outside" {
  source_policy_documents = [data.aws_iam_policy_document.stay.json]
  statement {
    sid       = "OnlyLog"
    effect    = "Deny"
    actions   = ["ses:*"]
    resources = ["*"]
    condition {
      test     = "ForAllValues:StringNotLike"
      variable = "aws:PrincipalOrgPaths"
      values   = ["*/${aws_organizations_organizational_unit.log.id}/*"]
    }
  }
}

resource "aws_organizations_policy" "outside" {
  name    = "outside"
  content = data.aws_iam_policy_document.outside.json
}

resource "aws_organizations_policy_attachment" "outside" {
  policy_id = aws_organizations_policy.outside.id
  target_id = var.units["Sandboxes"]
}
