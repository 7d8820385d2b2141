//! The built-in facts beside the action table, and how they are looked up.
#![allow(clippy::expect_used)] // a failed expectation is how a test reports

use policy::keys::KeyKind;
use ses_perimeter::facts::keys::{Occurrence, Side, claim, key, keys, provider};
use ses_perimeter::facts::{self, prefixes, regions};
use ses_perimeter::{model, table};

#[test]
fn every_key_is_found_in_any_case_and_in_the_catalog() {
    let catalog = model::catalog();
    for fact in keys() {
        let name = if fact.family { format!("{}x", fact.name) } else { fact.name.to_owned() };
        for text in [name.to_ascii_uppercase(), name.to_ascii_lowercase(), name] {
            assert_eq!(key(&text), Some(fact), "{text}");
            assert_eq!(catalog.get(&text), Some(fact.info()), "{text}");
        }
    }
    for service in table::service_keys() {
        let name = service.name.replace("${TagKey}", "x");
        assert!(catalog.get(&name).is_some(), "{name}");
    }
    for name in ["aws:SourceIpx", "aws:PrincipalTag/", "aws:PrincipalTag", "", "aws:"] {
        assert_eq!(key(name), None, "{name}");
    }
}

#[test]
fn occurrences_differ_by_service_and_setting() {
    use Occurrence::{Always, Free, Listed, Never, Open};
    for (name, action, documented, worst_case) in [
        ("aws:PrincipalArn", "ses:SendEmail", Always, Always),
        ("aws:PrincipalArn", "sts:TagSession", Always, Always),
        ("aws:ViaAWSMCPService", "ses:SendEmail", Free, Free),
        ("aws:PrincipalTag/team", "iam:TagRole", Free, Free),
        ("aws:VpceAccount", "ses:SendEmail", Never, Free),
        ("aws:VpceAccount", "iam:TagRole", Free, Free),
        ("aws:VpceAccount", "sts:TagSession", Never, Free),
        ("aws:VpceOrgPaths", "sts:TagSession", Free, Free),
        ("aws:VpceOrgPaths", "ses:SendEmail", Never, Free),
        ("aws:SourceVpcArn", "iam:TagRole", Free, Free),
        ("aws:SourceArn", "ses:SendEmail", Never, Never),
        ("aws:IsMcpServiceAction", "ses:SendEmail", Never, Never),
        ("aws:RequestTag/x", "ses:TagResource", Listed, Listed),
        ("identitycenter:InstanceArn", "ses:SendEmail", Open, Open),
    ] {
        let found = key(name).expect("known").of_action(action);
        assert_eq!(
            (found.documented, found.worst_case),
            (documented, worst_case),
            "{name} {action}"
        );
    }
}

#[test]
fn keys_have_their_type_their_side_and_whether_only_sessions_have_them() {
    let row = |name: &str| key(name).expect("known");
    assert_eq!(row("aws:SourceIp").kind, KeyKind::Ip);
    assert_eq!(row("aws:SourceIp").network, Some(Side::Internet));
    assert_eq!(row("aws:VpceOrgID").network, Some(Side::Endpoint));
    assert_eq!(row("aws:PrincipalArn").network, None);
    assert_eq!(row("aws:OriginIdentity/FederatedProviderArn").kind, KeyKind::Arn);
    assert!(row("aws:TransactionContext/IdentityProvider/team").family);
    assert!(row("aws:CalledVia").multivalued && !row("aws:CalledViaFirst").multivalued);
    for name in [
        "aws:TokenIssueTime",
        "aws:MultiFactorAuthPresent",
        "aws:FederatedProvider",
        "aws:AssumedRoot",
        "aws:SourceIdentity",
        "aws:CalledViaLast",
        "aws:CalledViaAWSMCP",
        "aws:SignInSessionArn",
        "aws:ViaCustomerDomain",
        "ec2:RoleDelivery",
        "lambda:SourceFunctionArn",
        "ssm:SourceInstanceArn",
        "glue:RoleAssumedBy",
        "saml:sub_type",
    ] {
        assert!(row(name).session, "{name}");
    }
    for name in ["aws:username", "aws:UserAgent", "aws:PrincipalTag/x", "aws:SourceIp"] {
        assert!(!row(name).session, "{name}");
    }
}

#[test]
fn providers_are_known_by_their_whole_prefix_and_claims_by_name() {
    for prefix in [
        "accounts.google.com",
        "WWW.Amazon.com",
        "token.actions.githubusercontent.com",
        "token.actions.example.ghe.com",
        "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF",
    ] {
        assert!(provider(prefix).is_some(), "{prefix}");
    }
    for prefix in ["idp.example.com", "google.com", "aws", ""] {
        assert!(provider(prefix).is_none(), "{prefix}");
    }
    let of = |name: &str| claim(name).map(|claim| (claim.multivalued, claim.session));
    assert_eq!(of("aud"), Some((false, Occurrence::Free)));
    assert_eq!(of("SUB"), Some((false, Occurrence::Free)));
    assert_eq!(of("amr"), Some((true, Occurrence::Free)));
    assert_eq!(of("job_workflow_ref"), Some((false, Occurrence::Open)));
    assert_eq!(of("groups"), None);
}

#[test]
fn prefixes_of_services_are_known_in_any_case() {
    for prefix in ["ses", "S3", "iam", "sts", "a2c", "xray", "glue"] {
        assert!(prefixes::is_service(prefix), "{prefix}");
    }
    for prefix in ["aws", "saml", "sess", "", "accounts.google.com"] {
        assert!(!prefixes::is_service(prefix), "{prefix}");
    }
}

#[test]
fn regions_know_every_partition() {
    let aws = regions::ses("aws").expect("listed");
    assert_eq!((aws.first(), aws.len()), (Some(&"us-east-1"), 33));
    assert_eq!(regions::ses("aws-us-gov").expect("listed"), ["us-gov-west-1", "us-gov-east-1"]);
    assert_eq!(regions::ses("aws-eusc").expect("listed"), ["eusc-de-east-1"]);
    assert_eq!(regions::ses("aws-cn"), Some(&[][..]));
    assert_eq!(regions::ses("aws-iso"), None);
    let smtp = regions::smtp("aws").expect("listed");
    assert_eq!((smtp.first(), smtp.len()), (Some(&"us-east-1"), 23));
    assert!(!smtp.contains(&"eu-south-1"));
    assert_eq!(regions::iam("aws"), Some("us-east-1"));
    assert_eq!(regions::iam("aws-us-gov"), Some("us-gov-west-1"));
    let all = regions::all("aws").expect("listed");
    assert!(all.contains(&"ap-east-1") && !aws.contains(&"ap-east-1"));
    assert!(regions::form("aws").expect("listed").never.contains(&"us-gov-"));
    assert_eq!(regions::form("aws-cn").expect("listed").start, "cn-");
    assert!(regions::all_ses().contains("us-gov-east-1"));
}

#[test]
fn the_facts_are_as_old_as_their_oldest_list() {
    let oldest = facts::oldest_date();
    let lists = facts::lists();
    assert!(lists.iter().all(|(_, date)| date.epoch_day >= oldest.epoch_day));
    assert!(lists.iter().any(|(_, date)| *date == oldest));
    let days = [facts::keys::date(), prefixes::date(), regions::date(), table::date()];
    for day in days {
        assert!(lists.iter().any(|(_, date)| date.text == day), "{day}");
    }
}
