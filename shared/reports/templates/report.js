"use strict";
// What the other parts share: the data, the state in the fragment, and how elements are made.
// Data reaches the document as text nodes and attribute values only, never as markup.

const data = JSON.parse(document.getElementById("data").textContent);

const STATUS = {
  F: { word: "failed", mark: "✗", tone: "bad", rank: 0 },
  U: { word: "undecided", mark: "?", tone: "open", rank: 1 },
  P: { word: "passed", mark: "✓", tone: "good", rank: 2 },
  N: { word: "not applicable", mark: "·", tone: "none", rank: 3 },
};
const LETTERS = ["F", "U", "P", "N"];

/** An element. `attributes` may hold `class`, `on` with listeners, and any attribute. */
function h(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (value === true) {
      made.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value);
    }
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
const count = (n, what) => `${grouped(n)} ${what}${n === 1 ? "" : "s"}`;
const bdi = (text) => h("bdi", null, text);

/** A sentence with what stands in backticks as code. */
function sentence(text) {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [bdi(text)];
  return parts.map((part, index) => (index % 2 ? h("code", null, part) : part && bdi(part)));
}

function chip(letter, word) {
  const status = STATUS[letter];
  return h(
    "span",
    { class: `chip tone-${status.tone}` },
    h("span", { "aria-hidden": "true" }, status.mark),
    ` ${word ?? status.word}`,
  );
}

// The organization with counts.

const controls = data.controls.map(([id, title, summary], index) => ({
  index,
  id,
  title,
  summary,
  short: id.replace("SESDP.", ""),
}));
const rows = data.rows.map((cells) => {
  const statuses = cells.map((cell) => data.cells[cell].s);
  const worst = LETTERS.find((letter) => statuses.includes(letter)) ?? "N";
  const causes = new Set(cells.map((cell) => data.cells[cell].c).filter((cause) => cause !== undefined));
  return { cells, statuses, key: statuses.join(""), worst, causes, failed: statuses.filter((s) => s === "F").length };
});
const units = data.units.map(([id, name, parent, level], index) => ({
  index,
  id,
  name,
  parent,
  level,
  children: [],
  accounts: [],
  all: 0,
  worst: { F: 0, U: 0, P: 0, N: 0 },
  cells: controls.map(() => ({ F: 0, U: 0, P: 0, N: 0 })),
}));
for (const unit of units) if (unit.parent >= 0) units[unit.parent].children.push(unit);
const accounts = data.accounts.map(([id, name, unit, row, level], index) => ({
  index,
  id,
  name,
  unit: units[unit],
  row: rows[row],
  level,
  state: data.states[index] ?? "ACTIVE",
  order: 0,
}));
for (const account of accounts) {
  account.unit.accounts.push(account);
  for (let at = account.unit; at; at = units[at.parent]) {
    at.all += 1;
    at.worst[account.row.worst] += 1;
    account.row.statuses.forEach((status, control) => {
      at.cells[control][status] += 1;
    });
  }
}
// Accounts come in the order of the tree, those of a unit before those of units in it.
const walked = [];
(function walk(unit) {
  unit.place = walked.length;
  for (const account of unit.accounts) account.order = walked.push(account);
  unit.children.forEach(walk);
  unit.end = walked.length;
})(units[0]);
const byId = new Map(accounts.map((account) => [account.id, account]));
const unitById = new Map(units.map((unit) => [unit.id, unit]));

const pathOf = (unit) => (unit ? [...pathOf(units[unit.parent]), unit] : []);
const pathText = (unit) =>
  pathOf(unit)
    .map((at) => at.name)
    .join(" / ");
const worstOf = (counts) => LETTERS.find((letter) => counts[letter] > 0) ?? "N";

/** A text of the tables in the words of `account`. */
function say(account, text) {
  const path = [data.organization, ...pathOf(account.unit).map((unit) => unit.id), ""].join("/");
  return data.texts[text].replaceAll("\ue001", path).replaceAll("\ue000", account.id);
}

// The state lives in the fragment, so that a link or the back button brings it back.

const foldedAtFirst = accounts.length > 60;
const KEYS = {
  ou: (value) => unitById.has(value),
  status: (value) => value in STATUS,
  control: (value) => controls.some((control) => control.id === value),
  cause: (value) => /^[1-9]\d*$/.test(value),
  q: (value) => value !== "",
  sort: (value) => ["name", "-name", "failed", "-failed"].includes(value),
  fold: (value) => value === "0" || value === "1",
  account: (value) => byId.has(value),
  focus: (value) => controls.some((control) => control.id === value),
};
const WORDS = { F: "FAILED", U: "UNDECIDED", P: "PASSED", N: "NOT_APPLICABLE" };
let fragment = location.hash;
let state = {};

function parsed(hash) {
  const found = {};
  for (const [key, value] of new URLSearchParams(hash.replace(/^#/, ""))) {
    const own = key === "status" ? Object.keys(WORDS).find((letter) => WORDS[letter] === value) : value;
    if (Object.hasOwn(KEYS, key) && own !== undefined && KEYS[key](own)) found[key] = own;
  }
  return found;
}

/** The fragment of the state with `change`; a key that is undefined is left out. */
function fragmentWith(change) {
  const next = { ...state, ...change };
  const pairs = Object.keys(KEYS)
    .filter((key) => next[key])
    .map((key) => [key, key === "status" ? WORDS[next[key]] : next[key]]);
  return `#${new URLSearchParams(pairs)}`;
}

/** Changes the state; as a new entry of the history unless `quietly`. */
function go(change, quietly) {
  fragment = fragmentWith(change);
  try {
    history[quietly ? "replaceState" : "pushState"](null, "", fragment);
  } catch {
    // A viewer of attachments may forbid it; the page works all the same.
  }
  apply();
}

/** A link that changes the state. */
const link = (change, attributes, ...children) => h("a", { href: fragmentWith(change), ...attributes }, ...children);
const accountLink = (account, change) =>
  link({ account: account.id, focus: undefined, ...change }, { class: "account" }, bdi(account.name));
