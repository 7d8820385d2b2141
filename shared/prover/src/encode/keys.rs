//! The variables of a problem, made when they are first asked about.

use super::*;

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
            !matches!(&model, KeyModel::ResourceAccount(presence) if !presence.may_be_absent());
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
        let (name, presence, mut domain) = match self.model(folded) {
            KeyModel::Absent | KeyModel::Fixed(_) | KeyModel::Region | KeyModel::PrincipalType => {
                return None;
            }
            KeyModel::ResourceAccount(_) => return Some(self.presence_variable()),
            KeyModel::PrincipalArn => return Some(self.principal_variable()),
            KeyModel::CurrentTime | KeyModel::EpochTime => {
                if let Some(var) = self.by_name.get(MOMENT) {
                    return Some(*var);
                }
                let conditions = self.conditions_on(&["aws:currenttime", "aws:epochtime"]);
                let domain = representatives::moments(self.question.moment, &conditions);
                (MOMENT.to_owned(), Presence::Always, domain)
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
                let texts = self.texts(&domain);
                (self.question.keys.spelling(folded), presence, Domain::Text(texts))
            }
            KeyModel::Set { element, must, presence, most } => {
                let element = self.texts(&element);
                let must = must
                    .into_iter()
                    .map(|demand| match demand {
                        Demand::Inside(union) => (self.languages.intern(union), false),
                        Demand::Outside(union) => (self.languages.intern(union), true),
                    })
                    .collect();
                (self.question.keys.spelling(folded), presence, Domain::Set { element, must, most })
            }
            KeyModel::Address { outside, plain, presence } => {
                let conditions = self.conditions_on(&[folded]);
                let domain = representatives::addresses(&outside, &plain, &conditions);
                (self.question.keys.spelling(folded), presence, domain)
            }
            KeyModel::Number { plain, presence } => {
                let conditions = self.conditions_on(&[folded]);
                let domain = representatives::numbers(&plain, &conditions);
                (self.question.keys.spelling(folded), presence, domain)
            }
            KeyModel::Moment { plain, presence } => {
                let conditions = self.conditions_on(&[folded]);
                let domain = representatives::moments(plain, &conditions);
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
        self.link(var, &presence);
        Some(var)
    }

    /// Ties the presence of `var` to what it depends on.
    pub(super) fn link(&mut self, var: VarId, presence: &Presence) {
        let (here, gone): (Conjunction<'a>, Conjunction<'a>) = match self
            .problem
            .variables
            .get(var)
            .map(|v| (&v.domain, v.optional))
        {
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
            None => return,
        };
        let (yes, no) = match presence {
            Presence::Always | Presence::Optional => return,
            Presence::On(network) => {
                let network_var = self.network_variable();
                let is = |on: bool| -> Literal<'a> {
                    let internet = (*network == Network::Internet) == on;
                    Literal::Mask { var: network_var, mask: Rc::from([internet, !internet, false]) }
                };
                (is(true), is(false))
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

    pub(super) fn network_variable(&mut self) -> VarId {
        if let Some(var) = self.by_name.get(NETWORK) {
            return *var;
        }
        let values = vec![Rc::from("internet"), Rc::from("vpc")];
        self.new_variable(NETWORK.to_owned(), Domain::Finite { values, complete: true }, false)
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
