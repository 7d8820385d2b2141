//! Proposed changes as infrastructure as code describes them, as edits.
//!
//! Three documents are read: a Terraform plan in JSON, a CloudFormation template, and the
//! description of a CloudFormation change set. Whatever in them may change a service control
//! policy and cannot be told is an error that names it, since an edit that is left out may be the
//! one that opens a hole. `docs/changes.md` lists what is read and what is refused.

use organization::Organization;
use text::diagnostic::{Diagnostic, label_span};

use self::secrets::Secrets;

mod book;
mod change_set;
mod fields;
mod kind;
mod outcome;
mod parameters;
mod secrets;
mod template;
mod terraform;
mod unresolved;
mod yaml;

pub use outcome::{Choice, Plan, Unknown};
pub use parameters::{ParameterError, Parameters};
pub use text::diagnostic::Refusal as PlanError;

/// Reads a plan for an organization.
///
/// `text` is a Terraform plan as `terraform show -json` prints it, a CloudFormation template in
/// JSON or YAML, or a change set as `aws cloudformation describe-change-set` prints it; which one
/// is told from the text. A policy that the plan creates gets an id that is made up from its
/// address. A policy that is deleted and created again under the same name keeps its id.
/// `parameters` are those of a template.
///
/// # Errors
/// [`PlanError`] where the text is none of these, names a policy or target that the organization
/// does not have, asks for what AWS refuses, or leaves open what becomes of a service control
/// policy; where parameters are given to what has none.
pub fn read(
    text: &str,
    parameters: &Parameters,
    organization: &Organization,
) -> Result<Plan, PlanError> {
    let mut book = book::PlanBuilder::new(organization, text);
    let document =
        kind::recognize(text).map_err(|problem| PlanError::one(fields::PLAN, problem))?;
    fields::refuse_duplicates(&mut book.problems, &document.value);
    let without = match document.kind {
        kind::PlanKind::Template => None,
        kind::PlanKind::Terraform => {
            Some("a Terraform plan, which holds the values of its variables")
        }
        kind::PlanKind::ChangeSet => Some("a change set, which holds the values of its parameters"),
    };
    if let Some(what) = without.filter(|_| !parameters.is_empty()) {
        book.problems.push(|| {
            let at = label_span(&document.value);
            Diagnostic::error_at(at, format!("parameters are given, and this is {what}"))
                .here("no template")
                .help("leave them out; what they should be is said where the plan is made")
        });
    }
    if book.problems.total() == 0 {
        match document.kind {
            kind::PlanKind::Terraform => {
                book.secrets = Secrets::of_terraform(&document.value);
                terraform::read(&mut book, &document.value);
            }
            kind::PlanKind::Template => {
                book.secrets = Secrets::of_template(&document.value, parameters);
                template::read(&mut book, &document.value, &document.doubtful, parameters);
            }
            kind::PlanKind::ChangeSet => change_set::read(&mut book, &document.value),
        }
    }
    book.finish(text)
}

/// The text of a plan as excerpts in messages may show it: as many bytes, with stars over whatever
/// `error` does not point at, and over what the plan marks as sensitive in any case.
#[must_use]
pub fn shown(text: &str, error: &PlanError) -> String {
    let labels = error.problems().iter().flat_map(|problem| &problem.labels);
    secrets::covered(text, &labels.map(|(span, _)| *span).collect::<Vec<_>>())
}
