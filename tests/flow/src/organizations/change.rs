//! Changes by administrators, each with what its event would name.
//!
//! Each one keeps AWS's rules: a target has 1 to 10 policies, only empty units and unattached
//! policies are deleted, what is new gets FullAWSAccess.

use pipeline::snapshot::Snapshot;
use pipeline::wire::Change;

use super::FakeOrganizations;
use super::build::content;
use super::state::{FULL, MANAGEMENT, Member, ROOT};
use crate::faults::Random;

impl FakeOrganizations {
    /// The snapshot that a quiet walk brings home, with an empty `fetchedAt`.
    #[must_use]
    pub fn truth(&self) -> Snapshot {
        self.state.borrow().snapshot()
    }

    /// AttachPolicy.
    pub fn attach(&self, policy: &str, target: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        let fits = state.scp_enabled
            && state.policies.contains_key(policy)
            && state.target(target).is_some()
            && state.policies_on(target, None).count() < 10;
        if fits && state.attach(policy, target) {
            return vec![Change::Target(target.to_owned())];
        }
        Vec::new()
    }

    /// DetachPolicy.
    pub fn detach(&self, policy: &str, target: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        if state.is_attached(policy, target) && state.policies_on(target, None).count() > 1 {
            state.detach(policy, target);
            return vec![Change::Target(target.to_owned())];
        }
        Vec::new()
    }

    /// CreatePolicy. Returns its id, too.
    pub fn create_policy(&self) -> (String, Vec<Change>) {
        let id = self.state.borrow_mut().new_policy();
        (id.clone(), vec![Change::Policy(id)])
    }

    /// UpdatePolicy.
    pub fn update_policy(&self, policy: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        state.serial += 1;
        let version = state.serial;
        match state.policies.get_mut(policy).filter(|policy| !policy.aws_managed) {
            Some(found) => {
                found.content = content(version);
                vec![Change::Policy(policy.to_owned())]
            }
            None => Vec::new(),
        }
    }

    /// DeletePolicy.
    pub fn delete_policy(&self, policy: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        let free = state.targets_of(policy, None).next().is_none();
        if policy != FULL && free && state.policies.remove(policy).is_some() {
            state.by_policy.remove(policy);
            return vec![Change::Policy(policy.to_owned())];
        }
        Vec::new()
    }

    /// CreateAccount: it appears below the root.
    pub fn create_account(&self) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        let id = state.next_account();
        let member =
            Member { name: format!("account {id}"), state: "ACTIVE", parent: ROOT.to_owned() };
        state.put_account(&id, member);
        if state.scp_enabled {
            state.attach(FULL, &id);
        }
        vec![Change::Account(id)]
    }

    /// MoveAccount.
    pub fn move_account(&self, account: &str, parent: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        if state.container(parent).is_none() {
            return Vec::new();
        }
        let Some(member) = state.take_account(account) else { return Vec::new() };
        state.put_account(account, Member { parent: parent.to_owned(), ..member });
        vec![Change::Account(account.to_owned())]
    }

    /// CloseAccount: the account stays in the lists.
    pub fn close_account(&self, account: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        if account == MANAGEMENT {
            return Vec::new();
        }
        let Some(member) = state.take_account(account) else { return Vec::new() };
        state.put_account(account, Member { state: "CLOSED", ..member });
        vec![Change::Account(account.to_owned())]
    }

    /// What AWS Support does where a closed account is wanted back.
    pub fn reopen_account(&self, account: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        let Some(member) = state.take_account(account) else { return Vec::new() };
        state.put_account(account, Member { state: "ACTIVE", ..member });
        vec![Change::Account(account.to_owned())]
    }

    /// RemoveAccountFromOrganization, or the end of a closed account.
    pub fn remove_account(&self, account: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        if account == MANAGEMENT || state.take_account(account).is_none() {
            return Vec::new();
        }
        state.detach_target(account);
        vec![Change::Account(account.to_owned())]
    }

    /// CreateOrganizationalUnit.
    pub fn create_unit(&self, parent: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        if state.container(parent).is_none() {
            return Vec::new();
        }
        vec![Change::Unit(state.new_unit(parent))]
    }

    /// UpdateOrganizationalUnit.
    pub fn rename_unit(&self, unit: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        state.serial += 1;
        let name = format!("Renamed {}", state.serial);
        match state.units.get_mut(unit) {
            Some(found) => {
                found.0 = name;
                vec![Change::Unit(unit.to_owned())]
            }
            None => Vec::new(),
        }
    }

    /// DeleteOrganizationalUnit.
    pub fn delete_unit(&self, unit: &str) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        if !state.is_empty(unit) || state.units.remove(unit).is_none() {
            return Vec::new();
        }
        state.detach_target(unit);
        vec![Change::Unit(unit.to_owned())]
    }

    /// DisablePolicyType: every policy is detached.
    pub fn disable_scps(&self) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        state.scp_enabled = false;
        state.by_policy.clear();
        state.by_target.clear();
        vec![Change::Everything]
    }

    /// EnablePolicyType: FullAWSAccess is attached everywhere.
    pub fn enable_scps(&self) -> Vec<Change> {
        let mut state = self.state.borrow_mut();
        state.scp_enabled = true;
        for target in state.targets() {
            state.attach(FULL, &target);
        }
        vec![Change::Everything]
    }

    /// One change of any kind but disabling the type; none where the rules forbid the one that
    /// was chosen.
    pub fn change(&self, random: &mut Random) -> Vec<Change> {
        let (accounts, units, policies, targets) = {
            let state = self.state.borrow();
            let keys = |ids: Vec<&String>| ids.into_iter().cloned().collect::<Vec<String>>();
            (
                keys(state.accounts.keys().collect()),
                keys(state.units.keys().chain([&ROOT.to_owned()]).collect()),
                keys(state.policies.keys().collect()),
                state.targets(),
            )
        };
        let mut one =
            |ids: &[String]| ids.get(random.below(ids.len())).cloned().unwrap_or_default();
        let (account, unit, policy, target) =
            (one(&accounts), one(&units), one(&policies), one(&targets));
        match random.below(14) {
            0 | 1 => self.attach(&policy, &target),
            2 | 3 => self.detach(&policy, &target),
            4 => {
                let (policy, mut changes) = self.create_policy();
                changes.extend(self.attach(&policy, &target));
                changes
            }
            5 => self.update_policy(&policy),
            6 => self.delete_policy(&policy),
            7 => self.create_account(),
            8 => self.move_account(&account, &unit),
            9 => self.close_account(&account),
            10 => self.remove_account(&account),
            11 => self.create_unit(&unit),
            12 => self.rename_unit(&unit),
            _ => self.delete_unit(&unit),
        }
    }
}
