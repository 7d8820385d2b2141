//! How far SES is in use in an account, and what that does to the severity of a failed control.
//!
//! # Source
//! Clauses 20 to 33 of `docs/exposure.md`; the crate `exposure` tells the level.

/// How grave a failed control is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `INFORMATIONAL`.
    Informational,
    /// `LOW`.
    Low,
    /// `MEDIUM`.
    Medium,
    /// `HIGH`.
    High,
    /// `CRITICAL`.
    Critical,
}

impl Severity {
    /// All of them, the least grave first.
    pub const ALL: [Self; 5] =
        [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in perimeter files and findings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "INFORMATIONAL",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

/// How far SES is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing is set up and nothing was sent.
    NotInUse,
    /// Something is set up or was sent, but sending is switched off.
    Paused,
    /// Something is set up, and mail reaches verified addresses only.
    Sandbox,
    /// Mail can go to anybody; none was counted.
    Production,
    /// Mail flows.
    Sending,
    /// It could not be read, and what was read does not settle it.
    Unknown,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 6] = [
        Self::NotInUse,
        Self::Paused,
        Self::Sandbox,
        Self::Production,
        Self::Sending,
        Self::Unknown,
    ];

    /// The name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotInUse => "NOT_IN_USE",
            Self::Paused => "PAUSED",
            Self::Sandbox => "SANDBOX",
            Self::Production => "PRODUCTION",
            Self::Sending => "SENDING",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The level of an account with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The level.
    pub level: Level,
    /// What it rests on, in the order of the section; sentences without a stop. For
    /// [`Level::Unknown`] every gap.
    pub because: Vec<String>,
}

/// What a level does to a severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The control's own severity stands.
    Own,
    /// At most this one.
    AtMost(Severity),
    /// This one, where the control's own is at least `from`; otherwise its own.
    Raise {
        /// The least severity that is raised.
        from: Severity,
        /// What it becomes; never less than the own.
        to: Severity,
    },
}

/// The rule for each level but [`Level::Unknown`], under which the own severity always stands: a
/// gap must neither calm nor alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeverityRules {
    /// For [`Level::NotInUse`].
    pub not_in_use: Rule,
    /// For [`Level::Paused`].
    pub paused: Rule,
    /// For [`Level::Sandbox`].
    pub sandbox: Rule,
    /// For [`Level::Production`].
    pub production: Rule,
    /// For [`Level::Sending`].
    pub sending: Rule,
}

impl Default for SeverityRules {
    /// `LOW` at most where SES is not in use, `MEDIUM` where it is paused or in the sandbox, `HIGH`
    /// in production; where mail flows, `HIGH` becomes `CRITICAL`.
    fn default() -> Self {
        Self {
            not_in_use: Rule::AtMost(Severity::Low),
            paused: Rule::AtMost(Severity::Medium),
            sandbox: Rule::AtMost(Severity::Medium),
            production: Rule::AtMost(Severity::High),
            sending: Rule::Raise { from: Severity::High, to: Severity::Critical },
        }
    }
}

/// A severity with the rule that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graded {
    /// The severity.
    pub severity: Severity,
    /// The rule in one sentence, with its stop.
    pub sentence: String,
}

impl SeverityRules {
    /// The rule for `level`.
    #[must_use]
    pub const fn rule(&self, level: Level) -> Rule {
        match level {
            Level::NotInUse => self.not_in_use,
            Level::Paused => self.paused,
            Level::Sandbox => self.sandbox,
            Level::Production => self.production,
            Level::Sending => self.sending,
            Level::Unknown => Rule::Own,
        }
    }

    /// The rule for `level`, to be changed; none for [`Level::Unknown`].
    pub const fn rule_mut(&mut self, level: Level) -> Option<&mut Rule> {
        match level {
            Level::NotInUse => Some(&mut self.not_in_use),
            Level::Paused => Some(&mut self.paused),
            Level::Sandbox => Some(&mut self.sandbox),
            Level::Production => Some(&mut self.production),
            Level::Sending => Some(&mut self.sending),
            Level::Unknown => None,
        }
    }

    /// The severity of a control that FAILED, whose severity is `own`, in an account that stands
    /// as `standing` says.
    #[must_use]
    pub fn grade(&self, own: Severity, standing: &Standing) -> Graded {
        let severity = match self.rule(standing.level) {
            Rule::Own => own,
            Rule::AtMost(most) => own.min(most),
            Rule::Raise { from, to } if own >= from => own.max(to),
            Rule::Raise { .. } => own,
        };
        let what = match standing.level {
            Level::NotInUse => "SES is not in use in the account",
            Level::Paused => "sending is switched off in the account",
            Level::Sandbox => "the account is in the SES sandbox",
            Level::Production => "the account can send to anybody, but no mail was counted",
            Level::Sending => "the account sends mail",
            Level::Unknown => "it could not be read whether the account sends mail",
        };
        let detail = standing.because.first().map_or_else(String::new, |because| {
            let more = standing.because.len() - 1;
            if more == 0 { format!(" ({because})") } else { format!(" ({because}; {more} more)") }
        });
        let (own_name, name) = (own.name(), severity.name());
        let sentence = if severity < own {
            format!("Lowered from {own_name} to {name}: {what}{detail}.")
        } else if severity > own {
            format!("Raised from {own_name} to {name}: {what}{detail}.")
        } else {
            format!("{name}, the control's own severity, stands: {what}{detail}.")
        };
        Graded { severity, sentence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graded(own: Severity, level: Level) -> Severity {
        let standing = Standing { level, because: vec!["why".to_owned()] };
        SeverityRules::default().grade(own, &standing).severity
    }

    #[test]
    fn each_level_has_its_rule() {
        use Severity::{Critical, High, Informational, Low, Medium};
        let own = [Informational, Low, Medium, High, Critical];
        for (level, expected) in [
            (Level::NotInUse, [Informational, Low, Low, Low, Low]),
            (Level::Paused, [Informational, Low, Medium, Medium, Medium]),
            (Level::Sandbox, [Informational, Low, Medium, Medium, Medium]),
            (Level::Production, [Informational, Low, Medium, High, High]),
            (Level::Sending, [Informational, Low, Medium, Critical, Critical]),
            (Level::Unknown, own),
        ] {
            assert_eq!(own.map(|own| graded(own, level)), expected, "{level:?}");
        }
    }

    #[test]
    fn whatever_the_rules_unknown_keeps_the_own_severity() {
        let lowest = Rule::AtMost(Severity::Informational);
        let rules = SeverityRules {
            not_in_use: lowest,
            paused: lowest,
            sandbox: lowest,
            production: lowest,
            sending: lowest,
        };
        let standing = Standing { level: Level::Unknown, because: Vec::new() };
        let graded = rules.grade(Severity::Critical, &standing);
        assert_eq!(graded.severity, Severity::Critical);
        assert!(graded.sentence.ends_with("sends mail."), "{}", graded.sentence);
    }

    #[test]
    fn the_sentence_says_which_way_it_went() {
        let standing = |level| Standing { level, because: vec!["a".to_owned(), "b".to_owned()] };
        let say = |level| SeverityRules::default().grade(Severity::High, &standing(level)).sentence;
        assert_eq!(
            say(Level::NotInUse),
            "Lowered from HIGH to LOW: SES is not in use in the account (a; 1 more)."
        );
        assert_eq!(
            say(Level::Sending),
            "Raised from HIGH to CRITICAL: the account sends mail (a; 1 more)."
        );
        assert!(say(Level::Unknown).starts_with("HIGH, the control's own severity, stands"));
    }
}
