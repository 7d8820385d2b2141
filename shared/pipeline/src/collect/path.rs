//! Where an account is, from its `Paths` and the root's ARN.

use crate::ports::AccountItem;
use policy::arn::{Arn, is_account};
use serde::{Deserialize, Serialize};

/// The units from the root down to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TreePlace {
    /// Units, outermost first.
    pub(crate) units: Vec<String>,
    /// The last of them, or the root.
    pub(crate) parent: String,
}

impl TreePlace {
    /// Reads the first path of the form `o-.../ROOT/ou-.../.../ACCOUNT/`; `None` where there is
    /// none in this root.
    pub(crate) fn of(item: &AccountItem, root: &str) -> Option<Self> {
        item.paths.iter().find_map(|path| read(path, &item.id, root))
    }
}

fn read(path: &str, account: &str, root: &str) -> Option<TreePlace> {
    let parts: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    let [organization, first, units @ .., last] = parts.as_slice() else { return None };
    let fits = organization.starts_with("o-") && *first == root && *last == account;
    if !fits || !units.iter().all(|unit| is_unit(unit)) {
        return None;
    }
    let units: Vec<String> = units.iter().map(|&unit| unit.to_owned()).collect();
    let parent = units.last().cloned().unwrap_or_else(|| root.to_owned());
    Some(TreePlace { units, parent })
}

/// What the root's ARN, `arn:PARTITION:organizations::MANAGEMENT:root/ORGANIZATION/ROOT`, tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RootArn<'a> {
    pub(crate) partition: &'a str,
    pub(crate) management_account: &'a str,
    pub(crate) organization: &'a str,
}

impl<'a> RootArn<'a> {
    /// `None` where the ARN is not of this form or is another root's.
    pub(crate) fn read(arn: &'a str, root: &str) -> Option<Self> {
        let Arn { partition, service: "organizations", region: "", account, resource } =
            Arn::of(arn)?
        else {
            return None;
        };
        let rest = resource.strip_prefix("root/")?;
        let (organization, id) = rest.split_once('/')?;
        let fits = id == root
            && is_account(account)
            && organization.parse::<organization::OrganizationId>().is_ok();
        fits.then_some(Self { partition, management_account: account, organization })
    }

    /// The partition of an ARN of any form.
    pub(crate) fn partition(arn: &'a str) -> Option<&'a str> {
        let partition = arn.strip_prefix("arn:")?.split(':').next()?;
        partition.starts_with("aws").then_some(partition)
    }
}

/// Whether an id is a unit's.
pub(crate) fn is_unit(id: &str) -> bool {
    id.parse::<organization::UnitId>().is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn place(path: &str) -> Option<TreePlace> {
        read(path, "123456789012", "r-exam")
    }

    #[test]
    fn a_path_gives_the_units_and_the_parent() {
        let found =
            place("o-exampleorgid/r-exam/ou-exam-aaaaaaaa/ou-exam-bbbbbbbb/123456789012/").unwrap();
        assert_eq!(found.units, ["ou-exam-aaaaaaaa", "ou-exam-bbbbbbbb"]);
        assert_eq!(found.parent, "ou-exam-bbbbbbbb");
        let below_root = place("o-exampleorgid/r-exam/123456789012/").unwrap();
        assert_eq!((below_root.units.len(), below_root.parent.as_str()), (0, "r-exam"));
    }

    #[test]
    fn a_path_of_another_root_or_account_or_shape_is_no_place() {
        for path in [
            "",
            "/",
            "o-exampleorgid/r-exam/",
            "o-exampleorgid/r-other/123456789012/",
            "o-exampleorgid/r-exam/ou-exam-aaaaaaaa/210987654321/",
            "o-exampleorgid/r-exam/somewhere/123456789012/",
        ] {
            assert_eq!(place(path), None, "{path}");
        }
    }

    #[test]
    fn the_arn_of_the_root_names_the_organization() {
        let arn = "arn:aws-us-gov:organizations::111111111111:root/o-exampleorgid/r-exam";
        let read = RootArn::read(arn, "r-exam").unwrap();
        assert_eq!(
            (read.partition, read.management_account, read.organization),
            ("aws-us-gov", "111111111111", "o-exampleorgid")
        );
        assert_eq!(RootArn::read(arn, "r-other"), None);
        assert_eq!(RootArn::read("arn:aws:organizations::1:root/o-exampleorgid/r-exam", "r"), None);
        assert_eq!(RootArn::partition("arn:aws-cn:odd"), Some("aws-cn"));
    }
}
