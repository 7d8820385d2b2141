//! A proposal as files that people and their tools apply. The program applies nothing itself.

use std::fmt::Write;

use serde::Serialize;
use similar::TextDiff;

use crate::fix::ProposedPolicy;
use crate::fix::document::laid_out;

/// The unified diff of a policy; documents on one line are laid out first, so that there is
/// something to read.
#[must_use]
pub fn diff(policy: &ProposedPolicy) -> String {
    let old = policy.before.as_deref().unwrap_or_default();
    let lines = |text: &str| text.trim_end().lines().count();
    let laid = lines(&policy.after) < 3 || (!old.is_empty() && lines(old) < 3);
    let shown = |text: &str| match (laid, text.is_empty()) {
        (true, false) => laid_out(text),
        (true | false, _) => text.to_owned(),
    };
    let (old, new) = (shown(old), shown(&policy.after));
    let name = format!("{} ({})", policy.name, policy.id);
    let from = if policy.before.is_some() { name.clone() } else { "/dev/null".to_owned() };
    let to = if policy.before.is_some() { name } else { format!("{} (new)", policy.name) };
    TextDiff::from_lines(&old, &new)
        .unified_diff()
        .context_radius(3)
        .missing_newline_hint(false)
        .header(&from, &to)
        .to_string()
}

/// In Terraform's language, for the providers of AWS and its organization.
#[must_use]
pub fn terraform(policies: &[ProposedPolicy]) -> String {
    let mut out = String::from(
        "# Made by `ses-perimeter fix`; read it before you apply it.\n\
         # Resources with an import block are there already: where another configuration manages\n\
         # them, change their content there instead.\n",
    );
    for policy in policies {
        let label = identifier(&policy.name);
        if policy.before.is_some() {
            let _ = write!(
                out,
                "\nimport {{\n  to = aws_organizations_policy.{label}\n  id = {}\n}}\n",
                quoted(policy.id.as_str())
            );
        }
        let content = heredoc(&policy.after);
        // As `terraform fmt` writes it: `=` stand in one column only on lines that follow each other
        // and are one value each.
        let pad = if content.contains('\n') { "" } else { "   " };
        let _ = write!(
            out,
            "\nresource \"aws_organizations_policy\" \"{label}\" {{\n  name{pad} = {}\n  type{pad} = \
             \"SERVICE_CONTROL_POLICY\"\n  content = {content}\n}}\n",
            quoted(&policy.name)
        );
        for target in policy.attach.iter().map(ToString::to_string) {
            let _ = write!(
                out,
                "\nresource \"aws_organizations_policy_attachment\" \"{label}_{}\" {{\n  policy_id \
                 = aws_organizations_policy.{label}.id\n  target_id = {}\n}}\n",
                identifier(&target),
                quoted(&target)
            );
        }
    }
    out
}

/// As a CloudFormation template in JSON. Documents keep the order of their elements.
#[must_use]
pub fn cloudformation(policies: &[ProposedPolicy]) -> String {
    let existing: Vec<String> = policies
        .iter()
        .filter(|policy| policy.before.is_some())
        .map(|policy| format!("{} is {}", logical(&policy.name), policy.id))
        .collect();
    let mut description = "Made by ses-perimeter fix; read it before you deploy it.".to_owned();
    if !existing.is_empty() {
        let _ = write!(
            description,
            " Policies that are there already have to be imported into the stack first: {}.",
            existing.join(", ")
        );
    }
    let resources = policies.iter().map(|policy| {
        let targets = policy.attached.iter().chain(&policy.attach);
        let targets: Vec<String> = targets.map(|it| json_text(&it.to_string())).collect();
        format!(
            "{}:{{\"Type\":\"AWS::Organizations::Policy\",\"DeletionPolicy\":\"Retain\",\
             \"UpdateReplacePolicy\":\"Retain\",\"Properties\":{{\"Name\":{},\
             \"Type\":\"SERVICE_CONTROL_POLICY\",\"Content\":{},\"TargetIds\":[{}]}}}}",
            json_text(&logical(&policy.name)),
            json_text(&policy.name),
            policy.after,
            targets.join(",")
        )
    });
    laid_out(&format!(
        "{{\"AWSTemplateFormatVersion\":\"2010-09-09\",\"Description\":{},\"Resources\":{{{}}}}}",
        json_text(&description),
        resources.collect::<Vec<_>>().join(",")
    ))
}

/// A string of JSON.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// As a shell script of calls of the AWS CLI.
#[must_use]
pub fn aws_cli(policies: &[ProposedPolicy]) -> String {
    let mut out = String::from(
        "#!/bin/sh\n# Made by `ses-perimeter fix`; read it before you run it, in the management \
         account or as the delegated administrator for policies.\nset -eu\n",
    );
    for policy in policies {
        let document = shell(&policy.after);
        match policy.before {
            Some(_) => {
                let _ = write!(
                    out,
                    "\n# {}\npolicy={}\naws organizations update-policy --policy-id \"$policy\" \\\n  \
                     --content {document} >/dev/null\n",
                    comment(&policy.name),
                    shell(policy.id.as_str())
                );
            }
            None => {
                let _ = write!(
                    out,
                    "\npolicy=$(aws organizations create-policy --type SERVICE_CONTROL_POLICY \\\n  \
                     --name {} --description 'Keeps SES mail inside the data perimeter' \\\n  \
                     --content {document} \\\n  --query Policy.PolicySummary.Id --output text)\n",
                    shell(&policy.name)
                );
            }
        }
        for target in &policy.attach {
            let _ = writeln!(
                out,
                "aws organizations attach-policy --policy-id \"$policy\" --target-id {}",
                shell(&target.to_string())
            );
        }
    }
    out
}

/// A policy as a snapshot has it, so that it can be put into one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyOut<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    aws_managed: bool,
    /// Whether the id stands for one that Organizations has still to give.
    is_new: bool,
    content: &'a str,
    diff: String,
    controls: Vec<String>,
}

/// An attachment as a snapshot has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentOut<'a> {
    policy_id: &'a str,
    target_id: String,
}

/// The policies and new attachments in the shape of a snapshot.
#[must_use]
pub fn parts(policies: &[ProposedPolicy]) -> (Vec<PolicyOut<'_>>, Vec<AttachmentOut<'_>>) {
    let attachments = policies.iter().flat_map(|policy| {
        let all = policy.attach.iter();
        all.map(|target| AttachmentOut {
            policy_id: policy.id.as_str(),
            target_id: target.to_string(),
        })
    });
    let documents = policies.iter().map(|policy| PolicyOut {
        id: policy.id.as_str(),
        name: &policy.name,
        kind: "SERVICE_CONTROL_POLICY",
        aws_managed: false,
        is_new: policy.before.is_none(),
        content: &policy.after,
        diff: diff(policy),
        controls: policy.controls.iter().map(ToString::to_string).collect(),
    });
    (documents.collect(), attachments.collect())
}

/// A name for a Terraform resource.
fn identifier(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let text: String = name.chars().map(plain).collect();
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) { text } else { format!("at_{text}") }
}

/// A logical id of CloudFormation.
fn logical(name: &str) -> String {
    let mut text = String::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    if text.is_empty() { "Policy".to_owned() } else { text }
}

/// A string of Terraform's language.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // The beginning of a template is written twice.
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text over several lines in Terraform's language.
fn heredoc(text: &str) -> String {
    if text.lines().count() < 2 {
        return quoted(text);
    }
    let text = text.trim_end().replace("${", "$${").replace("%{", "%%{");
    format!("chomp(<<DOCUMENT\n{text}\nDOCUMENT\n  )")
}

/// A word of the shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A text on one line of comment.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_documents_cannot_leave_their_quotes() {
        assert_eq!(quoted("a\"b\\${c}%{d}$e\n"), r#""a\"b\\$${c}%%{d}$e\n""#);
        assert_eq!(shell("it's $(x)"), r"'it'\''s $(x)'");
        assert_eq!(identifier("9-ü b"), "at_9___b");
        assert_eq!(logical("mail-to_staff ü"), "MailToStaff");
        assert_eq!(comment("a\nrm"), "a rm");
    }
}
