//! Which kind of plan a text is.

use text::diagnostic::Diagnostic;
use text::json::{self, JsonErrorKind, Value};
use text::span::Span;

use super::yaml;

/// The kinds of plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanKind {
    Terraform,
    Template,
    ChangeSet,
}

/// A plan as values.
#[derive(Debug)]
pub(super) struct PlanDocument<'t> {
    pub(super) kind: PlanKind,
    pub(super) value: Value<'t>,
    /// Scalars in YAML of which it is open what they mean, in order.
    pub(super) doubtful: Vec<Span>,
}

const ACCEPTED: &str = "a plan is one of: a Terraform plan in JSON (`terraform show -json plan.out > \
                        plan.json`), a CloudFormation template in JSON or YAML, or a change set \
                        (`aws cloudformation describe-change-set --include-property-values ... > \
                        plan.json`)";

const TERRAFORM_AS_TEXT: &str = "save the plan with `terraform plan -out=plan.out`, and print it \
                                 with `terraform show -json plan.out > plan.json`";

/// What makes a whole file of a plan.
pub(super) const PRINTED: &str = "with `terraform show -json plan.out > plan.json`";

/// Reads the text as JSON or YAML and tells what it is.
pub(super) fn recognize(text: &str) -> Result<PlanDocument<'_>, Diagnostic> {
    let body = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let start = Span::new(text.len() - body.len(), text.len() - body.len());
    if body.is_empty() {
        return Err(Diagnostic::error_at(start, "the plan is empty").help(ACCEPTED));
    }
    if body.starts_with("PK\u{3}\u{4}") {
        let message = "this is a Terraform plan in its binary form";
        return Err(Diagnostic::error_at(start, message)
            .help("print it as JSON with `terraform show -json plan.out > plan.json`"));
    }
    if !body.starts_with(['{', '[']) {
        return recognize_yaml(text, body, start);
    }
    let value = json::parse(text, json::DEEPEST).map_err(|error| {
        let lines = matches!(error.kind(), JsonErrorKind::TrailingText);
        if lines && body.contains("\"@level\"") {
            let message = "these are Terraform's messages, one a line, and not its plan";
            return Diagnostic::error_at(start, message).help(TERRAFORM_AS_TEXT);
        }
        // A word in the wrong place may be half of a secret whose quote is missing.
        let what = if let JsonErrorKind::Unexpected { expected, found } = error.kind()
            && found.starts_with(is_of_word)
        {
            format!("expected {expected}, found something else")
        } else {
            error.to_string()
        };
        let problem = Diagnostic::error_at(error.span(), format!("the plan is not JSON: {what}"))
            .here(error.label());
        // A file that was cut off or written twice is seldom mended by hand.
        let anew = format!("print the plan anew, {PRINTED}");
        let help = match (error.help(), body.contains("\"format_version\"")) {
            (Some(help), true) => format!("{help}; or {anew}"),
            (None, true) => anew,
            (Some(help), false) => help,
            (None, false) => "give the file as it was printed".to_owned(),
        };
        problem.help(help)
    })?;
    let kind = kind_of(&value)?;
    Ok(PlanDocument { kind, value, doubtful: Vec::new() })
}

fn recognize_yaml<'t>(
    text: &'t str,
    body: &str,
    start: Span,
) -> Result<PlanDocument<'t>, Diagnostic> {
    if ["# aws_", "Terraform will perform", "Terraform used the selected", "OpenTofu will perform"]
        .iter()
        .any(|words| body.contains(words))
    {
        let message = "this is a Terraform plan as text";
        return Err(Diagnostic::error_at(start, message).help(TERRAFORM_AS_TEXT));
    }
    let template = body.lines().any(|line| line.starts_with("Resources:"));
    match yaml::parse(text) {
        Ok(yaml) if yaml.value.is_object() => {
            let kind = kind_of(&yaml.value)?;
            Ok(PlanDocument { kind, value: yaml.value, doubtful: yaml.doubtful })
        }
        Err(problem) if template => Err(problem),
        Ok(_) | Err(_) => {
            Err(Diagnostic::error_at(start, "this is no plan, neither JSON nor YAML")
                .help(ACCEPTED))
        }
    }
}

const fn is_of_word(c: char) -> bool {
    !c.is_ascii_punctuation()
}

/// Whether a text is CloudFormation's.
pub(super) fn is_cloudformation(value: &Value<'_>) -> bool {
    matches!(kind_of(value), Ok(PlanKind::Template | PlanKind::ChangeSet))
}

fn kind_of(value: &Value<'_>) -> Result<PlanKind, Diagnostic> {
    let has = |name| value.get(name).is_some();
    if has("format_version") && (has("resource_changes") || has("planned_values")) {
        return Ok(PlanKind::Terraform);
    }
    if has("Changes") || has("ChangeSetId") || has("ChangeSetName") {
        return Ok(PlanKind::ChangeSet);
    }
    if value.get("Resources").is_some_and(Value::is_object) {
        return Ok(PlanKind::Template);
    }
    let at = Span::new(value.span.start, value.span.start.saturating_add(1));
    let problem = |message: &str, help: &str| {
        Err(Diagnostic::error_at(at, message).here("no plan").help(help))
    };
    if has("format_version") && has("values") {
        return problem("this is Terraform's state, and not its plan", TERRAFORM_AS_TEXT);
    }
    if has("format_version") {
        return problem("this is Terraform's output without a plan", TERRAFORM_AS_TEXT);
    }
    if has("schemaVersion") && has("organizationalUnits") {
        return problem("this is a snapshot, and not a plan", "give it with `--snapshot`");
    }
    if has("StackSetId") || has("StackId") {
        return problem("this is no change set", ACCEPTED);
    }
    if has("TemplateBody") {
        return problem(
            "this is what `get-template` prints; the template is inside",
            "give the template alone: add `--query TemplateBody --output json`",
        );
    }
    if has("Statement") {
        return problem(
            "this is a policy document, and not a plan",
            "`ses-perimeter lint` looks at documents; a plan says where they go",
        );
    }
    let mut keys = value.entries().map(|(key, _)| text::words::quote(key));
    let keys: Vec<String> = keys.by_ref().take(3).collect();
    let found = if keys.is_empty() {
        format!("this is {}, and no plan", value.kind_name())
    } else {
        format!("this is no plan: an object with {}", keys.join(", "))
    };
    problem(&found, ACCEPTED)
}
