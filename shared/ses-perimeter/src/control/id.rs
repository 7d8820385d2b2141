//! The closed set of controls, by number.

macro_rules! controls {
    ($($name:ident = $number:literal,)+) => {
        /// A control; what it is stands in its [`Entry`](super::Entry).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ControlId {
            $(
                #[doc = concat!("SESDP.", $number, ".")]
                $name = $number,
            )+
        }

        impl ControlId {
            /// Every control in order.
            pub const ALL: [Self; [$($number),+].len()] = [$(Self::$name),+];
        }
    };
}

// The one place where a control gets its number; the compiler then lists what it still lacks.
controls! {
    V1Bulk = 1,
    V1Send = 2,
    V1Raw = 3,
    V1Templated = 4,
    V1CustomVerification = 5,
    V2Send = 6,
    V2CustomVerification = 7,
    Smtp = 8,
    V2Bulk = 9,
    VerificationMail = 10,
    Bounce = 11,
    MailManager = 12,
    PinpointEmail = 13,
    SendingAuthorization = 14,
    Feedback = 15,
    ExemptionTags = 16,
    ForeignResources = 17,
    Networks = 18,
    IdentityPolicies = 19,
    EndpointPrincipals = 20,
    EndpointResources = 21,
    MailManagerHosts = 22,
    ManagementAccount = 23,
    ExemptPrincipals = 24,
}

impl ControlId {
    /// The first one.
    pub const FIRST: Self = {
        let [first, ..] = Self::ALL;
        first
    };
    /// The last one.
    pub const LAST: Self = {
        let [.., last] = Self::ALL;
        last
    };

    /// All controls in order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// The control of this number.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        Self::all().find(|control| control.number() == number)
    }

    /// The control named `SESDP.n`, in any case, or just `n`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let digits = lower.strip_prefix("sesdp.").unwrap_or(&lower);
        let plain = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten().and_then(Self::new)
    }

    /// Its number, for names and for order.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl std::fmt::Display for ControlId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SESDP.{}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_named_by_its_plain_number() {
        for (text, number) in [("8", Some(8)), ("sesdp.18", Some(18)), ("SesDp.1", Some(1))] {
            assert_eq!(ControlId::parse(text).map(ControlId::number), number, "{text}");
        }
        let next = (ControlId::LAST.number() + 1).to_string();
        let wrong = ["", "0", "08", "SESDP.08", "+8", "SESDP.+8", &next, "SESDP.", "8 ", "eight"];
        for text in wrong {
            assert_eq!(ControlId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_controls_stand_in_the_order_of_their_numbers_without_a_gap() {
        let numbers: Vec<u8> = ControlId::all().map(ControlId::number).collect();
        assert_eq!(numbers, (1..=ControlId::LAST.number()).collect::<Vec<_>>());
        assert!(ControlId::ALL.is_sorted());
    }
}
