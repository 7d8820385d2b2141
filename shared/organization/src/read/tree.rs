//! Units and accounts: ids, parents, loops, depth.

use text::diagnostic::{Diagnostic, Problems, short};
use text::fields::{FieldPlace, Object, Text};
use text::json::Value;
use text::words::{did_you_mean, nearest_within, quote, several};

use super::notes::{Notes, malformed};
use crate::account::AccountState;
use crate::id::{AccountId, NEAR, ParentId, UnitId, name_or_id};
use crate::tree::{Account, Root, TargetIdx, Tree, UNIT_LEVELS, Unit, twins};

/// The ids of an entry as written; the parent is missing where that was noted already.
struct Site<'v> {
    id: Text<'v>,
    parent: Option<Text<'v>>,
}

/// Reads the units and accounts below `root`.
///
/// The tree is sound only if no problem was noted. `units_lost` tells that a problem cost the root
/// or units, and the flag returned, that one cost some target: a target that then seems to be
/// missing is not worth a problem of its own.
pub(super) fn read_tree(
    notes: &mut Notes,
    root: Root,
    units: &[Value<'_>],
    accounts: &[Value<'_>],
    units_lost: bool,
) -> (Tree, bool) {
    let mut tree = Tree {
        root,
        units: Vec::with_capacity(units.len()),
        accounts: Vec::with_capacity(accounts.len()),
        units_by_id: Vec::new(),
        accounts_by_id: Vec::new(),
    };
    let before = notes.problems.total();
    let unit_sites = read_units(&mut notes.problems, &mut tree, units);
    let units_lost = units_lost || notes.problems.total() > before;
    tree.sort_units();
    refuse_twins(&mut notes.problems, &tree.units_by_id, &unit_sites, "organizational unit");
    let parents: Vec<TargetIdx> = unit_sites
        .iter()
        .map(|site| find_parent(&mut notes.problems, &tree, site, units_lost))
        .collect();
    for (unit, parent) in tree.units.iter_mut().zip(parents) {
        unit.parent = parent;
    }
    refuse_loops(notes, &tree, &unit_sites);

    let before = notes.problems.total();
    let account_sites = read_accounts(notes, &mut tree, accounts);
    let targets_lost = units_lost || notes.problems.total() > before;
    tree.sort_accounts();
    refuse_twins(&mut notes.problems, &tree.accounts_by_id, &account_sites, "account");
    let parents: Vec<TargetIdx> = account_sites
        .iter()
        .map(|site| find_parent(&mut notes.problems, &tree, site, units_lost))
        .collect();
    for (account, parent) in tree.accounts.iter_mut().zip(parents) {
        account.parent = parent;
    }
    (tree, targets_lost)
}

fn read_units<'v>(
    problems: &mut Problems,
    tree: &mut Tree,
    units: &'v [Value<'_>],
) -> Vec<Site<'v>> {
    let mut sites = Vec::with_capacity(units.len());
    for (index, value) in units.iter().enumerate() {
        let place = FieldPlace::Element("organizationalUnits", index);
        let Some(fields) = Object::of(problems, value, place) else {
            continue;
        };
        let id = fields.string(problems, "id");
        let name = fields.optional_string(problems, "name");
        let parent = fields.string(problems, "parentId");
        let Some(id) = id else { continue };
        if let Err(error) = UnitId::check(id.text) {
            malformed(problems, id, &error);
        }
        tree.units.push(Unit {
            id: UnitId::unchecked(id.text),
            name: name_or_id(name.map(|name| name.text), id.text),
            parent: TargetIdx::ROOT,
        });
        sites.push(Site { id, parent });
    }
    sites
}

fn read_accounts<'v>(
    notes: &mut Notes,
    tree: &mut Tree,
    accounts: &'v [Value<'_>],
) -> Vec<Site<'v>> {
    let problems = &mut notes.problems;
    let mut sites = Vec::with_capacity(accounts.len());
    let (mut stateless, mut strange) = (Vec::new(), Vec::new());
    for (index, value) in accounts.iter().enumerate() {
        let place = FieldPlace::Element("accounts", index);
        let Some(fields) = Object::of(problems, value, place) else { continue };
        let id = fields.string(problems, "id");
        let name = fields.optional_string(problems, "name");
        let state = fields.optional_string(problems, "state");
        let status = fields.optional_string(problems, "status");
        let parent = fields.string(problems, "parentId");
        let Some(id) = id else { continue };
        let word = state.or(status);
        let state = word.and_then(|word| AccountState::from_name(word.text));
        match (word, state) {
            (_, Some(_)) => {}
            (Some(_), None) => strange.push(id.text.to_owned()),
            (None, None) => stateless.push(id.text.to_owned()),
        }
        let account_id = id.text.parse::<AccountId>().unwrap_or_else(|error| {
            malformed(problems, id, &error);
            AccountId::PLACEHOLDER
        });
        tree.accounts.push(Account {
            id: account_id,
            name: name_or_id(name.map(|name| name.text), id.text),
            state: state.unwrap_or(AccountState::Unknown),
            parent: TargetIdx::ROOT,
        });
        sites.push(Site { id, parent });
    }
    if !stateless.is_empty() {
        let ids = several(&stateless);
        notes.warnings.push(format!("accounts without a state count as active: {ids}"));
    }
    if !strange.is_empty() {
        let ids = several(&strange);
        notes.warnings.push(format!("accounts whose state is unknown count as active: {ids}"));
    }
    sites
}

/// Notes entries with the same id; `positions` holds their positions sorted by id.
fn refuse_twins(problems: &mut Problems, positions: &[u32], sites: &[Site<'_>], kind: &str) {
    for (first, second) in twins(positions, |at| sites.get(at).map(|site| site.id.text)) {
        if let (Some(first), Some(second)) = (sites.get(first), sites.get(second)) {
            twice(problems, kind, first.id, second.id);
        }
    }
}

/// Notes that an id is listed twice.
pub(super) fn twice(problems: &mut Problems, kind: &str, first: Text<'_>, second: Text<'_>) {
    problems.push(|| {
        let message = format!("{kind} {} is listed twice", quote(second.text));
        Diagnostic::twice(message, first.span, second.span).help("remove one of the two entries")
    });
}

/// The parent of an entry; the root stands in where there is none, and that is noted.
fn find_parent(
    problems: &mut Problems,
    tree: &Tree,
    site: &Site<'_>,
    units_lost: bool,
) -> TargetIdx {
    let Some(parent) = site.parent else { return TargetIdx::ROOT };
    if let Some(found) = tree.find_parent(parent.text) {
        return found;
    }
    if let Err(error) = parent.text.parse::<ParentId>() {
        malformed(problems, parent, &error);
        return TargetIdx::ROOT;
    }
    if units_lost {
        return TargetIdx::ROOT;
    }
    problems.push(|| {
        let message = format!(
            "the parent {} of {} is not in the snapshot",
            quote(parent.text),
            quote(site.id.text)
        );
        let help = match nearest_within(NEAR, parent.text, tree.parent_ids()) {
            Some(near) => did_you_mean(near),
            None => "add the unit to `organizationalUnits`, or fetch the snapshot again".to_owned(),
        };
        Diagnostic::error(message).label(short(parent.span), "no such root or unit").help(help)
    });
    TargetIdx::ROOT
}

/// Notes each loop once; warns of units below the quota.
fn refuse_loops(notes: &mut Notes, tree: &Tree, sites: &[Site<'_>]) {
    let walk = tree.walk();
    for units in &walk.loops {
        refuse_loop(notes, units, sites);
    }
    let too_deep: Vec<String> = walk
        .too_deep
        .iter()
        .filter_map(|unit| Some(tree.units.get(*unit)?.id.to_string()))
        .collect();
    if !too_deep.is_empty() {
        notes.warnings.push(format!(
            "units nest deeper than the {UNIT_LEVELS} levels that Organizations allows: {}",
            several(&too_deep)
        ));
    }
}

fn refuse_loop(notes: &mut Notes, units: &[usize], sites: &[Site<'_>]) {
    let around: Vec<&Site<'_>> = units.iter().filter_map(|unit| sites.get(*unit)).collect();
    notes.problems.push(|| {
        let mut names: Vec<String> =
            around.iter().take(8).map(|site| quote(site.id.text)).collect();
        let message = match around.as_slice() {
            [only] => {
                format!("organizational unit {} is its own parent", quote(only.id.text))
            }
            _ => {
                if around.len() > names.len() {
                    names.push(format!("{} more", around.len() - names.len()));
                }
                names.extend(names.first().cloned());
                format!("organizational units form a loop: {}", names.join(" is in "))
            }
        };
        let mut problem = Diagnostic::error(message);
        for site in around.iter().take(8) {
            if let Some(parent) = site.parent {
                let label = format!("the parent of {}", quote(site.id.text));
                problem = problem.label(short(parent.span), label);
            }
        }
        problem.help(match around.len() {
            1 => "give it the root, or another unit, as its parent",
            _ => "give one of them the root, or a unit outside the loop, as its parent",
        })
    });
}
