//! Addresses of resources, and references to them.

/// A name with the first index behind it: `this["a"]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    pub(super) name: String,
    /// As written, without brackets: `0`, `"a"`.
    pub(super) index: Option<String>,
}

/// The address of a resource: `module.a["x"].aws_organizations_policy.this[0]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    /// The modules it is in, the outermost first.
    pub(super) module: Vec<Step>,
    /// Whether it is read instead of managed.
    pub(super) data: bool,
    /// Its type.
    pub(super) kind: String,
    /// Its name and, where it has several, its index.
    pub(super) step: Step,
}

/// The steps of an address or reference; `None` where a bracket or quote is not closed.
pub(super) fn steps(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at_checked(end)?;
        if name.is_empty() {
            return None;
        }
        rest = behind;
        let mut index = None;
        while let Some(inside) = rest.strip_prefix('[') {
            let length = bracketed(inside)?;
            let (found, behind) = inside.split_at_checked(length)?;
            index.get_or_insert_with(|| found.to_owned());
            rest = behind.strip_prefix(']')?;
        }
        steps.push(Step { name: name.to_owned(), index });
        if rest.is_empty() {
            return Some(steps);
        }
        rest = rest.strip_prefix('.')?;
    }
}

/// How many bytes stand before the closing bracket; one in quotes does not close.
fn bracketed(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

impl Address {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = steps(text)?.into_iter().peekable();
        let mut module = Vec::new();
        while steps.peek()?.name == "module" {
            steps.next();
            module.push(steps.next()?);
        }
        let mut kind = steps.next()?;
        let data = kind.name == "data";
        if data {
            kind = steps.next()?;
        }
        let step = steps.next()?;
        if kind.index.is_some() || steps.next().is_some() {
            return None;
        }
        Some(Self { module, data, kind: kind.name, step })
    }

    /// The address without the type, for made-up ids.
    pub(super) fn short(&self) -> String {
        let mut text = String::new();
        for Step { name, index } in self.module.iter().chain([&self.step]) {
            text.push_str(name);
            text.push_str(index.as_deref().unwrap_or_default());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn step(name: &str, index: Option<&str>) -> Step {
        Step { name: name.to_owned(), index: index.map(str::to_owned) }
    }

    #[test]
    fn keys_may_hold_dots_brackets_and_quotes() {
        let text = r#"module.a["x.y]\"z"].module.b[0].aws_organizations_policy.this["k"]"#;
        let address = Address::parse(text).unwrap();
        let module = vec![step("a", Some(r#""x.y]\"z""#)), step("b", Some("0"))];
        assert_eq!(address.module, module);
        assert_eq!(address.kind, "aws_organizations_policy");
        assert_eq!(address.step, step("this", Some("\"k\"")));
        assert!(!address.data);
    }

    #[test]
    fn data_and_plain_addresses_are_told_apart() {
        assert!(Address::parse("data.aws_iam_role.r").unwrap().data);
        assert_eq!(Address::parse("module.m.a.b").unwrap().short(), "mb");
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in ["", "a", "a.b.c", "a[0].b", "a.b[", "a..b", "module.m", "a.b[\"x]", "a.b]"] {
            assert_eq!(Address::parse(text).filter(|found| found.kind != "a"), None, "{text}");
        }
        assert_eq!(Address::parse("a.b.c"), None);
    }
}
