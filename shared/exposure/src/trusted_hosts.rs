//! SMTP hosts to which a Mail Manager relay may lead.

/// The hosts that are trusted: those under the domains of trusted recipients, and those listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedHosts {
    /// Domains in lower case; a host is trusted when it is the domain or below it.
    domains: Vec<String>,
    /// Domains in lower case of which only what is below is trusted.
    parents: Vec<String>,
    /// Hosts in lower case.
    hosts: Vec<String>,
}

impl TrustedHosts {
    /// Hosts under the domains of `recipients` (patterns of the perimeter's trusted recipients),
    /// and `listed` ones: `mail.example.net`, or `*.example.net` for everything below it.
    ///
    /// A pattern of recipients trusts hosts only if it fixes the whole domain (`*@example.com`)
    /// or everything but its beginning (`*@*.example.com`), and if that part has a dot.
    #[must_use]
    pub fn new(recipients: &[String], listed: &[String]) -> Self {
        let mut trusted = Self::default();
        for pattern in recipients {
            let Some((_, domain)) = pattern.rsplit_once('@') else { continue };
            let (below, domain) = match domain.strip_prefix("*.") {
                Some(domain) => (true, domain),
                None => (false, domain),
            };
            if domain.contains(['*', '?']) || !domain.contains('.') || domain.starts_with('.') {
                continue;
            }
            let domain = domain.to_ascii_lowercase();
            if below { trusted.parents.push(domain) } else { trusted.domains.push(domain) }
        }
        for host in listed {
            let host = canonical(host);
            match host.strip_prefix("*.") {
                Some(parent) if !parent.is_empty() => trusted.parents.push(parent.to_owned()),
                Some(_) | None => trusted.hosts.push(host),
            }
        }
        trusted
    }

    /// Whether mail may be relayed to `host`.
    #[must_use]
    pub fn trusts(&self, host: &str) -> bool {
        let host = canonical(host);
        let below = |domain: &String| {
            host.strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        };
        self.hosts.contains(&host)
            || self.domains.iter().any(|domain| *domain == host || below(domain))
            || self.parents.iter().any(below)
    }
}

/// Lower case, without the dot that may end a full name.
fn canonical(host: &str) -> String {
    let host = host.trim().to_ascii_lowercase();
    host.strip_suffix('.').map(str::to_owned).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(recipients: &[&str], listed: &[&str]) -> TrustedHosts {
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        TrustedHosts::new(&owned(recipients), &owned(listed))
    }

    #[test]
    fn a_host_lies_under_the_domain_of_trusted_recipients() {
        let hosts = trusted(&["*@Example.com", "*@*.example.net"], &[]);
        for host in ["example.com", "MX.example.com.", "a.b.example.com", "mx.example.net"] {
            assert!(hosts.trusts(host), "{host}");
        }
        for host in ["evilexample.com", "example.com.evil.org", "example.net", "", ".example.com"] {
            assert!(!hosts.trusts(host), "{host}");
        }
    }

    #[test]
    fn a_pattern_that_leaves_the_domain_open_trusts_no_host() {
        let hosts = trusted(
            &["*", "*@*", "*example.com", "*@*example.com", "*@ex?mple.com", "*@*.com"],
            &[],
        );
        for host in ["example.com", "mx.example.com", "evil.com"] {
            assert!(!hosts.trusts(host), "{host}");
        }
    }

    #[test]
    fn a_listed_host_is_trusted_as_it_is_or_below_a_star() {
        let hosts = trusted(&[], &["smtp.partner.example", "*.archive.example", "192.0.2.25"]);
        for host in ["smtp.partner.example", "a.archive.example", "192.0.2.25"] {
            assert!(hosts.trusts(host), "{host}");
        }
        for host in ["x.smtp.partner.example", "archive.example", "192.0.2.26"] {
            assert!(!hosts.trusts(host), "{host}");
        }
    }
}
