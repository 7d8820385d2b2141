"""Seeded random organizations with a perimeter: one snapshot holds many stacks."""

import json
import random

ID = "0123456789abcdefghijklmnopqrstuvwxyz"
SEND = ["ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail", "ses:SendBulkTemplatedEmail"]
VERIFY = ["ses:SendCustomVerificationEmail", "ses:VerifyEmailIdentity", "ses:VerifyEmailAddress", "ses:CreateEmailIdentity"]
OTHER = [
    "ses:SendBulkEmail", "ses:SendBounce", "ses:CreateRelay", "ses:UpdateRelay", "ses:CreateRuleSet", "ses:*RuleSet",
    "ses:*IngressPoint", "ses:PutIdentityPolicy", "ses:*EmailIdentityPolicy", "iam:TagRole", "iam:TagUser",
    "iam:Create*", "iam:Tag*", "sts:TagSession", "iam:UpdateAssumeRolePolicy", "iam:*LoginProfile", "iam:CreateAccessKey", "iam:*",
]
WIDE = ["*", "ses:*", "ses:Send*", "SES:send*", "ses:*Email", "ses:Send?ulk*", "ses:S*Raw*", "ses:Verify*", "ses:Create*"]
RECIPIENTS = ["*@ex.io", "*@*.ex.io", "*@EX.io", "a*@ex.io", "a?@ex.io", "bo@ex.io", "*@ba.de", "*ex.io", "x*", "*", '"*']
TRUSTED = [["*@ex.io"], ["*@ex.io", "*@*.ex.io"], ["*@ex.io", "*@ba.de"], ["a*@ex.io"], ["bo@ex.io", "??@ba.de"], ["*@*"]]
TAG_KEYS = ["dp:out", "team", "x"]
TAG_VALUES = ["true", "false", "mail", "t*", "*", "?", "?*"]
REGIONS = ["us-east-1", "us-*", "eu-?est-*", "eu-west-1", "ap-*", "mars-north-1", "ap-east-1", "me-*", "il-central-1", "??-*-*-?", "us-gov-*"]
# Keys that no action lists, by what is known of them; each with the operators that fit.
TEXT = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"]
FOREIGN = [
    ("corp:Thing", TEXT, ["a", "b*"]), ("ses:Nonsense", TEXT, ["a"]), ("aws:NewThing", TEXT, ["a"]), ("bare", TEXT, ["a"]),
    ("idp.example.com:email", TEXT, ["*@ex.io"]), ("saml:aud", TEXT, ["https://ex.io"]), ("corp:Count", ["NumericLessThan", "NumericNotEquals"], ["5"]),
    ("corp:Groups", ["ForAnyValue:StringNotLike", "ForAllValues:StringEquals", "ForAnyValue:StringEquals"], ["a", "b"]),
    ("token.actions.githubusercontent.com:sub", TEXT, ["repo:ex/mail:*"]), ("accounts.google.com:aud", TEXT, ["a"]),
    ("idp.example.com:amr", ["ForAnyValue:StringLike", "ForAllValues:StringNotLike", "ForAnyValue:StringNotLike"], ["unauth*", "mfa"]),
    ("saml:sub_type", TEXT, ["persistent"]), ("saml:sub", TEXT, ["a*"]),
    ("aws:ViaAWSMCPService", ["Bool"], ["true", "false"]), ("aws:CalledViaAWSMCP", TEXT, ["a"]),
    ("aws:SignInSessionArn", ["ArnLike", "ArnNotLike"], ["arn:aws:signin:*:*:*"]),
    ("aws:ViaCustomerDomain", TEXT, ["123456789012"]), ("glue:CredentialIssuingService", TEXT, ["glue.amazonaws.com"]),
    ("ec2:SourceInstanceArn", ["ArnLike", "ArnNotLike"], ["arn:*:ec2:*:*:instance/*"]),
    ("lambda:SourceFunctionArn", ["ArnLike", "StringNotLike"], ["arn:aws:lambda:*:*:function:mail"]),
    ("ec2:RoleDelivery", ["NumericLessThan", "NumericGreaterThanEquals"], ["2.0"]),
    ("aws:Ec2InstanceSourcePrivateIPv4", ["IpAddress", "NotIpAddress"], ["10.0.0.0/8"]),
    ("aws:TokenIssueTime", ["DateLessThan", "DateGreaterThan"], ["2026-11-01T00:00:00Z", "2027-01-01"]),
    ("aws:MultiFactorAuthPresent", ["Bool"], ["true", "false"]),
    ("aws:CalledVia", ["ForAnyValue:StringEquals", "ForAllValues:StringNotEquals"], ["athena.amazonaws.com"]), ("aws:SourceIdentity", TEXT, ["a*"]),
    ("aws:AssumedRoot", ["Bool"], ["true"]), ("aws:FederatedProvider", TEXT, ["a"]), ("aws:referer", TEXT, ["https://ex.io/*"]),
    ("s3:prefix", TEXT, ["a"]), ("ec2:Vpc", TEXT, ["a"]), ("sts:ExternalId", TEXT, ["a"]),
    ("iam:PermissionsBoundary", ["ArnLike", "ArnNotLike"], ["arn:aws:iam::*:policy/b"]),
    ("aws:SourceOwner", TEXT, ["a"]), ("aws:IsMcpServiceAction", ["Bool"], ["true"]), ("aws:SourceAccount", TEXT, ["999999999999"]),
    ("ses:TenantName", TEXT, ["a*"]), ("ses:MultiRegionEndpointId", TEXT, ["a"]), ("ses:MailManagerIngressPointType", TEXT, ["OPEN"]),
    ("ses:ConfigurationSetOptions", ["ForAnyValue:StringEquals", "ForAllValues:StringEquals"], ["a"]), ("ses:FromDisplayName", TEXT, ["A*"]),
    ("aws:VpceAccount", TEXT, ["999999999999", "${aws:PrincipalAccount}"]), ("aws:SourceVpcArn", ["ArnLike", "ArnNotLike"], ["arn:*:ec2:*:*:vpc/vpc-1"]),
    ("aws:VpcSourceIp", ["IpAddress", "NotIpAddress"], ["10.0.0.0/8", "10.1.0.0/16"]), ("aws:SourceVpce", TEXT, ["vpce-1", "vpce-*"]),
]
GUARDS = ["aws:TokenIssueTime", "aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:VpceOrgID", "aws:ViaAWSMCPService", "aws:MultiFactorAuthAge",
          "corp:Thing", "aws:NewThing", "aws:ResourceOrgID", "aws:ResourceTag/team", "aws:PrincipalTag/team",
          "token.actions.githubusercontent.com:sub", "s3:prefix"]


class Maker:
    def __init__(self, seed, stacks, odd=True):
        self.r = random.Random(seed)
        self.stacks, self.odd = stacks, odd
        self.counter = 0
        self.partition = "aws-us-gov" if self.chance(0.06) else "aws"
        self.organization = "o-" + self.word(10)

    def chance(self, p):
        return self.r.random() < p

    def pick(self, items):
        return self.r.choice(items)

    def some(self, items, most):
        return self.r.sample(items, self.r.randint(1, min(most, len(items))))

    def word(self, n):
        return "".join(self.r.choice(ID) for _ in range(n))

    def one_or_list(self, items):
        return items[0] if len(items) == 1 and self.chance(0.5) else items

    # -- conditions

    def arn_pattern(self):
        p = self.partition
        return self.pick([
            f"arn:{p}:iam::*:role/Admin*", f"arn:{p}:iam::*:role/mail/*", f"arn:{p}:iam::*:user/*", f"arn:{p}:iam::*:root",
            f"arn:{p}:iam::*:role/*", f"arn:{p}:*::*:*", f"arn:{p}:sts::*:federated-user/*", f"arn:{p}:iam::*:role/?",
            f"arn:{p}:iam::" + "${aws:PrincipalAccount}:role/Admin*", f"arn:{p}:iam::999999999999:role/*",
            f"arn:{p}:iam::*:role/*min", "arn:*:iam::*:role/Admin",
        ])

    def condition(self):
        """One (operator, key, values)."""
        r = self.r
        kind = r.choices(
            ["recipients", "version", "tag", "arn", "type", "region", "ip", "vpc", "vpceorg", "via", "address", "own",
             "resourceorg", "resourceaccount", "tagkeys", "requesttag", "time", "number", "foreign", "guard", "open", "resourcetag", "paths", "variable"],
            [30, 10, 18, 10, 3, 5, 4, 3, 3, 3, 6, 3, 4, 4, 4, 4, 3, 3, 14, 5, 5 if self.odd else 0, 3, 2, 0.4 if self.odd else 0],
        )[0]
        if_exists = self.pick(["", "", "IfExists"])
        if kind == "recipients":
            if self.chance(0.12):
                return "Null", "ses:Recipients", [self.pick(["true", "false"])]
            qualifier = self.pick(["ForAnyValue:"] * 4 + ["ForAllValues:"] * 2)
            operator = self.pick(["StringNotLike"] * 4 + ["StringLike", "StringEquals", "StringNotEquals", "StringNotEqualsIgnoreCase"])
            if qualifier == "ForAnyValue:" and not self.odd:
                if_exists = ""
            if qualifier == "ForAnyValue:" and self.chance(0.8):
                if_exists = ""
            key = self.pick(["ses:Recipients", "ses:Recipients", "SES:recipients"])
            return qualifier + operator + if_exists, key, self.some(RECIPIENTS, 3)
        if kind == "version":
            operator = self.pick(["StringEquals", "StringEquals", "StringNotEquals", "StringLike"])
            return operator + if_exists, "ses:ApiVersion", self.some(["1", "2", "*", "3"] if operator == "StringLike" else ["1", "2"], 2)
        if kind == "tag":
            key = "aws:PrincipalTag/" + self.pick([*TAG_KEYS, "DP:Out"])
            if self.chance(0.1):
                return "Null", key, [self.pick(["true", "false"])]
            operator = self.pick(["StringNotEquals", "StringNotEquals", "StringEquals", "StringNotLike", "StringLike", "StringEqualsIgnoreCase"])
            qualifier = self.pick([""] * 8 + ["ForAnyValue:", "ForAllValues:"])
            if qualifier == "ForAnyValue:":
                if_exists = ""
            values = TAG_VALUES if "Like" in operator else TAG_VALUES[:3]
            if self.chance(0.08):
                values = ["${aws:PrincipalAccount}"]
            return qualifier + operator + if_exists, key, self.some(values, 2)
        if kind == "arn":
            operator = self.pick(["ArnNotLike", "ArnNotLike", "ArnLike", "ArnEquals", "ArnNotEquals", "StringLike", "StringNotLike"])
            return operator + if_exists, self.pick(["aws:PrincipalArn", "aws:PrincipalARN"]), [self.arn_pattern() for _ in range(r.randint(1, 2))]
        if kind == "type":
            return self.pick(["StringEquals", "StringNotEquals"]), "aws:PrincipalType", self.some(["Account", "User", "AssumedRole", "FederatedUser"], 2)
        if kind == "region":
            return self.pick(["StringLike", "StringNotLike", "StringEquals", "StringNotEquals"]) + if_exists, "aws:RequestedRegion", self.some(REGIONS, 2)
        if kind == "ip":
            return self.pick(["IpAddress", "NotIpAddress"]) + if_exists, "aws:SourceIp", self.some(
                ["203.0.113.0/24", "203.0.113.7", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "203.0.113.128/25",
                 *(["203.010.113.0/24"] if self.odd and self.chance(0.3) else [])], 2)
        if kind == "vpc":
            operator = self.pick(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"]) + if_exists
            return operator, "aws:SourceVpc", self.some(["vpc-1", "vpc-2", "vpc-*"], 2)
        if kind == "vpceorg":
            operator = self.pick(["StringEquals", "StringNotEquals"]) + if_exists
            return operator, "aws:VpceOrgID", [self.pick(["${aws:PrincipalOrgID}", self.organization, "o-abcdefghij"])]
        if kind == "via":
            return "Bool" + if_exists, "aws:ViaAWSService", [self.pick(["true", "false", True, False])]
        if kind == "address":
            key = self.pick(["ses:FromAddress", "ses:FeedbackAddress", "ses:FeedbackAddress"])
            if self.chance(0.15):
                return "Null", key, [self.pick(["true", "false"])]
            return self.pick(["StringLike", "StringNotLike", "StringNotLike", "StringEquals"]) + if_exists, key, self.some(RECIPIENTS[:9], 2)
        if kind == "own" and self.chance(0.3):
            qualifier = self.pick(["ForAnyValue:", "ForAllValues:"])
            return qualifier + self.pick(["StringLike", "StringNotLike"]), "aws:PrincipalOrgPaths", [
                self.pick([self.organization + "/r-exam/*", self.organization + "/*/ou-exam-a*", "o-abcdefghij/*", "*/r-exam/"])]
        if kind == "own" and self.chance(0.3):
            return self.pick(["StringLike", "StringNotLike"]) + if_exists, self.pick(["aws:username", "aws:userid", "aws:UserAgent"]), ["a*"]
        if kind == "own":
            key, values = self.pick([
                ("aws:PrincipalOrgID", [self.organization]), ("aws:PrincipalOrgID", ["${aws:PrincipalOrgID}"]),
                ("aws:PrincipalOrgID", ["o-abcdefghij"]), ("aws:PrincipalAccount", ["999999999999", "888888888888"]),
                ("aws:PrincipalAccount", ["${aws:PrincipalAccount}"]),
            ])
            return self.pick(["StringEquals", "StringNotEquals"]) + if_exists, key, values
        if kind == "resourceorg":
            return self.pick(["StringEquals", "StringNotEquals", "StringNotEquals"]) + if_exists, "aws:ResourceOrgID", [
                self.pick(["${aws:PrincipalOrgID}", self.organization, "o-abcdefghij"])]
        if kind == "resourceaccount":
            return self.pick(["StringEquals", "StringNotEquals", "StringNotEquals"]) + if_exists, "aws:ResourceAccount", [
                self.pick(["${aws:PrincipalAccount}", "999999999999"])]
        if kind == "tagkeys":
            qualifier = self.pick(["ForAnyValue:", "ForAnyValue:", "ForAllValues:"])
            operator = qualifier + self.pick(["StringEquals", "StringLike", "StringEqualsIgnoreCase", "StringNotLike"])
            return operator, "aws:TagKeys", self.some(["dp:*", "dp:out", "team", "x", "*"], 2)
        if kind == "requesttag":
            key = "aws:RequestTag/" + self.pick(TAG_KEYS)
            if self.chance(0.25):
                return "Null", key, [self.pick(["true", "false"])]
            return self.pick(["StringEquals", "StringLike", "StringNotEquals"]) + if_exists, key, self.some(TAG_VALUES[:4], 2)
        if kind == "time":
            operator = "Date" + self.pick(["LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals", "Equals", "NotEquals"])
            return operator + if_exists, self.pick(["aws:CurrentTime", "aws:EpochTime"]), [
                self.pick(["2026-01-01T00:00:00Z", "2027-06-30T12:00:00Z", "1800000000", "2030-01-01", "2026-11-23T00:00:00Z", "2026-11-22"])]
        if kind == "number":
            operator = "Numeric" + self.pick(["LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals", "Equals", "NotEquals"])
            return operator + if_exists, "aws:MultiFactorAuthAge", [self.pick([100, "3600", "300", 86400])]
        if kind == "foreign":
            key, operators, values = self.pick(FOREIGN)
            operator = self.pick(operators)
            return operator + ("" if operator.startswith("ForAnyValue:") else if_exists), key, self.some(values, 2)
        if kind == "guard":
            return "Null", self.pick(GUARDS), [self.pick(["true", "true", "false"])]
        if kind == "resourcetag":
            return self.pick(["StringEquals", "StringNotEquals", "StringNotLike"]) + if_exists, "aws:ResourceTag/team", [self.pick(["mail", "?*"])]
        if kind == "paths":
            operator = self.pick(["ForAnyValue:StringLike", "ForAllValues:StringNotLike", "ForAnyValue:StringNotLike"])
            return operator, self.pick(["aws:ResourceOrgPaths", "aws:VpceOrgPaths"]), [self.organization + "/*"]
        if kind == "variable":
            return self.pick([
                ("StringNotEquals", "aws:PrincipalOrgID", ["${aws:ResourceOrgID}"]), ("StringEquals", "aws:PrincipalTag/team", ["${aws:RequestTag/team}"]),
                ("StringNotEquals", "aws:PrincipalAccount", ["${corp:Thing}"]), ("StringNotLike", "ses:FromAddress", ["${aws:username}@*"]),
            ])
        return self.pick([
            ("StringNotLike", "ses:Recipients", self.some(RECIPIENTS, 2)),
            ("StringLike", "ses:Recipients", ["*"]),
            ("ForAnyValue:StringNotLikeIfExists", "ses:Recipients", self.some(RECIPIENTS, 2)),
            ("ArnNotLike", "aws:PrincipalArn", ["*"]),
            ("ArnLike", "aws:PrincipalArn", [f"arn:{self.partition}:iam::*"]),
            ("DateGreaterThan", "aws:CurrentTime", ["tomorrow"]),
            ("NumericLessThan", "aws:MultiFactorAuthAge", ["soon"]),
            ("NotIpAddress", "aws:SourceIp", ["10.0.0/33"]),
            ("StringSorta", "aws:PrincipalTag/x", ["true"]),
            ("stringEquals", "aws:PrincipalTag/x", ["true"]),
            ("StringNotEquals", "aws:PrincipalTag/x", ["tr*e"]),
            ("ForAnyValue:StringNotLike", "ses:Recipients", ["*@${domain}"]),
        ])

    # -- statements and documents

    def resource(self):
        p = self.partition
        if self.chance(0.75):
            return ["*"]
        return self.some([
            f"arn:{p}:ses:*:" + "*:identity/ex.io", f"arn:{p}:ses:*:*:identity/*", f"arn:{p}:ses:us-east-1:*:identity/*",
            f"arn:{p}:ses:*:999999999999:identity/*", f"arn:{p}:ses:*:*:template/*", f"arn:{p}:ses:*:*:configuration-set/*",
            f"arn:{p}:ses:*:*:*", f"arn:{p}:ses:*:*:identity/*@ex.io", f"arn:{p}:iam::*:role/*", f"arn:{p}:iam::*:user/*",
            f"arn:{p}:ses:*:*:mailmanager-*/*", f"arn:{p}:ses:us-*:*:*",
            *([f"arn:{p}:ses:*"] if self.odd and self.chance(0.2) else []), *(["**"] if self.odd and self.chance(0.1) else []),
            *([f"arn:{p}:ses:*:*:identity/" + "${aws:PrincipalTag/team}"] if self.odd and self.chance(0.05) else []),
        ], 2)

    def open_statement(self):
        """Undecided as a whole, whatever is asked."""
        made = {"Effect": self.pick(["Deny", "Deny", "Allow"]), "Action": "*", "Resource": "*"}
        return self.pick([
            {**made, "Comment": "x"}, {**made, "Action": "s*s:*"},
            {**made, "Resource": "arn:" + self.partition + ":ses:*:${aws:PrincipalAccount}:identity/*"},
        ])

    def statement(self):
        if self.odd and self.chance(0.006):
            return self.open_statement()
        deny = self.chance(0.85)
        pool = self.pick([SEND, SEND, SEND, [*SEND, *VERIFY], OTHER, WIDE, WIDE])
        actions = SEND if pool is SEND and self.chance(0.5) else self.some(pool, 4)
        if self.chance(0.15):
            actions = [a.upper() if self.chance(0.5) else a.lower() for a in actions]
        made = {"Effect": "Deny" if deny else "Allow"}
        if self.chance(0.5):
            made["Sid"] = "S" + self.word(4)
        if (deny and self.chance(0.08)) or (not deny and self.chance(0.3)):
            made["NotAction"] = self.some(["ses:SendBounce", "iam:*", "s3:*", "ses:Send*", "ses:SendRawEmail", "sts:*"], 3)
        else:
            made["Action"] = self.one_or_list(actions)
        resources = self.resource()
        if resources != ["*"] and self.chance(0.3):
            made["NotResource"] = self.one_or_list(resources)
        else:
            made["Resource"] = self.one_or_list(resources)
        count = self.r.choices([0, 1, 2, 3], [25, 40, 25, 10] if deny else [60, 30, 10, 0])[0]
        condition = {}
        for _ in range(count):
            operator, key, values = self.condition()
            keys = condition.setdefault(operator, {})
            if key.lower() not in {k.lower() for k in keys}:
                keys[key] = self.one_or_list(values)
        if condition or self.chance(0.03):
            made["Condition"] = condition
        return made

    def example(self):
        """The published shape, with slips."""
        tag = {"StringNotEqualsIfExists": {"aws:PrincipalTag/dp:out": "true"}}
        made = []
        for version in ("1", "2", None):
            if self.chance(0.6):
                condition = {self.pick(["ForAnyValue:StringNotLike"] * 5 + ["ForAllValues:StringNotLike"]): {"ses:Recipients": self.some(RECIPIENTS[:3], 2)}}
                if version:
                    condition["StringEquals"] = {"ses:ApiVersion": version}
                if self.chance(0.8):
                    condition.update(tag)
                made.append({"Effect": "Deny", "Action": self.some(SEND, 4) if self.chance(0.3) else SEND, "Resource": "*", "Condition": condition})
        if self.chance(0.4):
            made.append({"Effect": "Deny", "Action": SEND, "Resource": "*", "Condition": {"Null": {"ses:Recipients": "true"}}})
        for actions in (VERIFY, OTHER[:9], OTHER[9:]):
            if self.chance(0.5):
                made.append({"Effect": "Deny", "Action": actions, "Resource": "*", **({"Condition": tag} if self.chance(0.6) else {})})
        if self.chance(0.3):
            made.append({"Effect": "Deny", "Action": "ses:*", "Resource": "*", "Condition": {
                "StringNotEqualsIfExists": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}})
        if self.chance(0.3):
            made.append({"Effect": "Deny", "Action": SEND, "Resource": "*", "Condition": {
                "StringNotLike": {"ses:FeedbackAddress": self.some(RECIPIENTS[:3], 2)}}})
        if self.chance(0.3):
            made.append({"Effect": "Deny", "Action": "ses:*", "Resource": "*", "Condition": {
                "NotIpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}, "StringNotEqualsIfExists": {"aws:VpceOrgID": "${aws:PrincipalOrgID}"},
                "BoolIfExists": {"aws:ViaAWSService": "false"}}})
        return made or [self.statement()]

    def document(self):
        statements = self.example() if self.chance(0.3) else [self.statement() for _ in range(self.r.randint(1, 4))]
        made = {"Version": "2012-10-17", "Statement": statements if len(statements) > 1 or self.chance(0.7) else statements[0]}
        if self.odd and self.chance(0.03):
            del made["Version"]
            if "${domain}" in json.dumps(made):
                made["Version"] = "2012-10-17"
        elif self.chance(0.02) and "${domain}" not in json.dumps(made):
            made["Version"] = "2008-10-17"
        return made

    def unreadable(self, document):
        """The document with a statement that makes all of it unreadable."""
        whole = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        return {**document, "Statement": self.pick([
            {"Effect": "Deny", "Action": "*"}, {**whole, "NotResource": "*"}, {**whole, "NotAction": "s3:*"}, {"Effect": "Deny", "Resource": "*"},
            {**whole, "Condition": {"StringEquals": {"aws:PrincipalTag/x": "a", "aws:PrincipalTag/X": "a"}}},
        ])}

    def content(self, document):
        if self.odd and self.chance(0.012):
            versioned, commented = {**document, "Version": "2013-01-01"}, {**document, "Comments": "x"}
            return self.pick(["{", "{}", *map(json.dumps, (versioned, commented, self.unreadable(document)))])
        return document if self.chance(0.1) else json.dumps(document)

    def organization_and_perimeter(self):
        snapshot = {
            "schemaVersion": 1, "fetchedAt": "2026-11-23T00:00:00Z", "partition": self.partition,
            "organization": {"id": self.organization, "managementAccountId": "111111111111", "featureSet": "ALL"},
            "root": {"id": "r-exam", "name": "Root", "policyTypes": [] if self.odd and self.chance(0.04) else [
                {"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]},
            "organizationalUnits": [],
            "accounts": [{"id": "111111111111", "name": "m", "email": "m@ex.io", "state": "ACTIVE", "parentId": "r-exam"}],
            "policies": [], "attachments": [], "gaps": [],
        }

        def attach(document, targets):
            self.counter += 1
            name = f"p-{self.counter:08d}"
            snapshot["policies"].append({"id": name, "name": f"n{self.counter}", "type": "SERVICE_CONTROL_POLICY", "awsManaged": False,
                                         "content": document if isinstance(document, str) else self.content(document)})
            for target in targets:
                snapshot["attachments"].append({"policyId": name, "targetId": target})

        allow_all = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
        full = ["r-exam"]
        if self.chance(0.3):
            document = self.document()
            for s in document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]:
                s.pop("Comment", None)
                s["Effect"] = "Deny"
                s["Action"] = self.some(SEND + VERIFY, 3)
                s.pop("NotAction", None)
            attach(json.dumps(document), ["r-exam"])
        allowed = []
        for n in range(self.stacks):
            unit, account = f"ou-exam-{n:08d}", f"{222200000000 + n}"
            above, levels = "r-exam", [unit, account]
            if self.chance(0.2):
                above = f"ou-exam-a{n:07d}"
                levels.insert(0, above)
                snapshot["organizationalUnits"].append({"id": above, "name": f"a{n}", "parentId": "r-exam"})
            snapshot["organizationalUnits"].append({"id": unit, "name": f"u{n}", "parentId": above})
            raw = {"id": account, "name": f"a{n}", "email": f"a{n}@ex.io", "parentId": unit}
            raw[self.pick(["state", "status"]) if self.chance(0.1) else "state"] = self.pick(
                ["SUSPENDED", "CLOSED", "PENDING_ACTIVATION", "PENDING_CLOSURE"]) if self.chance(0.03) else "ACTIVE"
            if "status" in raw and raw["status"] not in ("ACTIVE", "SUSPENDED", "PENDING_CLOSURE"):
                raw["status"] = "SUSPENDED"
            snapshot["accounts"].append(raw)
            for target in levels:
                if self.chance(0.95):
                    full.append(target)
                for _ in range(self.r.choices([0, 1, 2], [35, 50, 15])[0]):
                    attach(self.document(), [target] if self.chance(0.95) else [unit, account])
            if self.chance(0.01) and self.odd:
                snapshot["gaps"].append({"targetId": self.pick([unit, account]), "operation": "ListPoliciesForTarget", "reason": "AccessDeniedException"})
            if self.chance(0.02):
                allowed.append(self.pick([unit, account]))
        attach(allow_all, full)
        return snapshot, self.perimeter(allowed)

    def perimeter(self, allowed):
        lines = ["[trusted]", "recipients = " + json.dumps(self.pick(TRUSTED[:-1] if self.chance(0.97) else TRUSTED[-1:]))]
        if self.chance(0.6):
            parts = []
            if self.chance(0.6):
                parts.append("vpce_org = true")
            if self.chance(0.5):
                parts.append('vpcs = ["vpc-1"]')
            if self.chance(0.7) or not parts:
                parts.append('cidrs = ["203.0.113.0/24"]')
            lines.append("networks = { " + ", ".join(parts) + " }")
        for table in ("exemptions", "administrators"):
            for _ in range(self.r.choice([0, 1, 1, 2])):
                lines.append(f"[[{table}]]")
                if self.chance(0.65):
                    key, value = self.pick(["dp:out", "dp:out", "team", "X"]), self.pick(["true", "true", "mail"])
                    lines.append(f'principal_tag = {{ key = "{key}", value = "{value}" }}')
                else:
                    arn = self.pick([f"arn:{self.partition}:iam::*:{which}" for which in ("role/Admin*", "role/mail/*", "user/*")])
                    lines.append(f'principal_arn = "{arn}"')
                lines.append('reason = "r"')
                if self.chance(0.25) and table == "exemptions":
                    lines.append("expires = " + self.pick(["2020-01-01", "2026-11-23", "2099-12-31"]))
        for target in allowed:
            lines += ["[[allowed_targets]]", f'id = "{target}"', 'reason = "r"']
        if self.chance(0.4):
            lines += ["[assumptions]", 'undocumented = "worst-case"']
        if self.chance(0.1):
            lines += ["[controls]", 'disabled = ["SESDP.11"]']
        return "\n".join(lines) + "\n"


def generate(seed, stacks, odd=True):
    """(snapshot, perimeter text) with `stacks` member accounts, each under its own unit."""
    return Maker(seed, stacks, odd).organization_and_perimeter()


if __name__ == "__main__":
    import sys

    made, text = generate(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(made, indent=1))
    print(text, file=sys.stderr)
