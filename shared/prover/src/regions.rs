//! The Regions in which a question is asked: one for each way in which statements treat them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use policy::arn::ARN_COMPONENTS;
use policy::condition::{BareMultivalued, Judge, Readings, Truth};
use policy::glob;
use policy::keys::KeyCatalog;
use policy::model::{Condition, Family, Piece, Statement, Template};
use policy::request::Context;

use crate::applicable::{Applicable, Placed};
use crate::budget::{Budget, Exhausted};
use crate::language::{LangId, Languages, Sequence, named};
use crate::mentions::{colons, conditions, has_long_names, resource_patterns, template_variables};
use crate::pattern::{self, Bounds, Resolved};
use crate::question::{Question, ResourceModel, TextDomain};

/// The key.
const REGION: &str = "aws:RequestedRegion";
/// More ways to treat Regions than this are not looked at.
const MOST_CLASSES: usize = 256;

/// Regions that stand for all others.
pub(crate) struct Classes<'q> {
    /// One of each class.
    pub(crate) each: Vec<Cow<'q, str>>,
    /// Whether every Region of the question is in the class of one of them.
    pub(crate) complete: bool,
}

/// What the applicable statements say about Regions.
struct RegionConditions<'a> {
    conditions: Vec<&'a Condition>,
    patterns: Vec<Vec<glob::Glob>>,
    /// Whether something else may tell Regions apart.
    unclear: bool,
}

/// One Region for each way in which the applicable statements treat Regions.
pub(crate) fn classes<'q>(
    applicable: &Applicable<'_>,
    question: &Question<'q>,
    catalog: &KeyCatalog,
    languages: &mut Languages,
    budget: &mut Budget,
) -> Result<Classes<'q>, Exhausted> {
    let said = said(applicable, question);
    let mut each = if said.unclear {
        question.regions.iter().copied().map(Cow::Borrowed).collect()
    } else {
        listed(question.regions, &said, catalog, languages)
    };
    let Some(others) = question.other_regions else {
        return Ok(Classes { each, complete: true });
    };
    let told_apart = !said.conditions.is_empty() || !said.patterns.is_empty() || said.unclear;
    if told_apart || each.is_empty() {
        // A listed Region need not be of the form, so those that were found stay.
        each.extend(of_the_form(question.regions, others, &said, languages, budget)?);
    }
    let mut seen = BTreeSet::new();
    each.retain(|region| seen.insert(region.clone()));
    Ok(Classes { each, complete: !said.unclear })
}

/// What is left of the statements without those that may tell more Regions apart than are looked
/// at: whatever these stop is let through, and whatever they allow is allowed.
pub(crate) fn without_unclear<'a>(
    applicable: &Applicable<'a>,
    question: &Question<'_>,
) -> Applicable<'a> {
    let unclear = unclear_statements(question);
    let clear = |placed: &Placed<'_>| !unclear(placed.statement);
    Applicable {
        denies: applicable.denies.iter().filter(|placed| clear(placed)).copied().collect(),
        allows: applicable
            .allows
            .iter()
            .map(|level| level.clone().filter(|listed| listed.iter().all(clear)))
            .collect(),
    }
}

fn said<'a>(applicable: &'a Applicable<'_>, question: &Question<'_>) -> RegionConditions<'a> {
    let mut said = RegionConditions {
        conditions: conditions(applicable)
            .filter(|condition| condition.key.eq_ignore_ascii_case(REGION))
            .collect(),
        patterns: Vec::new(),
        unclear: false,
    };
    let (unclear, regional) = (unclear_statements(question), is_regional(question));
    for placed in applicable.statements() {
        said.unclear |= unclear(placed.statement);
        if !regional {
            continue;
        }
        let patterns = resource_patterns(&placed.statement.resources).iter();
        let parts = patterns.filter_map(|pattern| region_part(&pattern.template));
        said.patterns.extend(parts.filter(|part| part.iter().any(|g| *g != glob::Glob::Star)));
    }
    said
}

/// Whether some resource of the question has the Region of the request in its ARN.
fn is_regional(question: &Question<'_>) -> bool {
    question.resources.iter().any(|resource| match resource {
        ResourceModel::Star => false,
        ResourceModel::Arn { regional, .. } => *regional,
    })
}

/// What [`is_unclear`] says of statements for the question.
fn unclear_statements<'q>(question: &Question<'q>) -> impl Fn(&Statement) -> bool + 'q {
    let (regional, long_names) = (is_regional(question), has_long_names(question));
    let others = question.other_regions;
    move |statement| is_unclear(statement, regional, long_names, others)
}

/// Whether the statement may tell Regions apart in other ways than by what its conditions and
/// resources plainly name. `others` is the form of Regions that are not listed.
fn is_unclear(
    statement: &Statement,
    regional: bool,
    long_names: bool,
    others: Option<&TextDomain>,
) -> bool {
    let named = statement.templates().any(|(template, _)| {
        template_variables(template).any(|key| key.eq_ignore_ascii_case(REGION))
    });
    let reaching = regional
        && resource_patterns(&statement.resources).iter().any(|pattern| {
            !pattern.template.is_star() && (long_names || region_part(&pattern.template).is_none())
        });
    let compared = statement.conditions.iter().any(|condition| {
        let open = match condition.operator.test.family() {
            Family::Text { .. } => false,
            // Whether the key is there, and what no text of the form can be.
            Family::Null | Family::Number(_) | Family::Date(_) | Family::Ip | Family::Bool => false,
            Family::Arn | Family::Binary => others.is_some(),
        };
        condition.key.eq_ignore_ascii_case(REGION)
            && (open || condition.values.iter().any(|value| value.template.has_variable()))
    });
    named || reaching || compared
}

/// The first of the listed Regions of each class.
fn listed<'q>(
    regions: &[&'q str],
    said: &RegionConditions<'_>,
    catalog: &KeyCatalog,
    languages: &mut Languages,
) -> Vec<Cow<'q, str>> {
    if said.conditions.is_empty() && said.patterns.is_empty() {
        return regions.first().copied().map(Cow::Borrowed).into_iter().collect();
    }
    let treated: Vec<Rc<[u8]>> = said
        .conditions
        .iter()
        .map(|condition| treated(regions, condition, catalog, languages))
        .collect();
    let mut seen = BTreeSet::new();
    let mut classes = Vec::new();
    for (at, region) in regions.iter().copied().enumerate() {
        let chars: Vec<char> = region.chars().collect();
        let mut signature: Vec<u8> =
            said.patterns.iter().map(|pattern| u8::from(glob::matches(pattern, &chars))).collect();
        signature.extend(treated.iter().filter_map(|each| each.get(at)));
        if seen.insert(signature) {
            classes.push(Cow::Borrowed(region));
        }
    }
    classes
}

/// How a condition, in which no policy variable stands, treats each of the listed Regions.
fn treated(
    regions: &[&str],
    condition: &Condition,
    catalog: &KeyCatalog,
    languages: &mut Languages,
) -> Rc<[u8]> {
    let texts = condition.values.iter().map(|value| value.text.as_str());
    // What such a text means hangs on the version of its document.
    let plain = !texts.clone().any(|text| text.contains('$'));
    let family = format!("{:?} of {}", condition.operator, regions.len());
    let name = named(&family, regions.iter().copied().chain(texts));
    if plain && let Some(known) = languages.treated(&name) {
        return known;
    }
    let each = regions.iter().map(|region| {
        let mut context = Context::default();
        context.set(REGION, *region);
        let mut outcomes = 0;
        for (reading, bare) in [(false, BareMultivalued::Never), (true, BareMultivalued::AnyValue)]
        {
            let readings = Readings {
                any_value_if_exists: Some(reading),
                bare_multivalued: Some(bare),
                short_arn_as_glob: Some(reading),
                resource_as_glob: Some(reading),
            };
            let judge = Judge { context: &context, readings, catalog };
            outcomes = outcomes * 3
                + match judge.condition(condition) {
                    Truth::No => 0,
                    Truth::Yes => 1,
                    Truth::Open(_) => 2,
                };
        }
        outcomes
    });
    let each: Rc<[u8]> = each.collect();
    if plain {
        languages.keep_treated(name, &each);
    }
    each
}

/// One Region of each class among all texts of the form.
fn of_the_form<'q>(
    regions: &[&'q str],
    form: &TextDomain,
    said: &RegionConditions<'_>,
    languages: &mut Languages,
    budget: &mut Budget,
) -> Result<Vec<Cow<'q, str>>, Exhausted> {
    let mut intern = |union: &Vec<Sequence>| languages.intern(union.clone());
    let include: Vec<LangId> = form.include.iter().map(&mut intern).collect();
    let exclude: Vec<LangId> = form.exclude.iter().map(&mut intern).collect();
    let mut told_apart = Vec::new();
    for condition in &said.conditions {
        let mut bounds = Bounds::default();
        for value in &condition.values {
            let resolve = |_: &str| Resolved::Unknown;
            if let Family::Text { wildcards, ignore_case } = condition.operator.test.family() {
                pattern::text(&mut bounds, &value.template, wildcards, ignore_case, &resolve);
            }
        }
        told_apart.extend([bounds.must, bounds.may]);
    }
    told_apart.extend(said.patterns.iter().map(|pattern| {
        let text: String = pattern.iter().map(|glob| glob.as_char()).collect();
        vec![pattern::glob(&text, false)]
    }));
    let mut classes = vec![(include, exclude)];
    for union in told_apart {
        if union.is_empty() {
            continue;
        }
        let language = languages.intern(union);
        let mut finer = Vec::new();
        for (include, exclude) in classes {
            let mut inside = include.clone();
            inside.push(language);
            let mut outside = exclude.clone();
            outside.push(language);
            for (include, exclude) in [(inside, exclude), (include, outside)] {
                if languages.find(&include, &exclude, budget)?.is_some() {
                    finer.push((include, exclude));
                }
            }
        }
        if finer.len() > MOST_CLASSES {
            return Err(Exhausted);
        }
        classes = finer;
    }
    let mut each = Vec::new();
    for (include, exclude) in classes {
        let mut known = None;
        for region in regions {
            let text = (*region).into();
            if include.iter().all(|id| languages.contains(*id, &text))
                && !exclude.iter().any(|id| languages.contains(*id, &text))
            {
                known = Some(Cow::Borrowed(*region));
                break;
            }
        }
        let found = match known {
            Some(known) => Some(known),
            None => {
                languages.find(&include, &exclude, budget)?.map(|text| Cow::Owned(text.to_string()))
            }
        };
        each.extend(found);
    }
    Ok(each)
}

/// The fourth component of a whole ARN pattern.
fn region_part(template: &Template) -> Option<Vec<glob::Glob>> {
    if colons(template) != ARN_COMPONENTS - 1 {
        return None;
    }
    let mut part = Vec::new();
    let mut component = 0;
    for piece in &template.pieces {
        match piece {
            Piece::Char(':') => component += 1,
            // Its value may hold colons.
            Piece::Variable { .. } if component < ARN_COMPONENTS - 1 => return None,
            _ if component != 3 => {}
            Piece::Char(c) => part.push(glob::Glob::Char(*c)),
            Piece::Star => part.push(glob::Glob::Star),
            Piece::Question => part.push(glob::Glob::Question),
            Piece::Variable { .. } => {}
        }
    }
    Some(part)
}
