//! The organization: what a snapshot says, ready for questions.

use std::sync::Arc;

use policy::evaluate::Stack;
use policy::parse::Limits;
use text::words::nearest_within;

use crate::gap::{Gap, Gaps};
use crate::id::{AccountId, NEAR, OrganizationId, TargetId};
use crate::policies::{
    AttachedScp, Attachments, Document, DocumentIdx, PolicyIdx, PolicyKind, StoredPolicy,
};
use crate::tree::{Account, AccountIdx, Root, TargetIdx, TargetRef, Tree, Unit, narrow};

/// An organization as one snapshot shows it.
///
/// Made by [`crate::read()`] and [`Organization::edited`] alone, which see to it that every parent
/// and every attachment's end exists, that ids are unique and that the tree has no loop. Everything
/// keeps the order of the snapshot; what an edit adds comes last.
///
/// Indices belong to the organization that handed them out.
#[derive(Debug, Clone)]
pub struct Organization {
    /// The organization's id.
    pub id: OrganizationId,
    /// `aws`, `aws-us-gov`, `aws-eusc` or `aws-cn`.
    pub partition: String,
    /// The management account, which SCPs do not bind; it may be missing from the accounts.
    pub management_account: AccountId,
    /// When the snapshot was taken, as it says itself.
    pub fetched_at: Option<String>,
    /// When the oldest of the policies' contents was read, as the snapshot says itself.
    pub oldest_content_at: Option<String>,
    /// `sha256:` and the hexadecimal digest of the snapshot's bytes; of an edited organization
    /// those of the snapshot before.
    pub digest: String,
    /// Whether the snapshot has an `exposure` section, which is read apart from the rest.
    pub has_exposure: bool,
    /// Whether SCPs are in force: the root's SCP policy type is `ENABLED`, and the organization
    /// has all features. Where this is false, nothing is stopped, whatever is attached.
    pub scp_enabled: bool,
    /// What is odd about the snapshot without making it unusable; sentences without a stop. An
    /// edited organization has those of the snapshot before.
    pub warnings: Vec<String>,
    /// What bounds its policy documents.
    pub(crate) limits: Limits,
    pub(crate) tree: Tree,
    pub(crate) policies: Vec<StoredPolicy>,
    pub(crate) policies_by_id: Vec<u32>,
    pub(crate) documents: Vec<Arc<Document>>,
    pub(crate) attachments: Attachments,
    pub(crate) gaps: Gaps,
}

/// One level of an SCP stack: a target on the path with the SCPs attached there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelRef<'a> {
    /// The target.
    pub target: TargetIdx,
    /// Its service control policies in the order of the snapshot.
    ///
    /// No policy at all means that nothing is allowed, by the language of SCPs. AWS keeps at least
    /// one policy on every target while the type is enabled, so the reader warns of such levels.
    pub scps: &'a [AttachedScp],
}

/// A service control policy on an account's path that nobody can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadableScp<'a> {
    /// Where it is attached.
    pub target: TargetIdx,
    /// The policy.
    pub policy: PolicyIdx,
    /// Why it cannot be read.
    pub message: &'a str,
}

impl Organization {
    /// The root.
    #[must_use]
    pub const fn root(&self) -> &Root {
        &self.tree.root
    }

    /// The organizational units.
    #[must_use]
    pub fn units(&self) -> &[Unit] {
        &self.tree.units
    }

    /// The accounts with their positions.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = (AccountIdx, &Account)> {
        let positions = self.tree.accounts.iter().enumerate();
        positions.map(|(position, account)| (AccountIdx(narrow(position)), account))
    }

    /// The account at a position.
    #[must_use]
    pub fn account(&self, account: AccountIdx) -> Option<&Account> {
        self.tree.account(account)
    }

    /// The position of the account with this id.
    #[must_use]
    pub fn find_account(&self, id: AccountId) -> Option<AccountIdx> {
        self.tree.find_account(id)
    }

    /// The root, unit or account with this id, given as text.
    #[must_use]
    pub fn target(&self, id: &str) -> Option<TargetIdx> {
        self.tree.find(id)
    }

    /// The target with this id.
    #[must_use]
    pub fn find_target(&self, id: TargetId<'_>) -> Option<TargetIdx> {
        self.tree.find_target(id)
    }

    /// A target with its id and name.
    #[must_use]
    pub fn target_ref(&self, target: TargetIdx) -> TargetRef<'_> {
        self.tree.target_ref(target)
    }

    /// An account as a target.
    #[must_use]
    pub fn target_of(&self, account: AccountIdx) -> TargetIdx {
        self.tree.target_of(account)
    }

    /// The account that a target is, if it is one.
    #[must_use]
    pub fn account_at(&self, target: TargetIdx) -> Option<AccountIdx> {
        self.tree.account_at(target)
    }

    /// What a target is in; `None` for the root.
    #[must_use]
    pub fn parent(&self, target: TargetIdx) -> Option<TargetIdx> {
        self.tree.parent(target)
    }

    /// Every target: the root, the units, the accounts.
    pub fn targets(&self) -> impl ExactSizeIterator<Item = TargetRef<'_>> {
        (0..narrow(self.tree.len())).map(|position| self.tree.target_ref(TargetIdx(position)))
    }

    /// The accounts below a target in the order of the snapshot; an account is below itself.
    #[must_use]
    pub fn targets_under(&self, target: TargetIdx) -> Vec<AccountIdx> {
        if let Some(account) = self.account_at(target) {
            return vec![account];
        }
        let under = self.containers_under(target);
        let inside = |account: &Account| under.get(account.parent.index()) == Some(&true);
        self.accounts().filter(|(_, account)| inside(account)).map(|(index, _)| index).collect()
    }

    /// For the root and each unit, whether it is `target` or below it.
    fn containers_under(&self, target: TargetIdx) -> Vec<bool> {
        let count = 1 + self.tree.units.len();
        let mut known: Vec<Option<bool>> = vec![None; count];
        for (position, slot) in known.iter_mut().enumerate() {
            if position == target.index() {
                *slot = Some(true);
            } else if position == 0 {
                *slot = Some(false);
            }
        }
        let mut trail = Vec::new();
        for position in 0..count {
            let mut at = position;
            let answer = loop {
                if let Some(answer) = known.get(at).copied().flatten() {
                    break answer;
                }
                trail.push(at);
                at = self.parent(TargetIdx(narrow(at))).map_or(0, TargetIdx::index);
            };
            for passed in trail.drain(..) {
                if let Some(slot) = known.get_mut(passed) {
                    *slot = Some(answer);
                }
            }
        }
        known.into_iter().map(|answer| answer == Some(true)).collect()
    }

    /// The path of an account: the root first, the account last.
    #[must_use]
    pub fn path(&self, account: AccountIdx) -> Vec<TargetRef<'_>> {
        let path = self.tree.path(self.target_of(account));
        path.into_iter().map(|target| self.tree.target_ref(target)).collect()
    }

    /// The value of `aws:PrincipalOrgPaths` for principals of an account: organization, root and
    /// units, each with a slash behind it, without the account.
    #[must_use]
    pub fn org_path(&self, account: AccountIdx) -> String {
        self.path_below(self.account(account).map_or(TargetIdx::ROOT, |account| account.parent))
    }

    /// The same of an account that hangs on the root.
    #[must_use]
    pub fn root_path(&self) -> String {
        self.path_below(TargetIdx::ROOT)
    }

    fn path_below(&self, parent: TargetIdx) -> String {
        let mut text = format!("{}/", self.id);
        for target in self.tree.path(parent) {
            text.push_str(&format!("{}/", self.tree.target_ref(target).id));
        }
        text
    }

    /// The SCP stack of an account: the levels of its path, the root's first, the account's last.
    #[must_use]
    pub fn levels(&self, account: AccountIdx) -> Vec<LevelRef<'_>> {
        let path = self.tree.path(self.target_of(account));
        path.into_iter().map(|target| LevelRef { target, scps: self.scps_on(target) }).collect()
    }

    /// The policies in force for an account, level by level, no level where service control
    /// policies are not enabled; `None` where one cannot be read: without it the places of the
    /// others would be wrong (invariant WHOLE-STACK).
    #[must_use]
    pub fn stack(&self, account: AccountIdx) -> Option<Stack<'_>> {
        let levels = if self.scp_enabled { self.levels(account) } else { Vec::new() };
        let policies = |level: &LevelRef<'_>| {
            let policies =
                level.scps.iter().map(|scp| self.document(scp.document).and_then(Document::policy));
            policies.collect::<Option<_>>()
        };
        Some(Stack { levels: levels.iter().map(policies).collect::<Option<_>>()? })
    }

    /// The service control policies attached to a target, in the order of the snapshot.
    #[must_use]
    pub fn scps_on(&self, target: TargetIdx) -> &[AttachedScp] {
        self.attachments.on(target)
    }

    /// The policies of every type, with their positions.
    pub fn policies(&self) -> impl ExactSizeIterator<Item = (PolicyIdx, &StoredPolicy)> {
        let positions = self.policies.iter().enumerate();
        positions.map(|(position, policy)| (PolicyIdx(narrow(position)), policy))
    }

    /// The policy at a position.
    #[must_use]
    pub fn policy(&self, policy: PolicyIdx) -> Option<&StoredPolicy> {
        self.policies.get(policy.index())
    }

    /// The position of the policy with this id.
    #[must_use]
    pub fn find_policy(&self, id: &str) -> Option<PolicyIdx> {
        find_policy(&self.policies, &self.policies_by_id, id)
    }

    /// The distinct documents with their positions.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = (DocumentIdx, &Document)> {
        let positions = self.documents.iter().enumerate();
        positions.map(|(position, document)| (DocumentIdx(narrow(position)), &**document))
    }

    /// The document at a position.
    #[must_use]
    pub fn document(&self, document: DocumentIdx) -> Option<&Document> {
        self.documents.get(document.index()).map(|document| &**document)
    }

    /// Everything that could not be read when the snapshot was taken.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        self.gaps.all()
    }

    /// The gaps that touch an account, in the order of the snapshot. While there is one, nothing
    /// about the account is certain.
    #[must_use]
    pub fn gaps_on(&self, account: AccountIdx) -> Vec<&Gap> {
        if self.gaps.all().is_empty() {
            return Vec::new();
        }
        let levels = self.levels(account);
        let policies = levels.iter().flat_map(|level| level.scps).map(|scp| scp.policy);
        self.gaps.touching(levels.iter().map(|level| level.target), policies)
    }

    /// The service control policies on an account's path that cannot be read, the root's first.
    #[must_use]
    pub fn unreadable_on(&self, account: AccountIdx) -> Vec<UnreadableScp<'_>> {
        let mut found = Vec::new();
        for level in self.levels(account) {
            for scp in level.scps {
                if let Some(message) = self.unreadable(scp.document) {
                    let (target, policy) = (level.target, scp.policy);
                    found.push(UnreadableScp { target, policy, message });
                }
            }
        }
        found
    }

    /// Why a document cannot be read; `None` when it can.
    fn unreadable(&self, document: DocumentIdx) -> Option<&str> {
        match self.document(document) {
            Some(Document::Readable { .. }) => None,
            Some(Document::Unreadable { message, .. }) => Some(message),
            // Neither happens to a policy in a stack; if it did, not knowing is the answer.
            Some(Document::Foreign { .. }) | None => Some("the document was not read"),
        }
    }

    /// What `text` may have meant: an id of a target or policy, or an id with the name that
    /// `text` resembles, as in `222222222222 (shop)`.
    #[must_use]
    pub fn suggest(&self, text: &str) -> Option<String> {
        let folded = text.to_lowercase();
        let named = |target: &TargetRef<'_>| format!("{} ({})", target.id, target.name);
        let same_name = self.targets().find(|target| target.name.to_lowercase() == folded);
        if let Some(target) = same_name {
            return Some(named(&target));
        }
        let policies = self.policies.iter().map(|policy| policy.id.to_string());
        if let Some(id) = nearest_within(NEAR, text, self.tree.ids().chain(policies)) {
            return Some(id);
        }
        let name = nearest_within(NEAR, text, self.targets().map(|target| target.name))?;
        self.targets().find(|target| target.name == name).map(|target| named(&target))
    }
}

/// The position of the policy with this id; `by_id` holds the positions sorted by id.
pub(crate) fn find_policy(policies: &[StoredPolicy], by_id: &[u32], id: &str) -> Option<PolicyIdx> {
    let found = by_id.binary_search_by(|position| {
        policies.get(*position as usize).map(|policy| policy.id.as_str()).cmp(&Some(id))
    });
    Some(PolicyIdx(*by_id.get(found.ok()?)?))
}

impl StoredPolicy {
    /// Whether this is a service control policy.
    #[must_use]
    pub const fn is_scp(&self) -> bool {
        matches!(self.kind, PolicyKind::ServiceControl)
    }
}
