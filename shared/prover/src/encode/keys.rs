//! The variables of a problem, made when they are first asked about.

use super::*;

/// Whether a service makes the call on the principal's behalf.
const VIA_SERVICE: &str = "aws:viaawsservice";

/// The networks with the names of their values, the one that needs a service last.
const NETWORKS: [(Network, &str); 3] =
    [(Network::Internet, "internet"), (Network::Vpc, "vpc"), (Network::Forwarded, "forwarded")];

impl<'a> Encoder<'_, 'a, '_> {
    pub(super) fn new_variable(&mut self, name: String, domain: Domain, optional: bool) -> VarId {
        let var = self.problem.variables.len();
        self.by_name.insert(name.clone(), var);
        self.problem.variables.push(Variable { name, domain, optional });
        var
    }

    pub(super) fn texts(&mut self, domain: &TextDomain) -> Texts {
        let mut intern = |unions: &[Vec<Sequence>]| {
            unions.iter().map(|union| self.languages.intern(union.clone())).collect::<Vec<_>>()
        };
        Texts {
            include: intern(&domain.include),
            exclude: intern(&domain.exclude),
            plain: domain.plain.iter().map(|text| Rc::from(text.as_str())).collect(),
        }
    }

    pub(super) fn resource_variable(&mut self, index: usize) -> VarId {
        let name = format!("{RESOURCE}{index}");
        if let Some(var) = self.by_name.get(&name) {
            return *var;
        }
        let domain = self
            .question
            .resources
            .get(index)
            .map_or_else(|| TextDomain::only("*"), |model| model.domain(self.region));
        let texts = self.texts(&domain);
        self.new_variable(name, Domain::Text(texts), false)
    }

    pub(super) fn principal_variable(&mut self) -> VarId {
        if let Some(var) = self.by_name.get(&PRINCIPAL.to_ascii_lowercase()) {
            return *var;
        }
        let mut domain = self.question.principal.clone();
        if let Some(Some(pin)) = self.pins.get(&PRINCIPAL.to_ascii_lowercase()) {
            domain.include.push(vec![Sequence::literal(pin)]);
            domain.plain.insert(0, pin.clone());
        }
        let texts = self.texts(&domain);
        let var = self.new_variable(PRINCIPAL.to_owned(), Domain::Text(texts), false);
        self.by_name.insert(PRINCIPAL.to_ascii_lowercase(), var);
        var
    }

    /// Whether the request carries `aws:ResourceAccount`.
    pub(super) fn presence_variable(&mut self) -> VarId {
        if let Some(var) = self.by_name.get(RESOURCE_ACCOUNT) {
            return *var;
        }
        let model = self.model("aws:resourceaccount");
        let optional =
            !matches!(&*model, KeyModel::ResourceAccount(presence) if !presence.may_be_absent());
        let domain = Domain::Finite { values: vec![Rc::from("present")], complete: true };
        self.new_variable(RESOURCE_ACCOUNT.to_owned(), domain, optional)
    }

    /// The literals for presence and, where it is possible, absence of a one-valued variable.
    pub(super) fn presence_literals(
        &self,
        var: VarId,
    ) -> (Option<Literal<'a>>, Option<Literal<'a>>) {
        if !self.optional(var) {
            return (None, None);
        }
        (
            Some(Literal::Mask { var, mask: Rc::from([true, false]) }),
            Some(Literal::Mask { var, mask: Rc::from([false, true]) }),
        )
    }

    /// The variable of a context key; `None` for keys that have none.
    pub(super) fn key_variable(&mut self, folded: &str) -> Option<VarId> {
        if let Some(var) = self.by_name.get(folded) {
            return Some(*var);
        }
        let model = self.model(folded);
        let (name, presence, mut domain) = match &*model {
            KeyModel::Absent
            | KeyModel::Fixed(_)
            | KeyModel::Region
            | KeyModel::PrincipalType
            | KeyModel::Doubtful { .. } => return None,
            KeyModel::ResourceAccount(_) => return Some(self.presence_variable()),
            KeyModel::PrincipalArn => return Some(self.principal_variable()),
            KeyModel::CurrentTime | KeyModel::EpochTime => {
                if let Some(var) = self.by_name.get(MOMENT) {
                    return Some(*var);
                }
                let conditions = self.conditions_on(&["aws:currenttime", "aws:epochtime"]);
                let domain = representatives::moments(
                    self.question.moment,
                    self.question.earliest,
                    &conditions,
                );
                (MOMENT.to_owned(), &Presence::Always, domain)
            }
            KeyModel::Choice { values, presence } => {
                let values = values.iter().map(|v| Rc::from(v.as_str())).collect();
                (
                    self.question.keys.spelling(folded),
                    presence,
                    Domain::Finite { values, complete: true },
                )
            }
            KeyModel::Text(domain, presence) => {
                let texts = self.texts(domain);
                (self.question.keys.spelling(folded), presence, Domain::Text(texts))
            }
            KeyModel::Set { element, must, presence, most } => {
                let element = self.texts(element);
                let must = must
                    .iter()
                    .map(|demand| match demand {
                        Demand::Inside(union) => (self.languages.intern(union.clone()), false),
                        Demand::Outside(union) => (self.languages.intern(union.clone()), true),
                    })
                    .collect();
                let most = *most;
                (self.question.keys.spelling(folded), presence, Domain::Set { element, must, most })
            }
            KeyModel::Address { outside, plain, presence } => {
                let conditions = self.conditions_on(&[folded]);
                let domain = representatives::addresses(outside, plain, &conditions);
                (self.question.keys.spelling(folded), presence, domain)
            }
            KeyModel::Number { plain, presence } => {
                let conditions = self.conditions_on(&[folded]);
                let domain = representatives::numbers(plain, &conditions);
                (self.question.keys.spelling(folded), presence, domain)
            }
            KeyModel::Moment { plain, presence } => {
                let conditions = self.conditions_on(&[folded]);
                let domain =
                    representatives::moments(*plain, representatives::EARLIEST, &conditions);
                (self.question.keys.spelling(folded), presence, domain)
            }
        };
        let mut optional = presence.may_be_absent();
        match self.pins.get(folded) {
            Some(None) => {
                let nothing = Texts { exclude: vec![self.universe], ..Texts::default() };
                domain = Domain::Text(nothing);
            }
            Some(Some(pin)) => {
                let only = self.texts(&TextDomain::only(pin));
                match &mut domain {
                    Domain::Text(texts) => {
                        texts.include.extend(only.include);
                        texts.plain.splice(0..0, only.plain);
                    }
                    Domain::Finite { values, .. } => values.retain(|value| **value == **pin),
                    Domain::Set { .. } => {}
                }
                optional = false;
            }
            None => {}
        }
        let var = self.new_variable(name, domain, optional);
        self.by_name.insert(folded.to_owned(), var);
        self.link(var, presence);
        Some(var)
    }

    /// What says that `var` is there, and what says that it is not.
    pub(super) fn presence_of(&self, var: VarId) -> (Conjunction<'a>, Conjunction<'a>) {
        match self.problem.variables.get(var).map(|v| (&v.domain, v.optional)) {
            Some((Domain::Text(_), _)) => (
                vec![Literal::Text { var, lang: self.universe, negate: false, absent: false }],
                vec![Literal::Text { var, lang: self.universe, negate: true, absent: true }],
            ),
            Some((Domain::Finite { values, .. }, optional)) => {
                let mask = |present: bool| -> Rc<[bool]> {
                    std::iter::repeat_n(present, values.len())
                        .chain([!present && optional])
                        .collect()
                };
                (
                    vec![Literal::Mask { var, mask: mask(true) }],
                    vec![Literal::Mask { var, mask: mask(false) }],
                )
            }
            Some((Domain::Set { .. }, _)) => (
                vec![Literal::Any { var, lang: self.universe, complement: false, negate: false }],
                vec![Literal::Any { var, lang: self.universe, complement: false, negate: true }],
            ),
            None => (Vec::new(), Vec::new()),
        }
    }

    /// Ties the presence of `var` to what it depends on.
    pub(super) fn link(&mut self, var: VarId, presence: &Presence) {
        let (here, gone) = self.presence_of(var);
        let (yes, no) = match presence {
            Presence::Always | Presence::Optional => return,
            Presence::Within(network) => {
                let is = self.network_is(*network, true);
                self.require(Source::Request, vec![gone, vec![is]]);
                return;
            }
            Presence::On(network) => {
                (self.network_is(*network, true), self.network_is(*network, false))
            }
            Presence::Tagged(tag) => {
                let Some(tag_keys) = self.key_variable("aws:tagkeys") else { return };
                let mut sequence = Sequence::default();
                sequence.steps.extend(tag.chars().map(|c| {
                    crate::language::Tok::One(if c.is_ascii_alphabetic() {
                        Class::Fold(c.to_ascii_lowercase())
                    } else {
                        Class::Char(c)
                    })
                }));
                let lang = self.languages.intern(vec![sequence]);
                let has = |negate| Literal::Any { var: tag_keys, lang, complement: false, negate };
                (has(false), has(true))
            }
        };
        self.require(Source::Request, vec![here, vec![no]]);
        self.require(Source::Request, vec![gone, vec![yes]]);
    }

    /// The request comes from `network`, or it does not.
    fn network_is(&mut self, network: Network, yes: bool) -> Literal<'a> {
        let var = self.network_variable();
        let sorts = match self.problem.variables.get(var).map(|v| &v.domain) {
            Some(Domain::Finite { values, .. }) => values.len(),
            Some(Domain::Text(_) | Domain::Set { .. }) | None => 0,
        };
        let named = NETWORKS.iter().take(sorts).map(|(sort, _)| (*sort == network) == yes);
        Literal::Mask { var, mask: named.chain([false]).collect() }
    }

    pub(super) fn network_variable(&mut self) -> VarId {
        if let Some(var) = self.by_name.get(NETWORK) {
            return *var;
        }
        // Only what a service forwards can be without the keys of any network.
        let model = self.model(VIA_SERVICE);
        let (forwarded, via) = match &*model {
            KeyModel::Choice { values, .. } => {
                (values.iter().any(|value| value == "true"), self.key_variable(VIA_SERVICE))
            }
            KeyModel::Fixed(FixedValue::One(value)) => (*value == "true", None),
            KeyModel::Fixed(FixedValue::Many(_))
            | KeyModel::Absent
            | KeyModel::Text(..)
            | KeyModel::Set { .. }
            | KeyModel::Address { .. }
            | KeyModel::Number { .. }
            | KeyModel::Moment { .. }
            | KeyModel::CurrentTime
            | KeyModel::EpochTime
            | KeyModel::PrincipalArn
            | KeyModel::PrincipalType
            | KeyModel::Region
            | KeyModel::ResourceAccount(_)
            | KeyModel::Doubtful { .. } => (false, None),
        };
        let sorts = if forwarded { NETWORKS.len() } else { NETWORKS.len() - 1 };
        let values = NETWORKS.iter().take(sorts).map(|(_, name)| Rc::from(*name)).collect();
        let domain = Domain::Finite { values, complete: true };
        let var = self.new_variable(NETWORK.to_owned(), domain, false);
        if let Some(via) = via
            && let Some(Domain::Finite { values, .. }) =
                self.problem.variables.get(via).map(|v| &v.domain)
        {
            let mask = values.iter().map(|value| **value == *"true").chain([false]).collect();
            let through_service = Literal::Mask { var: via, mask };
            let direct = self.network_is(Network::Forwarded, false);
            self.require(Source::Request, vec![vec![direct], vec![through_service]]);
        }
        var
    }

    /// Every condition of the applicable statements on one of these keys.
    pub(super) fn conditions_on(&self, folded: &[&str]) -> Vec<&'a Condition> {
        self.applicable
            .statements()
            .flat_map(|placed| &placed.statement.conditions)
            .filter(|condition| folded.iter().any(|key| condition.key.eq_ignore_ascii_case(key)))
            .collect()
    }
}
