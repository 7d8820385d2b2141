//! What a statement holds that is not modelled, as a message.

use text::diagnostic::{Diagnostic, Severity};

use crate::model::{Obstacle, ObstacleKind};

impl From<&Obstacle> for Diagnostic {
    fn from(obstacle: &Obstacle) -> Self {
        let (code, label) = match obstacle.kind {
            ObstacleKind::UnknownOperator => {
                ("policy::unknown-operator", "IAM has no such operator")
            }
            ObstacleKind::UndefinedOperator => {
                ("policy::undefined-operator", "not a defined combination")
            }
            ObstacleKind::UnknownElement => ("policy::unknown-element", "not an element of an SCP"),
            ObstacleKind::UnknownResourcePolicyElement => {
                ("policy::unknown-element", "not an element of a resource-based policy")
            }
            ObstacleKind::MissingPrincipal => ("policy::missing-principal", "this statement"),
            ObstacleKind::MalformedPrincipal => ("policy::malformed-principal", "not a principal"),
            ObstacleKind::UnmodelledPrincipal => ("policy::unmodelled-principal", "not modelled"),
            ObstacleKind::ServiceWildcard => {
                ("policy::service-wildcard", "wildcard in the service prefix")
            }
            ObstacleKind::MalformedAction => ("policy::malformed-action", "not `service:name`"),
            ObstacleKind::Placeholder => ("policy::placeholder", "not filled in"),
            ObstacleKind::MalformedVariable => {
                ("policy::malformed-variable", "not a policy variable")
            }
            ObstacleKind::MisplacedVariable => {
                ("policy::misplaced-variable", "variables do not work here")
            }
            ObstacleKind::MalformedResource => ("policy::malformed-resource", "not an ARN"),
            ObstacleKind::EmptyList => ("policy::empty-list", "empty"),
        };
        let diagnostic =
            Self::coded(Severity::Error, code, obstacle.span, obstacle.message.clone(), label);
        Self { help: obstacle.help.clone(), ..diagnostic }
    }
}
