//! Requests over tiny domains.

use std::collections::{BTreeMap, BTreeSet};

use policy::evaluate::Stack;
use policy::keys::KeyCatalog;
use policy::model::{Piece, Resources, Template};
use policy::request::{Context, ContextValue, Request};
use prover::Witness;
use prover::applicable::Applicable;
use prover::language::{Class, Sequence};
use prover::question::{
    Demand, FixedValue, KeyModel, KeyModels, Network, Presence, PrincipalKind, Question,
    ResourceModel, ResourceOwner, TextDomain,
};

pub const ACTION: &str = "ses:SendEmail";
pub const ACCOUNT: &str = "111111111111";
pub const REGIONS: &[&str] = &["ra-1", "ra-2", "rb-1"];
/// The beginnings of the Regions of [`form`], and the digits that stand for all: policies name no
/// other than `1` and `2`.
const BEGINNINGS: [&str; 4] = ["a-", "b-", "ra-", "rb-"];
const DIGITS: [&str; 4] = ["0", "1", "2", "3"];
pub const ORGANIZATION: &str = "o*";
pub const PATH: &str = "o/r/";
pub const PRINCIPALS: &[(&str, &str)] = &[
    ("AssumedRole", "arn:aws:iam::111111111111:role/a"),
    ("AssumedRole", "arn:aws:iam::111111111111:role/b:a"),
    ("User", "arn:aws:iam::111111111111:user/a"),
    ("Account", "arn:aws:iam::111111111111:root"),
];
/// Whole seconds around those that generated policies name.
pub const MOMENTS: &[i64] = &[
    100_000,
    1_577_836_798,
    1_577_836_799,
    1_577_836_800,
    1_577_836_801,
    1_577_836_802,
    1_600_000_000,
    1_609_459_199,
    1_609_459_200,
    1_609_459_201,
    1_609_459_202,
    1_700_000_000,
];
pub const ADDRESSES: &[&str] = &[
    "0.0.0.0",
    "9.255.255.255",
    "10.0.0.0",
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.4",
    "10.0.0.255",
    "10.0.1.0",
    "10.255.255.255",
    "11.0.0.0",
    "192.0.2.1",
    "255.255.255.255",
    "::",
    "2001:db8::",
    "2001:db8::1",
    "2001:db8::2",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "ffff::",
];
pub const NUMBERS: &[&str] = &["0", "4", "5", "6", "6.25", "7", "7.25", "7.5", "8", "8.5", "100"];

/// What differs from one question to the next.
#[derive(Debug, Clone)]
pub struct Shape {
    pub recipients: Presence,
    pub must: bool,
    pub most: usize,
    pub version: Presence,
    pub tag: Presence,
    pub resource_account: Presence,
    pub resources: Vec<ResourceModel>,
    pub tag_text: &'static [&'static str],
    /// The values of `aws:ViaAWSService`, or the only one.
    pub via: Option<&'static str>,
    /// When requests can be made at the earliest: one of [`MOMENTS`].
    pub earliest: i64,
    /// The Regions that are listed.
    pub regions: &'static [&'static str],
    /// Whether there are others of a form, and without which.
    pub form: Option<TextDomain>,
    pub resource_org: Presence,
    /// Whether some texts are free, so that not every request can be listed.
    pub free: bool,
}

pub const RECIPIENTS: &[&str] = &["a@x.y", "b@x.y", "a@z.y", "A@x.y"];

pub fn arn(owner: ResourceOwner, regional: bool, tails: &[&str]) -> ResourceModel {
    ResourceModel::Arn {
        before: "arn:aws:ses:".to_owned(),
        regional,
        owner,
        within: Vec::new(),
        without: Vec::new(),
        tails: tails.iter().map(|tail| Sequence::literal(tail)).collect(),
        plain: vec![tails[0].to_owned()],
    }
}

/// One or two letters, the first of them perhaps an `r`, a hyphen and a digit, without those that
/// begin with `never`.
pub fn form(never: &str) -> TextDomain {
    let words = BEGINNINGS.map(|start| Sequence::literal(start).exactly(1, Class::Digit));
    let never = Sequence::literal(never).any(Class::Any);
    TextDomain { include: vec![words.into()], exclude: vec![vec![never]], plain: Vec::new() }
}

/// One key: its model, and the values that stand for all it can have.
struct Key {
    name: String,
    model: KeyModel,
    values: Vec<ContextValue>,
    /// Those that are not certain.
    doubtful: Vec<ContextValue>,
}

/// A key of which nobody knows whether requests carry it, and how many values it has then.
fn riddle(presence: Presence) -> (KeyModel, Vec<ContextValue>) {
    let texts = ["a", "b"];
    let mut values = ones(&texts);
    values.extend(subsets(&texts, 2).into_iter().map(ContextValue::Many));
    let several = KeyModel::Set {
        element: union(&texts),
        must: Vec::new(),
        presence: presence.clone(),
        most: 2,
    };
    let model = KeyModel::Doubtful {
        sure: Box::new(KeyModel::Absent),
        possible: Box::new([KeyModel::Text(union(&texts), presence), several]),
        why: "is a riddle".to_owned(),
    };
    (model, values)
}

pub struct World {
    pub shape: Shape,
    pub catalog: KeyCatalog,
    keys: BTreeMap<String, Key>,
    kinds: Vec<PrincipalKind>,
    present: Vec<String>,
}

fn union(texts: &[&str]) -> TextDomain {
    TextDomain {
        include: vec![texts.iter().map(|text| Sequence::literal(text)).collect()],
        exclude: Vec::new(),
        plain: vec![texts[0].to_owned()],
    }
}

fn ones(texts: &[&str]) -> Vec<ContextValue> {
    texts.iter().map(|text| ContextValue::One((*text).to_owned())).collect()
}

fn subsets(texts: &[&str], most: usize) -> Vec<Vec<String>> {
    (1_usize..1 << texts.len())
        .filter(|mask| mask.count_ones() as usize <= most)
        .map(|mask| {
            let chosen = texts.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0);
            chosen.map(|(_, text)| (*text).to_owned()).collect()
        })
        .collect()
}

impl World {
    pub fn new(shape: Shape) -> Self {
        let mut list: Vec<Key> = Vec::new();
        let mut add = |name: &str, model: KeyModel, values: Vec<ContextValue>| {
            // What is possible of a riddle is not certain, and of an open tag the empty text.
            let doubtful = match &model {
                KeyModel::Doubtful { sure, .. } if **sure == KeyModel::Absent => values.clone(),
                KeyModel::Doubtful { .. } => ones(&[""]),
                _ => Vec::new(),
            };
            list.push(Key { name: name.to_owned(), model, values, doubtful });
        };
        let must = if shape.must {
            vec![Demand::Inside(vec![Sequence::default().any(Class::Any).then("@x.y")])]
        } else {
            Vec::new()
        };
        let sets = subsets(RECIPIENTS, shape.most)
            .into_iter()
            .filter(|set| !shape.must || set.iter().any(|e| e.ends_with("@x.y")));
        add(
            "ses:Recipients",
            KeyModel::Set {
                element: union(RECIPIENTS),
                must,
                presence: shape.recipients.clone(),
                most: shape.most,
            },
            sets.map(ContextValue::Many).collect(),
        );
        add(
            "ses:ApiVersion",
            KeyModel::Choice {
                values: vec!["1".to_owned(), "2".to_owned()],
                presence: shape.version.clone(),
            },
            ones(&["1", "2"]),
        );
        for name in ["aws:PrincipalTag/x", "aws:PrincipalTag/y"] {
            let model = KeyModel::Text(union(shape.tag_text), shape.tag.clone());
            add(name, model, ones(shape.tag_text));
        }
        let arns = ["arn:aws:s3:::b", "arn:aws:s3:::b:c", "arn:aws:s3:r:1:b"];
        add("aws:SourceArn", KeyModel::Text(union(&arns), Presence::Optional), ones(&arns));
        let text = "5";
        add(
            "ses:FromAddress",
            KeyModel::Text(union(&["a@x.y", "true", text]), Presence::Always),
            ones(&["a@x.y", "true", text]),
        );
        add(
            "aws:SourceIp",
            KeyModel::Address {
                outside: Vec::new(),
                plain: vec!["192.0.2.1".to_owned()],
                presence: Presence::On(Network::Internet),
            },
            ones(ADDRESSES),
        );
        for name in ["aws:SourceVpc", "aws:SourceVpce"] {
            let model = KeyModel::Text(union(&["v-a", "v-b"]), Presence::On(Network::Vpc));
            add(name, model, ones(&["v-a", "v-b"]));
        }
        for (name, network) in [("aws:VpceOrgID", Network::Vpc), ("aws:Proxy", Network::Internet)] {
            let model = KeyModel::Text(union(&["a", "b"]), Presence::Within(network));
            add(name, model, ones(&["a", "b"]));
        }
        for (name, presence) in [
            ("aws:Riddle", Presence::Optional),
            ("aws:Guess", Presence::Optional),
            ("aws:VpcRiddle", Presence::Within(Network::Vpc)),
        ] {
            let (model, values) = riddle(presence);
            add(name, model, values);
        }
        for name in ["aws:PrincipalTag/z", "aws:PrincipalTag/w"] {
            let sure = KeyModel::Text(union(&["a", "b"]), Presence::Optional);
            let possible = KeyModel::Text(union(&["a", "b", ""]), Presence::Optional);
            let model = KeyModel::Doubtful {
                sure: Box::new(sure),
                possible: Box::new([possible.clone(), possible]),
                why: "may be empty".to_owned(),
            };
            add(name, model, ones(&["a", "b", ""]));
        }
        let organizations = [ORGANIZATION, "p", "a"];
        add(
            "aws:ResourceOrgID",
            KeyModel::Text(union(&organizations), shape.resource_org.clone()),
            ones(&organizations),
        );
        let paths = [PATH, "p/r/"];
        add(
            "aws:ResourceOrgPaths",
            KeyModel::Set {
                element: union(&paths),
                must: Vec::new(),
                presence: shape.resource_org.clone(),
                most: 2,
            },
            subsets(&paths, 2).into_iter().map(ContextValue::Many).collect(),
        );
        add("aws:CurrentTime", KeyModel::CurrentTime, Vec::new());
        add("aws:EpochTime", KeyModel::EpochTime, Vec::new());
        add(
            "aws:ViaAWSService",
            match shape.via {
                Some(only) => KeyModel::Fixed(FixedValue::One(only.to_owned())),
                None => KeyModel::Choice {
                    values: vec!["false".to_owned(), "true".to_owned()],
                    presence: Presence::Always,
                },
            },
            shape.via.map_or_else(|| ones(&["false", "true"]), |only| ones(&[only])),
        );
        add(
            "aws:MultiFactorAuthAge",
            KeyModel::Number { plain: "4".to_owned(), presence: Presence::Optional },
            ones(NUMBERS),
        );
        add("aws:RequestedRegion", KeyModel::Region, Vec::new());
        add("aws:PrincipalArn", KeyModel::PrincipalArn, Vec::new());
        add("aws:PrincipalType", KeyModel::PrincipalType, Vec::new());
        add(
            "aws:ResourceAccount",
            KeyModel::ResourceAccount(shape.resource_account.clone()),
            Vec::new(),
        );
        let keys = ["k", "j"];
        add(
            "aws:TagKeys",
            KeyModel::Set {
                element: union(&keys),
                must: Vec::new(),
                presence: Presence::Optional,
                most: 2,
            },
            subsets(&keys, 2).into_iter().map(ContextValue::Many).collect(),
        );
        for key in keys {
            let model = KeyModel::Text(union(&["x", "a"]), Presence::Tagged(key.to_owned()));
            add(&format!("aws:RequestTag/{key}"), model, ones(&["x", "a"]));
        }
        let account = FixedValue::One(ACCOUNT.to_owned());
        add("aws:PrincipalAccount", KeyModel::Fixed(account), ones(&[ACCOUNT]));
        add(
            "aws:PrincipalOrgID",
            KeyModel::Fixed(FixedValue::One(ORGANIZATION.to_owned())),
            ones(&[ORGANIZATION]),
        );
        let paths = vec![PATH.to_owned()];
        add(
            "aws:PrincipalOrgPaths",
            KeyModel::Fixed(FixedValue::Many(paths.clone())),
            vec![ContextValue::Many(paths)],
        );
        if shape.free {
            let texts = ["a", "b", "ab", "é", "€", "𐀀", "éé", "aé", "ba", "\u{212a}", "k", "z"];
            let model = KeyModel::Text(TextDomain::printable("q"), Presence::Optional);
            add("aws:userid", model, ones(&texts));
            let set = KeyModel::Set {
                element: TextDomain::printable("q"),
                must: Vec::new(),
                presence: Presence::Optional,
                most: 3,
            };
            let values =
                subsets(&["a", "b", "ab", "éa", "z"], 3).into_iter().map(ContextValue::Many);
            add("aws:CalledVia", set, values.collect());
        }
        let kinds = ["AssumedRole", "User", "Account"];
        let kinds = kinds
            .iter()
            .map(|kind| PrincipalKind {
                name: (*kind).to_owned(),
                arns: PRINCIPALS
                    .iter()
                    .filter(|(name, _)| name == kind)
                    .map(|(_, arn)| Sequence::literal(arn))
                    .collect(),
            })
            .collect();
        // A question lists every key without a choice of its own; others join as they are named.
        let present = [
            "aws:PrincipalArn",
            "aws:PrincipalType",
            "aws:PrincipalAccount",
            "aws:PrincipalOrgID",
            "aws:PrincipalOrgPaths",
            "aws:RequestedRegion",
            "aws:CurrentTime",
            "aws:EpochTime",
            "aws:ViaAWSService",
            "aws:SourceIp",
            "aws:SourceVpc",
            "aws:SourceVpce",
        ];
        Self {
            shape,
            catalog: super::keys::catalog(),
            keys: list.into_iter().map(|key| (key.name.to_ascii_lowercase(), key)).collect(),
            kinds,
            present: present.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    pub fn question(&self) -> Question<'_> {
        Question {
            action: ACTION,
            principal: union(&PRINCIPALS.iter().map(|(_, arn)| *arn).collect::<Vec<_>>()),
            kinds: &self.kinds,
            regions: self.shape.regions,
            resources: &self.shape.resources,
            keys: self,
            present: &self.present,
            moment: 1_700_000_000,
            earliest: self.shape.earliest,
            other_regions: self.shape.form.as_ref(),
        }
    }

    /// Every request of the class, cut down to the keys that `stack` speaks of, as the contexts
    /// for each resource; `None` when there are more than `most`.
    pub fn requests(&self, stack: &Stack<'_>, most: usize) -> Option<Vec<Vec<Request>>> {
        let named = mentioned(stack);
        let axes: Vec<&Key> = self
            .keys
            .iter()
            .filter(|(folded, key)| {
                !key.values.is_empty()
                    && (named.contains(*folded)
                        || (*folded == "aws:tagkeys"
                            && named.iter().any(|n| n.starts_with("aws:requesttag/"))))
            })
            .map(|(_, key)| key)
            .collect();
        let mut rest: Vec<Context> = vec![Context::default()];
        for key in &axes {
            let mut next = Vec::new();
            for context in &rest {
                for value in self.choices(key, context) {
                    // What is not known to have several values has them at most where it is taken
                    // for a set.
                    let one = self.catalog.get(&key.name).is_none_or(|info| !info.multivalued);
                    if one && matches!(value, Some(ContextValue::Many(_))) && !as_set(stack, key) {
                        continue;
                    }
                    let mut with = context.clone();
                    if let Some(value) = value {
                        with.insert(&key.name, value);
                    }
                    next.push(with);
                }
            }
            next.retain(|context| self.consistent(context));
            if next.len() > most {
                return None;
            }
            rest = next;
        }
        rest.retain(|context| self.tags_agree(context, &axes));
        let time = named.contains("aws:currenttime") || named.contains("aws:epochtime");
        let late = |moment: &&i64| **moment >= self.shape.earliest;
        let moments: Vec<i64> =
            MOMENTS.iter().filter(late).copied().take(if time { usize::MAX } else { 1 }).collect();
        let account: &[bool] =
            match (named.contains("aws:resourceaccount"), &self.shape.resource_account) {
                (true, Presence::Optional) => &[false, true],
                (_, _) => &[true],
            };
        let principals = if named.iter().any(|key| key.starts_with("aws:principal")) {
            PRINCIPALS
        } else {
            &PRINCIPALS[..1]
        };
        let mut regions = self.regions();
        if !named.contains("aws:requestedregion") && any_resource(stack) {
            regions.truncate(1);
        }
        let resources: Vec<Vec<Vec<String>>> =
            regions.iter().map(|region| self.resource_texts(region)).collect();
        let per: usize = resources.iter().map(Vec::len).sum();
        if rest.len() * moments.len() * account.len() * principals.len() * per > most {
            return None;
        }
        let mut all = Vec::new();
        for context in &rest {
            for (region, tuples) in regions.iter().zip(&resources) {
                for (kind, arn) in principals {
                    for moment in &moments {
                        for with_account in account {
                            let mut context = context.clone();
                            context.set("aws:RequestedRegion", region.clone());
                            context.set("aws:PrincipalType", *kind);
                            context.set("aws:PrincipalArn", *arn);
                            context.set("aws:EpochTime", moment.to_string());
                            let text = policy::value::moment_text(*moment).unwrap();
                            context.set("aws:CurrentTime", text);
                            for tuple in tuples {
                                all.push(self.per_resource(&context, tuple, *with_account));
                            }
                        }
                    }
                }
            }
        }
        Some(all)
    }

    fn per_resource(&self, context: &Context, tuple: &[String], account: bool) -> Vec<Request> {
        tuple
            .iter()
            .enumerate()
            .map(|(index, resource)| {
                let mut context = context.clone();
                // A further resource is the account's own.
                if index > 0 && context.get("aws:ResourceOrgID").is_some() {
                    context.set("aws:ResourceOrgID", ORGANIZATION);
                }
                if index > 0 && context.get("aws:ResourceOrgPaths").is_some() {
                    context.set_many("aws:ResourceOrgPaths", vec![PATH.to_owned()]);
                }
                if account && let Some(owner) = resource.split(':').nth(4) {
                    context.set("aws:ResourceAccount", owner);
                }
                Request { action: ACTION.to_owned(), resource: resource.clone(), context }
            })
            .collect()
    }

    /// The listed Regions, and those of the form, one for all digits that nobody names.
    fn regions(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.shape.regions.iter().map(|region| (*region).to_owned()).collect();
        for region in
            BEGINNINGS.iter().flat_map(|start| DIGITS.map(|digit| format!("{start}{digit}")))
        {
            if self.is_of_the_form(&region) && !all.contains(&region) {
                all.push(region);
            }
        }
        all
    }

    fn is_of_the_form(&self, region: &str) -> bool {
        let digit = |rest: &str| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit());
        let fits = BEGINNINGS.iter().any(|start| region.strip_prefix(start).is_some_and(digit));
        fits && self.shape.form.as_ref().is_some_and(|form| {
            !form.exclude.iter().flatten().any(|never| region.starts_with(&beginning(never)))
        })
    }

    /// Whether `stack` asks about a key of which nobody knows how many values it has; the proof is
    /// then cautious.
    pub fn has_riddles(&self, stack: &Stack<'_>) -> bool {
        mentioned(stack).iter().filter_map(|name| self.keys.get(name)).any(|key| {
            matches!(&key.model, KeyModel::Doubtful { sure, .. } if **sure == KeyModel::Absent)
        })
    }

    /// Whether the request is certain, and not just possible.
    pub fn is_sure(&self, parts: &[Request]) -> bool {
        parts.iter().all(|request| {
            request.context.iter().all(|(name, value)| {
                let key = self.keys.get(&name.to_ascii_lowercase());
                key.is_none_or(|key| !key.doubtful.contains(value))
            })
        })
    }

    /// Every tuple of resources in a Region; for free owners those that stand for the others.
    fn resource_texts(&self, region: &str) -> Vec<Vec<String>> {
        let mut tuples: Vec<Vec<String>> = vec![Vec::new()];
        for model in &self.shape.resources {
            let texts = self.texts_of(model, region);
            tuples = tuples
                .iter()
                .flat_map(|tuple| {
                    texts.iter().map(move |text| {
                        let mut longer = tuple.clone();
                        longer.push(text.clone());
                        longer
                    })
                })
                .collect();
        }
        tuples
    }

    fn texts_of(&self, model: &ResourceModel, region: &str) -> Vec<String> {
        let ResourceModel::Arn { before, regional, owner, tails, .. } = model else {
            return vec!["*".to_owned()];
        };
        let some = ["111111111111", "222222222222", "121111111111", "999999999999"];
        let accounts: Vec<&str> = match owner {
            ResourceOwner::Is(account) => vec![account],
            ResourceOwner::Any(_) => some.to_vec(),
            ResourceOwner::NoneOf(own) => {
                some.into_iter().filter(|account| own.iter().all(|o| o != account)).collect()
            }
        };
        let region = if *regional { region } else { "" };
        accounts
            .iter()
            .flat_map(|account| {
                tails
                    .iter()
                    .map(move |tail| format!("{before}{region}:{account}:{}", spelled(tail)))
            })
            .collect()
    }

    /// Whether the listed requests are all there are.
    pub fn exact(&self, stack: &Stack<'_>) -> bool {
        // Nobody knows the resource account where no resource is an ARN.
        let accounts = mentioned(stack).contains("aws:resourceaccount");
        let unknown_account = accounts && self.shape.resources.contains(&ResourceModel::Star);
        !self.shape.free
            && !unknown_account
            && self.shape.resources.iter().all(|model| match model {
                ResourceModel::Star => true,
                ResourceModel::Arn { owner, .. } => matches!(owner, ResourceOwner::Is(_)),
            })
    }

    fn choices(&self, key: &Key, context: &Context) -> Vec<Option<ContextValue>> {
        let values = || key.values.iter().cloned().map(Some);
        match presence(&key.model) {
            Presence::Always => values().collect(),
            Presence::Tagged(tag) => match context.get("aws:TagKeys") {
                Some(ContextValue::Many(keys)) if keys.contains(tag) => values().collect(),
                Some(_) => vec![None],
                None => values().chain([None]).collect(),
            },
            Presence::Optional | Presence::On(_) | Presence::Within(_) => {
                values().chain([None]).collect()
            }
        }
    }

    /// Never keys of both networks at once.
    fn consistent(&self, context: &Context) -> bool {
        let on = |network: Network| {
            self.keys.values().any(|key| {
                let own = matches!(presence(&key.model), Presence::On(n) | Presence::Within(n) if *n == network);
                own && context.get(&key.name).is_some()
            })
        };
        !(on(Network::Internet) && on(Network::Vpc))
    }

    /// Whether the request can come from some network, given the keys of which it is known whether
    /// they are there.
    fn has_network(&self, context: &Context, known: &dyn Fn(&Key) -> bool) -> bool {
        let forwarded = match (context.get("aws:ViaAWSService"), self.shape.via) {
            (Some(ContextValue::One(via)), _) => via == "true",
            (_, Some(via)) => via == "true",
            (_, None) => true,
        };
        [Network::Internet, Network::Vpc, Network::Forwarded].into_iter().any(|network| {
            (network != Network::Forwarded || forwarded)
                && self.keys.values().filter(|key| known(key)).all(|key| {
                    let here = context.get(&key.name).is_some();
                    match presence(&key.model) {
                        Presence::On(own) => here == (*own == network),
                        Presence::Within(own) => !here || *own == network,
                        Presence::Always | Presence::Optional | Presence::Tagged(_) => true,
                    }
                })
        })
    }

    fn tags_agree(&self, context: &Context, axes: &[&Key]) -> bool {
        let has = |name: &str| context.get(name).is_some();
        let on_axis = |name: &str| axes.iter().any(|key| key.name == name);
        let tags = ["k", "j"].iter().all(|tag| {
            let name = format!("aws:RequestTag/{tag}");
            let listed = matches!(context.get("aws:TagKeys"),
                Some(ContextValue::Many(keys)) if keys.iter().any(|key| key == tag));
            !on_axis(&name) || has(&name) == listed
        });
        tags && self.has_network(context, &|key| on_axis(&key.name))
    }

    /// Why `witness` is no request of the class, if it is none.
    pub fn outside(&self, witness: &Witness) -> Option<String> {
        let region = witness.single("aws:RequestedRegion").unwrap_or_default();
        if !self.shape.regions.contains(&region) && !self.is_of_the_form(region) {
            return Some(format!("no such Region `{region}`"));
        }
        let kind = PRINCIPALS.iter().find(|(_, arn)| *arn == witness.principal_arn());
        let Some((kind, _)) = kind else { return Some("no such principal".to_owned()) };
        if let Some(found) = witness.single("aws:PrincipalType")
            && found != *kind
        {
            return Some(format!("a principal of type `{found}`"));
        }
        let resources: Vec<&String> =
            std::iter::once(&witness.resource).chain(&witness.additional_resources).collect();
        if resources.len() != self.shape.resources.len() {
            return Some("another number of resources".to_owned());
        }
        for (model, text) in self.shape.resources.iter().zip(resources) {
            let listed = self.texts_of(model, region);
            let free = matches!(model, ResourceModel::Arn { owner, .. }
                if !matches!(owner, ResourceOwner::Is(_)));
            let known =
                if free { owner_is_free(model, text, region) } else { listed.contains(text) };
            if !known {
                return Some(format!("no such resource `{text}`"));
            }
        }
        self.context_outside(&witness.context, &witness.resource)
    }

    fn context_outside(&self, context: &Context, resource: &str) -> Option<String> {
        for (name, value) in context.iter() {
            let folded = name.to_ascii_lowercase();
            let Some(key) = self.keys.get(&folded) else {
                return Some(format!("the key `{name}` is in no request"));
            };
            let fits = match (&key.model, value) {
                (KeyModel::Address { .. }, ContextValue::One(text)) => {
                    policy::value::address(text).is_some()
                }
                (KeyModel::Number { .. }, ContextValue::One(text)) => {
                    policy::value::number(text).is_some()
                }
                (KeyModel::CurrentTime | KeyModel::EpochTime, ContextValue::One(text)) => {
                    let earliest = i128::from(self.shape.earliest) * 1_000_000_000;
                    policy::value::moment(text).is_some_and(|moment| moment >= earliest)
                }
                (KeyModel::ResourceAccount(_), ContextValue::One(text)) => {
                    resource.split(':').nth(4) == Some(text)
                }
                (KeyModel::Text(domain, _), ContextValue::One(text))
                    if *domain == TextDomain::printable("q") =>
                {
                    !text.is_empty()
                }
                (KeyModel::Set { element, most, .. }, ContextValue::Many(texts))
                    if *element == TextDomain::printable("q") =>
                {
                    !texts.is_empty() && texts.len() <= *most
                }
                (KeyModel::Set { .. }, ContextValue::Many(texts)) => {
                    let mut sorted = texts.clone();
                    sorted.sort();
                    key.values.iter().any(|value| match value {
                        ContextValue::Many(known) => {
                            let mut known = known.clone();
                            known.sort();
                            known == sorted
                        }
                        ContextValue::One(_) => false,
                    })
                }
                (KeyModel::Region | KeyModel::PrincipalArn | KeyModel::PrincipalType, _) => true,
                (_, value) => key.values.contains(value) && !key.doubtful.contains(value),
            };
            if !fits {
                return Some(format!("`{name}` is `{value:?}`"));
            }
        }
        self.presence_outside(context)
    }

    fn presence_outside(&self, context: &Context) -> Option<String> {
        let has = |name: &str| context.get(name).is_some();
        // A witness lists these keys whether or not a policy asks.
        let listed = |key: &Key| self.present.contains(&key.name) || has(&key.name);
        if !self.has_network(context, &listed) {
            return Some("no network has these keys".to_owned());
        }
        for tag in ["k", "j"] {
            let listed = matches!(context.get("aws:TagKeys"),
                Some(ContextValue::Many(keys)) if keys.iter().any(|key| key == tag));
            if has(&format!("aws:RequestTag/{tag}")) != listed {
                return Some(format!("the tag `{tag}` and the tag keys do not agree"));
            }
        }
        if let (Some(ContextValue::One(a)), Some(ContextValue::One(b))) =
            (context.get("aws:CurrentTime"), context.get("aws:EpochTime"))
            && policy::value::moment(a) != policy::value::moment(b)
        {
            return Some("two different times".to_owned());
        }
        None
    }
}

fn owner_is_free(model: &ResourceModel, text: &str, region: &str) -> bool {
    let ResourceModel::Arn { before, regional, owner, tails, .. } = model else { return false };
    let head = format!("{before}{}:", if *regional { region } else { "" });
    let Some((account, tail)) = text.strip_prefix(&head).and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    let account_fits = account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && !matches!(owner, ResourceOwner::NoneOf(own) if own.iter().any(|o| o == account));
    account_fits && tails.iter().any(|known| spelled(known) == tail)
}

/// The text with which a sequence begins.
fn beginning(sequence: &Sequence) -> String {
    sequence
        .steps
        .iter()
        .map_while(|step| match step {
            prover::language::Tok::One(Class::Char(c)) => Some(*c),
            _ => None,
        })
        .collect()
}

/// The text of a sequence that is just one text.
fn spelled(sequence: &Sequence) -> String {
    sequence
        .steps
        .iter()
        .map(|step| match step {
            prover::language::Tok::One(Class::Char(c)) => *c,
            other => panic!("not a literal: {other:?}"),
        })
        .collect()
}

fn presence(model: &KeyModel) -> &Presence {
    match model {
        KeyModel::Doubtful { possible, .. } => presence(&possible[0]),
        known => known.presence().unwrap_or(&Presence::Always),
    }
}

fn variables(template: &Template) -> impl Iterator<Item = &str> {
    template.pieces.iter().filter_map(|piece| match piece {
        Piece::Variable { key, .. } => Some(key.as_str()),
        Piece::Char(_) | Piece::Star | Piece::Question => None,
    })
}

/// The keys that conditions and policy variables of the stack name, in lower case.
pub fn mentioned(stack: &Stack<'_>) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (_, statement) in stack.statements() {
        for condition in &statement.conditions {
            named.insert(condition.key_folded());
            for value in &condition.values {
                named.extend(variables(&value.template).map(str::to_owned));
            }
        }
        let (Resources::Listed(patterns) | Resources::AllExcept(patterns)) = &statement.resources;
        for pattern in patterns {
            named.extend(variables(&pattern.template).map(str::to_owned));
        }
    }
    named
}

/// Whether a condition on the key has a set operator, among the statements that can matter.
fn as_set(stack: &Stack<'_>, key: &Key) -> bool {
    let applicable = Applicable::of(stack, ACTION);
    applicable.statements().flat_map(|placed| &placed.statement.conditions).any(|condition| {
        condition.operator.set.is_some() && condition.key.eq_ignore_ascii_case(&key.name)
    })
}

/// Whether every statement is about all resources.
fn any_resource(stack: &Stack<'_>) -> bool {
    stack.statements().all(|(_, statement)| match &statement.resources {
        Resources::Listed(patterns) => patterns.iter().all(|pattern| pattern.text == "*"),
        Resources::AllExcept(_) => false,
    })
}

pub fn has_variables(stack: &Stack<'_>) -> bool {
    stack.statements().any(|(_, statement)| {
        let (Resources::Listed(patterns) | Resources::AllExcept(patterns)) = &statement.resources;
        patterns.iter().any(|p| p.template.has_variable())
            || statement
                .conditions
                .iter()
                .any(|c| c.values.iter().any(|value| value.template.has_variable()))
    })
}

impl KeyModels for World {
    fn key(&self, folded: &str) -> KeyModel {
        self.keys.get(folded).map_or(KeyModel::Absent, |key| key.model.clone())
    }

    fn spelling(&self, key: &str) -> String {
        self.keys.get(key).map_or_else(|| key.to_owned(), |found| found.name.clone())
    }
}
