//! Which statements depend on points on which AWS is silent: only there can the two settings of
//! `undocumented` differ for the same path.

use policy::model::{Piece, Resources, Statement, Template};

use crate::control::{Path, Recipients};
use crate::facts;
use crate::table::Api;

/// The silent points that statements touch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silence {
    /// Keys that AWS fills for a list of services that grows.
    keys: bool,
    /// Regions.
    regions: bool,
    /// The form of addresses.
    recipients: bool,
    /// Tags of resources.
    resource_tags: bool,
}

impl Silence {
    /// Takes in a statement.
    pub fn add(&mut self, statement: &Statement) {
        for condition in &statement.conditions {
            self.add_key(&condition.key_folded());
            for value in &condition.values {
                self.add_variables(&value.template);
            }
        }
        let (Resources::Listed(patterns) | Resources::AllExcept(patterns)) = &statement.resources;
        for pattern in patterns {
            self.add_variables(&pattern.template);
            self.regions |= !pattern.template.is_star() && !takes_every_region(&pattern.template);
        }
    }

    fn add_variables(&mut self, template: &Template) {
        for piece in &template.pieces {
            if let Piece::Variable { key, .. } = piece {
                self.add_key(key);
            }
        }
    }

    fn add_key(&mut self, folded: &str) {
        self.regions |= folded == "aws:requestedregion";
        self.recipients |= folded == "ses:recipients";
        self.resource_tags |= folded.starts_with("aws:resourcetag/");
        self.keys |= facts::keys::key(folded).is_some_and(|fact| {
            [fact.ses, fact.iam, fact.sts].iter().any(|s| s.documented != s.worst_case)
        });
    }

    /// Takes in another.
    pub fn merge(&mut self, other: Self) {
        self.keys |= other.keys;
        self.regions |= other.regions;
        self.recipients |= other.recipients;
        self.resource_tags |= other.resource_tags;
    }

    /// Whether the requests of `path` may have different outcomes under the two settings.
    #[must_use]
    pub fn matters(self, path: &Path) -> bool {
        let regions = match path.api {
            Api::V1 | Api::V2 | Api::MailManager | Api::PinpointEmail => self.regions,
            // The root user may ask, too.
            Api::Smtp => true,
            Api::Iam | Api::Sts => false,
        };
        self.keys
            || regions
            || (self.recipients && path.recipients != Recipients::Absent)
            || (self.resource_tags && path.is_silent_about_resource_tags())
    }
}

/// Whether the pattern of an ARN has a lone `*` in the place of the Region.
fn takes_every_region(template: &Template) -> bool {
    let parts: Vec<&[Piece]> = template.pieces.split(|piece| *piece == Piece::Char(':')).collect();
    parts.len() > 5 && parts.get(3).is_some_and(|part| *part == [Piece::Star])
}
