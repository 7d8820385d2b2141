//! Which resources a value may come from that is known only after apply.
//!
//! The configuration in a plan lists what each expression refers to, without saying how: neither
//! the index in `p[each.key]` nor what stands around it. So this collects every instance that the
//! value can come from, and says whether it can come from anywhere else; nothing is paired by
//! keys that look alike. Instances whose ids are known are among them: of `sort(values(p)[*].id)`
//! nothing is known before the last of them is.

use std::collections::BTreeSet;

use text::diagnostic::label_span;
use text::json::Value;
use text::span::Span;
use text::words::quote;

use super::address::{Step, steps};
use super::resource::{ATTACHMENT, Action, ORGANIZATION, POLICY, Resource, anything_unknown};

/// The deepest chain of modules, variables and outputs that is followed.
const DEEPEST: usize = 1_000;

/// The most references that are looked at for one value.
const MOST: usize = 20_000;

/// The configuration of a plan, with the instances of its resources.
pub(super) struct Configuration<'r, 'v, 't> {
    root: Option<&'v Value<'t>>,
    resources: &'r [Resource<'v, 't>],
}

/// What a value may come from.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Instances of which the value may be the id, by their positions.
    pub(super) candidates: BTreeSet<usize>,
    /// Why it may come from somewhere else; the end of a sentence.
    pub(super) elsewhere: Option<String>,
    /// The references of the expression, as the plan lists them.
    pub(super) expression: Vec<String>,
    /// Where the expression stands.
    pub(super) span: Option<Span>,
}

/// Where an expression stands: in which instance of which module.
#[derive(Clone)]
struct Scope<'v, 't> {
    /// The instance; the root module has no steps.
    module: Vec<Step>,
    /// The configuration of each module on the way, the root's first.
    chain: Vec<&'v Value<'t>>,
}

/// Why a value cannot be followed: the end of a sentence.
type Lost = String;

struct Walk<'w, 'r, 'v, 't> {
    configuration: &'w Configuration<'r, 'v, 't>,
    /// Whether a resource is of a type whose id is looked for.
    wanted: fn(&Resource<'_, '_>) -> bool,
    candidates: BTreeSet<usize>,
    elsewhere: Option<String>,
    /// Variables, outputs and modules' locals that were followed already.
    seen: BTreeSet<String>,
    count: usize,
}

impl<'r, 'v, 't> Configuration<'r, 'v, 't> {
    pub(super) fn new(plan: &'v Value<'t>, resources: &'r [Resource<'v, 't>]) -> Self {
        let root = plan.get("configuration").and_then(|it| it.get("root_module"));
        Self { root, resources }
    }

    /// What an attribute of `resource` may come from: ids of resources that are `wanted`, or
    /// anything.
    pub(super) fn trace(
        &self,
        resource: &Resource<'v, 't>,
        attribute: &str,
        wanted: fn(&Resource<'_, '_>) -> bool,
    ) -> Trace {
        let mut trace = Trace::default();
        if let Err(why) = self.follow(resource, attribute, wanted, &mut trace) {
            trace.elsewhere = Some(why);
        }
        let resources = trace.candidates.iter().filter_map(|at| self.resources.get(*at));
        let mut open = resources.filter(|it| is_unknown(it, Some(id_of(it))));
        if open.next().is_none() && trace.elsewhere.is_none() {
            trace.elsewhere = Some("nothing that it refers to is unknown".to_owned());
        }
        trace
    }

    fn follow(
        &self,
        resource: &Resource<'v, 't>,
        attribute: &str,
        wanted: fn(&Resource<'_, '_>) -> bool,
        trace: &mut Trace,
    ) -> Result<(), Lost> {
        let scope = self.scope(&resource.address.module)?;
        let own = self.of(resource)?;
        let expression = own.get("expressions").and_then(|it| it.get(attribute));
        let expression = expression.ok_or("the plan has no expression for it")?;
        let mut names = Vec::new();
        references(expression, &mut names);
        trace.expression = heads(&names).into_iter().map(str::to_owned).collect();
        trace.span = Some(label_span(expression));
        let mut walk = Walk {
            configuration: self,
            wanted,
            candidates: BTreeSet::new(),
            elsewhere: None,
            seen: BTreeSet::new(),
            count: 0,
        };
        let for_each = own.get("for_each_expression");
        let walked = walk.expression(&scope, expression, for_each, 0);
        trace.candidates = walk.candidates;
        trace.elsewhere = walk.elsewhere;
        walked
    }

    /// The configuration of a resource.
    pub(super) fn of(&self, resource: &Resource<'v, 't>) -> Result<&'v Value<'t>, Lost> {
        let address = &resource.address;
        let scope = self.scope(&address.module)?;
        let module = scope.chain.last().ok_or("the plan has no configuration")?;
        let own =
            module.get("resources").map(Value::elements).unwrap_or_default().iter().find(|it| {
                let named = |name, value: &str| it.get(name).and_then(Value::as_str) == Some(value);
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
        self.chain.last()?.get("module_calls")?.get(name)
    }

    /// An instance of a module that is called here.
    fn inner(&self, step: Step) -> Option<Self> {
        let module = self.call(&step.name)?.get("module")?;
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

    /// A name for what stands in this instance of the module.
    fn label(&self, what: &str) -> String {
        format!("{:?} {what}", self.module)
    }
}

impl<'v, 't> Walk<'_, '_, 'v, 't> {
    /// Collects what an expression may come from; `for_each` is that of the block it stands in.
    fn expression(
        &mut self,
        scope: &Scope<'v, 't>,
        expression: &'v Value<'t>,
        for_each: Option<&'v Value<'t>>,
        depth: usize,
    ) -> Result<(), Lost> {
        let mut names = Vec::new();
        references(expression, &mut names);
        self.count += 1 + names.len();
        if depth > DEEPEST || self.count > MOST {
            return Err("the chain of references is too long".to_owned());
        }
        for name in heads(&names) {
            self.reference(scope, name, for_each, depth)?;
        }
        Ok(())
    }

    fn reference(
        &mut self,
        scope: &Scope<'v, 't>,
        name: &str,
        for_each: Option<&'v Value<'t>>,
        depth: usize,
    ) -> Result<(), Lost> {
        let steps = steps(name).ok_or_else(|| format!("{} cannot be read", quote(name)))?;
        let second = steps.get(1);
        match steps.first().map_or("", |step| step.name.as_str()) {
            // Known whenever there are instances to plan.
            "count" | "path" | "terraform" | "tofu" => Ok(()),
            "each" if second.is_some_and(|step| step.name == "value") => match for_each {
                Some(for_each) => self.expression(scope, for_each, None, depth + 1),
                None => Ok(()),
            },
            "each" => Ok(()),
            "var" => {
                let name = second.ok_or("a variable has no name")?;
                self.variable(scope, &name.name, depth)
            }
            "local" => self.local(scope, name, depth),
            "module" => {
                let called = second.ok_or("a module has no name")?;
                self.output(scope, called, steps.get(2), depth)
            }
            "data" => {
                self.data(scope, name, &steps);
                Ok(())
            }
            "ephemeral" => {
                self.may_be_elsewhere(format!("it refers to {}", quote(name)));
                Ok(())
            }
            _ => self.resource(scope, name, &steps),
        }
    }

    fn may_be_elsewhere(&mut self, why: String) {
        self.elsewhere.get_or_insert(why);
    }

    /// A variable of the module; those of the root are known when the plan is made.
    fn variable(&mut self, scope: &Scope<'v, 't>, name: &str, depth: usize) -> Result<(), Lost> {
        if !self.seen.insert(scope.label(&format!("var {name}"))) {
            return Ok(());
        }
        let Some((outer, step)) = scope.outer() else { return Ok(()) };
        let call = outer.call(&step.name).ok_or("a module call is missing")?;
        let Some(expression) = call.get("expressions").and_then(|it| it.get(name)) else {
            return Ok(());
        };
        self.expression(&outer, expression, call.get("for_each_expression"), depth + 1)
    }

    /// A plan does not say what locals hold: it may be whatever their module knows of.
    fn local(&mut self, scope: &Scope<'v, 't>, name: &str, depth: usize) -> Result<(), Lost> {
        if !self.seen.insert(scope.label("locals")) {
            return Ok(());
        }
        let configuration = self.configuration;
        for (at, resource) in configuration.resources.iter().enumerate() {
            if !resource.address.module.starts_with(&scope.module) || !is_current(resource) {
                continue;
            }
            if self.wants(resource) {
                self.candidates.insert(at);
            } else if !resource.is(ATTACHMENT) && !resource.is(POLICY) && is_unknown(resource, None)
            {
                self.may_be_elsewhere(format!(
                    "{} may hold what is known of {} only after apply",
                    quote(name),
                    quote(resource.text)
                ));
            }
        }
        let Some((outer, step)) = scope.outer() else { return Ok(()) };
        let call = outer.call(&step.name).ok_or("a module call is missing")?;
        for (name, expression) in call.get("expressions").into_iter().flat_map(Value::entries) {
            if self.seen.insert(scope.label(&format!("var {name}"))) {
                let for_each = call.get("for_each_expression");
                self.expression(&outer, expression, for_each, depth + 1)?;
            }
        }
        Ok(())
    }

    fn wants(&self, resource: &Resource<'_, '_>) -> bool {
        (self.wanted)(resource)
    }

    /// An output of a module that is called here, of each instance that may be meant.
    fn output(
        &mut self,
        scope: &Scope<'v, 't>,
        called: &Step,
        output: Option<&Step>,
        depth: usize,
    ) -> Result<(), Lost> {
        let at = scope.module.len();
        // An instance without resources is in no address; its outputs may pass something on.
        let mut instances: BTreeSet<Option<&str>> = [called.index.as_deref()].into();
        for resource in self.configuration.resources {
            if resource.address.module.starts_with(&scope.module)
                && let Some(found) = resource.address.module.get(at)
                && found.name == called.name
                && called.index.as_deref().is_none_or(|index| found.index.as_deref() == Some(index))
            {
                instances.insert(found.index.as_deref());
            }
        }
        for index in instances {
            let step = Step { name: called.name.clone(), index: index.map(str::to_owned) };
            let inner = scope.inner(step).ok_or("a module is missing from the configuration")?;
            let outputs = inner.chain.last().and_then(|module| module.get("outputs"));
            for (name, value) in outputs.into_iter().flat_map(Value::entries) {
                // Without a name any of them may be meant.
                if output.is_none_or(|output| output.name == name)
                    && let Some(expression) = value.get("expression")
                    && self.seen.insert(inner.label(&format!("output {name}")))
                {
                    self.expression(&inner, expression, None, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// A data source is known unless it is read only during apply.
    fn data(&mut self, scope: &Scope<'v, 't>, name: &str, steps: &[Step]) {
        let (kind, step) = (steps.get(1), steps.get(2));
        let open = self.configuration.resources.iter().any(|resource| {
            let address = &resource.address;
            address.data
                && address.module == scope.module
                && Some(&address.kind) == kind.map(|kind| &kind.name)
                && Some(&address.step.name) == step.map(|step| &step.name)
        });
        if open {
            self.may_be_elsewhere(format!(
                "it comes from {}, which is read during apply",
                quote(name)
            ));
        }
    }

    fn resource(&mut self, scope: &Scope<'v, 't>, name: &str, steps: &[Step]) -> Result<(), Lost> {
        let (Some(kind), Some(step)) = (steps.first(), steps.get(1)) else {
            return Err(format!("{} cannot be read", quote(name)));
        };
        let attribute = steps.get(2).map(|step| step.name.as_str());
        let index = step.index.as_deref();
        let configuration = self.configuration;
        for (at, resource) in configuration.resources.iter().enumerate() {
            let address = &resource.address;
            let meant = !address.data
                && is_current(resource)
                && address.module == scope.module
                && address.kind == kind.name
                && address.step.name == step.name
                && index.is_none_or(|index| address.step.index.as_deref() == Some(index));
            if !meant {
                continue;
            }
            // `p[each.key].id` is listed as `p`: for what is looked for the id is what counts.
            let asked = id_of(resource);
            if self.wants(resource) && attribute.is_none_or(|it| it == asked) {
                self.candidates.insert(at);
            } else if is_unknown(resource, attribute) {
                self.may_be_elsewhere(format!(
                    "it refers to {}, which is known only after apply",
                    quote(resource.text)
                ));
            }
        }
        Ok(())
    }
}

/// The attribute that policies, units and accounts go by; of an organization that of its root.
fn id_of(resource: &Resource<'_, '_>) -> &'static str {
    if resource.is(ORGANIZATION) { "roots" } else { "id" }
}

/// Whether it is there when the plan is done.
fn is_current(resource: &Resource<'_, '_>) -> bool {
    !resource.deposed && resource.action != Action::Delete
}

/// Whether an attribute, or any, is known only after apply.
fn is_unknown(resource: &Resource<'_, '_>, attribute: Option<&str>) -> bool {
    let Some(unknown) = resource.change.get("after_unknown") else { return false };
    match attribute {
        _ if unknown.is_true() => true,
        None => anything_unknown(unknown),
        Some(attribute) => unknown.get(attribute).is_some_and(anything_unknown),
    }
}

/// The references that were written. Behind each the plan lists its beginnings: `p["a"].id`,
/// `p["a"]`, `p`; the next that is no beginning of the one before was written again.
fn heads<'v>(names: &[&'v str]) -> Vec<&'v str> {
    let mut heads: Vec<&str> = Vec::new();
    let mut before: Option<&str> = None;
    for name in names {
        let beginning = before.is_some_and(|before| {
            before.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '[']))
        });
        if !beginning && !heads.contains(name) {
            heads.push(name);
        }
        before = Some(name);
    }
    heads
}

/// Every reference in an expression, those of nested blocks included.
fn references<'v>(expression: &'v Value<'_>, out: &mut Vec<&'v str>) {
    for element in expression.elements() {
        references(element, out);
    }
    for (name, value) in expression.entries() {
        if name == "references" {
            out.extend(value.elements().iter().filter_map(Value::as_str));
        } else if name != "constant_value" {
            references(value, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::heads;

    #[test]
    fn beginnings_belong_to_the_reference_before_them() {
        assert_eq!(heads(&["a.p[\"x\"].id", "a.p[\"x\"]", "a.p"]), ["a.p[\"x\"].id"]);
        assert_eq!(
            heads(&["a.p[\"x\"].id", "a.p[\"x\"]", "a.p", "a.p", "each.key"]),
            ["a.p[\"x\"].id", "a.p", "each.key"]
        );
        assert_eq!(heads(&["a.p", "each.value.name", "each.value"]), ["a.p", "each.value.name"]);
        assert_eq!(
            heads(&["module.m.out", "module.m", "a.pp", "a.p"]),
            ["module.m.out", "a.pp", "a.p"]
        );
    }
}
