// The matrix of accounts and controls, with its filters.

/** Rows that are drawn at once; more follow when the end comes into sight. */
const CHUNK = 150;
let drawn = null;
const watcher =
  "IntersectionObserver" in window
    ? new IntersectionObserver(
        (seen) => {
          if (seen.some((entry) => entry.isIntersecting)) drawMore();
        },
        { rootMargin: "400px" },
      )
    : null;

const haystack = (account) =>
  (account.hay ??= `${account.name}\n${account.id}\n${pathOf(account.unit)
    .map((unit) => `${unit.name} ${unit.id}`)
    .join("\n")}`.toLowerCase());

/** The columns that are shown: one control where the filter names one. */
const columns = () => controls.filter((control) => !state.control || control.id === state.control);

/** The worst status over the columns that are shown. */
const statusIn = (account, shown) =>
  shown.length === controls.length
    ? account.row.worst
    : (LETTERS.find((letter) => shown.some((control) => account.row.statuses[control.index] === letter)) ?? "N");

function matching() {
  const unit = unitById.get(state.ou);
  const shown = columns();
  const words = (state.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const cause = state.cause ? Number(state.cause) - 1 : null;
  const from = unit ? walked.slice(unit.place, unit.end) : walked;
  return from.filter(
    (account) =>
      (!state.status || statusIn(account, shown) === state.status) &&
      (cause === null ||
        (state.control
          ? shown.some((control) => data.cells[account.row.cells[control.index]].c === cause)
          : account.row.causes.has(cause))) &&
      words.every((word) => haystack(account).includes(word)),
  );
}

const isFolded = () => (state.fold ?? (foldedAtFirst ? "1" : "0")) === "1";

function items(found) {
  const shown = columns();
  let list = found.map((account) => [account]);
  if (isFolded()) {
    const groups = new Map();
    for (const account of found) {
      // With one control its reasons are shown, so rows are equal only where these are.
      const key = shown.length === 1 ? account.row.cells[shown[0].index] : account.row.key;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(account);
    }
    list = [...groups.values()];
  }
  const order = {
    name: (a, b) => a[0].name.localeCompare(b[0].name),
    failed: (a, b) => a[0].row.failed - b[0].row.failed || a[0].order - b[0].order,
  };
  const sort = state.sort ?? "";
  const by = order[sort.replace("-", "")];
  if (by) list.sort(sort.startsWith("-") ? (a, b) => by(b, a) : by);
  return list;
}

function shortReason(account, index) {
  const cell = data.cells[account.row.cells[index]];
  const first = (cell.n ?? [])[0];
  if (cell.s === "F" && cell.g === undefined && first !== undefined) {
    const [policy, statement, , , text] = data.near[first];
    return [bdi(statementName(policy, statement)), ", ", sentence(say(account, text))];
  }
  if (cell.f) return [bdi(say(account, cell.f[0][0])), ": ", sentence(say(account, cell.f[0][1]))];
  if (cell.s === "F") return sentence(say(account, cell.g));
  if (cell.s === "P" && cell.r === undefined) return ["stopped by ", stopNames(account, cell).slice(0, 2).join(", ")];
  if (cell.s === "U") return sentence(say(account, cell.o[0].text));
  return sentence(say(account, cell.r));
}

function statusCells(account, shown) {
  const cells = shown.map((control) => statusCell(account, control.index));
  return shown.length === 1
    ? [...cells, h("td", { class: "reason" }, shortReason(account, shown[0].index))]
    : [...cells, h("td", { class: "num" }, grouped(account.row.failed))];
}

function accountRow(account, shown, inner) {
  return h(
    "tr",
    inner ? { class: "inner" } : null,
    h(
      "th",
      { scope: "row", class: "first" },
      accountLink(account),
      " ",
      h("small", null, account.name === account.id ? "" : account.id),
      h("span", { class: "path" }, bdi(pathText(account.unit))),
    ),
    statusCells(account, shown),
  );
}

function groupRow(group, shown) {
  const inside = new Set(group.map((account) => account.unit)).size;
  const where = inside === 1 ? pathText(group[0].unit) : `in ${count(inside, "unit")}`;
  const names = group
    .slice(0, 3)
    .map((account) => account.name)
    .join(", ");
  let inner = null;
  const button = h(
    "button",
    { type: "button", class: "twist wide", "aria-expanded": "false" },
    `▸ ${count(group.length, "account")}`,
  );
  const row = h(
    "tr",
    null,
    h(
      "th",
      { scope: "row", class: "first" },
      button,
      h(
        "span",
        { class: "path" },
        bdi(names),
        group.length > 3 ? ` and ${grouped(group.length - 3)} more, ` : ", ",
        bdi(where),
      ),
    ),
    statusCells(group[0], shown),
  );
  const width = shown.length + 2;
  button.addEventListener("click", () => {
    if (inner) {
      inner.forEach((made) => made.remove());
      inner = null;
    } else {
      inner = [];
      const add = (from) => {
        const rows = group.slice(from, from + CHUNK).map((account) => accountRow(account, shown, true));
        const left = group.length - from - rows.length;
        if (left > 0) {
          const more = h(
            "tr",
            { class: "inner more" },
            h(
              "td",
              { colspan: width, class: "more" },
              h(
                "button",
                {
                  type: "button",
                  class: "quiet",
                  on: {
                    click: () => {
                      more.remove();
                      add(from + CHUNK);
                    },
                  },
                },
                `Show ${grouped(Math.min(left, CHUNK))} more of ${grouped(left)}`,
              ),
            ),
          );
          rows.push(more);
        }
        (inner.at(-1)?.isConnected ? inner.at(-1) : (inner.findLast((made) => made.isConnected) ?? row)).after(
          ...rows,
        );
        inner.push(...rows);
      };
      add(0);
    }
    button.setAttribute("aria-expanded", String(inner !== null));
    button.textContent = `${inner ? "▾" : "▸"} ${count(group.length, "account")}`;
  });
  return row;
}

function sortHead(label, key, first) {
  const sort = state.sort ?? "";
  const direction = sort === key ? "ascending" : sort === `-${key}` ? "descending" : "none";
  const cycle =
    first === "descending"
      ? { none: `-${key}`, descending: key, ascending: undefined }
      : { none: key, ascending: `-${key}`, descending: undefined };
  return h(
    "th",
    { scope: "col", class: key === "name" ? "first" : "num", "aria-sort": direction },
    h(
      "button",
      {
        type: "button",
        "data-sort": key,
        on: {
          click: () => {
            go({ sort: cycle[direction] });
            document.querySelector(`#matrix [data-sort="${key}"]`)?.focus();
          },
        },
      },
      label,
    ),
  );
}

function drawMatrix() {
  const found = matching();
  const shown = columns();
  const list = items(found);
  const body = h("tbody");
  drawn = { list, shown, body, next: 0 };
  const heads = controls.filter((control) => shown.includes(control)).map((control) => headCells()[control.index]);
  document
    .getElementById("matrix")
    .replaceChildren(
      h(
        "table",
        { class: shown.length === 1 ? "grid one" : "grid" },
        h("caption", { class: "sr" }, "Accounts with the status of each control"),
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            sortHead("Account", "name", "ascending"),
            heads,
            shown.length === 1
              ? h("th", { scope: "col", class: "reason" }, "Why")
              : sortHead("Failed", "failed", "descending"),
          ),
        ),
        body,
      ),
    );
  document.getElementById("matrix").scrollTop = 0;
  drawMore();
  const all =
    found.length === accounts.length
      ? count(found.length, "account")
      : `${grouped(found.length)} of ${count(accounts.length, "account")}`;
  document.getElementById("shown").textContent =
    found.length === 0
      ? "No account matches. Clear a filter to see more."
      : list.length < found.length
        ? `${all} in ${count(list.length, "row")}`
        : all;
}

function drawMore(most = CHUNK) {
  if (!drawn) return;
  drawn.sentinel?.remove();
  const { list, shown, body, next } = drawn;
  const part = list.slice(next, next + most);
  body.append(
    ...part.map((group) => (group.length === 1 ? accountRow(group[0], shown, false) : groupRow(group, shown))),
  );
  drawn.next = next + part.length;
  const left = list.length - drawn.next;
  watcher?.disconnect();
  if (left <= 0) return;
  drawn.sentinel = h(
    "tr",
    { class: "more" },
    h(
      "td",
      { colspan: shown.length + 2, class: "more" },
      h(
        "button",
        { type: "button", class: "quiet", on: { click: () => drawMore() } },
        `Show ${grouped(Math.min(left, CHUNK))} more of ${grouped(left)}`,
      ),
    ),
  );
  body.append(drawn.sentinel);
  watcher?.observe(drawn.sentinel);
}

const FILTERS = {};

function setUpFilters() {
  const option = (value, text) => h("option", { value }, text);
  for (const key of ["q", "ou", "status", "control", "cause", "fold", "clear"])
    FILTERS[key] = document.getElementById(`f-${key}`);
  FILTERS.ou.append(option("", "All units"));
  (function add(unit, depth) {
    FILTERS.ou.append(option(unit.id, `${"\u00a0\u00a0".repeat(depth)}${unit.name}`));
    unit.children.forEach((child) => add(child, depth + 1));
  })(units[0], 0);
  FILTERS.status.append(
    option("", "Any status"),
    ...LETTERS.map((letter) => option(letter, `${STATUS[letter].mark} ${STATUS[letter].word}`)),
  );
  FILTERS.control.append(
    option("", "All controls"),
    ...controls.map((control) => option(control.id, `${control.id} ${control.title}`)),
  );
  FILTERS.cause.append(
    option("", "Any cause"),
    ...Array.from({ length: data.cards }, (_, index) => option(String(index + 1), `Cause ${index + 1}`)),
  );
  FILTERS.cause.parentElement.hidden = data.cards === 0;
  for (const key of ["ou", "status", "control", "cause"]) {
    FILTERS[key].addEventListener("change", () => go({ [key]: FILTERS[key].value || undefined }));
  }
  let wait = 0;
  FILTERS.q.addEventListener("input", () => {
    clearTimeout(wait);
    // One entry of the history for a search, not one for each letter.
    wait = setTimeout(() => go({ q: FILTERS.q.value.trim() || undefined }, Boolean(state.q)), 120);
  });
  FILTERS.fold.addEventListener("change", () =>
    go({ fold: FILTERS.fold.checked === foldedAtFirst ? undefined : FILTERS.fold.checked ? "1" : "0" }),
  );
  FILTERS.clear.addEventListener("click", () => {
    go({ ou: undefined, status: undefined, control: undefined, cause: undefined, q: undefined });
    FILTERS.q.focus();
  });
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
}

function showFilters() {
  for (const key of ["ou", "status", "control", "cause"]) FILTERS[key].value = state[key] ?? "";
  if (document.activeElement !== FILTERS.q) FILTERS.q.value = state.q ?? "";
  FILTERS.fold.checked = isFolded();
  FILTERS.clear.disabled = !["ou", "status", "control", "cause", "q"].some((key) => state[key]);
}
