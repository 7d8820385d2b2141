// The units as a heat map that opens and closes.

const opened = new Set();
/** Accounts of a unit that stand in the tree one by one; more are counted. */
const LEAVES = 12;

function headCells() {
  return controls.map((control) =>
    h(
      "th",
      { scope: "col", class: "turn", title: `${control.id}: ${control.summary}` },
      h("span", null, h("b", null, control.short), ` ${control.title}`),
    ),
  );
}

/** `950`, `1.2k`, `10k`: the columns stay narrow, and the title has the number. */
const short = (n) => (n < 1000 ? String(n) : `${n < 10000 ? Math.round(n / 100) / 10 : Math.round(n / 1000)}k`);

function heatCell(counts) {
  const asked = counts.F + counts.U + counts.P;
  if (counts.F > 0) {
    const share = counts.F / asked;
    const heat = share > 0.75 ? 4 : share > 0.4 ? 3 : share > 0.1 ? 2 : 1;
    return h(
      "td",
      { class: `heat-${heat}`, title: `${grouped(counts.F)} of ${grouped(asked)} failed` },
      h("span", { "aria-hidden": "true" }, short(counts.F)),
      h("span", { class: "sr" }, `${grouped(counts.F)} failed`),
    );
  }
  const letter = worstOf(counts);
  const n = letter === "U" && counts.U > 1 ? short(counts.U) : "";
  return h(
    "td",
    { class: `tone-${STATUS[letter].tone}` },
    h("span", { "aria-hidden": "true" }, n + STATUS[letter].mark),
    h("span", { class: "sr" }, `${n} ${STATUS[letter].word}`),
  );
}

function statusCell(account, index) {
  const status = STATUS[account.row.statuses[index]];
  return h(
    "td",
    {
      class: `tone-${status.tone}`,
      "data-cell": `${account.id} ${controls[index].id}`,
      title: `${controls[index].id} ${controls[index].title}: ${status.word}`,
    },
    h("span", { "aria-hidden": "true" }, status.mark),
    h("span", { class: "sr" }, status.word),
  );
}

function unitRow(unit, depth) {
  const more = unit.children.length > 0 || unit.accounts.length > 0;
  const counts = LETTERS.filter((letter) => unit.worst[letter] > 0).map(
    (letter) => `${grouped(unit.worst[letter])} ${STATUS[letter].word}`,
  );
  const isOpen = opened.has(unit);
  const twist = more
    ? h(
        "button",
        {
          type: "button",
          class: "twist",
          "aria-expanded": String(isOpen),
          "data-unit": unit.index,
          "aria-label": `${unit.name}, level ${depth + 1}`,
          on: { click: () => toggle(unit) },
        },
        isOpen ? "▾" : "▸",
      )
    : h("span", { class: "leaf" });
  return h(
    "tr",
    { "data-row": unit.index },
    h(
      "th",
      { scope: "row", class: "first" },
      h(
        "div",
        { class: `unit d${Math.min(depth, 6)}` },
        twist,
        h(
          "span",
          null,
          link(
            { ou: unit.index ? unit.id : undefined, account: undefined },
            { title: unit.id, "data-scroll": "accounts" },
            bdi(unit.name),
          ),
          " ",
          h("small", null, unit.all ? count(unit.all, "account") : "no account"),
        ),
      ),
    ),
    h("td", { title: counts.join(", ") }, unit.all ? chip(worstOf(unit.worst), counts[0]) : ""),
    unit.cells.map(heatCell),
  );
}

function leafRows(unit, depth) {
  if (unit.accounts.length > LEAVES) {
    return [
      h(
        "tr",
        null,
        h(
          "th",
          { scope: "row", class: "first" },
          h(
            "div",
            { class: `unit d${Math.min(depth, 6)}` },
            h("span", { class: "leaf" }),
            link(
              { ou: unit.id, account: undefined },
              { "data-scroll": "accounts" },
              `${count(unit.accounts.length, "account")} in this unit`,
            ),
          ),
        ),
        h("td", { colspan: controls.length + 1 }),
      ),
    ];
  }
  return unit.accounts.map((account) =>
    h(
      "tr",
      null,
      h(
        "th",
        { scope: "row", class: "first" },
        h("div", { class: `unit d${Math.min(depth, 6)}` }, h("span", { class: "leaf" }), accountLink(account)),
      ),
      h("td", null, chip(account.row.worst)),
      account.row.statuses.map((_, index) => statusCell(account, index)),
    ),
  );
}

function treeRows(unit, depth) {
  const own = [unitRow(unit, depth)];
  if (!opened.has(unit)) return own;
  return [...own, ...leafRows(unit, depth + 1), ...unit.children.flatMap((child) => treeRows(child, depth + 1))];
}

function drawTree() {
  const body = h("tbody", null, treeRows(units[0], 0));
  document
    .getElementById("tree")
    .replaceChildren(
      h(
        "table",
        { class: "grid" },
        h("caption", { class: "sr" }, "Units with how many of their accounts fail each control"),
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col", class: "first" }, "Unit"),
            h("th", { scope: "col" }, "Worst"),
            headCells(),
          ),
        ),
        body,
      ),
    );
}

function toggle(unit, open = !opened.has(unit)) {
  if (open) opened.add(unit);
  else opened.delete(unit);
  drawTree();
  document.querySelector(`#tree [data-unit="${unit.index}"]`)?.focus();
}

/** Arrow keys as in a tree: right opens, left closes or goes up, up and down move. */
function treeKey(event) {
  const at = event.target.closest?.("[data-unit]");
  if (!at || event.altKey || event.ctrlKey || event.metaKey) return;
  const unit = units[Number(at.dataset.unit)];
  const all = [...document.querySelectorAll("#tree [data-unit]")];
  const move = (to) => to?.focus();
  const keys = {
    ArrowRight: () => (opened.has(unit) ? move(all[all.indexOf(at) + 1]) : toggle(unit, true)),
    ArrowLeft: () =>
      opened.has(unit) ? toggle(unit, false) : move(document.querySelector(`#tree [data-unit="${unit.parent}"]`)),
    ArrowDown: () => move(all[all.indexOf(at) + 1]),
    ArrowUp: () => move(all[all.indexOf(at) - 1]),
    Home: () => move(all[0]),
    End: () => move(all[all.length - 1]),
  };
  if (!(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
}

/** Opens units from the root on while the tree stays short. */
function openAtFirst() {
  let shown = 1;
  let next = [units[0]];
  while (next.length > 0) {
    const grown = next.reduce((sum, unit) => sum + unit.children.length + Math.min(unit.accounts.length, LEAVES), 0);
    if (shown > 1 && shown + grown > 30) return;
    shown += grown;
    next.forEach((unit) => opened.add(unit));
    next = next.flatMap((unit) => unit.children).filter((unit) => unit.children.length + unit.accounts.length > 0);
  }
}
