// The page of one account: verdicts, requests, path and policies.

const ALLOWS = {
  e: "allows everything that nothing denies",
  p: "allows only what its Allow statements name",
  n: "allows nothing",
  u: "nobody can say what it allows: a policy cannot be read",
};

const documentOf = (policy) => data.documents[data.policies[policy].document];

function statementName(policy, statement) {
  const sid = documentOf(policy).statements[statement]?.[1];
  return `${sid ? `statement ${sid}` : `statement ${statement + 1} (without Sid)`} of SCP ${data.policies[policy].name}`;
}

/** The levels of an account: the target, its SCPs and what they allow. */
function levelsOf(account) {
  const units = pathOf(account.unit).map((unit) => ({
    name: unit.name,
    id: unit.id,
    level: data.levels[unit.level],
  }));
  return [...units, { name: account.name, id: account.id, level: data.levels[account.level] }];
}

/** Where an account first meets a policy. */
const metAt = (account, policy) => levelsOf(account).find((at) => at.level?.[1].includes(policy));

function stopNames(account, cell) {
  return (cell.d ?? []).map((stop) =>
    Array.isArray(stop)
      ? statementName(...stop)
      : `the lack of an Allow at ${levelsOf(account)[stop]?.name ?? "a level"}`,
  );
}

/** The request as a check in JSON shows it. */
function requestOf(account, number) {
  const found = data.requests[number];
  const own = (text) =>
    text
      .replaceAll("\ue001", [data.organization, ...pathOf(account.unit).map((unit) => unit.id), ""].join("/"))
      .replaceAll("\ue000", account.id);
  const context = {};
  for (const at of found.context) {
    const [key, value] = data.pairs[at];
    context[own(key)] = Array.isArray(value) ? value.map(own) : own(value);
  }
  return {
    action: say(account, found.action),
    resource: say(account, found.resource),
    ...(found.more ? { additionalResources: found.more.map((text) => say(account, text)) } : {}),
    principalArn: say(account, found.principal),
    context,
    sendPath: say(account, found.path),
  };
}

/** A link to a statement among the policies of the account. */
const show = (policy, statement, text) => link({}, { "data-show": `${policy} ${statement}` }, bdi(text));

function reveal(policy, statement) {
  const details = document.querySelector(`#account [data-policy="${policy}"]`);
  if (!details) return;
  details.open = true;
  fillPolicy(details);
  const at = details.querySelector(`[data-statement="${statement}"]`) ?? details;
  at.setAttribute("tabindex", "-1");
  at.scrollIntoView({ block: "center" });
  at.focus({ preventScroll: true });
}

function failedBody(account, cell) {
  const near = (cell.n ?? []).map((at) => data.near[at]);
  const parts = [];
  if (cell.m !== undefined) parts.push(h("p", null, bdi(say(account, cell.m))));
  if (cell.c !== undefined) {
    parts.push(
      h(
        "p",
        null,
        cell.c < data.cards ? h("a", { href: `#cause-${cell.c + 1}` }, `Cause ${cell.c + 1}`) : `Cause ${cell.c + 1}`,
        cell.g === undefined ? "" : [": ", sentence(say(account, cell.g))],
      ),
    );
  }
  if (near.length > 0) {
    parts.push(
      h("h3", null, "Deny statements that came near"),
      h(
        "ul",
        null,
        near.map(([policy, statement, matching, all, text, open]) =>
          h(
            "li",
            null,
            show(policy, statement, statementName(policy, statement)),
            ` at ${metAt(account, policy)?.name ?? "its target"}: `,
            sentence(say(account, text)),
            h("small", null, ` ${matching} of ${all} elements match`),
            open.map((at) => [h("br"), "open: ", sentence(say(account, at))]),
          ),
        ),
      ),
    );
  }
  if (cell.a) {
    parts.push(
      h("h3", null, "What allows the request at each level"),
      h(
        "ul",
        null,
        cell.a.map(([policy, statement], level) =>
          h(
            "li",
            null,
            bdi(levelsOf(account)[level]?.name ?? ""),
            ": ",
            show(policy, statement, statementName(policy, statement)),
          ),
        ),
      ),
    );
  }
  if (cell.w !== undefined) parts.push(h("h3", null, "The request"), ...requestBody(account, cell.w));
  return parts;
}

function requestBody(account, position) {
  const request = requestOf(account, position);
  const text = JSON.stringify(request, null, 2);
  const list = (values) => [values ?? []].flat().join(", ");
  const facts = [
    ["Action", request.action],
    ["Principal", request.principalArn],
    ["Resource", list([request.resource, ...(request.additionalResources ?? [])])],
    ["Recipients", list(request.context["ses:Recipients"])],
    ["Region", list(request.context["aws:RequestedRegion"])],
    ["Send path", request.sendPath],
  ].filter(([, value]) => value);
  return [
    h(
      "dl",
      { class: "pairs request-facts" },
      facts.map(([term, value]) => [h("dt", null, term), h("dd", null, bdi(value))]),
    ),
    h(
      "details",
      { class: "request" },
      h("summary", null, "The request in JSON"),
      h("pre", { tabindex: "0" }, text),
    ),
  ];
}

// What is set up in the account and at fault, each with the request that its policy permits.
function faultsBody(account, cell) {
  return cell.f.flatMap(([region, text, request]) => [
    h("p", null, h("b", null, bdi(say(account, region))), ": ", sentence(say(account, text))),
    ...(request === null ? [] : requestBody(account, request)),
  ]);
}

function verdictBody(account, cell) {
  const parts = [];
  if (cell.s === "F") parts.push(...(cell.f ? faultsBody(account, cell) : failedBody(account, cell)));
  if (cell.s === "P") {
    parts.push(
      h(
        "ul",
        null,
        (cell.d ?? []).map((stop) =>
          h(
            "li",
            null,
            Array.isArray(stop)
              ? [
                  "stopped by ",
                  show(...stop, statementName(...stop)),
                  ` at ${metAt(account, stop[0])?.name ?? "its target"}`,
                ]
              : `nothing allows it at ${levelsOf(account)[stop]?.name ?? "a level"}`,
          ),
        ),
      ),
    );
  }
  if (cell.s === "U") {
    parts.push(
      h(
        "ul",
        null,
        (cell.o ?? []).map((obstacle) => {
          const at =
            obstacle.at === undefined ? "" : ` at ${obstacle.at < 0 ? account.name : units[obstacle.at].name}`;
          const where =
            obstacle.policy === undefined
              ? at.trim()
              : obstacle.statement === undefined
                ? `SCP ${data.policies[obstacle.policy].name}${at}`
                : [show(obstacle.policy, obstacle.statement, statementName(obstacle.policy, obstacle.statement)), at];
          return h("li", null, where, where === "" ? "" : ": ", sentence(say(account, obstacle.text)));
        }),
      ),
    );
  }
  if (cell.r !== undefined) parts.push(h("p", null, sentence(say(account, cell.r))));
  for (const note of cell.h ?? [])
    parts.push(h("p", null, h("b", null, "Hangs on an assumption: "), sentence(say(account, note))));
  return parts;
}

function verdict(account, control) {
  const cell = data.cells[account.row.cells[control.index]];
  const focused = state.focus === control.id;
  const details = h(
    "details",
    {
      class: "verdict",
      id: `verdict-${control.short}`,
      open: focused || (!state.focus && cell.s === "F" && account.row.failed <= 3),
    },
    h(
      "summary",
      null,
      chip(cell.s),
      h("span", { class: "name" }, h("b", null, control.id), ` ${control.title}`),
      h("span", { class: "short" }, shortReason(account, control.index)),
    ),
  );
  const fill = () => {
    if (details.open && !details.dataset.full) {
      details.dataset.full = "1";
      details.append(
        h(
          "div",
          { class: "body" },
          h("p", { class: "dim" }, `Can the account ${control.summary}?`),
          verdictBody(account, cell),
        ),
      );
    }
  };
  details.fill = fill;
  details.addEventListener("toggle", fill);
  fill();
  return details;
}

/** For each statement the controls that it stops, came near to stopping or leaves open. */
function marksOf(account) {
  const marks = new Map();
  const add = (policy, statement, kind, control) => {
    const key = `${policy} ${statement}`;
    if (!marks.has(key)) marks.set(key, { stop: [], near: [], open: [] });
    marks.get(key)[kind].push(control.short);
  };
  for (const control of controls) {
    if (state.focus && state.focus !== control.id) continue;
    const cell = data.cells[account.row.cells[control.index]];
    for (const stop of cell.d ?? []) if (Array.isArray(stop)) add(stop[0], stop[1], "stop", control);
    for (const at of (cell.n ?? []).slice(0, 2)) add(data.near[at][0], data.near[at][1], "near", control);
    for (const obstacle of cell.o ?? [])
      if (obstacle.statement !== undefined) add(obstacle.policy, obstacle.statement, "open", control);
  }
  return marks;
}

let marks = new Map();
const TAGS = { near: ["✗", "came near but did not stop"], open: ["?", "leaves open"], stop: ["✓", "stops"] };

function fillPolicy(details) {
  if (details.dataset.full) return;
  details.dataset.full = "1";
  const policy = Number(details.dataset.policy);
  const found = documentOf(policy);
  const block = h("pre", { tabindex: "0", "aria-label": `Policy ${data.policies[policy].name}` });
  block.append(h("span", { class: "frame" }, found.head));
  found.statements.forEach(([, , text], index) => {
    const mark = marks.get(`${policy} ${index}`) ?? { near: [], open: [], stop: [] };
    const kinds = Object.keys(TAGS).filter((kind) => mark[kind].length > 0);
    block.append(
      h(
        "span",
        { class: `statement ${kinds[0] ?? ""}`, "data-statement": index },
        kinds.map((kind) =>
          h(
            "span",
            { class: `tag tone-${{ near: "bad", open: "open", stop: "good" }[kind]}` },
            `${TAGS[kind][0]} ${TAGS[kind][1]} SESDP.${mark[kind].join(", ")}`,
          ),
        ),
        text,
      ),
    );
  });
  block.append(h("span", { class: "frame" }, found.tail));
  if (found.error) details.append(h("p", null, h("b", null, "Cannot be read: "), sentence(found.error)));
  if (found.characters > 0) details.append(block);
  else details.append(h("p", { class: "dim" }, "The snapshot does not have the text."));
}

function policyBlock(policy, seen) {
  const found = data.policies[policy];
  const document = documentOf(policy);
  const again = seen.has(policy);
  const hits = [...marks].filter(([key]) => key.startsWith(`${policy} `));
  const has = (kind) => hits.some(([, mark]) => mark[kind].length > 0);
  const facts = [
    found.id === found.name ? "" : found.id,
    count(document.statements.length, "statement"),
    count(document.characters, "character"),
    found.managed ? "AWS managed" : "",
    found.file ?? "",
  ]
    .filter(Boolean)
    .join(" · ");
  const title = [
    bdi(found.name),
    " ",
    h("small", null, facts),
    " ",
    !again && has("near") && chip("F", "came near"),
    " ",
    !again && has("open") && chip("U", "leaves open"),
    " ",
    !again && has("stop") && chip("P", "stops requests"),
  ];
  if (again) return h("div", { class: "scp" }, title, h("small", null, "· attached above already"));
  seen.add(policy);
  const details = h(
    "details",
    {
      class: "scp",
      "data-policy": policy,
      open: has("near") || has("open") || (Boolean(state.focus) && has("stop")),
    },
    h("summary", null, title),
  );
  details.fill = () => {
    if (details.open) fillPolicy(details);
  };
  details.addEventListener("toggle", details.fill);
  details.fill();
  return details;
}

function drawAccount(account) {
  marks = marksOf(account);
  const seen = new Set();
  const counts = LETTERS.filter((letter) => account.row.statuses.includes(letter)).map((letter) => {
    const n = account.row.statuses.filter((status) => status === letter).length;
    return [chip(letter, `${n} ${STATUS[letter].word}`), " "];
  });
  const order = [...controls].sort(
    (a, b) =>
      STATUS[account.row.statuses[a.index]].rank - STATUS[account.row.statuses[b.index]].rank || a.index - b.index,
  );
  const focus = controls.find((control) => control.id === state.focus);
  document.getElementById("account").replaceChildren(
    h("p", { class: "back" }, link({ account: undefined, focus: undefined }, { id: "back" }, "← All accounts")),
    h(
      "nav",
      { "aria-label": "Path" },
      h(
        "ol",
        { class: "crumbs" },
        pathOf(account.unit).map((unit) =>
          h(
            "li",
            null,
            link(
              { account: undefined, focus: undefined, ou: unit.index ? unit.id : undefined },
              { title: unit.id },
              bdi(unit.name),
            ),
          ),
        ),
      ),
    ),
    h("h1", { id: "account-title", tabindex: "-1" }, bdi(account.name)),
    h("p", null, h("span", { class: "dim" }, `Account ${account.id}, ${account.state} `), counts),
    h(
      "section",
      { "aria-labelledby": "verdicts-title" },
      h("h2", { id: "verdicts-title" }, "Verdicts"),
      order.map((control) => verdict(account, control)),
    ),
    h(
      "section",
      { "aria-labelledby": "path-title" },
      h("h2", { id: "path-title" }, "Path and policies"),
      h(
        "p",
        { class: "note" },
        focus
          ? [
              `Statements are marked for ${focus.id} alone. `,
              link({ focus: undefined }, null, "Mark them for all controls"),
            ]
          : "Marked are the statements that stop requests, that came near, or that leave a control open.",
      ),
      data.in_force
        ? ""
        : h("p", null, h("b", null, "No SCP is in force: "), "the policy type is not enabled on the root."),
      levelsOf(account).map((at) =>
        h(
          "div",
          { class: "level" },
          h(
            "h3",
            null,
            bdi(at.name),
            " ",
            h(
              "small",
              null,
              [at.id === at.name ? "" : at.id, at.level ? ALLOWS[at.level[0]] : ""].filter(Boolean).join(" · "),
            ),
          ),
          (at.level?.[1] ?? []).length === 0
            ? h("p", { class: "note" }, "No SCP is attached here.")
            : at.level[1].map((policy) => policyBlock(policy, seen)),
        ),
      ),
    ),
  );
}
