//! An organization in the making.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Edit, EditError, FULL_ACCESS};
use crate::account::AccountState;
use crate::gap::{Gap, Gaps};
use crate::id::{AccountId, OwnedTargetId, ParentId, PolicyId, TargetId, name_or_id};
use crate::organization::{Organization, find_policy};
use crate::policies::{
    Attachment, Attachments, Document, DocumentIdx, PolicyIdx, PolicyKind, StoredPolicy,
};
use crate::tree::{Account, TargetIdx, Tree, Unit, narrow, sorted_positions, twins};

impl Organization {
    /// The organization with `edits` made, one after the other.
    ///
    /// It is what [`crate::read()`] would say of the edited snapshot, but for `digest` and
    /// `warnings`, which stay those of the snapshot. Its documents are bounded as those before.
    ///
    /// # Errors
    /// [`EditError`] where what an edit names is not there, or is there already.
    pub fn edited<'e>(&self, edits: impl IntoIterator<Item = &'e Edit>) -> Result<Self, EditError> {
        let mut draft = OrganizationDraft::new(self);
        for edit in edits {
            draft.make(edit)?;
        }
        draft.finish()
    }
}

/// The parts of an organization that edits change.
struct OrganizationDraft<'o> {
    before: &'o Organization,
    tree: Tree,
    policies: Vec<StoredPolicy>,
    policies_by_id: Vec<u32>,
    /// Those before and new ones; some may belong to no policy any more.
    documents: Vec<Arc<Document>>,
    /// In order.
    attachments: Vec<Attachment>,
    gaps: Vec<Gap>,
}

impl<'o> OrganizationDraft<'o> {
    fn new(before: &'o Organization) -> Self {
        Self {
            before,
            tree: before.tree.clone(),
            policies: before.policies.clone(),
            policies_by_id: before.policies_by_id.clone(),
            documents: before.documents.clone(),
            attachments: before.attachments.listed(),
            gaps: before.gaps().to_vec(),
        }
    }

    fn make(&mut self, edit: &Edit) -> Result<(), EditError> {
        match edit {
            Edit::Replace { policy, content } => self.replace(policy, content),
            Edit::Create { policy, name, content } => self.create(policy, name, content),
            Edit::Delete { policy } => self.delete(policy),
            Edit::Attach { policy, target } => self.attach(policy, target),
            Edit::Detach { policy, target } => self.detach(policy, target),
            Edit::CreateUnit { unit, name, parent } => {
                let parent = self.new_place(TargetId::Unit(unit), parent)?;
                let name = name_or_id(Some(name), unit.as_str());
                let target = self.tree.push_unit(Unit { id: unit.clone(), name, parent });
                // The accounts come behind the units.
                for attachment in &mut self.attachments {
                    if attachment.target >= target {
                        attachment.target.0 += 1;
                    }
                }
                self.allow_everything(target);
                Ok(())
            }
            Edit::CreateAccount { account, name, parent } => {
                let parent = self.new_place(TargetId::Account(*account), parent)?;
                let name = name_or_id(Some(name), &account.to_string());
                let state = AccountState::Active;
                let target = self.tree.push_account(Account { id: *account, name, state, parent });
                self.allow_everything(target);
                Ok(())
            }
            Edit::Move { account, parent } => self.move_account(*account, parent),
        }
    }

    fn replace(&mut self, policy: &PolicyId, content: &str) -> Result<(), EditError> {
        let index = self.own_policy(policy)?;
        let document = self.document(content);
        if let Some(found) = self.policies.get_mut(index.index()) {
            found.document = document;
        }
        // What could not be read before is known now; where it is attached may still not be.
        self.gaps.retain(|gap| !gap.is_about_document_of(policy.as_str()));
        Ok(())
    }

    fn create(&mut self, policy: &PolicyId, name: &str, content: &str) -> Result<(), EditError> {
        if self.find_policy(policy).is_some() {
            return Err(EditError::new(
                format!("the organization has a policy `{policy}` already"),
                "give its new document instead",
            ));
        }
        let stored = StoredPolicy {
            id: policy.clone(),
            name: name_or_id(Some(name), policy.as_str()),
            kind: PolicyKind::ServiceControl,
            aws_managed: false,
            document: self.document(content),
        };
        let mut scps = self.policies.iter().filter(|found| found.is_scp());
        if let Some(same) = scps.find(|found| found.name == stored.name) {
            return Err(EditError::new(
                format!("the organization has an SCP named `{name}` already: `{}`", same.id),
                "choose another name, or give that policy a new document",
            ));
        }
        self.policies.push(stored);
        self.sort_policies();
        Ok(())
    }

    fn delete(&mut self, policy: &PolicyId) -> Result<(), EditError> {
        let index = self.own_policy(policy)?;
        if let Some(target) = self.places(index).next() {
            return Err(EditError::new(
                format!("policy `{policy}` cannot be deleted while it is attached to `{target}`"),
                "detach it first",
            ));
        }
        self.policies.remove(index.index());
        for attachment in &mut self.attachments {
            if attachment.policy > index {
                attachment.policy.0 -= 1;
            }
        }
        self.sort_policies();
        Ok(())
    }

    fn attach(&mut self, policy: &PolicyId, target: &OwnedTargetId) -> Result<(), EditError> {
        let index = self.scp(policy)?;
        let at = self.target(target.borrowed())?;
        if self.is_attached(index, at) {
            return Err(EditError::new(
                format!("policy `{policy}` is attached to `{target}` already"),
                "leave this attachment out",
            ));
        }
        self.push(index, at);
        Ok(())
    }

    fn detach(&mut self, policy: &PolicyId, target: &OwnedTargetId) -> Result<(), EditError> {
        let index = self.scp(policy)?;
        let at = self.target(target.borrowed())?;
        if !self.is_attached(index, at) {
            let places: Vec<String> = self.places(index).map(|place| place.to_string()).collect();
            let help = if places.is_empty() {
                "it is attached nowhere".to_owned()
            } else {
                format!("it is attached to {}", places.join(", "))
            };
            return Err(EditError::new(
                format!("policy `{policy}` is not attached to `{target}`"),
                help,
            ));
        }
        self.attachments.retain(|found| (found.policy, found.target) != (index, at));
        Ok(())
    }

    fn move_account(&mut self, account: AccountId, parent: &ParentId) -> Result<(), EditError> {
        self.target(TargetId::Account(account))?;
        let to = self.target(parent.as_target())?;
        let index = self.tree.find_account(account);
        let found = index.and_then(|index| self.tree.accounts.get_mut(index.index()));
        match found {
            Some(found) if found.parent != to => found.parent = to,
            Some(_) | None => {
                return Err(EditError::new(
                    format!("account `{account}` is in `{parent}` already"),
                    "leave this move out",
                ));
            }
        }
        Ok(())
    }

    /// The place of a unit or account that is not there yet.
    fn new_place(&self, id: TargetId<'_>, parent: &ParentId) -> Result<TargetIdx, EditError> {
        let parent = self.target(parent.as_target())?;
        if self.tree.find_target(id).is_some() {
            return Err(EditError::new(
                format!("the organization has a root, unit or account `{id}` already"),
                "choose another id",
            ));
        }
        Ok(parent)
    }

    fn allow_everything(&mut self, target: TargetIdx) {
        let policy = find_policy(&self.policies, &self.policies_by_id, FULL_ACCESS);
        if let Some(policy) = policy.filter(|_| self.before.scp_enabled) {
            self.push(policy, target);
        }
    }

    fn push(&mut self, policy: PolicyIdx, target: TargetIdx) {
        self.attachments.push(Attachment { target, policy, order: 0 });
    }

    fn is_attached(&self, policy: PolicyIdx, target: TargetIdx) -> bool {
        self.attachments.iter().any(|found| (found.policy, found.target) == (policy, target))
    }

    /// The targets of a policy, in the order of the attachments.
    fn places(&self, policy: PolicyIdx) -> impl Iterator<Item = TargetId<'_>> {
        let own = self.attachments.iter().filter(move |found| found.policy == policy);
        own.map(|found| self.tree.target_ref(found.target).id)
    }

    /// The document of a service control policy; equal texts share one.
    fn document(&mut self, text: &str) -> DocumentIdx {
        let same = self.documents.iter().position(|document| match &**document {
            Document::Readable { text: found, .. } => **found == *text,
            Document::Unreadable { text: found, .. } => found.as_deref() == Some(text),
            Document::Foreign { .. } => false,
        });
        let position = same.unwrap_or_else(|| {
            self.documents.push(Arc::new(Document::of_scp(text, &self.before.limits)));
            self.documents.len() - 1
        });
        DocumentIdx(narrow(position))
    }

    fn find_policy(&self, policy: &PolicyId) -> Option<PolicyIdx> {
        find_policy(&self.policies, &self.policies_by_id, policy.as_str())
    }

    fn sort_policies(&mut self) {
        self.policies_by_id = sorted_positions(&self.policies, |policy| policy.id.as_str());
    }

    /// A service control policy.
    fn scp(&self, policy: &PolicyId) -> Result<PolicyIdx, EditError> {
        let index = self.find_policy(policy);
        let found = index.and_then(|index| Some((index, self.policies.get(index.index())?)));
        let Some((index, found)) = found else {
            return Err(self.before.no_policy(policy.as_str()));
        };
        match &found.kind {
            PolicyKind::ServiceControl => Ok(index),
            PolicyKind::Other(other) => Err(EditError::new(
                format!("policy `{policy}` is no service control policy but `{other}`"),
                "only service control policies decide about requests",
            )),
        }
    }

    /// A service control policy that the organization itself maintains.
    fn own_policy(&self, policy: &PolicyId) -> Result<PolicyIdx, EditError> {
        let index = self.scp(policy)?;
        if self.policies.get(index.index()).is_some_and(|found| found.aws_managed) {
            return Err(EditError::new(
                format!("policy `{policy}` is maintained by AWS and cannot be changed"),
                "make a policy of your own",
            ));
        }
        Ok(index)
    }

    fn target(&self, id: TargetId<'_>) -> Result<TargetIdx, EditError> {
        self.tree.find_target(id).ok_or_else(|| self.before.no_target(&id.to_string()))
    }

    /// The organization as it stands.
    fn finish(mut self) -> Result<Organization, EditError> {
        self.check()?;
        self.keep_used_documents()?;
        for (position, attachment) in self.attachments.iter_mut().enumerate() {
            attachment.order = narrow(position);
        }
        let Self { before, tree, policies, policies_by_id, documents, attachments, mut gaps } =
            self;
        for gap in &mut gaps {
            gap.place(|id| tree.find(id), |id| find_policy(&policies, &policies_by_id, id));
        }
        Ok(Organization {
            id: before.id.clone(),
            partition: before.partition.clone(),
            management_account: before.management_account,
            fetched_at: before.fetched_at.clone(),
            oldest_content_at: before.oldest_content_at.clone(),
            digest: before.digest.clone(),
            has_exposure: before.has_exposure,
            scp_enabled: before.scp_enabled,
            warnings: before.warnings.clone(),
            limits: before.limits,
            attachments: Attachments::new(tree.len(), &policies, attachments),
            tree,
            policies,
            policies_by_id,
            documents,
            gaps: Gaps::new(gaps),
        })
    }

    /// What the reader checks, checked again. Each edit was checked before it was made, so this
    /// refuses nothing unless the program has a defect.
    fn check(&self) -> Result<(), EditError> {
        let tree = &self.tree;
        let units = twins(&tree.units_by_id, |at| tree.units.get(at).map(|unit| &unit.id));
        let accounts = twins(&tree.accounts_by_id, |at| tree.accounts.get(at).map(|it| it.id));
        let policies = twins(&self.policies_by_id, |at| self.policies.get(at).map(|it| &it.id));
        let defect = if !(units.is_empty() && accounts.is_empty() && policies.is_empty()) {
            "it has an id twice"
        } else if !tree.walk().loops.is_empty() {
            "its organizational units form a loop"
        } else {
            return Ok(());
        };
        Err(defect_of_edit(defect))
    }

    /// Leaves out documents of no policy, and brings the others into the order of the policies.
    fn keep_used_documents(&mut self) -> Result<(), EditError> {
        let mut kept: BTreeMap<DocumentIdx, DocumentIdx> = BTreeMap::new();
        let mut documents = Vec::with_capacity(self.documents.len());
        for policy in &mut self.policies {
            let document = self.documents.get(policy.document.index());
            let document = document.ok_or_else(|| defect_of_edit("a policy has no document"))?;
            policy.document = *kept.entry(policy.document).or_insert_with(|| {
                documents.push(Arc::clone(document));
                DocumentIdx(narrow(documents.len() - 1))
            });
        }
        self.documents = documents;
        Ok(())
    }
}

/// What no edit leads to unless the program has a defect.
fn defect_of_edit(defect: &str) -> EditError {
    EditError::new(
        format!("the changed organization cannot be read: {defect}"),
        "please report this with the snapshot; nothing was changed",
    )
}
