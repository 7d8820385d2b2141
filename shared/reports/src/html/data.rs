//! The data block: what the script draws from.
//!
//! Lists name things by position, so that each text stands there once. `templates/report.js`
//! reads this shape; nothing else does.

use std::collections::BTreeMap;
use std::io;

use organization::{Document, Organization, TargetIdx, TargetRef};
use policy::model::Effect;
use serde::Serialize;
use ses_perimeter::explain::excerpt;

use super::cells::{CellData, LevelData, NearData, PairData, RequestData};
use super::escape::in_script;
use super::survey::Survey;
use crate::checked::Checked;

#[derive(Serialize)]
struct DataBlock<'a> {
    organization: &'a str,
    in_force: bool,
    controls: Vec<ControlData>,
    units: Vec<UnitData<'a>>,
    accounts: Vec<AccountData<'a>>,
    /// States other than `ACTIVE`, by position of the account.
    states: BTreeMap<usize, &'static str>,
    levels: &'a [LevelData],
    policies: Vec<PolicyData<'a>>,
    documents: Vec<DocumentData<'a>>,
    texts: &'a [String],
    pairs: &'a [PairData],
    requests: &'a [RequestData],
    near: &'a [NearData],
    cells: &'a [CellData],
    rows: &'a [Vec<usize>],
    /// How many causes have cards.
    cards: usize,
}

/// Id, name, what must not get through.
#[derive(Serialize)]
struct ControlData(String, &'static str, &'static str);

/// Id, name, parent, what is attached; the root first, its parent and what is unknown below zero.
#[derive(Serialize)]
struct UnitData<'a>(String, &'a str, i64, i64);

/// Id, name, unit, row, what is attached.
#[derive(Serialize)]
struct AccountData<'a>(String, &'a str, usize, usize, usize);

#[derive(Serialize)]
struct PolicyData<'a> {
    id: &'a str,
    name: &'a str,
    document: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    managed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

#[derive(Serialize, Default)]
struct DocumentData<'a> {
    characters: usize,
    /// The text before the first statement; all of it where there is none.
    head: &'a str,
    statements: Vec<StatementData<'a>>,
    /// The text behind the last statement.
    tail: &'a str,
    /// Why the document cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// `Allow` or `Deny`, the `Sid`, the text.
#[derive(Serialize)]
struct StatementData<'a>(&'static str, Option<&'a str>, String);

/// The data block of a report, fit to stand in a script element.
///
/// # Errors
/// None that a report can have; JSON holds whatever is in it.
pub fn json(checked: &Checked<'_>, survey: &Survey<'_>) -> io::Result<String> {
    let organization = checked.organization;
    let mut documents = Vec::new();
    let mut positions = BTreeMap::new();
    let policies = survey.tables.policies.list().iter().filter_map(|index| {
        let found = organization.policy(*index)?;
        let document = *positions.entry(found.document).or_insert_with(|| {
            documents.push(document(organization, *index));
            documents.len() - 1
        });
        Some(PolicyData {
            id: found.id.as_str(),
            name: &found.name,
            document,
            managed: found.aws_managed,
            file: checked.files.get(index).map(String::as_str),
        })
    });
    let policies = policies.collect();
    let block = DataBlock {
        organization: organization.id.as_str(),
        in_force: organization.scp_enabled,
        controls: checked
            .report
            .controls
            .iter()
            .map(|c| ControlData(c.to_string(), c.title(), c.summary()))
            .collect(),
        units: units(organization, survey),
        accounts: survey
            .members
            .iter()
            .filter_map(|member| {
                let found = organization.account(member.account)?;
                let unit = found.parent.index();
                Some(AccountData(found.id.to_string(), &found.name, unit, member.row, member.level))
            })
            .collect(),
        states: survey
            .members
            .iter()
            .enumerate()
            .filter_map(|(position, member)| {
                let state = organization.account(member.account)?.state.name();
                (state != "ACTIVE").then_some((position, state))
            })
            .collect(),
        levels: survey.tables.levels.list(),
        policies,
        documents,
        texts: survey.tables.texts.list(),
        pairs: survey.tables.pairs.list(),
        requests: survey.tables.requests.list(),
        near: survey.tables.near.list(),
        cells: &survey.cells,
        rows: survey.tables.rows.list(),
        cards: survey.causes.len().min(super::causes::CARDS),
    };
    Ok(in_script(&serde_json::to_string(&block)?))
}

fn units<'a>(organization: &'a Organization, survey: &Survey<'_>) -> Vec<UnitData<'a>> {
    let number = |n: Option<usize>| n.and_then(|n| i64::try_from(n).ok()).unwrap_or(-1);
    let unit = |target: TargetRef<'a>| {
        UnitData(
            target.id.to_string(),
            target.name,
            number(organization.parent(target.index).map(TargetIdx::index)),
            number(survey.levels.get(&target.index).copied()),
        )
    };
    organization.targets().take(1 + organization.units().len()).map(unit).collect()
}

fn document(organization: &Organization, policy: organization::PolicyIdx) -> DocumentData<'_> {
    let Some(found) = organization.policy(policy).and_then(|p| organization.document(p.document))
    else {
        return DocumentData::default();
    };
    let text = found.text().unwrap_or_default();
    let statements = found.policy().map(|policy| policy.statements.as_slice()).unwrap_or_default();
    let (start, end) = match (statements.first(), statements.last()) {
        (Some(first), Some(last)) => (first.span.start, last.span.end),
        (Some(_), None) | (None, _) => (text.len(), text.len()),
    };
    let error = match found {
        Document::Unreadable { message, .. } => Some(message.as_str()),
        Document::Readable { .. } | Document::Foreign { .. } => None,
    };
    DocumentData {
        characters: text.chars().count(),
        head: text.get(..start).unwrap_or(text).trim_end(),
        statements: statements
            .iter()
            .enumerate()
            .map(|(index, statement)| {
                let effect = match statement.effect {
                    Effect::Allow => "Allow",
                    Effect::Deny => "Deny",
                };
                let lines = excerpt(organization, policy, index).map(|e| e.lines.join("\n"));
                StatementData(effect, statement.sid.as_deref(), lines.unwrap_or_default())
            })
            .collect(),
        tail: text.get(end..).unwrap_or_default().trim_start(),
        error,
    }
}
