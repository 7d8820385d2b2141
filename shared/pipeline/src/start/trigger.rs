//! What asks for a check: events, the schedule, people, and the end of a run.

use findings::asff;
use serde::Deserialize;
use serde_json::Value;
use ses_perimeter::control::ControlId;

use super::StartError;
use super::events;
use crate::objects;
use crate::wire::{
    Change, CheckOrigin, EVENT_SOURCE, Finish, MOST_ACCOUNTS, SCHEMA_VERSION, Scope,
};

/// What an invocation of `start-check` is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A check is wanted.
    Check(Wish),
    /// A check is wanted that publishes nothing.
    DryRun {
        /// What to decide.
        scope: Scope,
        /// Whether everything is read again.
        full: bool,
    },
    /// A run ended.
    Finish(Finish),
    /// Nothing is to be done, for this reason.
    Ignored(String),
}

/// A wish for a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What asked.
    pub source: CheckOrigin,
    /// What to decide.
    pub scope: Scope,
    /// Whether everything is read again, contents of policies too.
    pub full: bool,
    /// What changed.
    pub changes: Vec<Change>,
    /// When it happened and a name that duplicates share, where the trigger says so.
    pub event: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Demand {
    #[serde(default = "crate::wire::current")]
    schema_version: u32,
    #[serde(default)]
    source: Option<CheckOrigin>,
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default)]
    controls: Vec<String>,
    #[serde(default)]
    full: bool,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FinishInput {
    finish: Finish,
}

/// Reads the input of `start-check`.
///
/// # Errors
/// [`StartError::Input`] where it is none of the shapes that `docs/functions.md` describes.
pub fn parse(input: &Value) -> Result<Trigger, StartError> {
    if input.get("finish").is_some() {
        let read: FinishInput = read(input)?;
        return Ok(Trigger::Finish(read.finish));
    }
    if input.get("detail-type").is_some() {
        return event(input);
    }
    demand(read(input)?)
}

fn read<T: serde::de::DeserializeOwned>(input: &Value) -> Result<T, StartError> {
    T::deserialize(input).map_err(|error| {
        StartError::Input(format!(
            "the input is no event and no request for a check: {error}; a request looks like \
             {{\"accounts\": [\"222222222222\"], \"controls\": [\"SESDP.8\"], \"full\": false, \
             \"dryRun\": false}}, and {{}} checks everything"
        ))
    })
}

fn demand(demand: Demand) -> Result<Trigger, StartError> {
    if demand.schema_version != SCHEMA_VERSION {
        return Err(StartError::Version(demand.schema_version));
    }
    for account in &demand.accounts {
        account
            .parse::<organization::AccountId>()
            .map_err(|error| StartError::Input(format!("`accounts`: {error}")))?;
    }
    for control in &demand.controls {
        if ControlId::parse(control).is_none() {
            return Err(StartError::Input(format!(
                "`controls`: there is no control `{control}`; they are {} to {}",
                ControlId::FIRST,
                ControlId::LAST
            )));
        }
    }
    if demand.accounts.len() > MOST_ACCOUNTS {
        return Err(StartError::Input(format!(
            "`accounts` names {}; name at most {MOST_ACCOUNTS}, or none for all",
            demand.accounts.len()
        )));
    }
    let scope = Scope { accounts: demand.accounts, controls: demand.controls };
    if demand.dry_run {
        return Ok(Trigger::DryRun { scope, full: demand.full });
    }
    let source = demand.source.unwrap_or(CheckOrigin::Demand);
    Ok(Trigger::Check(Wish { source, scope, full: demand.full, changes: Vec::new(), event: None }))
}

fn event(input: &Value) -> Result<Trigger, StartError> {
    let text = |field: &str| input.get(field).and_then(Value::as_str).unwrap_or_default();
    let detail = input.get("detail").unwrap_or(&Value::Null);
    let id = text("id");
    let event = (!id.is_empty()).then(|| (text("time").to_owned(), id.to_owned()));
    match text("source") {
        "aws.organizations" => Ok(match events::changes(detail) {
            Ok(changes) => Trigger::Check(Wish {
                source: CheckOrigin::Organizations,
                scope: Scope::default(),
                full: false,
                changes,
                event,
            }),
            Err(reason) => Trigger::Ignored(reason),
        }),
        "aws.securityhub" => Ok(security_hub(text("detail-type"), detail, event)),
        "aws.events" | "aws.scheduler" => Ok(of_everything(CheckOrigin::Schedule, event)),
        "aws.s3" => {
            let key = detail.pointer("/object/key").and_then(Value::as_str).unwrap_or_default();
            Ok(if key == objects::PERIMETER {
                of_everything(CheckOrigin::Perimeter, event)
            } else {
                Trigger::Ignored(format!("the object `{key}` starts nothing"))
            })
        }
        EVENT_SOURCE => Ok(Trigger::Ignored("the checker's own events start nothing".to_owned())),
        other => Err(StartError::Input(format!(
            "events of source `{other}` start nothing; remove the rule that sends them here"
        ))),
    }
}

fn of_everything(source: CheckOrigin, event: Option<(String, String)>) -> Trigger {
    let scope = Scope::default();
    Trigger::Check(Wish { source, scope, full: false, changes: Vec::new(), event })
}

/// Only the custom action starts a run: were imported findings to do so, the checker's own would
/// keep it running for ever.
fn security_hub(detail_type: &str, detail: &Value, event: Option<(String, String)>) -> Trigger {
    if detail_type != "Security Hub Findings - Custom Action" {
        return Trigger::Ignored(format!("`{detail_type}` starts nothing"));
    }
    let findings = detail.get("findings").and_then(Value::as_array);
    let ids = findings.into_iter().flatten().filter_map(|f| f.get("Id")?.as_str());
    let accounts: std::collections::BTreeSet<String> = ids.filter_map(account_of).collect();
    if accounts.is_empty() {
        return Trigger::Ignored("none of the selected findings is one of this checker".to_owned());
    }
    Trigger::Check(Wish {
        source: CheckOrigin::SecurityHub,
        scope: Scope { accounts: accounts.into_iter().collect(), controls: Vec::new() },
        // Whoever asks again has a reason to doubt what is known.
        full: true,
        changes: vec![Change::Everything],
        event,
    })
}

/// The account of one of our findings, whichever organization it is of.
fn account_of(id: &str) -> Option<String> {
    let organization = id.split('/').nth(1)?;
    asff::account_of(id, organization).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_perimeter_of_all_objects_starts_a_check() {
        let written = |key: &str| {
            let input = json!({
                "source": "aws.s3", "detail-type": "Object Created", "id": "e-1",
                "time": "2026-11-25T00:00:00Z", "detail": {"object": {"key": key}},
            });
            parse(&input).unwrap()
        };
        let event = Some(("2026-11-25T00:00:00Z".to_owned(), "e-1".to_owned()));
        assert_eq!(written("config/perimeter.toml"), of_everything(CheckOrigin::Perimeter, event));
        assert!(matches!(written("state/latest.json"), Trigger::Ignored(_)));
    }
}
