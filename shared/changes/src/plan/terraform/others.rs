//! Resources that are no policies, attachments, accounts or units, and may matter all the same.

use text::diagnostic::Diagnostic;
use text::json::Value;
use text::words::quote;

use super::resource::{Action, After, ORGANIZATION, Resource, SCP};
use crate::plan::book::PlanBuilder;

/// What a type has to do with service control policies.
enum Bearing {
    /// Nothing.
    None,
    /// Whether they are in force at all.
    Organization,
    /// It is one of ours in another provider's words.
    Foreign,
    /// AWS Control Tower attaches policies of its own.
    ControlTower,
    /// It holds a CloudFormation template.
    Stack,
    /// It runs whatever it is told to.
    Anything,
}

fn bearing(kind: &str) -> Bearing {
    match kind {
        ORGANIZATION => Bearing::Organization,
        "aws_organizations_delegated_administrator"
        | "aws_organizations_resource_policy"
        | "awscc_organizations_organizational_unit"
        | "awscc_organizations_resource_policy" => Bearing::None,
        _ if kind.contains("organizations_") => Bearing::Foreign,
        "aws_controltower_control"
        | "aws_controltower_landing_zone"
        | "aws_controltower_baseline"
        | "awscc_controltower_enabled_control"
        | "awscc_controltower_enabled_baseline"
        | "awscc_controltower_landing_zone" => Bearing::ControlTower,
        "aws_cloudformation_stack"
        | "aws_cloudformation_stack_set"
        | "awscc_cloudformation_stack"
        | "awscc_cloudformation_stack_set" => Bearing::Stack,
        "null_resource"
        | "terraform_data"
        | "shell_script"
        | "aws_lambda_invocation"
        | "aws_cloudcontrolapi_resource" => Bearing::Anything,
        _ => Bearing::None,
    }
}

/// Whether a resource of this type may change what an SCP is or where it is attached.
pub(super) fn matters(kind: &str) -> bool {
    let ours = kind.starts_with("aws_organizations_");
    ours || match bearing(kind) {
        Bearing::None => false,
        Bearing::Organization
        | Bearing::Foreign
        | Bearing::ControlTower
        | Bearing::Stack
        | Bearing::Anything => true,
    }
}

/// Passes a resource over, or says why that cannot be done.
/// `configuration` is that of the resource, where the plan has one: provisioners stand in it.
pub(super) fn read(
    book: &mut PlanBuilder<'_>,
    resource: &Resource<'_, '_>,
    configuration: Option<&Value<'_>>,
) {
    if resource.action == Action::Nothing || resource.address.data {
        return;
    }
    let name = quote(resource.text);
    let problem = |message: String, help: &str| {
        Diagnostic::error_at(resource.span, message)
            .here("what it does to service control policies is not read")
            .help(help)
    };
    match bearing(&resource.address.kind) {
        Bearing::None => book.pass_over(&resource.address.kind),
        Bearing::Anything if names_organizations(resource, configuration) => {
            book.problems.push(|| {
                problem(
                    format!("{name} runs something that names AWS Organizations"),
                    "apply it by itself, and take a new snapshot; or manage policies with \
                     `aws_organizations_policy`",
                )
            });
        }
        Bearing::Anything => book.pass_over(&resource.address.kind),
        Bearing::Organization => organization(book, resource),
        Bearing::Foreign => book.problems.push(|| {
            problem(
                format!("{name} is of a type that is not read"),
                "manage it with the provider `aws`, or leave it out of this plan",
            )
        }),
        Bearing::ControlTower if resource.action == Action::Create => book.note(format!(
            "{name} was passed over: the policies that AWS Control Tower adds are not in the plan, \
             and can only deny more"
        )),
        Bearing::ControlTower => book.problems.push(|| {
            problem(
                format!("{name} may remove or change policies that AWS Control Tower made"),
                "apply it by itself, and take a new snapshot",
            )
        }),
        Bearing::Stack if holds_no_policies(resource) => {
            book.pass_over(&resource.address.kind);
        }
        Bearing::Stack => book.problems.push(|| {
            problem(
                format!("{name} holds a template that may have policies of its own"),
                "give that template or its change set by itself, and leave the stack out of this \
                 plan",
            )
        }),
    }
}

/// Whether what a resource is given, or its provisioners, name Organizations.
fn names_organizations(resource: &Resource<'_, '_>, configuration: Option<&Value<'_>>) -> bool {
    let named =
        |value: &Value<'_>| value.to_string().to_ascii_lowercase().contains("organizations");
    ["before", "after"].iter().filter_map(|it| resource.change.get(it)).any(named)
        || configuration.is_some_and(named)
}

/// Whether both the old and the new template are in the plan, and name nothing of Organizations.
fn holds_no_policies(resource: &Resource<'_, '_>) -> bool {
    let silent = |value: Option<&Value<'_>>| {
        value.and_then(Value::as_str).is_some_and(|body| {
            let hidden =
                ["AWS::Organizations::", "AWS::ControlTower::", "Transform", "Fn::Include"];
            let nested = ["AWS::CloudFormation::Stack", "TemplateURL"];
            !hidden.iter().chain(&nested).any(|word| body.contains(word))
        })
    };
    let after = match resource.after("template_body") {
        After::Known(body) => silent(Some(body)),
        After::Unknown => false,
        After::Missing => resource.action == Action::Delete,
    };
    let before = resource.action == Action::Create || silent(resource.before("template_body"));
    before && after
}

fn organization(book: &mut PlanBuilder<'_>, resource: &Resource<'_, '_>) {
    let has_scps = |value: Option<&Value<'_>>| {
        let types = value.map(Value::elements).unwrap_or_default();
        types.iter().any(|kind| kind.as_str() == Some(SCP))
    };
    let name = quote(resource.text);
    let was = has_scps(resource.before("enabled_policy_types"));
    let will = match resource.after("enabled_policy_types") {
        After::Known(types) => has_scps(Some(types)),
        After::Unknown | After::Missing => false,
    };
    let features = resource.after_text("feature_set");
    let lost = (was || book.organization.scp_enabled) && !will
        || features.is_some_and(|features| features != "ALL");
    let stays = matches!(resource.action, Action::Update | Action::Forget);
    if !stays || (lost && resource.action == Action::Update) {
        book.problems.push(|| {
            Diagnostic::error_at(
                resource.span,
                format!("{name} changes whether service control policies are in force"),
            )
            .here("no control can be judged through this")
            .help("keep `feature_set = \"ALL\"` and `SERVICE_CONTROL_POLICY` enabled")
        });
    } else if will && !book.organization.scp_enabled {
        book.note(format!(
            "{name} enables service control policies; they are judged as the snapshot has them: \
             not in force"
        ));
    } else {
        book.note(format!("{name} changes settings that do not matter here"));
    }
}
