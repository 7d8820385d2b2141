//! The requests of a path, key by key.
//!
//! # Source
//! `docs/semantics.md`, clauses 10 to 19: what every request carries, and what it can carry.

use policy::arn::ARN_COMPONENTS;
use policy::keys::{KeyCatalog, KeyInfo, KeyKind};
use prover::language::{Class, Grammar, Sequence};
use prover::pattern::{arn_glob, glob};
use prover::question::{
    Demand, FixedValue, KeyModel, KeyModels, Network, Presence, PrincipalKind, ResourceModel,
    ResourceOwner, TextDomain,
};

use crate::control::{Named, Path, Recipients, RequestDetail, SERVICE_LINKED, Version};
use crate::facts::keys::{Claim, KeyFact, Occurrence, Settled, Side};
use crate::facts::{self, AccountFacts};
use crate::perimeter::{Perimeter, SelectorKind, Undocumented};
use crate::table::{self, Api, Requirements};

/// The most recipients of one message.
const MOST_RECIPIENTS: usize = 50;
/// The most tags of one IAM principal or SES resource.
const MOST_TAGS: usize = 50;
/// No limit that a search could reach.
const MANY: usize = 1000;

/// The catalog of all keys that the program knows.
#[must_use]
pub fn catalog() -> KeyCatalog {
    let service = table::service_keys().iter().map(|key| KeyInfo {
        name: key.name.split("${").next().unwrap_or(key.name),
        kind: key.kind,
        multivalued: key.multivalued,
        family: key.name.contains("${"),
    });
    KeyCatalog::new(facts::keys::keys().map(KeyFact::info).chain(service))
}

/// Whether it is known in which requests the key occurs: that of a service is in its own requests
/// alone. Of all others AWS may have added some since the lists were read.
#[must_use]
pub fn knows_key(name: &str) -> bool {
    let folded = name.to_ascii_lowercase();
    if facts::keys::key(&folded).is_some() || table::service_key(&folded).is_some() {
        return true;
    }
    let Some((prefix, claim)) = folded.rsplit_once(':') else { return false };
    if prefix.contains('.') {
        return facts::keys::claim(claim).is_some();
    }
    !is_of_any_service(prefix) && facts::prefixes::is_service(prefix)
}

/// Prefixes under which AWS adds keys that requests to SES carry.
fn is_of_any_service(prefix: &str) -> bool {
    matches!(prefix, "aws" | "ses")
}

/// The requests of one path by the principals of one account.
#[derive(Debug, Clone)]
pub struct RequestModel<'a> {
    /// The account.
    pub facts: &'a AccountFacts,
    /// The path.
    pub path: &'a Path,
    /// The perimeter.
    pub perimeter: &'a Perimeter,
    /// The selectors in force whose principals are left out.
    pub left_out: &'a [&'a SelectorKind],
    /// The keys with their types.
    pub catalog: &'a KeyCatalog,
    /// When they ask at the earliest, in epoch seconds.
    pub moment: i64,
    /// How points are settled on which AWS is silent.
    pub undocumented: Undocumented,
    /// Whose resource they name.
    pub owner: Owner,
}

/// To whom the resource belongs that a request names first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Whoever the path leaves room for, without regard to organizations.
    Anyone,
    /// The account itself.
    Own,
    /// This account, which belongs to the organization.
    Member {
        /// The account.
        account: String,
        /// Its path in the organization.
        org_path: String,
    },
    /// Some account of the organization that is none of these.
    Members(Vec<String>),
    /// An account that is none of these and belongs to no, or another, organization.
    Outside(Vec<String>),
}

/// What is known of a key in the requests of a path.
enum Known {
    /// The model describes it by itself.
    Modelled(KeyModel),
    /// It has this type, where it occurs.
    Typed(Occurrence, KeyInfo, Option<Side>),
    /// Nobody knows whether requests carry it.
    Unknown,
}

impl RequestModel<'_> {
    fn requirements(&self) -> Option<&'static Requirements> {
        table::action(self.path.action).map(|info| info.requirements(self.path.api))
    }

    fn lists(&self, key: &str) -> bool {
        table::condition_keys(self.path.action, self.path.api).any(|listed| {
            let (name, family) = match listed.split_once("${") {
                Some((name, _)) => (name, true),
                None => (listed, false),
            };
            if family {
                key.len() > name.len()
                    && key.get(..name.len()).is_some_and(|k| k.eq_ignore_ascii_case(name))
            } else {
                key.eq_ignore_ascii_case(name)
            }
        })
    }

    const fn is_worst(&self) -> bool {
        matches!(self.undocumented, Undocumented::WorstCase)
    }

    fn trusted(&self) -> Vec<Sequence> {
        self.perimeter.trusted_recipients.iter().map(|pattern| glob(pattern, true)).collect()
    }

    /// The kinds of principals with their ARNs.
    #[must_use]
    pub fn kinds(facts: &AccountFacts) -> Vec<PrincipalKind> {
        let iam = |rest: &str| {
            Sequence::literal(&format!("arn:{}:iam::{}:{rest}", facts.partition, facts.account))
        };
        let named = |start: Sequence| {
            vec![
                start.clone().some(Class::IamName),
                start.some(Class::IamPath).then("/").some(Class::IamName),
            ]
        };
        let federated = Sequence::literal(&format!(
            "arn:{}:sts::{}:federated-user/",
            facts.partition, facts.account
        ))
        .some(Class::IamName);
        let kind = |name: &str, arns| PrincipalKind { name: name.to_owned(), arns };
        vec![
            kind("AssumedRole", named(iam("role/"))),
            kind("User", named(iam("user/"))),
            kind("Account", vec![iam("root")]),
            kind("FederatedUser", vec![federated]),
        ]
    }

    /// The principals that ask.
    #[must_use]
    pub fn principal(&self, kinds: &[PrincipalKind]) -> TextDomain {
        let AccountFacts { partition, account, .. } = self.facts;
        let iam = |rest: &str| format!("arn:{partition}:iam::{account}:{rest}");
        let linked = Sequence::literal(&iam(SERVICE_LINKED)).any(Class::Any);
        let mut exclude = vec![vec![linked]];
        exclude.extend(self.left_out.iter().filter_map(|selector| match selector {
            SelectorKind::PrincipalArn(pattern) => Some(vec![arn_glob(pattern)]),
            SelectorKind::PrincipalTag { .. } => None,
        }));
        // SMTP credentials are made from the long-term key of a user; of the root user's key the
        // documents say nothing.
        let asks = |kind: &&PrincipalKind| {
            self.path.api != Api::Smtp
                || kind.name == "User"
                || (kind.name == "Account" && self.is_worst())
        };
        let plain: &[&str] = match self.path.api {
            Api::Smtp => &["user/app", "user/service/app"],
            Api::V1 | Api::V2 | Api::MailManager | Api::PinpointEmail | Api::Iam | Api::Sts => {
                &["role/app", "user/app", "role/service/app", "root"]
            }
        };
        TextDomain {
            include: vec![
                kinds.iter().filter(asks).flat_map(|kind| kind.arns.iter().cloned()).collect(),
            ],
            exclude,
            plain: plain.iter().map(|rest| iam(rest)).collect(),
        }
    }

    /// The resources that a request of the path names.
    #[must_use]
    pub fn resources(&self) -> Vec<ResourceModel> {
        match &self.path.named {
            Named::Role => vec![self.principal_resource("iam", &["role/other"])],
            Named::User => vec![self.principal_resource("iam", &["user/other"])],
            Named::Session => {
                let plain = ["assumed-role/app/other", "federated-user/other"];
                vec![self.principal_resource("sts", &plain)]
            }
            Named::Type(name) => vec![self.resource(name, true)],
            Named::Required => {
                let mut names: Vec<&str> = self
                    .requirements()
                    .map(|needs| needs.required_resource_types.to_vec())
                    .unwrap_or_default();
                // The identity is what a request is about; the others come with it.
                names.sort_by_key(|name| *name != "identity");
                if names.is_empty() {
                    return vec![ResourceModel::Star];
                }
                names
                    .into_iter()
                    .enumerate()
                    .map(|(index, name)| self.resource(name, index == 0))
                    .collect()
            }
        }
    }

    fn principal_resource(&self, service: &str, plain: &[&str]) -> ResourceModel {
        let mut plain: Vec<String> = plain.iter().map(|tail| (*tail).to_owned()).collect();
        let (mut within, mut without) = (Vec::new(), Vec::new());
        if let RequestDetail::Exempt { pattern } = &self.path.special {
            within.push(arn_glob(pattern));
            let iam = format!("arn:{}:iam::{}:", self.facts.partition, self.facts.account);
            without.push(Sequence::literal(&iam).then(SERVICE_LINKED).any(Class::Any));
            let name = pattern.splitn(ARN_COMPONENTS, ':').last().unwrap_or_default();
            plain.insert(0, name.replace('*', "example").replace('?', "x"));
        }
        ResourceModel::Arn {
            before: format!("arn:{}:{service}:", self.facts.partition),
            regional: false,
            owner: ResourceOwner::Is(self.facts.account.clone()),
            tails: self.path.named.tails(),
            within,
            without,
            plain,
        }
    }

    fn resource(&self, name: &str, primary: bool) -> ResourceModel {
        let own = || ResourceOwner::Is(self.facts.account.clone());
        let Some(found) = table::resource_type(name) else { return ResourceModel::Star };
        let (tails, plain) = if name == "identity" {
            let start = || Sequence::literal("identity/");
            (
                vec![start().ending(Grammar::Domain), start().ending(Grammar::Address)],
                vec!["identity/example.com".to_owned(), "identity/sender@example.com".to_owned()],
            )
        } else {
            (vec![placeholders(found.tail)], vec![spelled(found.tail)])
        };
        let free = primary
            && (self.path.special == RequestDetail::Foreign
                || (name == "identity" && self.path.any_identity));
        let owner = if found.owner_is_aws {
            ResourceOwner::Is("aws".to_owned())
        } else if free {
            match &self.owner {
                Owner::Anyone => ResourceOwner::Any(self.facts.account.clone()),
                Owner::Own => own(),
                Owner::Member { account, .. } => ResourceOwner::Is(account.clone()),
                Owner::Members(not) | Owner::Outside(not) => ResourceOwner::NoneOf(not.clone()),
            }
        } else {
            own()
        };
        ResourceModel::Arn {
            before: format!("arn:{}:{}:", self.facts.partition, found.service),
            regional: true,
            owner,
            tails,
            within: Vec::new(),
            without: Vec::new(),
            plain,
        }
    }

    /// The key of SES, IAM or STS of that name.
    fn service_key(&self, folded: &str, key: &table::ServiceKey, info: KeyInfo) -> KeyModel {
        if !self.lists(folded) {
            return KeyModel::Absent;
        }
        match folded {
            "ses:apiversion" => return self.version(),
            "ses:recipients" => return self.recipients(),
            "ses:feedbackaddress" | "ses:fromaddress" => return self.address(folded),
            _ => {}
        }
        if !key.values.is_empty() && !info.multivalued {
            return KeyModel::Choice {
                values: key.values.iter().map(|v| (*v).to_owned()).collect(),
                presence: Presence::Optional,
            };
        }
        by_type(info, Presence::Optional)
    }

    /// The address that a mail comes from, or to which its bounces go.
    fn address(&self, folded: &str) -> KeyModel {
        let include = vec![vec![Sequence::default().ending(Grammar::Address)]];
        let plain = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        if folded == "ses:feedbackaddress" && self.path.special == RequestDetail::Feedback {
            let plain = plain(&["bounces@untrusted.invalid", "bounces@untrusted.example"]);
            let domain = TextDomain { include, exclude: vec![self.trusted()], plain };
            return KeyModel::Text(domain, Presence::Always);
        }
        let plain = plain(&["sender@example.com"]);
        KeyModel::Text(TextDomain { include, exclude: Vec::new(), plain }, Presence::Optional)
    }

    fn version(&self) -> KeyModel {
        let (values, presence): (&[&str], _) = match self.path.version {
            Version::One => (&["1"], Presence::Always),
            Version::Two => (&["2"], Presence::Always),
            Version::Either => (&["1", "2"], Presence::Always),
            Version::Free => (&["2", "1"], Presence::Optional),
            Version::Absent => return KeyModel::Absent,
        };
        match values {
            [only] => KeyModel::Fixed(FixedValue::One((*only).to_owned())),
            _ => KeyModel::Choice {
                values: values.iter().map(|v| (*v).to_owned()).collect(),
                presence,
            },
        }
    }

    fn recipients(&self) -> KeyModel {
        let mut addresses = vec![Sequence::default().ending(Grammar::Address)];
        if self.is_worst() {
            addresses.push(Sequence::default().ending(Grammar::QuotedAddress));
        }
        let mut element = TextDomain {
            include: vec![addresses],
            exclude: Vec::new(),
            plain: vec!["a@untrusted.invalid".to_owned(), "a@untrusted.example".to_owned()],
        };
        let mut must = Vec::new();
        let presence = match self.path.recipients {
            Recipients::Absent => return KeyModel::Absent,
            Recipients::Untrusted => {
                must.push(Demand::Outside(self.trusted()));
                Presence::Always
            }
            Recipients::UntrustedOrAbsent => {
                must.push(Demand::Outside(self.trusted()));
                Presence::Optional
            }
            Recipients::Anyone => Presence::Optional,
            Recipients::Someone => Presence::Always,
            Recipients::Trusted => {
                element.include.push(self.trusted());
                Presence::Always
            }
        };
        KeyModel::Set { element, must, presence, most: MOST_RECIPIENTS }
    }

    fn request_tag(&self, tag: &str) -> KeyModel {
        if !self.lists("aws:RequestTag/x") {
            return KeyModel::Absent;
        }
        let presence = if self.lists("aws:TagKeys") {
            Presence::Tagged(tag.to_owned())
        } else {
            Presence::Optional
        };
        let domain = match &self.path.special {
            RequestDetail::Tag { key, value } if key.eq_ignore_ascii_case(tag) => {
                TextDomain::only(value)
            }
            RequestDetail::Tag { .. }
            | RequestDetail::None
            | RequestDetail::Feedback
            | RequestDetail::Exempt { .. }
            | RequestDetail::Foreign
            | RequestDetail::Network => self.tag_text(),
        };
        KeyModel::Text(domain, presence)
    }

    /// What a tag of a request can hold.
    fn tag_text(&self) -> TextDomain {
        match self.path.api {
            Api::Iam | Api::Sts => iam_tag(),
            Api::V1 | Api::V2 | Api::Smtp | Api::MailManager | Api::PinpointEmail => {
                TextDomain::printable("x")
            }
        }
    }

    fn tag_keys(&self) -> KeyModel {
        if !self.lists("aws:TagKeys") {
            return KeyModel::Absent;
        }
        let mut element = self.tag_text();
        let (mut must, mut presence) = (Vec::new(), Presence::Optional);
        if let RequestDetail::Tag { key, .. } = &self.path.special {
            element.plain.insert(0, key.clone());
            // IAM takes tag keys that differ only in case for the same key.
            must.push(Demand::Inside(vec![glob(key, true)]));
            presence = Presence::Always;
        }
        KeyModel::Set { element, must, presence, most: MOST_TAGS }
    }

    fn principal_tag(&self, tag: &str) -> KeyModel {
        let mut domain = iam_tag();
        domain.exclude.extend(self.left_out.iter().filter_map(|selector| match selector {
            SelectorKind::PrincipalTag { key, value } if key.eq_ignore_ascii_case(tag) => {
                Some(vec![Sequence::literal(value)])
            }
            SelectorKind::PrincipalTag { .. } | SelectorKind::PrincipalArn(_) => None,
        }));
        let mut perhaps_empty = domain.clone();
        if let Some(values) = perhaps_empty.include.first_mut() {
            values.push(Sequence::default());
        }
        let possible = KeyModel::Text(perhaps_empty, Presence::Optional);
        KeyModel::Doubtful {
            sure: Box::new(KeyModel::Text(domain, Presence::Optional)),
            possible: Box::new([possible.clone(), possible]),
            why: "may be a tag with an empty value, and AWS does not say whether a request then \
                  carries an empty text or no such key; a condition that treats both alike, such \
                  as `StringNotEqualsIfExists` or one more `Null`, would settle it"
                .to_owned(),
        }
    }

    /// The networks that the control trusts, where it is about networks.
    fn trusted_networks(&self) -> Option<&crate::perimeter::TrustedNetworks> {
        let networks = self.perimeter.networks.as_ref();
        networks.filter(|_| self.path.special == RequestDetail::Network)
    }

    fn network(&self, folded: &str) -> Option<KeyModel> {
        let trusted = self.trusted_networks();
        let text = |plain: &str, exclude: Vec<Sequence>, presence| {
            let mut domain = TextDomain::printable(plain);
            if !exclude.is_empty() {
                domain.exclude.push(exclude);
            }
            KeyModel::Text(domain, presence)
        };
        let endpoint = Presence::On(Network::Vpc);
        Some(match folded {
            "aws:sourceip" => KeyModel::Address {
                outside: trusted.map(|t| t.cidrs.clone()).unwrap_or_default(),
                plain: ["198.51.100.10", "203.0.113.10", "192.0.2.10", "2001:db8::10"]
                    .map(str::to_owned)
                    .into(),
                presence: Presence::On(Network::Internet),
            },
            "aws:vpcsourceip" => KeyModel::Address {
                outside: Vec::new(),
                plain: vec!["10.0.0.10".to_owned()],
                presence: endpoint,
            },
            "aws:sourcevpc" => {
                let vpcs = trusted.map(|t| t.vpcs.iter().map(|v| Sequence::literal(v)).collect());
                text("vpc-0a1b2c3d4e5f67890", vpcs.unwrap_or_default(), endpoint)
            }
            "aws:sourcevpce" => text("vpce-0a1b2c3d4e5f67890", Vec::new(), endpoint),
            "aws:vpceorgid" => {
                // An endpoint whose owner is in no organization has none.
                let (own, some) = (&self.facts.organization, Presence::Within(Network::Vpc));
                if trusted.is_some_and(|t| t.vpce_org) {
                    text("o-untrustedorg", vec![Sequence::literal(own)], some)
                } else {
                    text(own, Vec::new(), some)
                }
            }
            _ => return None,
        })
    }

    /// `aws:ResourceOrgID` of the resource that is named first.
    fn resource_org_id(&self) -> KeyModel {
        let own = &self.facts.organization;
        let domain = match self.owner {
            Owner::Anyone => TextDomain {
                include: vec![vec![organization_id(), Sequence::literal(own)]],
                exclude: Vec::new(),
                plain: vec!["o-someorg0001".to_owned()],
            },
            Owner::Own | Owner::Member { .. } | Owner::Members(_) => TextDomain::only(own),
            Owner::Outside(_) => TextDomain {
                include: vec![vec![organization_id()]],
                exclude: vec![vec![Sequence::literal(own)]],
                plain: vec!["o-untrustedorg".to_owned()],
            },
        };
        KeyModel::Text(domain, Presence::Optional)
    }

    /// `aws:ResourceOrgPaths` of the resource that is named first.
    fn resource_org_paths(&self) -> KeyModel {
        let own = format!("{}/", self.facts.organization);
        let below = |start: Sequence| vec![start.any(Class::Any)];
        let mut most = 1;
        let element = match &self.owner {
            Owner::Anyone => {
                most = MANY;
                TextDomain::printable("x")
            }
            Owner::Own => TextDomain::only(&self.facts.org_path),
            Owner::Member { org_path, .. } => TextDomain::only(org_path),
            Owner::Members(_) => TextDomain {
                include: vec![below(Sequence::literal(&own))],
                exclude: Vec::new(),
                plain: vec![self.facts.org_path.clone()],
            },
            Owner::Outside(_) => TextDomain {
                include: vec![below(organization_id().then("/r-").some(Class::OrgId).then("/"))],
                exclude: vec![below(Sequence::literal(&own))],
                plain: vec!["o-untrustedorg/r-some/".to_owned()],
            },
        };
        KeyModel::Set { element, must: Vec::new(), presence: Presence::Optional, most }
    }

    /// Keys whose values or presence say more than their type does.
    fn modelled(&self, folded: &str) -> Option<KeyModel> {
        let fixed = |text: &str| KeyModel::Fixed(FixedValue::One(text.to_owned()));
        Some(match folded {
            "aws:principalarn" => KeyModel::PrincipalArn,
            "aws:principaltype" => KeyModel::PrincipalType,
            "aws:principalaccount" => fixed(&self.facts.account),
            "aws:principalorgid" => fixed(&self.facts.organization),
            "aws:principalorgpaths" => {
                KeyModel::Fixed(FixedValue::Many(vec![self.facts.org_path.clone()]))
            }
            "aws:principalisawsservice" => fixed("false"),
            "aws:securetransport" => fixed("true"),
            "aws:requestedregion" => KeyModel::Region,
            "aws:currenttime" => KeyModel::CurrentTime,
            "aws:epochtime" => KeyModel::EpochTime,
            "aws:userid" => {
                let plain = match self.path.api {
                    Api::Smtp => "AIDAEXAMPLEUSERID",
                    Api::V1
                    | Api::V2
                    | Api::MailManager
                    | Api::PinpointEmail
                    | Api::Iam
                    | Api::Sts => "AROAEXAMPLEROLEID:session",
                };
                KeyModel::Text(TextDomain::printable(plain), Presence::Always)
            }
            "aws:viaawsservice"
                if self.path.special == RequestDetail::Network || self.path.api == Api::Smtp =>
            {
                fixed("false")
            }
            "aws:viaawsservice" => KeyModel::Choice {
                values: vec!["false".to_owned(), "true".to_owned()],
                presence: Presence::Always,
            },
            "aws:resourceaccount" => {
                KeyModel::ResourceAccount(if self.path.special == RequestDetail::Foreign {
                    Presence::Always
                } else {
                    Presence::Optional
                })
            }
            "aws:resourceorgid" => self.resource_org_id(),
            "aws:resourceorgpaths" => self.resource_org_paths(),
            "aws:tagkeys" => self.tag_keys(),
            _ => {
                let family =
                    |prefix: &str| folded.strip_prefix(prefix).filter(|tag| !tag.is_empty());
                if let Some(tag) = family(PRINCIPAL_TAG) {
                    self.principal_tag(tag)
                } else if let Some(tag) = family(REQUEST_TAG) {
                    self.request_tag(tag)
                } else if family(RESOURCE_TAG).is_some() {
                    if (self.is_worst() && self.path.is_silent_about_resource_tags())
                        || self.lists(folded)
                    {
                        KeyModel::Text(TextDomain::printable("x"), Presence::Optional)
                    } else {
                        KeyModel::Absent
                    }
                } else {
                    return self.network(folded);
                }
            }
        })
    }

    fn settled(&self, settled: Settled) -> Occurrence {
        if self.is_worst() { settled.worst_case } else { settled.documented }
    }

    fn known(&self, folded: &str) -> Known {
        if let Some(model) = self.modelled(folded) {
            return Known::Modelled(model);
        }
        let smtp = self.path.api == Api::Smtp;
        if let Some(fact) = facts::keys::key(folded) {
            let occurrence = if smtp && fact.session {
                Occurrence::Never
            } else {
                self.settled(fact.of_action(self.path.action))
            };
            return Known::Typed(occurrence, fact.info(), fact.network);
        }
        let (prefix, name) = folded.rsplit_once(':').unwrap_or(("", folded));
        if prefix.contains('.') {
            return match facts::keys::claim(name) {
                _ if smtp => Known::Modelled(KeyModel::Absent),
                Some(Claim { kind, multivalued, session, .. }) => {
                    let info =
                        KeyInfo { name: "", kind: *kind, multivalued: *multivalued, family: false };
                    Known::Typed(*session, info, None)
                }
                None => Known::Unknown,
            };
        }
        if let Some(info) = self.catalog.get(folded)
            && let Some(key) = table::service_key(folded)
        {
            return Known::Modelled(self.service_key(folded, key, info));
        }
        // The keys of another service's own requests are in no others.
        if !is_of_any_service(prefix) && facts::prefixes::is_service(prefix) {
            Known::Modelled(KeyModel::Absent)
        } else {
            Known::Unknown
        }
    }
}

const PRINCIPAL_TAG: &str = "aws:principaltag/";
const REQUEST_TAG: &str = "aws:requesttag/";
const RESOURCE_TAG: &str = "aws:resourcetag/";

impl KeyModels for RequestModel<'_> {
    fn key(&self, folded: &str) -> KeyModel {
        match self.known(folded) {
            Known::Modelled(model) => model,
            Known::Typed(occurrence, info, side) => {
                let network = |sort: Network| match occurrence {
                    Occurrence::Always => Presence::On(sort),
                    Occurrence::Free
                    | Occurrence::Never
                    | Occurrence::Open
                    | Occurrence::Listed => Presence::Within(sort),
                };
                let presence = match (side, occurrence) {
                    (Some(Side::Internet), _) => network(Network::Internet),
                    (Some(Side::Endpoint), _) => network(Network::Vpc),
                    (None, Occurrence::Always) => Presence::Always,
                    (None, _) => Presence::Optional,
                };
                match occurrence {
                    Occurrence::Always | Occurrence::Free => by_type(info, presence),
                    Occurrence::Listed if self.lists(folded) => by_type(info, presence),
                    Occurrence::Never | Occurrence::Listed => KeyModel::Absent,
                    Occurrence::Open => doubtful(
                        by_type(info, presence.clone()),
                        any_values(presence),
                        "is a key of which AWS does not say whether a session carries it into \
                         requests to other services",
                    ),
                }
            }
            Known::Unknown => doubtful(
                KeyModel::Text(TextDomain::printable("x"), Presence::Optional),
                any_values(Presence::Optional),
                &format!(
                    "is not among the condition keys known on {}, so nobody knows whether requests \
                     carry it; update this program, or have a statement that does without it",
                    facts::keys::date()
                ),
            ),
        }
    }

    fn spelling(&self, key: &str) -> String {
        let Some(info) = self.catalog.get(key) else { return key.to_owned() };
        let tag = key.get(info.name.len()..).unwrap_or_default();
        format!("{}{}", info.name, self.tag_spelling(tag))
    }

    fn is_doubtful(&self, folded: &str) -> bool {
        if folded.starts_with(PRINCIPAL_TAG) {
            return true;
        }
        // Most keys are known, and finding them takes no model.
        match facts::keys::key(folded) {
            Some(fact) => {
                self.settled(fact.of_action(self.path.action)) == Occurrence::Open
                    && matches!(self.key(folded), KeyModel::Doubtful { .. })
            }
            None => {
                table::service_key(folded).is_none()
                    && matches!(self.key(folded), KeyModel::Doubtful { .. })
            }
        }
    }
}

/// In no request for certain, and perhaps in some.
fn doubtful(one: KeyModel, several: KeyModel, why: &str) -> KeyModel {
    KeyModel::Doubtful {
        sure: Box::new(KeyModel::Absent),
        possible: Box::new([one, several]),
        why: why.to_owned(),
    }
}

fn any_values(presence: Presence) -> KeyModel {
    KeyModel::Set { element: TextDomain::printable("x"), must: Vec::new(), presence, most: MANY }
}

impl RequestModel<'_> {
    /// The perimeter's spelling of a tag key, where it has one.
    fn tag_spelling(&self, tag: &str) -> String {
        let selectors = self.perimeter.exemptions.iter().chain(&self.perimeter.administrators);
        selectors
            .filter_map(|selector| match &selector.matches {
                SelectorKind::PrincipalTag { key, .. } => Some(key),
                SelectorKind::PrincipalArn(_) => None,
            })
            .find(|key| key.eq_ignore_ascii_case(tag))
            .map_or_else(|| tag.to_owned(), Clone::clone)
    }
}

/// A key with any value of its type.
fn by_type(info: KeyInfo, presence: Presence) -> KeyModel {
    if info.multivalued {
        return any_values(presence);
    }
    match info.kind {
        KeyKind::String => KeyModel::Text(TextDomain::printable("x"), presence),
        KeyKind::Arn => {
            let mut arn = Sequence::literal("arn:");
            for _ in 0..4 {
                arn = arn.any(Class::NotColon).then(":");
            }
            KeyModel::Text(
                TextDomain {
                    include: vec![vec![arn.some(Class::Any)]],
                    exclude: Vec::new(),
                    plain: vec!["arn:aws:ses:us-east-1:000000000000:x".to_owned()],
                },
                presence,
            )
        }
        KeyKind::Bool => {
            KeyModel::Choice { values: vec!["false".to_owned(), "true".to_owned()], presence }
        }
        KeyKind::Number => KeyModel::Number { plain: "300".to_owned(), presence },
        KeyKind::Date => KeyModel::Moment { plain: 1_767_225_600, presence },
        KeyKind::Ip => {
            KeyModel::Address { outside: Vec::new(), plain: vec!["10.0.0.10".to_owned()], presence }
        }
    }
}

/// `template/${TemplateName}` with a name in each place.
fn placeholders(tail: &str) -> Sequence {
    let mut sequence = Sequence::default();
    let mut rest = tail;
    while let Some((before, after)) = rest.split_once("${") {
        sequence = sequence.then(before).some(Class::ResourceName);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    sequence.then(rest)
}

fn spelled(tail: &str) -> String {
    let mut text = String::new();
    let mut rest = tail;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        text.push_str("example");
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    text + rest
}

/// The keys that a complete request lists, whether or not a policy asks, in the spelling of AWS.
pub const PRESENT: [&str; 19] = [
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalType",
    "aws:PrincipalIsAWSService",
    "aws:userid",
    "aws:RequestedRegion",
    "aws:SecureTransport",
    "aws:ViaAWSService",
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "ses:ApiVersion",
    "ses:Recipients",
    "aws:ResourceAccount",
];

/// Whether some request lists the key although no policy asks about it.
#[must_use]
pub(crate) fn is_listed_unasked(key: &str) -> bool {
    let special = ["ses:FeedbackAddress", "aws:TagKeys"];
    PRESENT.iter().chain(&special).any(|listed| listed.eq_ignore_ascii_case(key))
        || key.get(..REQUEST_TAG.len()).is_some_and(|k| k.eq_ignore_ascii_case(REQUEST_TAG))
}

/// The form of an organization's id.
fn organization_id() -> Sequence {
    Sequence::literal("o-").exactly(10, Class::OrgId).any(Class::OrgId)
}

/// What IAM takes for the key of a tag, or for its value where it has one.
fn iam_tag() -> TextDomain {
    TextDomain {
        include: vec![vec![Sequence::default().some(Class::TagValue)]],
        exclude: Vec::new(),
        plain: vec!["x".to_owned()],
    }
}

/// The keys that a complete request of the path lists, in the spelling of AWS.
#[must_use]
pub fn always_present(model: &RequestModel<'_>) -> Vec<String> {
    let mut keys: Vec<String> = PRESENT.map(str::to_owned).into();
    match &model.path.special {
        RequestDetail::Feedback => keys.push("ses:FeedbackAddress".to_owned()),
        RequestDetail::Tag { key, .. } => {
            keys.push("aws:TagKeys".to_owned());
            keys.push(format!("aws:RequestTag/{key}"));
        }
        RequestDetail::None
        | RequestDetail::Exempt { .. }
        | RequestDetail::Foreign
        | RequestDetail::Network => {}
    }
    keys
}
