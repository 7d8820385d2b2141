//! Patterns of trusted recipients.

use text::diagnostic::Diagnostic;
use text::span::Span;

use super::reader::{Reader, Text, describe};

/// Checks one pattern; `Some` where it may be kept.
pub(super) fn read(reader: &mut Reader, text: &Text<'_>) -> Option<String> {
    let Text { text: pattern, span } = *text;
    if pattern.is_empty() {
        reader.refuse(
            Diagnostic::error("a trusted recipient is empty")
                .label(span, "matches no address")
                .help("write a pattern such as `*@example.com`, or remove the entry"),
        );
        return None;
    }
    if let Some(odd) = pattern.chars().find(|c| !c.is_ascii_graphic()) {
        let what = describe(odd);
        reader.refuse(
            Diagnostic::error(format!("trusted recipient `{}` contains {what}", pattern.escape_debug()))
                .label(span, "only printable ASCII without spaces")
                .help("write the bare address pattern; a domain with other letters goes in its `xn--` form"),
        );
        return None;
    }
    if !can_match_an_address(pattern) {
        let whole = format!("*{}{pattern}", if pattern.starts_with('@') { "" } else { "@" });
        let help = if can_match_an_address(&whole) {
            format!("a domain alone matches no address; did you mean `{whole}`?")
        } else {
            "write `local@domain`, where the domain has a dot, such as `*@example.com`".to_owned()
        };
        reader.refuse(
            Diagnostic::error(format!("trusted recipient `{pattern}` can match no address"))
                .label(span, "no `local@domain.tld` fits this pattern")
                .help(help),
        );
        return None;
    }
    warn_about_reach(reader, pattern, span);
    Some(pattern.to_owned())
}

/// Warns where the pattern trusts domains that anyone can register.
fn warn_about_reach(reader: &mut Reader, pattern: &str, span: Span) {
    let Some(last) = pattern.rfind(['*', '?']) else { return };
    let tail = pattern.get(last + 1..).unwrap_or_default();
    // Behind the last `@` every character is fixed: one domain, whatever comes before.
    if tail.contains('@') {
        return;
    }
    let warning = if pattern.bytes().all(|b| matches!(b, b'*' | b'@' | b'.' | b'?')) {
        Diagnostic::warning(format!("trusted recipient `{pattern}` does not name a domain"))
            .label(span, "trusts domains of anyone")
            .help("with this pattern hardly any mail counts as untrusted; name the domains of the organization")
    } else if tail.is_empty() {
        Diagnostic::warning(format!(
            "trusted recipient `{pattern}` leaves the end of the domain open"
        ))
        .label(span, "also trusts the same beginning under any other domain")
        .help("write the domain to its end, such as `*@example.com`")
    } else if let Some(domain) = tail.strip_prefix('.') {
        if domain.contains('.') {
            return;
        }
        Diagnostic::warning(format!(
            "trusted recipient `{pattern}` trusts everything under `{tail}`"
        ))
        .label(span, "anyone can register a domain there")
        .help("name the organization's own domain, such as `*@*.example.com`")
    } else {
        // A wildcard glued to the name: `evilexample.com` ends in `example.com` as well.
        let help = if matches!(pattern.get(..=last), Some("*" | "*@*")) {
            format!("write `*@{tail}` for the domain and `*@*.{tail}` for those below it")
        } else {
            "let `@` or a dot and the organization's whole domain follow the last wildcard"
                .to_owned()
        };
        Diagnostic::warning(format!("trusted recipient `{pattern}` also trusts lookalike domains"))
            .label(span, format!("anyone can register another name that ends in `{tail}`"))
            .help(help)
    };
    reader.warn(warning);
}

/// Places in a plain address `local@label.label`, in the order they are passed.
const LOCAL_START: u8 = 1;
const LOCAL: u8 = 1 << 1;
const FIRST_LABEL_START: u8 = 1 << 2;
const FIRST_LABEL: u8 = 1 << 3;
const LATER_LABEL_START: u8 = 1 << 4;
const LATER_LABEL: u8 = 1 << 5;

/// Where one character of an address leads from a set of places.
fn step(places: u8, character: u8) -> u8 {
    let mut next = 0;
    let mut go = |from: u8, to: u8| {
        if places & from != 0 {
            next |= to;
        }
    };
    match character {
        b'@' => go(LOCAL, FIRST_LABEL_START),
        b'.' => {
            go(LOCAL_START | LOCAL, LOCAL);
            go(FIRST_LABEL | LATER_LABEL, LATER_LABEL_START);
        }
        _ => {
            go(LOCAL_START | LOCAL, LOCAL);
            go(FIRST_LABEL_START | FIRST_LABEL, FIRST_LABEL);
            go(LATER_LABEL_START | LATER_LABEL, LATER_LABEL);
        }
    }
    next
}

/// Whether some plain address, its domain with a dot, matches the pattern.
fn can_match_an_address(pattern: &str) -> bool {
    let any = |places| step(places, b'@') | step(places, b'.') | step(places, b'a');
    let mut places = LOCAL_START;
    for character in pattern.bytes() {
        places = match character {
            b'?' => any(places),
            b'*' => {
                let mut reached = places;
                loop {
                    let more = reached | any(reached);
                    if more == reached {
                        break reached;
                    }
                    reached = more;
                }
            }
            character => step(places, character),
        };
    }
    places & LATER_LABEL != 0
}

#[cfg(test)]
mod tests {
    use super::can_match_an_address;

    #[test]
    fn a_pattern_is_possible_when_some_plain_address_fits() {
        for pattern in [
            "*",
            "*@*",
            "a@b.c",
            "*@example.com",
            "*example.com",
            "?????",
            "*.com",
            "a*",
            "*@*.?",
            "first.last@mail.example.com",
        ] {
            assert!(can_match_an_address(pattern), "{pattern}");
        }
        for pattern in [
            "",
            "?",
            "????",
            "example.com",
            "@example.com",
            "a@b",
            "a@@b.c",
            "a@b@c.d",
            "*@com",
            "a@.b",
            "a@b.",
            "*@",
            "a@b..c",
            "*@?",
        ] {
            assert!(!can_match_an_address(pattern), "{pattern}");
        }
    }
}
