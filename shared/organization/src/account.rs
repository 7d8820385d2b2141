//! What the state of an account says about sending.

/// Organizations' state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountState {
    /// `ACTIVE`.
    Active,
    /// `PENDING_ACTIVATION`: signed up, not usable yet.
    PendingActivation,
    /// `SUSPENDED`.
    Suspended,
    /// `PENDING_CLOSURE`: on its way to closure, and still able to call.
    PendingClosure,
    /// `CLOSED`.
    Closed,
    /// No state in the snapshot, or a word that Organizations did not use when this was written.
    Unknown,
}

impl AccountState {
    /// The state of this name, as Organizations spells it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "ACTIVE" => Self::Active,
            "PENDING_ACTIVATION" => Self::PendingActivation,
            "SUSPENDED" => Self::Suspended,
            "PENDING_CLOSURE" => Self::PendingClosure,
            "CLOSED" => Self::Closed,
            _ => return None,
        })
    }

    /// The name as Organizations spells it, or `UNKNOWN`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether an account in this state may send mail; an unknown state may.
    #[must_use]
    pub const fn can_send(self) -> bool {
        match self {
            Self::Active | Self::PendingClosure | Self::Unknown => true,
            Self::PendingActivation | Self::Suspended | Self::Closed => false,
        }
    }
}
