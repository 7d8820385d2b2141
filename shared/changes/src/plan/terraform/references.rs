//! Which resource a value comes from that is known only after apply.
//!
//! The configuration in a plan lists what each expression refers to, without saying how. A value
//! is unknown because something that it refers to is; where exactly one instance of one resource
//! can be that, it is found, and everything else is refused.

use std::collections::BTreeSet;

use policy::json::Value;
use policy::words::quote;

use super::address::{Step, steps};
use super::{Action, Resource, anything_unknown};
use crate::plan::fields::{elements, get, members, text};

/// The deepest chain of modules, variables and outputs that is followed.
const DEEPEST: usize = 64;

/// The most references that are looked at for one value.
const MOST: usize = 5_000;

/// What a value refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Leaf {
    /// The resource, by its position.
    pub(super) resource: usize,
    /// The first attribute that is named, if one is.
    pub(super) attribute: Option<String>,
}

/// The configuration of a plan, with the instances of its resources.
pub(super) struct Configuration<'r, 'v, 't> {
    root: Option<&'v Value<'t>>,
    resources: &'r [Resource<'v, 't>],
}

/// Where an expression stands: in which instance of which module.
#[derive(Clone)]
struct Scope<'v, 't> {
    /// The instance; the root module has no steps.
    module: Vec<Step>,
    /// The configuration of each module on the way, the root's first.
    chain: Vec<&'v Value<'t>>,
}

/// Whose expression it is: what `each` and `count` mean there.
#[derive(Clone, Copy)]
struct Owner<'s, 'v, 't> {
    /// The key of its instance.
    index: Option<&'s str>,
    /// How many instances it has.
    instances: usize,
    for_each: Option<&'v Value<'t>>,
}

/// Why a value cannot be followed: the end of a sentence.
type Lost = String;

struct Walk<'w, 'r, 'v, 't> {
    configuration: &'w Configuration<'r, 'v, 't>,
    leaves: BTreeSet<Leaf>,
    seen: usize,
}

impl<'r, 'v, 't> Configuration<'r, 'v, 't> {
    pub(super) fn new(plan: &'v Value<'t>, resources: &'r [Resource<'v, 't>]) -> Self {
        let root = get(plan, "configuration").and_then(|it| get(it, "root_module"));
        Self { root, resources }
    }

    /// The one resource that an attribute of `resource` can come from.
    pub(super) fn follow(
        &self,
        resource: &Resource<'v, 't>,
        attribute: &str,
    ) -> Result<Leaf, Lost> {
        let scope = self.scope(&resource.address.module)?;
        let own = self.of(resource)?;
        let expression = get(own, "expressions").and_then(|it| get(it, attribute));
        let expression = expression.ok_or("the plan has no expression for it")?;
        let address = &resource.address;
        let same = |it: &&Resource<'v, 't>| {
            it.address.module == address.module
                && it.address.kind == address.kind
                && it.address.step.name == address.step.name
                && !it.deposed
                && it.action != Action::Delete
        };
        let owner = Owner {
            index: address.step.index.as_deref(),
            instances: self.resources.iter().filter(same).count(),
            for_each: get(own, "for_each_expression"),
        };
        let mut walk = Walk { configuration: self, leaves: BTreeSet::new(), seen: 0 };
        walk.expression(&scope, expression, owner, false, 0)?;
        let mut leaves = walk.leaves.into_iter();
        match (leaves.next(), leaves.next()) {
            (Some(only), None) => Ok(only),
            (Some(first), Some(second)) => Err(format!(
                "it may come from {} or from {}",
                self.name(first.resource),
                self.name(second.resource)
            )),
            (None, _) => Err("nothing that it refers to is unknown".to_owned()),
        }
    }

    fn name(&self, at: usize) -> String {
        quote(self.resources.get(at).map_or("?", |resource| resource.text))
    }

    /// The configuration of a resource.
    pub(super) fn of(&self, resource: &Resource<'v, 't>) -> Result<&'v Value<'t>, Lost> {
        let address = &resource.address;
        let scope = self.scope(&address.module)?;
        let module = scope.chain.last().ok_or("the plan has no configuration")?;
        let own = get(module, "resources").map(elements).unwrap_or_default().iter().find(|it| {
            let named = |name, value: &str| get(it, name).and_then(text) == Some(value);
            named("type", &address.kind)
                && named("name", &address.step.name)
                && !named("mode", "data")
        });
        own.ok_or_else(|| "its configuration is missing from the plan".to_owned())
    }

    fn scope(&self, module: &[Step]) -> Result<Scope<'v, 't>, Lost> {
        let root = self.root.ok_or("the plan has no configuration")?;
        let mut scope = Scope { module: Vec::new(), chain: vec![root] };
        for step in module {
            scope =
                scope.inner(step.clone()).ok_or("a module is missing from the configuration")?;
        }
        Ok(scope)
    }
}

impl<'v, 't> Scope<'v, 't> {
    fn call(&self, name: &str) -> Option<&'v Value<'t>> {
        get(get(self.chain.last()?, "module_calls")?, name)
    }

    /// An instance of a module that is called here.
    fn inner(&self, step: Step) -> Option<Self> {
        let module = get(self.call(&step.name)?, "module")?;
        let mut scope = self.clone();
        scope.module.push(step);
        scope.chain.push(module);
        Some(scope)
    }

    fn outer(&self) -> Option<(Self, &Step)> {
        let mut scope = self.clone();
        scope.module.pop();
        scope.chain.pop();
        Some((scope, self.module.last()?))
    }
}

impl<'v, 't> Walk<'_, '_, 'v, 't> {
    /// Collects what an expression refers to; `chained` says that the value goes with the key of
    /// the owner's instance.
    fn expression(
        &mut self,
        scope: &Scope<'v, 't>,
        expression: &'v Value<'t>,
        owner: Owner<'_, 'v, 't>,
        chained: bool,
        depth: usize,
    ) -> Result<(), Lost> {
        let mut names = Vec::new();
        references(expression, &mut names);
        self.seen += 1 + names.len();
        if depth > DEEPEST || self.seen > MOST {
            return Err("the chain of references is too long".to_owned());
        }
        // `p[each.value]` may go by any key.
        let by_value = names.contains(&"each.value");
        let by_key = chained
            || !by_value && names.iter().any(|name| matches!(*name, "each.key" | "count.index"));
        for name in &names {
            // A reference is followed by its own beginnings, which say nothing more.
            let longer = |other: &&str| {
                other.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '[']))
            };
            if names.iter().any(longer) {
                continue;
            }
            self.reference(scope, name, owner, by_key, depth)?;
        }
        Ok(())
    }

    fn reference(
        &mut self,
        scope: &Scope<'v, 't>,
        name: &str,
        owner: Owner<'_, 'v, 't>,
        by_key: bool,
        depth: usize,
    ) -> Result<(), Lost> {
        let steps = steps(name).ok_or_else(|| format!("{} cannot be read", quote(name)))?;
        let second = steps.get(1);
        match steps.first().map_or("", |step| step.name.as_str()) {
            "count" | "path" | "terraform" | "tofu" => Ok(()),
            "each" if second.is_some_and(|step| step.name == "value") => match owner.for_each {
                Some(for_each) => self.expression(scope, for_each, owner, true, depth + 1),
                None => Ok(()),
            },
            "each" => Ok(()),
            "var" => {
                let name = second.ok_or("a variable has no name")?;
                self.variable(scope, &name.name, depth)
            }
            "local" => Err(format!(
                "it comes through {}, and a plan does not say what locals hold",
                quote(name)
            )),
            "module" => {
                let called = second.ok_or("a module has no name")?;
                self.output(scope, called, steps.get(2), owner, by_key, depth)
            }
            "data" => self.data(scope, name, &steps),
            _ => self.resource(scope, name, &steps, owner, by_key),
        }
    }

    /// A variable of the module; those of the root are known when the plan is made.
    fn variable(&mut self, scope: &Scope<'v, 't>, name: &str, depth: usize) -> Result<(), Lost> {
        let Some((outer, step)) = scope.outer() else { return Ok(()) };
        let call = outer.call(&step.name).ok_or("a module call is missing")?;
        let Some(expression) = get(call, "expressions").and_then(|it| get(it, name)) else {
            return Ok(());
        };
        let place = outer.module.len();
        let mut instances = BTreeSet::new();
        for resource in self.configuration.resources {
            if resource.address.module.starts_with(&outer.module)
                && let Some(found) = resource.address.module.get(place)
                && found.name == step.name
            {
                instances.insert(found.index.as_deref());
            }
        }
        let owner = Owner {
            index: step.index.as_deref(),
            instances: instances.len(),
            for_each: get(call, "for_each_expression"),
        };
        self.expression(&outer, expression, owner, false, depth + 1)
    }

    /// An output of a module that is called here.
    fn output(
        &mut self,
        scope: &Scope<'v, 't>,
        called: &Step,
        output: Option<&Step>,
        owner: Owner<'_, 'v, 't>,
        by_key: bool,
        depth: usize,
    ) -> Result<(), Lost> {
        let place = scope.module.len();
        let mut instances: BTreeSet<Option<&str>> = BTreeSet::new();
        for resource in self.configuration.resources {
            if resource.address.module.starts_with(&scope.module)
                && let Some(found) = resource.address.module.get(place)
                && found.name == called.name
            {
                instances.insert(found.index.as_deref());
            }
        }
        let instances: Vec<Option<&str>> = instances.into_iter().collect();
        let chosen = match called.index.as_deref() {
            Some(index) => instances.iter().position(|found| *found == Some(index)),
            None => choose(&instances, owner, by_key),
        };
        let Some(index) = chosen.and_then(|at| instances.get(at)) else {
            if instances.is_empty() {
                return Ok(());
            }
            return Err(format!("it may come from any instance of module {}", quote(&called.name)));
        };
        let step = Step { name: called.name.clone(), index: index.map(str::to_owned) };
        let inner = scope.inner(step).ok_or("a module is missing from the configuration")?;
        let outputs = inner.chain.last().and_then(|module| get(module, "outputs"));
        let nobody = Owner { index: None, instances: 0, for_each: None };
        for (name, value) in outputs.into_iter().flat_map(members) {
            // Without a name any of them may be meant.
            if output.is_none_or(|output| output.name == name)
                && let Some(expression) = get(value, "expression")
            {
                self.expression(&inner, expression, nobody, false, depth + 1)?;
            }
        }
        Ok(())
    }

    /// A data source is known unless it is read only during apply.
    fn data(&self, scope: &Scope<'v, 't>, name: &str, steps: &[Step]) -> Result<(), Lost> {
        let (kind, step) = (steps.get(1), steps.get(2));
        let open = self.configuration.resources.iter().any(|resource| {
            let address = &resource.address;
            address.data
                && address.module == scope.module
                && Some(&address.kind) == kind.map(|kind| &kind.name)
                && Some(&address.step.name) == step.map(|step| &step.name)
        });
        if open {
            return Err(format!("it comes from {}, which is read during apply", quote(name)));
        }
        Ok(())
    }

    fn resource(
        &mut self,
        scope: &Scope<'v, 't>,
        name: &str,
        steps: &[Step],
        owner: Owner<'_, 'v, 't>,
        by_key: bool,
    ) -> Result<(), Lost> {
        let (Some(kind), Some(step)) = (steps.first(), steps.get(1)) else {
            return Err(format!("{} cannot be read", quote(name)));
        };
        let resources = self.configuration.resources.iter().enumerate();
        let instances: Vec<(usize, &Resource<'v, 't>)> = resources
            .filter(|(_, it)| {
                let address = &it.address;
                !address.data
                    && !it.deposed
                    && it.action != Action::Delete
                    && address.module == scope.module
                    && address.kind == kind.name
                    && address.step.name == step.name
            })
            .collect();
        let unknown = |resource: &Resource<'_, '_>| {
            let change = get(resource.change, "after_unknown");
            change.is_some_and(anything_unknown)
        };
        if !instances.iter().any(|(_, resource)| unknown(resource)) {
            return Ok(());
        }
        let keys: Vec<Option<&str>> =
            instances.iter().map(|(_, it)| it.address.step.index.as_deref()).collect();
        let chosen = match step.index.as_deref() {
            Some(index) => keys.iter().position(|key| *key == Some(index)),
            None => choose(&keys, owner, by_key),
        };
        let Some((at, resource)) = chosen.and_then(|at| instances.get(at)) else {
            return Err(format!("it may come from any instance of {}", quote(name)));
        };
        let attribute = steps.get(2).map(|step| step.name.clone());
        let open = match &attribute {
            Some(attribute) => {
                let change = get(resource.change, "after_unknown");
                change.is_some_and(|it| {
                    crate::plan::fields::is_true(it)
                        || get(it, attribute).is_some_and(anything_unknown)
                })
            }
            // `p[each.key].id` is listed as `p`: for what we look for the id is what counts.
            None if is_organizations(&kind.name) => get(resource.change, "after_unknown")
                .is_some_and(|it| {
                    crate::plan::fields::is_true(it) || get(it, "id").is_some_and(anything_unknown)
                }),
            None => unknown(resource),
        };
        if open {
            self.leaves.insert(Leaf { resource: *at, attribute });
        }
        Ok(())
    }
}

fn is_organizations(kind: &str) -> bool {
    kind.starts_with("aws_organizations_")
}

/// The instance that is meant where no index is written: the only one, or the one with the key
/// of the owner's instance where the expression goes by that key.
///
/// `p[count.index + 1]` is listed as `p[count.index]` is. Where both have equally many instances,
/// only the latter is in range for all of them.
fn choose(keys: &[Option<&str>], owner: Owner<'_, '_, '_>, by_key: bool) -> Option<usize> {
    if keys.len() == 1 {
        return Some(0);
    }
    let index = owner.index.filter(|_| by_key)?;
    let by_name = index.starts_with('"');
    if !by_name && owner.instances != keys.len() {
        return None;
    }
    keys.iter().position(|key| *key == Some(index))
}

/// Every reference in an expression, those of nested blocks included.
fn references<'v>(expression: &'v Value<'_>, out: &mut Vec<&'v str>) {
    for element in elements(expression) {
        references(element, out);
    }
    for (name, value) in members(expression) {
        if name == "references" {
            out.extend(elements(value).iter().filter_map(text));
        } else if name != "constant_value" {
            references(value, out);
        }
    }
}
