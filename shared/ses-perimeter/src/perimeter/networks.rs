//! The networks from which requests are expected.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use text::diagnostic::Diagnostic;

use super::reader::{Reader, Section, Text};

/// Networks from which calls to SES are expected (control `SESDP.18`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedNetworks {
    /// Whether VPC endpoints of the organization itself are trusted (`aws:VpceOrgID`).
    pub vpce_org: bool,
    /// Trusted VPC ids (`aws:SourceVpc`).
    pub vpcs: Vec<String>,
    /// Trusted address ranges (`aws:SourceIp`), host bits cleared.
    pub cidrs: Vec<IpNet>,
}

pub(super) fn read(reader: &mut Reader, section: Section<'_>) -> TrustedNetworks {
    let vpce_org = reader.boolean(section, "vpce_org").unwrap_or(false);
    let vpc_texts = reader.texts(section, "vpcs").unwrap_or_default();
    let cidr_texts = reader.texts(section, "cidrs").unwrap_or_default();
    if !vpce_org && vpc_texts.is_empty() && cidr_texts.is_empty() && reader.problems.is_empty() {
        reader.warn(
            Diagnostic::warning("`trusted.networks` trusts no network")
                .label(section.span, "every network is unexpected")
                .help("list `cidrs` or `vpcs` or set `vpce_org = true`; without `networks`, SESDP.18 is not asked"),
        );
    }
    let mut vpcs = Vec::new();
    let mut seen = BTreeSet::new();
    for text in &vpc_texts {
        if let Some(vpc) = read_vpc(reader, text) {
            if seen.insert(vpc.clone()) {
                vpcs.push(vpc);
            } else {
                warn_twice(reader, text);
            }
        }
    }
    let mut cidrs = Vec::new();
    let mut seen = BTreeSet::new();
    for text in &cidr_texts {
        if let Some(cidr) = read_cidr(reader, text) {
            if seen.insert(cidr) {
                cidrs.push(cidr);
            } else {
                warn_twice(reader, text);
            }
        }
    }
    TrustedNetworks { vpce_org, vpcs, cidrs }
}

fn warn_twice(reader: &mut Reader, text: &Text<'_>) {
    reader.warn(
        Diagnostic::warning(format!("network `{}` is listed twice", text.text))
            .label(text.span, "already listed above")
            .help("remove one"),
    );
}

fn read_vpc(reader: &mut Reader, text: &Text<'_>) -> Option<String> {
    let id = text.text.strip_prefix("vpc-").unwrap_or_default();
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()) {
        reader.refuse(
            Diagnostic::error(format!("`{}` is no VPC id", text.text.escape_debug()))
                .label(text.span, "expected `vpc-` and hexadecimal digits")
                .help("write ids such as `vpc-0a1b2c3d4e5f67890`; wildcards have no meaning here"),
        );
        return None;
    }
    if !matches!(id.len(), 8 | 17) || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        reader.warn(
            Diagnostic::warning(format!("`{}` does not look like a VPC id", text.text))
                .label(text.span, "AWS gives VPCs 8 or 17 hexadecimal digits")
                .help("check the id: no request comes from a VPC that does not exist"),
        );
    }
    Some(text.text.to_owned())
}

fn read_cidr(reader: &mut Reader, text: &Text<'_>) -> Option<IpNet> {
    let Ok(range) = text.text.parse::<IpNet>() else {
        let help = match text.text.parse::<IpAddr>() {
            Ok(address) => format!("for one address write `{}`", IpNet::from(address)),
            Err(_) => "write a range such as `203.0.113.0/24` or `2001:db8::/32`".to_owned(),
        };
        reader.refuse(
            Diagnostic::error(format!("`{}` is no address range", text.text.escape_debug()))
                .label(text.span, "expected an address, a slash and a prefix length")
                .help(help),
        );
        return None;
    };
    let cleared = range.trunc();
    if range.prefix_len() == 0 {
        reader.warn(
            Diagnostic::warning(format!("address range `{range}` is the whole internet"))
                .label(text.span, "trusts every address of its family")
                .help("list the ranges of the organization"),
        );
    } else if cleared != range {
        reader.warn(
            Diagnostic::warning(format!("address range `{range}` has bits behind its prefix"))
                .label(text.span, format!("read as `{cleared}`"))
                .help(format!(
                    "write `{cleared}`, or `{}` for one address",
                    IpNet::from(range.addr())
                )),
        );
    }
    Some(cleared)
}
