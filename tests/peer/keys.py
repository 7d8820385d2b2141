"""What is known of condition keys, written from the rules and AWS's pages. Names are in small letters."""

import pathlib

CONSTANT = "aws:principalaccount aws:principalorgid aws:principalorgpaths aws:securetransport aws:principalisawsservice".split()
ALWAYS = [*CONSTANT, *"aws:principalarn aws:principaltype aws:userid aws:requestedregion aws:viaawsservice aws:currenttime aws:epochtime".split()]
NEVER = set(
    "aws:sourcearn aws:sourceaccount aws:sourceorgid aws:sourceorgpaths aws:sourceowner aws:principalservicename "
    "aws:principalservicenameslist aws:ismcpserviceaction".split()
)
ENDPOINT = {"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"}
ENDPOINT_OWNER = {"aws:vpceorgid", "aws:vpceaccount", "aws:vpceorgpaths", "aws:sourcevpcarn"}
NETWORK = {"aws:sourceip", "aws:viaawsservice"} | ENDPOINT | ENDPOINT_OWNER
RESOURCE = {"aws:requestedregion", "aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"}  # judged with each resource

GROUPED = {*ALWAYS, *NETWORK, *RESOURCE}

# Free in every request: key and type.
FREE = {
    "aws:username": "text", "aws:useragent": "text", "aws:referer": "text",
}
# Free too, but only a session has them, so no SMTP request does.
SESSION = {
    "aws:tokenissuetime": "date", "aws:multifactorauthpresent": "bool", "aws:multifactorauthage": "number",
    "aws:federatedprovider": "text", "aws:assumedroot": "bool", "aws:sourceidentity": "text",
    "aws:calledvia": "text", "aws:calledviafirst": "text", "aws:calledvialast": "text",
    "aws:calledviaawsmcp": "text", "aws:viaawsmcpservice": "bool", "aws:signinsessionarn": "arn", "aws:viacustomerdomain": "text",
    "aws:chatbotsourcearn": "arn", "aws:ec2instancesourcevpc": "text", "aws:ec2instancesourceprivateipv4": "ip",
    "ec2:roledelivery": "number", "ec2:sourceinstancearn": "arn", "lambda:sourcefunctionarn": "arn", "ssm:sourceinstancearn": "arn",
    "glue:credentialissuingservice": "text", "glue:roleassumedby": "text", "codebuild:buildarn": "arn", "codebuild:projectarn": "arn",
    "identitystore:userid": "text", "saml:sub": "text", "saml:sub_type": "text", "saml:namequalifier": "text",
}
CLAIMS = {"aud", "sub", "amr"}  # of identity providers; their prefix has a dot

MULTIVALUED = {
    "ses:recipients", "aws:tagkeys", "aws:principalorgpaths", "aws:calledvia", "aws:resourceorgpaths",
    "aws:sourceorgpaths", "aws:vpceorgpaths", "aws:principalservicenameslist", "ses:replicaregion",
    "ses:configurationsetoptions", "sts:transitivetagkeys",
}

# Service prefixes of actions: their other keys occur in their own requests alone.
SERVICES = {
    line.strip() for line in (pathlib.Path(__file__).parent / "service-prefixes.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
}

# General reference, SES: Regions without an SMTP endpoint.
NO_SMTP = set(
    "af-south-1 ap-south-2 ap-southeast-3 ap-southeast-5 ca-west-1 eu-central-2 eu-south-1 il-central-1 me-central-1 me-south-1".split()
)
IAM_REGION = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1"}

# Global keys page: which of the endpoint owner's keys a service fills.
FILLED = {"iam": {"aws:vpceaccount", "aws:sourcevpcarn", "aws:vpceorgpaths"}, "sts": {"aws:vpceorgpaths"}}

# v1 operations of which nobody says whether tags of the identity count.
V1_TAGS_OPEN = {
    "ses:" + n for n in (
        "SendEmail SendRawEmail SendTemplatedEmail SendBulkTemplatedEmail SendCustomVerificationEmail SendBounce "
        "VerifyEmailIdentity VerifyEmailAddress"
    ).split()
}

# Actions of control 24 beside those that set tags: (resource type, condition keys), from the reference's IAM pages.
TAKING_OVER = {
    "iam:UpdateAssumeRolePolicy": ("role", ["aws:ResourceTag/${TagKey}", "iam:PermissionsBoundary", "iam:ResourceTag/${TagKey}"]),
    "iam:CreateAccessKey": ("user", ["aws:ResourceTag/${TagKey}", "iam:ResourceTag/${TagKey}"]),
    "iam:CreateLoginProfile": ("user", ["aws:ResourceTag/${TagKey}", "iam:ResourceTag/${TagKey}"]),
    "iam:UpdateLoginProfile": ("user", ["aws:ResourceTag/${TagKey}", "iam:ResourceTag/${TagKey}"]),
}


def multivalued(key):
    """Whether a request may hold several values of the key."""
    prefix, _, name = key.partition(":")
    return key in MULTIVALUED or ("." in prefix and name == "amr")


def kind_of(path, key):
    """(absent, free or open; type) of a key; keys of a group with others count as free.

    `path.listed` says whether the action carries the key.
    """
    prefix, colon, name = key.partition(":")
    smtp = path.api == "smtp"
    if key.startswith("aws:principaltag/") or key in GROUPED:
        return "free", "text"
    if path.listed(key):
        return "free", path.type_of(key)
    if key in FREE:
        return "free", FREE[key]
    if key in SESSION:
        return ("absent" if smtp else "free"), SESSION[key]
    if key in NEVER or key.startswith(("aws:resourcetag/", "aws:requesttag/")) or key == "aws:tagkeys":
        return "absent", None
    if "." in prefix:
        return ("absent" if smtp else "free" if name in CLAIMS else "open"), "text"
    if prefix in ("saml", "identitycenter"):
        return ("absent" if smtp else "open"), "text"
    if path.known(key):
        return "absent", None
    if not colon or prefix in ("aws", "ses") or prefix not in SERVICES:
        return "open", "text"
    return "absent", None
