//! Titles and descriptions.

use ses_perimeter::control::ControlId;

use crate::names::sid_text;
use crate::results::{DeciderEntry, ObstacleEntry, ResultEntry, StatementEntry, StatusEntry};

/// UTF-16 units of an account's name in a title, so that the outcome still fits.
const NAME: usize = 64;

/// `shop (222222222222)`, or the id alone where the account has no name of its own.
pub fn account(name: &str, id: &str) -> String {
    if name == id || name.trim().is_empty() {
        return id.to_owned();
    }
    let name = super::Limited::<NAME>::new(name);
    format!("{name} ({id})")
}

/// The outcome of a control for an account, for instance
/// `Account shop (222222222222) can mail untrusted recipients through SMTP`.
#[must_use]
pub fn title(name: &str, id: &str, control: ControlId, status: StatusEntry) -> String {
    let account = account(name, id);
    let what = control.summary();
    match status {
        StatusEntry::Failed => format!("Account {account} can {what}"),
        StatusEntry::Passed => format!("Account {account} cannot {what}"),
        StatusEntry::Undecided => format!("It is undecided whether account {account} can {what}"),
        StatusEntry::NotApplicable => {
            format!("Account {account} is not checked: {control}, whether it can {what}")
        }
    }
}

/// The outcome with its reasons, in sentences.
pub fn description(entry: &ResultEntry, control: ControlId) -> String {
    let what = control.summary();
    let mut text = match entry.status {
        StatusEntry::Failed => failed(entry, control),
        StatusEntry::Passed if control.is_about_exposure() => format!(
            "The account cannot {what}: {}.",
            entry.reason.as_deref().unwrap_or("nothing there lets it")
        ),
        StatusEntry::Passed => format!(
            "The account cannot {what}: no request that the control describes gets through. {}.",
            capital(&deciders(entry))
        ),
        StatusEntry::Undecided => format!(
            "Nobody can say whether the account can {what}. {}.",
            capital(&obstacles(entry))
        ),
        StatusEntry::NotApplicable => format!(
            "{control} does not apply to the account: {}.",
            entry.reason.as_deref().unwrap_or("no reason is known")
        ),
    };
    if let Some(graded) = &entry.severity
        && !graded.rule.is_empty()
    {
        text.push_str(&format!(" {}", graded.rule));
    }
    for note in &entry.assumptions {
        text.push_str(&format!(" Note: {note}."));
    }
    text
}

fn failed(entry: &ResultEntry, control: ControlId) -> String {
    let request = match &entry.witness_text {
        Some(text) => text.clone(),
        None => format!("The account can {}.", control.summary()),
    };
    match &entry.cause {
        Some(cause) => format!("{request} {}.", capital(cause)),
        None => request,
    }
}

/// What stops the requests; a sentence without a stop.
pub fn deciders(entry: &ResultEntry) -> String {
    let texts = entry.decided_by.iter().map(|decider| match decider {
        DeciderEntry::Statement(found) => format!("stopped by {}", statement(found)),
        DeciderEntry::ImplicitDeny { target_id, .. } => format!("nothing allows it at {target_id}"),
    });
    texts.collect::<Vec<_>>().join("; ")
}

fn statement(found: &StatementEntry) -> String {
    let sid = sid_text(found.sid.as_deref(), found.statement_index);
    let policy = policy(&found.policy_name, &found.policy_id);
    format!("{sid} of {policy} at {}", found.target_id)
}

fn policy(name: &str, id: &str) -> String {
    if name == id { format!("SCP {id}") } else { format!("SCP {name} ({id})") }
}

/// Why it is undecided; a sentence without a stop.
pub fn obstacles(entry: &ResultEntry) -> String {
    let texts: Vec<String> = entry.obstacles.iter().map(obstacle).collect();
    if texts.is_empty() { "no reason is known".to_owned() } else { texts.join("; ") }
}

/// One reason with its place.
pub fn obstacle(obstacle: &ObstacleEntry) -> String {
    let mut place = Vec::new();
    if let Some(index) = obstacle.statement_index {
        place.push(format!("{} of", sid_text(obstacle.sid.as_deref(), index)));
    }
    if let (Some(id), name) = (&obstacle.policy_id, &obstacle.policy_name) {
        place.push(policy(name.as_deref().unwrap_or(id), id));
    }
    if let Some(target) = &obstacle.target_id {
        place.push(if place.is_empty() { target.clone() } else { format!("at {target}") });
    }
    if place.is_empty() {
        obstacle.message.clone()
    } else {
        format!("{}: {}", place.join(" "), obstacle.message)
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
